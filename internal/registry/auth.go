package registry

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

// Scope is a permission in one repository, or to list all of them.
type Scope struct {
	Repository   reference.Repository
	Push, Delete bool
	Catalog      bool // to list them; the other fields are empty
}

func (s Scope) String() string {
	if s.Catalog {
		return "registry:catalog:*"
	}
	actions := "pull"
	if s.Push {
		actions = "pull,push"
	}
	if s.Delete {
		actions += ",delete"
	}
	return "repository:" + s.Repository.Path() + ":" + actions
}

// maxScopes is the largest number of repositories in one token request. The URL
// and the token must fit into the limits of all servers.
const maxScopes = 40

// maxHolders is the largest number of repositories to mount from that are added
// to a token request.
const maxHolders = 8

// maxBuried is the largest number of challenges without a token for which others
// are looked for.
const maxBuried = 4

// maxTokens is the largest number of tokens that are kept; they have some kilobytes
// each. The oldest one is requested again when it is needed.
const maxTokens = 64

// authenticator answers the challenges of one registry. The credentials are
// only sent to that registry's own host and to its token server.
type authenticator struct {
	w     *wire
	login *logins
	// root requests a challenge from the registry's root, once. Some registries
	// answer requests without a login with 404 or 403 and send a challenge at
	// the root only.
	root func() *demand

	mu        sync.Mutex
	challenge *challenge            // nil until the registry has been asked
	guessed   bool                  // challenge was known in advance, not sent by the registry
	probing   chan struct{}         // closed when the request that finds out has been answered
	special   map[purpose]challenge // where it differs from challenge
	renamed   map[purpose]string    // the registry's names for scopes; without a kind, the last one
	several   bool                  // the last response with challenges had more than one
	buried    map[string]bool       // realms whose token server gave no token
	refused   map[string]time.Time  // by scopes: when a token was refused
	batches   map[string]*batch     // by scope
	open      *batch                // the last one
	most      int                   // scopes in a batch
	tokens    map[string]*token     // by scopes
	holders   []string              // scopes of the first repositories that blobs were mounted from
}

func newAuthenticator(w *wire, login *logins) *authenticator {
	a := &authenticator{
		w: w, login: login, most: maxScopes, special: map[purpose]challenge{}, renamed: map[purpose]string{}, refused: map[string]time.Time{}, buried: map[string]bool{},
		batches: map[string]*batch{}, tokens: map[string]*token{},
	}
	a.root = sync.OnceValue(a.askRoot)
	if server, ok := w.opts.TokenServers[w.host.Name]; ok && !w.host.PlainHTTP {
		a.challenge, a.guessed = &challenge{"bearer", server.Realm, server.Service}, true
	}
	return a
}

// expect adds scopes that will be needed, so that one token request covers
// them. Known scopes are ignored.
func (a *authenticator) expect(scopes []Scope) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range scopes {
		text := s.String()
		if _, known := a.batches[text]; known {
			continue
		}
		if a.open == nil || a.open.asked || len(a.open.scopes) >= a.most {
			a.open = &batch{}
		}
		a.open.scopes = append(a.open.scopes, text)
		a.batches[text] = a.open
	}
}

// mounting returns the scope for mounting a blob from a repository: its push
// scope, if blobs are pushed to it, so that one token is enough.
func (a *authenticator) mounting(from reference.Repository) Scope {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := Scope{Repository: from, Push: true}
	if _, known := a.batches[s.String()]; !known {
		s.Push = false
	} else if len(a.holders) < maxHolders && !slices.Contains(a.holders, s.String()) {
		a.holders = append(a.holders, s.String())
	}
	return s
}

// scheme returns the registry's authentication scheme; empty for none.
func (a *authenticator) scheme() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.challenge == nil {
		return ""
	}
	return a.challenge.scheme
}

// purpose is what the credentials of a request are for: its scopes and the kind
// of resource, which is empty for all.
type purpose string

func purposeOf(scopes []Scope, kind distribution.Kind) purpose {
	return purpose(names(scopes) + " " + string(kind))
}

// grant is the credentials of one request.
type grant struct {
	header string
	scopes []Scope
	kind   distribution.Kind
	token  *token
	login  account // that header or token is of
	probe  bool    // the registry's challenge is unknown, and this request finds it out
}

// names joins scopes to a map key.
func names(scopes []Scope) string {
	var texts []string
	for _, s := range scopes {
		texts = append(texts, s.String())
	}
	return strings.Join(texts, " ")
}

