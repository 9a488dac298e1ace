package registry

import (
	"net/http"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
)

// otherwise is the reaction to a response that is not a success.
type otherwise int

const (
	// askAgain: repeat the request while the failure is temporary, see Backoff.
	askAgain otherwise = iota
	// askPlainer: send a simpler request at once, which does the same and whose
	// error shows the cause.
	askPlainer
	// doWithout: the image is complete without it.
	doWithout
)

// step is one kind of request, and the meaning of its responses.
type step struct {
	name      string // in failures
	success   []int  // statuses; nil for any 2xx
	doubts    int    // how often a refusal may pass: the registry has named what is asked for, or makes repositories when they are pushed to
	otherwise otherwise
	overLimit failure.Code // for a response with a larger body than is read; Internal if empty
	checked   bool         // a 200 with a web page or an error in its body is no success
}

// The steps. Registries and the proxies in front of them do not always respond
// to successful requests as the specification says, and refuse optional
// requests with any status; see docs/registries.md.
var (
	readManifest   = step{name: ReadingManifest, success: only200, checked: true, overLimit: failure.ManifestTooLarge}
	readNamed      = step{name: ReadingManifest, success: only200, checked: true, overLimit: failure.ManifestTooLarge, doubts: namedDoubts}
	headManifest   = step{name: "reading digest", success: only200, otherwise: askPlainer} // GET
	readConfig     = step{name: readingBlob, success: []int{200, 203, 206}, overLimit: failure.TooLarge, doubts: codedDoubts}
	readBlob       = step{name: readingBlob, doubts: codedDoubts}
	readOther      = step{name: "reading"} // for a client
	headBlob       = step{name: "looking for blob", otherwise: doWithout}
	mountBlob      = step{name: startingUpload, checked: true, otherwise: askPlainer} // POST without mount
	startUpload    = step{name: startingUpload, checked: true, doubts: namedDoubts}
	askOffset      = step{name: resumingUpload}
	sendBlob       = step{name: sendingBlob}
	putManifest    = step{name: WritingManifest, checked: true}
	listTags       = step{name: "listing tags", success: only200, checked: true}
	listFewTags    = step{name: "listing tags", success: only200, checked: true, otherwise: doWithout}
	listCatalog    = step{name: "listing repositories", success: only200, checked: true, otherwise: doWithout}
	listReferrer   = step{name: "listing referrers", success: only200, otherwise: doWithout}
	getToken       = step{name: gettingToken}
	exchangeToken  = step{name: exchangingToken}
	deleteManifest = step{name: "deleting manifest", success: []int{200, 202, 204, 404}, otherwise: doWithout}
	showLogin      = step{name: "logging in", success: only200}
	readLimit      = step{name: "reading the rate limit", success: only200}
)

// only200 includes 203, of proxies that change responses (RFC 9110 §15.3.4).
var only200 = []int{200, 203}

// The names of steps that consist of several requests.
const (
	readingBlob     = failure.ReadingBlob
	startingUpload  = "starting upload"
	sendingBlob     = "writing blob"
	resumingUpload  = "resuming upload"
	gettingToken    = failure.GettingToken
	exchangingToken = "exchanging the job's identity for a login"
	followingTo     = "following redirect"
	ReadingManifest = "reading manifest" // of a failure to get one
	WritingManifest = "writing manifest" // of a failure to put one
	ReadingBack     = "reading back"     // of a failure to confirm what was put
)

// succeeded reports whether status is a success of the step.
func (s step) succeeded(status int) bool {
	if s.success == nil {
		return status >= 200 && status < 300
	}
	return slices.Contains(s.success, status)
}

// sign describes a kind of refusal. The side, the step, the statuses of which
// it must have one, and page narrow the rows with words or codes; a row with
// neither is about the status alone.
type sign struct {
	side     failure.Side // empty for both
	step     string       // empty for all
	page     bool         // a web page, which is not of the registry
	website  bool         // a page at a host that is no registry
	wordy    bool         // with a text of several words
	statuses []int        // nil for all
	from, to int          // a range of statuses in their place
	codes    []string
	words    []string // in lower case; nil together with codes for any
	means    failure.Code
}

