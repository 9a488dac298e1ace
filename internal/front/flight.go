package front

import (
	"context"
	"net/http"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
)

// flightTime limits a request to all places together.
const flightTime = time.Minute

// landed is the result of a flight.
type landed[T any] struct {
	value   T
	refusal *Refusal
}

// flight asks once for all callers that want the same at the same time. The
// request continues when the first caller leaves; each caller waits no longer
// than its own context.
func flight[T any](ctx context.Context, f *Front, key string, ask func(context.Context) (T, *Refusal)) (T, *Refusal) {
	done := f.memories.flights.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flightTime)
		defer cancel()
		value, refusal := ask(ctx)
		return landed[T]{value, refusal}, nil
	})
	select {
	case result := <-done:
		if l, ok := result.Val.(landed[T]); ok {
			return l.value, l.refusal
		}
	case <-ctx.Done():
	}
	var none T
	return none, refuse(http.StatusServiceUnavailable, distribution.Unavailable, "the request ended before a place had answered")
}