// authorize returns the credentials for a request. Until the registry's
// challenge is known, one request is sent without credentials, and the others
// wait for it.
func (a *authenticator) authorize(ctx context.Context, scopes []Scope, kind distribution.Kind) (grant, error) {
	g := grant{scopes: scopes, kind: kind}
	for {
		a.mu.Lock()
		ch, known := a.challengeFor(g.purpose())
		if !known {
			if a.probing == nil {
				a.probing = make(chan struct{})
				a.mu.Unlock()
				g.probe = true
				return g, nil
			}
			probing := a.probing
			a.mu.Unlock()
			select {
			case <-probing:
				continue
			case <-ctx.Done():
				return grant{}, ctx.Err()
			}
		}
		a.mu.Unlock()
		if ch.scheme != "basic" && (ch.scheme != "bearer" || len(scopes) == 0) {
			return g, nil
		}
		login, err := a.login.account(ctx)
		g.login = login
		switch {
		case err != nil:
			return grant{}, err
		case ch.scheme == "basic" && login.username != "":
			g.header = login.basic()
		case ch.scheme == "bearer":
			t, err := a.token(ctx, ch, g)
			if err != nil && ctx.Err() == nil && (a.doubt(ch) || a.bury(ch, err) || failure.CodeOf(err) == failure.TargetLogin && a.login.expire(login)) {
				continue
			}
			if err != nil {
				return grant{}, err
			}
			g.header, g.token = "Bearer "+t.value, t
		}
		return g, nil
	}
}

func (g grant) purpose() purpose { return purposeOf(g.scopes, g.kind) }

// challengeFor returns the challenge for a purpose, and false if none is known
// yet. The lock is held.
func (a *authenticator) challengeFor(p purpose) (challenge, bool) {
	if ch, ok := a.special[p]; ok {
		return ch, true
	}
	if a.challenge == nil {
		return challenge{}, false
	}
	return *a.challenge, true
}

// setChallenge records the challenge for a purpose. The lock is held.
func (a *authenticator) setChallenge(p purpose, ch challenge) {
	if a.challenge == nil || a.challenge.scheme == "" || a.guessed {
		a.challenge, a.guessed = &ch, false
		return
	}
	a.special[p] = ch
}

// doubt discards a guessed challenge that gave no token. It returns true if the
// registry must be asked instead, or has been asked in the meantime.
func (a *authenticator) doubt(ch challenge) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.guessed && a.challenge != nil && *a.challenge == ch {
		a.challenge, a.guessed = nil, false
		return true
	}
	return a.challenge == nil || len(a.special) == 0 && *a.challenge != ch
}

// bury discards a challenge whose token server gave no token, for another reason
// than the login, once. It returns true if the registry is to be asked again, for
// another challenge.
func (a *authenticator) bury(ch challenge, err error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch code := failure.CodeOf(err); {
	case !a.several, a.buried[ch.realm], len(a.buried) >= maxBuried, code == failure.TargetLogin, code == failure.LoginIsEmail, code == failure.RateLimited:
		return false
	}
	a.buried[ch.realm] = true
	a.challenge, a.guessed = nil, false
	clear(a.special)
	return true
}

// challenges selects a challenge of a response, see there.
func (a *authenticator) challenges(header http.Header) (demand, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return challenges(header, a.buried)
}

