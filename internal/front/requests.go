package front

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// firstPause is the pause between the first two looks for an image.
const firstPause = 100 * time.Millisecond

// requestTime is how long an image is waited for: its run may be queued.
const requestTime = time.Hour

// requested waits for the manifest that q asks for if no mirror has it yet, and
// requests its image unless somebody has done so. It returns the manifest if it has been
// announced, and nil if a mirror has it by then. Missing is the refusal that it returns
// otherwise, with a message of its own.
func (f *Front) requested(ctx context.Context, q Question, guest string, missing *Refusal) (*registry.Manifest, *Refusal) {
	a := f.memories.desk.announced(q.Repository, q.Digest)
	part := a != nil && a.index.Digest != q.Digest
	image, ok := f.requestable(q, missing)
	if !ok && !part {
		return nil, missing
	}
	r := *missing
	r.Status, r.Code = http.StatusNotFound, distribution.ManifestUnknown
	refuse := func(why string) (*registry.Manifest, *Refusal) {
		r.Message = "no mirror has " + q.String() + ": " + why
		return nil, &r
	}
	opts := f.opts.Requests
	if a == nil {
		var made bool
		a, made = f.memories.desk.find(image, f.opts.Now(), func() bool {
			old, _ := f.memories.hourly.get(guest)
			budget := NewBudget(opts.Hourly, time.Hour, f.opts.Now).after(old)
			f.memories.hourly.put(guest, budget, 1)
			return budget.take() == nil && f.daily.take() == nil
		})
		if a == nil {
			return refuse(fmt.Sprintf("it is not requested, because one client may request %d images in an hour, and all clients %d in a day", opts.Hourly, opts.Daily))
		}
		if made {
			go f.mirror(context.WithoutCancel(ctx), q, image, a)
		}
	}
	announced := a.announced
	select {
	case <-a.done: // perhaps without the rest of the image
		announced = nil
	default:
		if part {
			announced = nil
		}
	}
	late := make(chan struct{})
	defer f.opts.after(opts.Wait, func() { close(late) }).Stop()
	select {
	case <-a.done:
	case <-announced:
		return a.index, nil
	case <-ctx.Done():
		return nil, missing // nobody reads it
	case <-late:
		r.RetryAfter = 10 * time.Second
		return refuse("it was requested " + f.opts.Now().Sub(a.began).Round(time.Second).String() + " ago and is being mirrored, see " + opts.Runs + ": try again later")
	}
	if a.err == nil {
		f.arrived(ctx, q) // a platform may be remembered to be missing
		return nil, nil
	}
	r.RetryAfter = requestRest - f.opts.Now().Sub(a.ended)
	return refuse(a.err.Error())
}

// requestable returns the image to request for a question that was refused. It
// returns false if the question is about a part of an image, or if a mirror
// would not be asked for it.
func (f *Front) requestable(q Question, missing *Refusal) (image reference.Reference, ok bool) {
	if f.opts.Requests == nil || !f.opts.Requests.Sources[q.Repository.Host()] || missing.Failure != failure.NotFound && missing.Failure != failure.Private {
		return image, false
	}
	for _, p := range f.places(q) {
		if p.Kind != Mirror {
			return image, false // it would have the image if there was one
		}
		if _, asked := p.manifest(q); asked {
			ok = true
		}
	}
	if _, inner := f.memories.inner.get(item{q.Repository, q.Digest}); inner {
		return image, false
	}
	image, err := reference.Parse(q.String())
	return image, ok && err == nil
}

// mirror has an image mirrored and ends the request for it.
func (f *Front) mirror(ctx context.Context, q Question, image reference.Reference, a *awaited) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	err := f.await(ctx, q, image, a)
	// The log comes first, because the refusal that the clients get points to it.
	if err != nil {
		f.opts.Log.Warn("image not mirrored", "image", image.String(), "error", err.Error())
	} else {
		f.opts.Log.Info("image mirrored", "image", image.String(), "took", time.Since(a.began).Round(time.Millisecond).String())
	}
	f.memories.desk.end(a, f.opts.Now(), err)
}

