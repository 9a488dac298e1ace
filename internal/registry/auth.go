package registry

import (
	"context"
	"net/http"
	"sync"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/reference"
)

// Scope is what is to be done in one repository.
type Scope struct {
	Repository   reference.Repository
	Push, Delete bool
}

func (s Scope) String() string {
	actions := "pull"
	if s.Push {
		actions = "pull,push"
	}
	if s.Delete {
		actions += ",delete"
	}
	return "repository:" + s.Repository.Path() + ":" + actions
}

// maxScopes is how many repositories are asked for with one token. The
// request's line and the token itself have to fit into everybody's headers.
const maxScopes = 32

// authenticator answers one registry's challenges. The credentials go to that
// registry's own host and to its token server, and nowhere else.
type authenticator struct {
	c        *Client
	username string
	password config.Secret

	mu        sync.Mutex
	challenge *challenge        // nil until the registry has been asked
	guessed   bool              // challenge is what we remember of the registry, not what it said
	probing   chan struct{}     // closed when the request that finds out is answered
	batches   map[string]*batch // by scope
	open      *batch            // the last one
	tokens    map[string]*token // by scopes
}

// batch is a set of scopes that are asked for with one token. It is broken
// once the token server has refused that.
type batch struct {
	scopes []string
	asked  bool // nothing can be added any more
	broken bool
}

// expect tells which scopes will be needed, so that they can be asked for at
// once. It has no effect on scopes that are known already.
func (a *authenticator) expect(scopes []Scope) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range scopes {
		if _, known := a.batches[s.String()]; known {
			continue
		}
		if a.open == nil || a.open.asked || len(a.open.scopes) == maxScopes {
			a.open = &batch{}
		}
		a.open.scopes = append(a.open.scopes, s.String())
		a.batches[s.String()] = a.open
	}
}

// mounting is the scope in which a blob can be mounted from a repository: that
// in which it is pushed to, if it is, so that one token serves both.
func (a *authenticator) mounting(from reference.Repository) Scope {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := Scope{Repository: from, Push: true}
	if _, known := a.batches[s.String()]; !known {
		s.Push = false
	}
	return s
}

// grant is what one request is sent with.
type grant struct {
	header string
	scopes []Scope
	token  *token
	probe  bool // the registry's challenge is not known: this request finds out
}

// authorize finds what to send a request with. Before the registry's challenge
// is known one request goes ahead with nothing and the others wait for it.
func (a *authenticator) authorize(ctx context.Context, scopes []Scope) (grant, error) {
	for {
		a.mu.Lock()
		if a.challenge == nil {
			if a.probing == nil {
				a.probing = make(chan struct{})
				a.mu.Unlock()
				return grant{probe: true}, nil
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
		ch := *a.challenge
		a.mu.Unlock()
		switch {
		case ch.scheme == "basic" && a.username != "":
			return grant{header: "Basic " + basic(a.username, a.password)}, nil
		case ch.scheme == "bearer" && len(scopes) > 0:
			t, err := a.token(ctx, ch, scopes)
			if err != nil && a.doubt(ch) {
				continue
			}
			if err != nil {
				return grant{}, err
			}
			return grant{header: "Bearer " + t.value, scopes: scopes, token: t}, nil
		}
		return grant{}, nil
	}
}

// doubt forgets a guessed challenge that led nowhere. It returns true if the
// registry is to be asked instead, or has been asked meanwhile.
func (a *authenticator) doubt(ch challenge) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.guessed && a.challenge != nil && *a.challenge == ch {
		a.challenge, a.guessed = nil, false
		return true
	}
	return a.challenge == nil || *a.challenge != ch
}

// learn learns from the response to a request that was sent with g, nil if
// there was none. It returns true if the request is worth sending again.
func (a *authenticator) learn(g grant, resp *http.Response) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	again := false
	if resp != nil {
		switch resp.StatusCode {
		case http.StatusUnauthorized:
			ch, ok := challenges(resp.Header)
			switch {
			case !ok:
			case a.challenge == nil || *a.challenge != ch:
				a.challenge, a.guessed, again = &ch, false, ch.scheme == "bearer" || a.username != ""
			default:
				again = a.reject(g)
			}
		case http.StatusForbidden:
			// Some registries answer so when the token lacks the scope.
			if g.token != nil && g.token.batch != nil {
				again = a.reject(g)
			}
		}
		if a.challenge == nil && resp.StatusCode < http.StatusInternalServerError && resp.StatusCode != http.StatusTooManyRequests {
			a.challenge = &challenge{}
		}
	}
	if g.probe {
		close(a.probing)
		a.probing = nil
	}
	return again
}

// reject forgets a token that the registry did not take. It returns true if
// another one may be better. One for many scopes may still be good for others.
func (a *authenticator) reject(g grant) bool {
	if g.token == nil {
		return false
	}
	if g.token.batch != nil {
		for _, s := range g.scopes {
			a.batches[s.String()] = nil
		}
		return true
	}
	a.drop(g.token)
	return true
}

// drop takes a token off the table.
func (a *authenticator) drop(t *token) {
	for key, held := range a.tokens {
		if held == t {
			delete(a.tokens, key)
		}
	}
}