// The words of refusals that have the same meaning on several sides and steps.
var (
	tooMany  = []string{"rate limit", "too many requests", "throttl", "slow down", "requests per "}
	tooLarge = []string{"too large", "too big", "entitytoolarge", "request content length", "request size", "upload size", "maximum permissible limit"}
	// longHeader are words of proxies about a header with a long token.
	longHeader = []string{"header or cookie too large", "header too large", "headers too large", "header fields too large"}
	usedUp     = []string{
		"quota", "storage limit", "upper limit", "limit exceeded", "limit is", "limit reached", "limit has been", "over the limit", "maximum number of",
		"exceed the", "exceeds the", "exceeded the", "exceeded your", "reached the", "reached its", "reached your",
		"no space left", "insufficient storage", "out of space",
	}
	// unwritable are reasons why an existing tag stays as it is.
	unwritable = []string{
		"immutable",                   // ECR, Harbor, Artifact Registry, Quay
		"already exist",               // JFrog, Gitea
		"tag exists",                  // conflicts
		"overwrit",                    // ECR, Artifactory
		"not allow updating",          // Nexus
		"cannot be updated",           // Nexus
		"redeploy",                    // Nexus
		"disallowed on this registry", // ACR: locked
		"protected",                   // GitLab
		"retention",                   // Harbor
	}
	// ofParts are words about a part that is missing, whatever the code is.
	ofParts = []string{"blob unknown", "unknown blob", "blob not found", "missing blob", "required for pushing"}
	// ofForm are words about the manifest's type, whatever the code is.
	ofForm = []string{"manifest class", "fail to parse 'manifest.json'", "media type", "mediatype"}
	// closed are reasons of the registry, its operator or the law that no login
	// changes.
	closed = []string{
		"read-only", "read only", "readonly", "maintenance",
		"disabled", "disallowed", "not enabled", "has not been used", "deactivated", "suspended", "offline", "shut down", "archived", "frozen",
		"billing", "payment", "overdue", "in arrears", "subscription",
		"firewall", "blocked", "client with ip", "ip address", "whitelist", "allowlist", "allow list",
		"violat", "vulnerabilit", "quarantine", "not signed", "content trust", "configured policy",
		"account is locked", "account has been locked", "account locked", "locked out", "failed login", "failed attempts",
		"your country", "country or region", "export control", "export restriction", "sanction", "embargo", "legal reasons",
	}
	// anonymous are words that ask for a login, whatever else is said.
	anonymous = []string{"anonymous", "authentication required", "unauthenticated", "log in", "docker login", "token has expired"}
	// ofRights are words about logins and rights. A 403 with other words has
	// another reason.
	ofRights = []string{
		"authori", "authenti", "credential", "password", "username", "user name", "login", "sign in", "token", "scope", "expired",
		"permission", "privilege", "forbidden", "insufficient", "not allowed to", "may not", "no access",
		"access to the re", "access denied", "access is denied", "denied: denied",
	}
)

