package mirror

import (
	"context"
	"errors"
	"sync"

	"github.com/imageferry/ferry/internal/failure"
)

// each calls do for 0 to n-1, all at once, waits for them and returns the
// error that came first, upon which the others are told to stop.
func each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := do(ctx, i); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// typed gives every error the form that a Result promises. When the job was
// told to stop, that is what happened, whatever broke because of it.
func typed(ctx context.Context, err error) *failure.Error {
	f, ok := failure.As(err)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &failure.Error{Code: failure.TimedOut, Err: err}
	case ctx.Err() != nil:
		return &failure.Error{Code: failure.Cancelled, Err: err}
	case ok:
		return f
	}
	return &failure.Error{Code: failure.Internal, Err: err}
}
