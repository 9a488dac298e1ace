package registry

import (
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
	doubted   bool   // a refusal may pass: the registry has named what is asked for, or makes repositories when they are pushed to
	otherwise otherwise
	overLimit failure.Code // for a response with a larger body than is read
}

// The steps. Registries and the proxies in front of them do not always respond
// to successful requests as the specification says, and refuse optional
// requests with any status; see docs/registries.md.
var (
	readManifest = step{ReadingManifest, []int{200}, false, askAgain, failure.ManifestTooLarge}
	readNamed    = step{ReadingManifest, []int{200}, true, askAgain, failure.ManifestTooLarge}
	headManifest = step{"reading digest", []int{200}, false, askPlainer, failure.Internal} // GET
	readConfig   = step{readingBlob, []int{200, 206}, true, askAgain, failure.TooLarge}
	headBlob     = step{"looking for blob", nil, false, doWithout, failure.Internal}
	mountBlob    = step{startingUpload, nil, false, askPlainer, failure.Internal} // POST without mount
	startUpload  = step{startingUpload, nil, true, askAgain, failure.Internal}
	askOffset    = step{resumingUpload, nil, false, askAgain, failure.Internal}
	putManifest  = step{WritingManifest, nil, false, askAgain, failure.Internal}
	listTags     = step{"listing tags", []int{200}, false, askAgain, failure.Internal}
	listFewTags  = step{"listing tags", []int{200}, false, doWithout, failure.Internal}
	listReferrer = step{"listing referrers", []int{200}, false, doWithout, failure.Internal}
	showLogin    = step{"logging in", []int{200}, false, askAgain, failure.Internal}
	readLimit    = step{"reading the rate limit", []int{200}, false, askAgain, failure.Internal}
)

// The names of steps that consist of several requests.
const (
	readingBlob     = failure.ReadingBlob
	startingUpload  = "starting upload"
	sendingBlob     = "writing blob"
	resumingUpload  = "resuming upload"
	deleting        = "deleting manifest"
	gettingToken    = "getting token"
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

// sign describes a kind of refusal by the side, the step, and one of status,
// code and words.
type sign struct {
	side     failure.Side // empty for both
	step     string       // empty for all
	statuses []int
	from, to int // a range of statuses
	codes    []string
	words    []string // in lower case
	means    failure.Code
}

// signs classify refusals; the first match counts. The codes are those of the
// OCI distribution specification ("Error Codes"). If the text of an error is
// more specific than its code, the text counts. The table test names the
// registry of each.
var signs = []sign{
	{statuses: []int{429}, codes: []string{distribution.TooManyRequests}, means: failure.RateLimited, words: []string{"rate limit exceeded", "too many requests"}},
	{side: failure.Target, statuses: []int{402, 507}, means: failure.Quota, words: []string{
		"quota", "storage limit", "limit exceeded", "exceed the configured upper limit", "reached the limit", "maximum number of", "repositories, limit is",
	}},
	{side: failure.Target, statuses: []int{413}, means: failure.RequestLimit, words: []string{"request body too large", "entity too large"}},
	{side: failure.Target, step: WritingManifest, means: failure.TagImmutable, words: []string{
		"immutable",                      // ECR, Harbor, Artifact Registry, Quay
		"already exists",                 // JFrog, Gitea
		"cannot be overwritten",          // ECR
		"does not allow updating assets", // Nexus
		"disallowed on this registry",    // ACR: locked
		"permissions to overwrite",       // Artifactory
		"protected tag", "tag is protected",
		"tag retention",
	}},
	{from: 500, to: 500, means: failure.Unavailable},
	{from: 502, to: 599, means: failure.Unavailable},
	// 409: a concurrent request does something with the same resource.
	{statuses: []int{408, 409, 425}, codes: []string{distribution.Unavailable}, means: failure.Unavailable},
	{side: failure.Target, step: WritingManifest, codes: []string{distribution.DigestInvalid}, means: failure.Rewritten},
	{codes: []string{distribution.DigestInvalid, distribution.SizeInvalid}, means: failure.Corrupt},
	// The blob has just been put, and not all of the registry knows it yet, or
	// the registry claimed to have a blob that it lacks.
	{side: failure.Target, codes: []string{distribution.ManifestBlobUnknown, distribution.BlobUnknown}, means: failure.PartLost},
	{side: failure.Target, step: WritingManifest, codes: []string{distribution.ManifestUnknown, distribution.NameUnknown}, means: failure.PartLost},
	{side: failure.Target, means: failure.TargetRefused,
		words: []string{
			"unknown manifest class", "fail to parse 'manifest.json'", "unsupported media type", "unknown media type",
			"manifest invalid", "media type",
		},
		codes: []string{distribution.ManifestInvalid, distribution.NameInvalid, distribution.TagInvalid, distribution.Unsupported},
	},
	{side: failure.Target, statuses: []int{401, 403}, codes: []string{distribution.Denied, distribution.Unauthorized}, means: failure.TargetLogin},
	// The manifest was served, so a missing login is not the reason.
	{side: failure.Source, step: readingBlob, statuses: []int{403}, means: failure.SourceRefused},
	{side: failure.Source, statuses: []int{401, 403}, codes: []string{distribution.Denied, distribution.Unauthorized}, means: failure.Private},
	{statuses: []int{404, 410, 451}, means: failure.NotFound,
		codes: []string{distribution.NameUnknown, distribution.ManifestUnknown, distribution.BlobUnknown}},
	{side: failure.Target, from: 400, to: 499, means: failure.TargetRefused},
	{side: failure.Target, statuses: []int{501}, means: failure.TargetRefused},
	{side: failure.Source, from: 400, to: 499, means: failure.SourceRefused},
	{side: failure.Source, statuses: []int{501}, means: failure.SourceRefused},
}

// meaning classifies a refusal by its status, the codes in its body, and its
// words in lower case.
func meaning(side failure.Side, step string, status int, codes []string, words string) failure.Code {
	for _, s := range signs {
		if s.side != "" && s.side != side || s.step != "" && s.step != step {
			continue
		}
		if slices.Contains(s.statuses, status) || s.from <= status && status <= s.to ||
			slices.ContainsFunc(codes, func(code string) bool { return slices.Contains(s.codes, code) }) ||
			slices.ContainsFunc(s.words, func(phrase string) bool { return strings.Contains(words, phrase) }) {
			return s.means
		}
	}
	return failure.Internal
}
