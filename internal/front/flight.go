package front

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
)

// flightTime limits a request to all places together.
const flightTime = time.Minute

// flight asks once for all callers that want the same at the same time. The
// request continues as long as any of them waits; each caller waits no longer
// than its own context.
func flight[T any](ctx context.Context, g *flights, key string, ask func(context.Context) (T, *Refusal)) (T, *Refusal) {
	got, refusal := g.join(ctx, key, func(ctx context.Context) (any, *Refusal) { return ask(ctx) })
	value, _ := got.(T) // nil if the caller left
	return value, refusal
}

// flights are the running requests, by key. A request that nobody waits for is
// cancelled: otherwise a client that resets its requests at once, which HTTP/2
// allows, could have the front send any number of them to the places.
type flights struct {
	mu      sync.Mutex
	running map[string]*flying
}

// flying is a running request.
type flying struct {
	callers int
	cancel  context.CancelFunc
	done    chan struct{} // closed when the fields below are set
	value   any
	refusal *Refusal
}

// join waits for the request of key, which it starts if none is running.
func (g *flights) join(ctx context.Context, key string, ask func(context.Context) (any, *Refusal)) (any, *Refusal) {
	g.mu.Lock()
	r := g.running[key]
	if r == nil {
		r = &flying{done: make(chan struct{})}
		var asking context.Context
		asking, r.cancel = context.WithTimeout(context.WithoutCancel(ctx), flightTime)
		g.running[key] = r
		go func() {
			r.value, r.refusal = ask(asking)
			g.mu.Lock()
			defer g.mu.Unlock()
			g.endLocked(key, r)
			close(r.done)
		}()
	}
	r.callers++
	g.mu.Unlock()
	select {
	case <-r.done:
		return r.value, r.refusal
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.callers--; r.callers == 0 {
		g.endLocked(key, r)
	}
	return nil, refuse(http.StatusServiceUnavailable, distribution.Unavailable, "the request ended before a place had answered")
}

// endLocked cancels a request and has later callers start another.
func (g *flights) endLocked(key string, r *flying) {
	if g.running[key] == r {
		delete(g.running, key)
	}
	r.cancel()
}
