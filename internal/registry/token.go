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
	"time"

	"github.com/imageferry/ferry/internal/failure"
)

// token is one token, and who waits for it.
type token struct {
	done    chan struct{} // closed when value and err are set
	value   string
	expires time.Time
	err     error
	batch   *batch // nil for a token of exactly the scopes that were needed
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
		f, ok := failure.As(t.err)
		switch {
		case ok && f.Code == failure.Cancelled && ctx.Err() == nil:
			// Whoever asked for it went away: ask for it ourselves.
		case t.batch != nil && ok && f.Kind() != failure.Transient:
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
		err = c.trust.Check(realm)
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
