package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
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

type token struct {
	done    chan struct{} // closed when value and err are set
	value   string
	expires time.Time
	err     error
	batch   *batch // nil for a token of exactly the scopes that were needed
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
// registry is to be asked instead.
func (a *authenticator) doubt(ch challenge) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.guessed && a.challenge != nil && *a.challenge == ch {
		a.challenge, a.guessed = nil, false
		return true
	}
	return a.challenge == nil
}

// settle learns from the response to a request that was sent with g, nil if
// there was none. It returns true if the request is worth sending again.
func (a *authenticator) settle(g grant, resp *http.Response) bool {
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

// token is a valid token for scopes, shared by all who need the same.
func (a *authenticator) token(ctx context.Context, ch challenge, scopes []Scope) (*token, error) {
	for {
		a.mu.Lock()
		key, b := a.key(scopes)
		t := a.tokens[key]
		if t != nil && t.finished() && time.Now().After(t.expires) {
			t = nil
		}
		if t == nil {
			t = &token{done: make(chan struct{}), batch: b}
			a.tokens[key] = t
			a.mu.Unlock()
			a.fetch(ctx, ch, t, strings.Split(key, " "))
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
		a.mu.Lock()
		a.drop(t)
		if t.batch != nil {
			t.batch.broken = true
		}
		a.mu.Unlock()
		f := (*failure.Error)(nil)
		switch {
		case errors.As(t.err, &f) && f.Code == failure.Cancelled && ctx.Err() == nil:
			// Whoever asked for it went away: ask for it ourselves.
		case t.batch != nil && errors.As(t.err, &f) && f.Kind() != failure.Transient:
			// Not all of these together: each for itself, then.
		default:
			return nil, t.err
		}
	}
}

// key names the token that serves scopes: the batch's if one has them all.
func (a *authenticator) key(scopes []Scope) (string, *batch) {
	var texts []string
	b := a.batches[scopes[0].String()]
	for _, s := range scopes {
		texts = append(texts, s.String())
		if a.batches[s.String()] != b {
			b = nil
		}
	}
	if b != nil && !b.broken && len(b.scopes) > len(scopes) {
		b.asked = true
		return strings.Join(b.scopes, " "), b
	}
	return strings.Join(texts, " "), nil
}

func (t *token) finished() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

const gettingToken = "getting token"

// fetch asks the token server (distribution specification, "Token
// Authentication Specification") and completes t.
func (a *authenticator) fetch(ctx context.Context, ch challenge, t *token, scopes []string) {
	defer close(t.done)
	const step = gettingToken
	c := a.c
	realm, err := url.Parse(ch.realm)
	if err == nil {
		err = c.trust.reachable(realm)
	}
	if err != nil {
		t.err = &failure.Error{Code: failure.HostForbidden, Side: c.side, Step: step, Err: fmt.Errorf("reading realm: %w", err)}
		return
	}
	query := realm.Query()
	if ch.service != "" {
		query.Set("service", ch.service)
	}
	query["scope"] = scopes
	realm.RawQuery = query.Encode()
	header := http.Header{}
	if a.username != "" {
		if !c.mayLogin(realm) {
			t.err = &failure.Error{Code: failure.TokenServer, Side: c.side, Step: step, Hints: []string{realm.Host},
				Err: fmt.Errorf("token server %s does not belong to %s: credentials are kept back", realm.Host, c.host.Name)}
			return
		}
		header.Set("Authorization", "Basic "+basic(a.username, a.password))
	}
	asked := time.Now()
	var answer struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	t.err = c.retry(ctx, func(ctx context.Context) error {
		resp, err := c.roundTrip(ctx, c.small(), http.MethodGet, realm, header, nil, 0)
		if err != nil {
			return c.broken(ctx, step, err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return c.refused(step, resp)
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxError))
		if err != nil {
			return c.broken(ctx, step, err)
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			return &failure.Error{Code: failure.Unavailable, Side: c.side, Step: step, Err: fmt.Errorf("reading token: %w", err)}
		}
		return nil
	})
	t.value = answer.Token
	if t.value == "" {
		t.value = answer.AccessToken
	}
	if t.err == nil && (t.value == "" || strings.ContainsAny(t.value, "\r\n")) {
		t.err = &failure.Error{Code: failure.Internal, Side: c.side, Step: step, Err: errors.New("token server sent no token")}
	}
	if t.err == nil && a.username != "" && c.opts.Secret != nil {
		c.opts.Secret(t.value)
	}
	// Sixty seconds is what the specification says if the server says nothing.
	// A tenth is kept as a reserve for the way.
	life := time.Duration(max(answer.ExpiresIn, 60)) * time.Second
	t.expires = asked.Add(life - life/10)
}