// token returns a valid token for a request, shared by all requests that need
// the same.
func (a *authenticator) token(ctx context.Context, ch challenge, g grant) (*token, error) {
	for {
		a.mu.Lock()
		key, b := a.key(g)
		t := a.tokens[key]
		if t != nil && t.finished() && time.Now().After(t.expires) {
			t = nil
		}
		if t == nil {
			t = &token{done: make(chan struct{}), batch: b, second: time.Since(a.refused[key]) < freshFor}
			a.purge()
			a.tokens[key] = t
			a.mu.Unlock()
			a.w.fetch(ctx, ch, t, strings.Split(key, " "), g.login)
		} else {
			a.mu.Unlock()
		}
		select {
		case <-t.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if t.err == nil {
			return t, nil
		}
		f, ok := failure.As(t.err)
		refused := t.batch != nil && ok && f.Kind() != failure.Transient
		a.mu.Lock()
		a.drop(t)
		if refused {
			a.split(t.batch)
		}
		a.mu.Unlock()
		switch {
		case ok && f.Code == failure.Cancelled && ctx.Err() == nil:
			// The request that asked for it was cancelled, so ask again.
		case refused:
			// Ask for fewer at once.
		default:
			return nil, t.err
		}
	}
}

// key names the token for a request: that of the first scope's batch. Scopes of
// other batches are added to it, with those of all repositories that blobs have
// been mounted from so far, because other images of the batch will need them.
func (a *authenticator) key(g grant) (string, *batch) {
	own, scopes := names(g.scopes), g.scopes
	if renamed := cmp.Or(a.renamed[g.purpose()], a.renamed[purposeOf(scopes, "")]); renamed != "" {
		return renamed, nil
	}
	b := a.batches[scopes[0].String()]
	if b == nil || b.broken {
		return own, nil
	}
	var missing []string
	for _, s := range scopes {
		if a.batches[s.String()] == nil {
			return own, nil // not expected, or refused
		}
		if !slices.Contains(b.scopes, s.String()) {
			missing = append(missing, s.String())
		}
	}
	if !b.asked || len(missing) > 0 {
		wider := slices.Clone(b.scopes)
		for _, text := range slices.Concat(missing, a.holders) {
			if !slices.Contains(wider, text) {
				wider = append(wider, text)
			}
		}
		if len(wider) > maxScopes+2*maxHolders {
			return own, nil
		}
		b.scopes, b.asked = wider, true
	}
	if len(b.scopes) == len(scopes) {
		return own, nil
	}
	return strings.Join(b.scopes, " "), b
}

// split halves a batch that was refused: one of its scopes may be forbidden, or the
// request or the token too long for a server. Later batches are not larger. Two
// scopes are then requested one by one. The lock is held.
func (a *authenticator) split(b *batch) {
	if b.broken {
		return
	}
	b.broken = true
	if a.open == b {
		a.open = nil
	}
	own := slices.DeleteFunc(slices.Clone(b.scopes), func(text string) bool { return a.batches[text] != b })
	if len(own) <= 2 {
		return
	}
	half := (len(own) + 1) / 2
	a.most = min(a.most, half)
	for _, scopes := range [][]string{own[:half], own[half:]} {
		next := &batch{scopes: slices.Clone(scopes), asked: true}
		for _, text := range scopes {
			a.batches[text] = next
		}
	}
}

// purge makes room for one more token: a server asks for thousands of repositories
// in its life. The lock is held.
func (a *authenticator) purge() {
	var oldest *token
	for key, t := range a.tokens {
		switch {
		case !t.finished():
		case time.Now().After(t.expires):
			delete(a.tokens, key)
		case oldest == nil || t.expires.Before(oldest.expires):
			oldest = t
		}
	}
	if len(a.tokens) >= maxTokens && oldest != nil {
		a.drop(oldest)
	}
	for key, when := range a.refused {
		if time.Since(when) >= freshFor {
			delete(a.refused, key)
		}
	}
}

// drop removes a token from the table.
func (a *authenticator) drop(t *token) {
	for key, held := range a.tokens {
		if held == t {
			delete(a.tokens, key)
		}
	}
}

// lesson is what a response says about the credentials of its request.
type lesson struct {
	again    bool // send the request again, with other credentials
	doubtful int  // how often to repeat the request with the same credentials
}

// learn evaluates the response to a request that was sent with g. resp is nil
// if there was none.
func (a *authenticator) learn(g grant, resp *http.Response) lesson {
	var found lesson
	if resp != nil {
		found = a.read(g, resp)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if g.token != nil && resp != nil && resp.StatusCode < http.StatusBadRequest {
		g.token.worked = true
	}
	if a.challenge == nil && resp != nil && resp.StatusCode < http.StatusInternalServerError && resp.StatusCode != http.StatusTooManyRequests {
		a.challenge = &challenge{}
	}
	if g.probe {
		close(a.probing)
		a.probing = nil
	}
	return found
}

func (a *authenticator) read(g grant, resp *http.Response) lesson {
	d, challenged := a.challenges(resp.Header)
	switch {
	case strings.HasPrefix(g.header, "Basic ") && resp.StatusCode == http.StatusUnauthorized && a.login.expire(g.login):
		return lesson{again: true}
	case challenged && (resp.StatusCode == http.StatusUnauthorized || resp.StatusCode/100 == 4 && g.header == ""):
		return a.challenged(g, d)
	case g.token != nil && g.token.batch != nil && tooLong(resp):
		a.mu.Lock()
		defer a.mu.Unlock()
		a.drop(g.token)
		a.split(g.token.batch)
		return lesson{again: true}
	case resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusNotFound:
		return lesson{}
	case g.header == "" && a.silent():
		// The registry may accept a login without announcing it here.
		root := a.root()
		if root == nil && !a.login.anonymous() && resp.StatusCode != http.StatusNotFound {
			root = &demand{challenge: challenge{scheme: "basic"}}
		}
		if root != nil {
			return a.challenged(g, *root)
		}
	case g.token != nil && (resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden && g.token.batch != nil):
		// Some registries answer 403 when the token lacks the scope.
		return a.reject(g, d)
	}
	if resp.StatusCode == http.StatusNotFound || strings.HasPrefix(g.header, "Basic ") && resp.StatusCode == http.StatusUnauthorized {
		return lesson{}
	}
	return lesson{doubtful: maxDoubts}
}

// tooLong reports whether a server refuses a request for the length of its
// header, and so of its token.
func tooLong(resp *http.Response) bool {
	return resp.StatusCode != http.StatusRequestURITooLong && isTooLong(resp.StatusCode) || resp.StatusCode == http.StatusBadRequest && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") // nginx
}

// silent reports whether the registry has not asked for a login so far.
func (a *authenticator) silent() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.challenge == nil || a.challenge.scheme == ""
}

// service returns the service that the registry's challenge names; empty for none.
func (a *authenticator) service() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.challenge == nil {
		return ""
	}
	return a.challenge.service
}