// await starts a run for an image, unless one is queued or running, and returns when
// the image is there or the run has ended without it. Clients may read the error.
func (f *Front) await(ctx context.Context, q Question, image reference.Reference, a *awaited) error {
	requests := f.opts.Requests
	earlier, conclusion, _, unseen := requests.Run(ctx, image)
	if earlier != 0 && conclusion == "" {
		earlier-- // it is waited for
	} else if err := requests.Start(ctx, image); err != nil {
		f.opts.Log.Warn("run not started", "image", image.String(), "error", err.Error())
		// Perhaps only the answer was lost. That shows only if the last run was seen.
		started := false
		if unseen == nil {
			id, _, _, err := requests.Run(ctx, image)
			started = err == nil && id > earlier
		}
		if !started {
			return errors.New("it could not be requested, for a reason that the log of this front has")
		}
	}
	// If the last run was not seen, any run or announcement may be an earlier one.
	ends, announced := 0, unseen != nil
	for pause := firstPause; ; pause = min(pause*21/20, 10*time.Second) {
		// The run is looked at first: an image that arrives in between is found.
		id, conclusion, page := int64(0), "", ""
		if pause > time.Second && unseen == nil {
			id, conclusion, page, _ = requests.Run(ctx, image)
		}
		if f.arrived(ctx, q) {
			return nil
		}
		announced = announced || f.announced(ctx, q, image, a, earlier)
		if id > earlier && conclusion != "" {
			// A registry may show later what a run has pushed.
			if ends++; conclusion != "success" || ends == 10 {
				return errors.New("the run for it has ended with " + conclusion + ", see " + page + f.reason(ctx, id, image))
			}
		}
		next := make(chan struct{})
		timer := f.opts.after(pause, func() { close(next) })
		select {
		case <-next:
		case <-ctx.Done():
			timer.Stop()
			return errors.New("it was requested and has not arrived, see " + requests.Runs)
		}
	}
}

// announced looks for the announcement of an image by a run after an earlier one, and
// reports whether it need not be looked for any more: it is there, or that of an earlier
// run, whose further pulls the target may count.
func (f *Front) announced(ctx context.Context, q Question, image reference.Reference, a *awaited, earlier int64) bool {
	for _, p := range f.places(q) {
		if s, ok := p.thing(q.Repository, distribution.Manifests, registry.Announcement(image)); ok {
			m, err := fetch(ctx, p, s, accepted, v1.Hash{}, func() {})
			if err != nil {
				continue
			}
			index, run := registry.Announced(m)
			if index != nil && run > earlier && (q.Tag != "" || index.Has(q.Digest)) {
				if q.Tag == "" {
					index.Digest = q.Digest // by the algorithm that was asked for
				}
				a.index = index
				close(a.announced)
			}
			return true
		}
	}
	return false
}

// maxReason limits the reason of a run's failure, in bytes.
const maxReason = 400

// reason returns why a run has failed, on one line after a colon, if it is known.
func (f *Front) reason(ctx context.Context, run int64, image reference.Reference) string {
	text, err := f.opts.Requests.Reason(ctx, run, image)
	if err != nil {
		f.opts.Log.Warn("reason of a failed run not read", "image", image.String(), "error", err.Error())
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) })
	if len(words) == 0 {
		return ""
	}
	return ": " + reference.Clip(strings.Join(words, " "), maxReason)
}

// arrived reports whether a place has what q asks for. What is remembered to be
// missing is forgotten then.
func (f *Front) arrived(ctx context.Context, q Question) bool {
	ctx, cancel := context.WithTimeout(ctx, flightTime)
	defer cancel()
	for _, p := range f.places(q) {
		s, ok := p.manifest(q)
		if !ok {
			continue
		}
		if _, err := head(ctx, p, s, accepted); err == nil {
			f.lapses.retry(p, s)
			return true
		}
	}
	return false
}
