package front

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
)

// errSlow ends the wait for a slow place.
var errSlow = errors.New("no answer in time")

// asking sends a request to one place. The context is valid while it runs. It
// calls begun when the response has begun.
type asking[T any] func(ctx context.Context, p *Place, s spot, begun func()) (T, error)

// tour asks the places of q's source in order until one answers. where returns
// what to request from each; false skips a place. A place with a lapse is asked
// only if no other is left, and not at all while it asks clients to wait or is
// known to lack the resource.
func tour[T any](ctx context.Context, f *Front, q Question, places []*Place, where func(*Place) (spot, bool), try asking[T]) (T, *Place, *Refusal) {
	var answer T
	p, refusal := f.tour(ctx, q, places, where, func(ctx context.Context, p *Place, s spot, begun func()) (err error) {
		answer, err = try(ctx, p, s, begun)
		return err
	})
	return answer, p, refusal
}

// tour is the code that all types share.
func (f *Front) tour(ctx context.Context, q Question, places []*Place, where func(*Place) (spot, bool), try func(context.Context, *Place, spot, func()) error) (*Place, *Refusal) {
	failed := map[*Place]*failure.Error{}
	var order, resting []*Place
	once := func(p *Place, s spot) bool {
		if s.kind == distribution.Manifests {
			if err := p.Budget.take(); err != nil {
				failed[p] = err
				return false
			}
		}
		err := f.attempt(ctx, p, s, try)
		if err == nil {
			f.lapses.forget(p)
			return true
		}
		if ctx.Err() == nil {
			f.lapses.note(p, s, err)
		}
		failed[p] = err
		return false
	}
	for _, p := range places {
		s, ok := where(p)
		if !ok {
			continue
		}
		order = append(order, p)
		if err := f.lapses.of(p, s); err != nil {
			failed[p] = err
			if err.Kind() == failure.Transient && err.Code != failure.RateLimited {
				resting = append(resting, p)
			}
			continue
		}
		if once(p, s) {
			return p, nil
		}
	}
	for _, p := range resting {
		if s, _ := where(p); once(p, s) {
			return p, nil
		}
	}
	return nil, f.failed(q, order, failed)
}

// attempt asks one place, which has a limited time to begin its response.
func (f *Front) attempt(ctx context.Context, p *Place, s spot, try func(context.Context, *Place, spot, func()) error) *failure.Error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := f.opts.after(f.opts.Patience, func() { cancel(errSlow) })
	defer timer.Stop()
	start := f.opts.Now()
	err := try(ctx, p, s, func() { timer.Stop() })
	var fail *failure.Error
	switch {
	case err == nil:
	case errors.Is(context.Cause(ctx), errSlow):
		fail = &failure.Error{Code: failure.TimedOut, Side: failure.Source, Step: "asking a place", Err: fmt.Errorf("%s: %w: %s", p, errSlow, f.opts.Patience)}
	case !errors.As(err, &fail):
		fail = &failure.Error{Code: failure.Internal, Side: failure.Source, Step: "asking a place", Err: err}
	}
	f.meters.asked(p, f.opts.Now().Sub(start), fail)
	return fail
}

// failed returns the refusal when no place answered.
func (f *Front) failed(q Question, order []*Place, failures map[*Place]*failure.Error) *Refusal {
	if len(order) == 0 {
		r := refuse(http.StatusNotFound, unknown(q.Kind), "no place of this front can answer: names of the profile last do not identify the source of a tag, so ask by digest or add a place")
		r.Failure = failure.NotFound
		return r
	}
	var worst *failure.Error
	var attempts []Attempt
	var told []string
	for _, p := range order {
		err := failures[p]
		attempts = append(attempts, Attempt{p.String(), err.Code})
		told = append(told, fmt.Sprintf("%s: %s", p, err.Code))
		if worst == nil || gravity(err) > gravity(worst) {
			worst = err
		}
	}
	r := &Refusal{Failure: worst.Code, Places: attempts}
	cause := strings.Join(told, "; ")
	switch {
	case worst.Code == failure.NotFound:
		r.Status, r.Code = http.StatusNotFound, unknown(q.Kind)
		r.Message = fmt.Sprintf("no place has %s (%s): mirror it first, or check the name", q, cause)
	case worst.Code == failure.RateLimited:
		r.Status, r.Code = http.StatusTooManyRequests, distribution.TooManyRequests
		r.RetryAfter = min(max(worst.Until.Sub(f.opts.Now()), lapse), time.Hour)
		r.Message = fmt.Sprintf("a registry limits requests (%s): try again later, or configure a login for that place", cause)
	case worst.Kind() == failure.Transient:
		r.Status, r.Code = http.StatusServiceUnavailable, distribution.Unavailable
		r.RetryAfter = lapse
		r.Message = fmt.Sprintf("no place answers for %s (%s): try again", q, cause)
	case !harmful(worst):
		r.Status, r.Code = http.StatusForbidden, distribution.Denied
		r.Message = fmt.Sprintf("%s does not exist or is private (%s): check the name, or ask the owner to configure a login for that place", q, cause)
	default:
		r.Status, r.Code = http.StatusBadGateway, distribution.Unavailable
		r.Message = fmt.Sprintf("the content of %s at the places is damaged (%s), so it was not passed on", q, cause)
	}
	return r
}

// gravity orders failures by how much they tell: that one place lacks something
// is not conclusive if another could not be asked.
func gravity(err *failure.Error) int {
	switch {
	case err.Code == failure.RateLimited:
		return 4
	case err.Kind() == failure.Transient:
		return 3
	case harmful(err):
		return 2
	case err.Code != failure.NotFound:
		return 1
	}
	return 0
}

// unknown returns the code for a resource that no place has.
func unknown(kind distribution.Kind) string {
	switch kind {
	case distribution.Blobs:
		return distribution.BlobUnknown
	case distribution.Manifests:
		return distribution.ManifestUnknown
	default: // lists belong to a repository
		return distribution.NameUnknown
	}
}