// challenged evaluates a challenge.
func (a *authenticator) challenged(g grant, d demand) lesson {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.several = d.several
	if ch, known := a.challengeFor(g.purpose()); !known || ch != d.challenge {
		a.setChallenge(g.purpose(), d.challenge)
		return lesson{again: d.scheme == "bearer" || !a.login.anonymous()}
	}
	if g.header == "" && d.scheme == "bearer" && len(g.scopes) > 0 {
		return lesson{again: true} // another request has received it in the meantime
	}
	return a.rejectLocked(g, d)
}

func (a *authenticator) reject(g grant, d demand) lesson {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rejectLocked(g, d)
}

// rejectLocked discards a token that the registry refused, if another one may be
// accepted. A token for many scopes may still work for other scopes.
func (a *authenticator) rejectLocked(g grant, d demand) lesson {
	t := g.token
	if t == nil {
		return lesson{}
	}
	if t.batch != nil {
		for _, s := range g.scopes {
			a.batches[s.String()] = nil
		}
		return lesson{again: true}
	}
	key, _ := a.key(g)
	switch {
	case d.scope != "" && d.scope != key && (renames(d.scope, g.scopes) || a.renamed[purposeOf(g.scopes, "")] != ""):
		// The registry uses another name for the repository, perhaps only for
		// this kind of request.
		a.renamed[g.purpose()], a.renamed[purposeOf(g.scopes, "")] = d.scope, d.scope
		return lesson{again: true}
	case !t.second || t.worked: // it has expired, or another token may have more rights
		a.drop(t)
		a.refused[key] = time.Now()
		return lesson{again: true}
	case d.problem == "insufficient_scope":
		return lesson{}
	}
	// The token is new, so it is kept: requesting another one would not help.
	return lesson{doubtful: maxDoubts}
}

// renames reports whether the scope of a challenge names another repository
// than those of the token.
func renames(scope string, asked []Scope) bool {
	for _, text := range strings.Fields(scope) {
		parts := strings.Split(text, ":")
		if len(parts) < 3 || parts[0] != "repository" {
			continue
		}
		name := strings.Join(parts[1:len(parts)-1], ":")
		known := false
		for _, s := range asked {
			known = known || s.Repository.Path() == name
		}
		if !known {
			return true
		}
	}
	return false
}

// askRoot requests the registry's challenge from the root of the API; nil if there
// is none.
func (a *authenticator) askRoot() *demand {
	ctx, cancel := context.WithTimeout(context.Background(), rootTimeout)
	defer cancel()
	u := *a.w.base
	u.Path = distribution.Root
	resp, err := a.w.roundTrip(ctx, a.w.small(), http.MethodGet, &u, nil, nil, 0)
	if err != nil {
		return nil
	}
	defer discard(resp)
	if resp.StatusCode == http.StatusNotFound {
		head, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
		a.w.website.Store(isPage(head))
	}
	if d, challenged := a.challenges(resp.Header); challenged {
		return &d
	}
	return nil
}

// rootTimeout limits this request.
const rootTimeout = 15 * time.Second
