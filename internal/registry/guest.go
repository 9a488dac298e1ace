package registry

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// guest is the anonymous login at hosts that a registry redirects to. Gateways
// such as lscr.io redirect to another registry (GHCR), which is public but
// requires its own anonymous token.
type guest struct {
	mu     sync.Mutex
	tokens map[string]*token // by realm, service and scope
}

// authorize returns the authorization that answers the challenge in a response;
// empty if there is none. It does not use the registry's credentials.
func (g *guest) authorize(ctx context.Context, w *wire, header http.Header) string {
	d, ok := challenges(header, nil)
	if !ok || d.scheme != "bearer" || d.scope == "" {
		return ""
	}
	key := d.realm + " " + d.service + " " + d.scope
	g.mu.Lock()
	t := g.tokens[key]
	if t == nil || t.finished() && (t.err != nil || time.Now().After(t.expires)) {
		t = &token{done: make(chan struct{})}
		if g.tokens == nil {
			g.tokens = map[string]*token{}
		}
		g.tokens[key] = t
		g.mu.Unlock()
		w.fetch(ctx, d.challenge, t, []string{d.scope}, account{})
	} else {
		g.mu.Unlock()
	}
	select {
	case <-t.done:
	case <-ctx.Done():
		return ""
	}
	if t.err != nil {
		return ""
	}
	return "Bearer " + t.value
}