// signs classify refusals; the first match counts. The text of an error is more
// specific than its code, and the code than the status, so the words come
// first. The codes are those of the OCI distribution specification ("Error
// Codes"). The table test names the registry of each.
var signs = []sign{
	{statuses: []int{429}, means: failure.RateLimited},

	// Words.
	{codes: []string{distribution.TooManyRequests}, words: tooMany, means: failure.RateLimited},
	{step: exchangingToken, words: []string{"idpcommunicationerror"}, means: failure.Unavailable}, // Amazon did not reach GitHub
	{step: exchangingToken, statuses: []int{408}, means: failure.Unavailable},
	{step: exchangingToken, from: 300, to: 499, means: failure.LoginExchange},
	{side: failure.Target, words: longHeader, means: failure.TargetClosed},
	{side: failure.Target, words: tooLarge, means: failure.RequestLimit},
	{side: failure.Target, words: usedUp, means: failure.Quota},
	{side: failure.Target, step: WritingManifest, words: unwritable, means: failure.TagImmutable},
	{side: failure.Target, step: WritingManifest, words: ofParts, means: failure.PartLost},
	{side: failure.Target, words: ofForm, means: failure.TargetRefused},
	{side: failure.Target, from: 400, to: 499, words: anonymous, means: failure.TargetLogin},
	{side: failure.Source, from: 400, to: 499, words: anonymous, means: failure.Private},
	{side: failure.Target, from: 401, to: 499, words: closed, means: failure.TargetClosed},
	{side: failure.Source, from: 401, to: 499, words: slices.Concat(usedUp, closed), means: failure.SourceRefused},
	{side: failure.Target, step: WritingManifest, from: 400, to: 499, words: ofRights, means: failure.TargetLogin},

	// Statuses that have one meaning on every server.
	{side: failure.Target, statuses: []int{402, 507}, means: failure.Quota},
	{side: failure.Target, statuses: []int{413}, means: failure.RequestLimit},
	{statuses: []int{500}, means: failure.Unavailable},
	{from: 502, to: 599, means: failure.Unavailable},
	// 409: a concurrent request does something with the same resource.
	{statuses: []int{408, 409, 425}, means: failure.Unavailable},

	{website: true, statuses: []int{404}, means: failure.WebPage},
	// Pages of proxies, which know neither logins nor images.
	{side: failure.Target, page: true, step: gettingToken, statuses: []int{400, 403, 405, 406}, means: failure.TargetRefused},
	{side: failure.Source, page: true, statuses: []int{400, 403, 405, 406}, means: failure.SourceRefused},
	{side: failure.Target, page: true, statuses: []int{400, 403, 405, 406}, means: failure.TargetClosed},
	{side: failure.Target, page: true, step: startingUpload, statuses: []int{404}, means: failure.TargetClosed}, // no registry is there
	{side: failure.Target, page: true, step: WritingManifest, statuses: []int{404}, means: failure.TargetClosed},

	// Codes.
	{codes: []string{distribution.Unavailable}, means: failure.Unavailable},
	{side: failure.Target, step: WritingManifest, codes: []string{distribution.DigestInvalid}, means: failure.Rewritten},
	{codes: []string{distribution.DigestInvalid, distribution.SizeInvalid}, means: failure.Corrupt},
	// The blob has just been put, and not all of the registry knows it yet, or
	// the registry claimed to have a blob that it lacks.
	{side: failure.Target, codes: []string{distribution.ManifestBlobUnknown, distribution.BlobUnknown}, means: failure.PartLost},
	{side: failure.Target, step: WritingManifest, codes: []string{distribution.ManifestUnknown, distribution.NameUnknown}, means: failure.PartLost},
	{side: failure.Target, step: startingUpload, statuses: []int{405, 501}, means: failure.TargetClosed}, // distribution: read-only
	{side: failure.Target, means: failure.TargetRefused,
		codes: []string{distribution.ManifestInvalid, distribution.NameInvalid, distribution.TagInvalid, distribution.Unsupported}},
	{codes: []string{distribution.NameUnknown, distribution.ManifestUnknown, distribution.BlobUnknown}, means: failure.NotFound},

	// Logins: 401 always, 403 if it says nothing else.
	{side: failure.Target, statuses: []int{401}, means: failure.TargetLogin},
	{side: failure.Source, statuses: []int{401}, means: failure.Private},
	// The manifest was served, so a missing login is not the reason.
	{side: failure.Source, step: readingBlob, statuses: []int{403}, means: failure.SourceRefused},
	{side: failure.Target, statuses: []int{403}, words: ofRights, means: failure.TargetLogin},
	{side: failure.Source, statuses: []int{403}, words: ofRights, means: failure.Private},
	{side: failure.Target, statuses: []int{403}, wordy: true, means: failure.TargetClosed},
	{side: failure.Source, statuses: []int{403}, wordy: true, means: failure.SourceRefused},
	{side: failure.Target, statuses: []int{403}, means: failure.TargetLogin},
	{side: failure.Source, statuses: []int{403}, means: failure.Private},
	{side: failure.Target, codes: []string{distribution.Denied, distribution.Unauthorized}, means: failure.TargetLogin},
	{side: failure.Source, codes: []string{distribution.Denied, distribution.Unauthorized}, means: failure.Private},

	// Statuses. That of a token server is not about the image.
	{side: failure.Target, step: gettingToken, from: 400, to: 501, means: failure.TargetRefused},
	{side: failure.Source, step: gettingToken, from: 400, to: 501, means: failure.SourceRefused},
	{statuses: []int{404, 410}, means: failure.NotFound},
	{side: failure.Target, from: 400, to: 501, means: failure.TargetRefused},
	{side: failure.Source, from: 400, to: 501, means: failure.SourceRefused},
}

