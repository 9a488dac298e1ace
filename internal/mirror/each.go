package mirror

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/imageferry/ferry/internal/failure"
)

// errSlow means that a run is too slow.
var errSlow = errors.New("too few bytes move")

// each calls do for 0 to n-1 concurrently and waits for all calls. It returns
// the first error, which also cancels the other calls.
func each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	return eachIn(ctx, make(chan struct{}, n), n, do)
}

// eachIn is each with the number of concurrent calls limited by slots, which
// other calls may share.
func eachIn(ctx context.Context, slots chan struct{}, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for i := range n {
		select {
		case slots <- struct{}{}:
			wg.Go(func() {
				defer func() { <-slots }()
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			})
		case <-ctx.Done():
		}
	}
	wg.Wait()
	return context.Cause(ctx)
}

// typed converts an error to the type of a Result. If the job was cancelled,
// that is the cause, even if something else failed as a result.
func typed(ctx context.Context, err error) *failure.Error {
	f, ok := failure.As(err)
	switch {
	case errors.Is(context.Cause(ctx), errSlow):
		return &failure.Error{Code: failure.TooSlow, Step: "copying", Err: err}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &failure.Error{Code: failure.TimedOut, Err: err}
	case ctx.Err() != nil:
		return &failure.Error{Code: failure.Cancelled, Err: err}
	case ok:
		return f
	}
	return &failure.Error{Code: failure.Internal, Err: err}
}

const readingManifest = "reading manifest"

// unusable returns a failure about content from the source.
func unusable(code failure.Code, hint, format string, args ...any) *failure.Error {
	f := &failure.Error{Code: code, Side: failure.Source, Step: readingManifest, Err: fmt.Errorf(format, args...)}
	if hint != "" {
		f.Hints = []string{hint}
	}
	return f
}

// notAllowed returns the failure for a host that the owner did not name. There
// was no request.
func notAllowed(side failure.Side, host string) *failure.Error {
	return &failure.Error{Code: failure.HostNotAllowed, Side: side, Step: "resolving", Hints: []string{host}}
}

// exclusion is a mutex per key. The zero value is ready to use.
type exclusion struct {
	mu   sync.Mutex
	busy map[string]chan struct{}
}

// alone calls do while no other call with the same key runs.
func (e *exclusion) alone(ctx context.Context, key string, do func() error) error {
	for {
		e.mu.Lock()
		other := e.busy[key]
		if other == nil {
			break
		}
		e.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if e.busy == nil {
		e.busy = map[string]chan struct{}{}
	}
	done := make(chan struct{})
	e.busy[key] = done
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		delete(e.busy, key)
		e.mu.Unlock()
		close(done)
	}()
	return do()
}