// refusal is what a server said when it refused a request.
type refusal struct {
	side   failure.Side
	step   string
	status int
	page   bool     // a web page or a storage service's XML in place of JSON
	guest  bool     // the request had no login and no token
	site   bool     // the host is no registry
	codes  []string // in upper case
	words  string   // in lower case, without the names in the request and with spaces for underscores
}

// meaning returns the meaning of a refusal.
func (r refusal) meaning() failure.Code {
	for _, s := range signs {
		if s.matches(r) {
			return s.means
		}
	}
	return failure.Internal
}

func (s sign) matches(r refusal) bool {
	switch {
	case s.side != "" && s.side != r.side, s.step != "" && s.step != r.step, s.page && !r.page, s.website && !(r.page && r.site), s.wordy && len(strings.Fields(r.words)) < 3,
		s.statuses != nil && !slices.Contains(s.statuses, r.status),
		s.to > 0 && (r.status < s.from || r.status > s.to):
		return false
	}
	return s.codes == nil && s.words == nil ||
		slices.ContainsFunc(r.codes, func(code string) bool { return slices.Contains(s.codes, code) }) ||
		slices.ContainsFunc(s.words, func(phrase string) bool { return strings.Contains(r.words, phrase) })
}

// How often a refused request is worth repeating after a pause.
const (
	maxDoubts   = 3 // the registry asked for no login, or the token is new
	namedDoubts = 2 // the registry itself has listed it, or rights that were given just now may not be known everywhere
	pageDoubts  = 2 // the refusal is a web page, which comes from a proxy
	codedDoubts = 1 // the registry gives a reason as a code
	bareDoubts  = 1 // it gives none: the refusal may come from a proxy
)

// doubts returns how often the request is worth repeating, according to the
// refusal, the step, and the response to the login that was shown.
func (r refusal) doubts(step, login int) int {
	switch {
	case r.status == http.StatusUnauthorized && r.page && r.guest:
		return max(login, pageDoubts)
	case r.status == http.StatusUnauthorized:
		return login
	case len(r.codes) > 0:
		return max(step, min(login, codedDoubts))
	case r.page && !isTooLong(r.status):
		return max(step, login, pageDoubts)
	case r.status == http.StatusNotFound:
		return max(step, login)
	}
	return max(step, login, bareDoubts)
}

// perhapsLarge reports whether a request with much data may be refused for its
// size, although the response does not say so: by a proxy, whose responses have no
// error code, or by one that waits no longer (520, 522 and 524 are Cloudflare's).
func perhapsLarge(status int, page, coded bool) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusBadGateway, http.StatusGatewayTimeout, 520, 522, 524:
		return true
	case http.StatusUnauthorized, http.StatusRequestedRangeNotSatisfiable, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return page
	}
	return !coded
}

// isTooLong reports whether a status refuses a request for the length of its
// address or header (RFC 9110, RFC 6585; 494 is nginx's).
func isTooLong(status int) bool {
	return status == http.StatusRequestURITooLong || status == http.StatusRequestHeaderFieldsTooLarge || status == 494
}
