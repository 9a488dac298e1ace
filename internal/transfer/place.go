package transfer

import (
	"context"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

// Place makes sure that a repository of the target has the blob. progress is
// called with bytes handed to the network, each once. If several callers want
// the same blob at the same host, one sends it and the others mount it.
func (e *Engine) Place(ctx context.Context, blob Blob, source Source, target Target, progress func(int64)) (Outcome, error) {
	at, to := placeOf(target.Host(), blob.Digest), target.Repository()
	for {
		held, holder, busy, mine := e.look(at, to)
		switch {
		case held:
			return Present, nil
		case holder != nil || mine:
			var outcome Outcome
			var err error
			if holder != nil {
				outcome, err = e.mount(ctx, blob, source, target, *holder, progress)
			} else {
				outcome, err = e.send(ctx, blob, source, target, progress)
			}
			if err == nil {
				e.noteHolder(at, to)
			}
			if mine {
				e.noteIdle(at)
			}
			return outcome, err
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// look returns whether the repository has the blob; else another repository
// that has it; else a channel that is closed when the current sender is done.
// If mine is true, the caller has to send the blob, unless it can be mounted from
// holder, which may be nil.
func (e *Engine) look(at place, to reference.Repository) (held bool, holder *reference.Repository, busy <-chan struct{}, mine bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	en := e.places[at]
	if en == nil {
		en = &entry{}
		e.places[at] = en
	}
	switch {
	case slices.Contains(en.holders, to):
		return true, nil, nil, false
	case len(en.holders) > 0:
		from := en.holders[0]
		return false, &from, nil, false
	case en.busy != nil:
		return false, nil, en.busy, false
	}
	en.busy = make(chan struct{})
	if en.home != nil && *en.home != to {
		holder = en.home
	}
	return false, holder, nil, true
}

// Expect records that a repository may get the blob from somebody else: who sends
// the blob first tries to mount it from there, which costs no request.
func (e *Engine) Expect(home reference.Repository, digest v1.Hash) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := placeOf(home.Host(), digest)
	if e.places[at] == nil {
		e.places[at] = &entry{home: &home}
	}
}

// noteHolder records that a repository has the blob.
func (e *Engine) noteHolder(at place, to reference.Repository) {
	e.mu.Lock()
	defer e.mu.Unlock()
	en := e.places[at]
	if en == nil {
		return // it was forgotten
	}
	if len(en.holders) == e.maxHolders {
		en.holders = slices.Delete(en.holders, 1, 2) // the first is the one to mount from
	}
	en.holders = append(en.holders, to)
}

// Holds reports whether the repository is known to hold the blob.
func (e *Engine) Holds(to reference.Repository, digest v1.Hash) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	en := e.places[placeOf(to.Host(), digest)]
	return en != nil && slices.Contains(en.holders, to)
}

// Lost records that the repository does not have the blob, whatever the target
// reported before.
func (e *Engine) Lost(to reference.Repository, digest v1.Hash) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if en := e.places[placeOf(to.Host(), digest)]; en != nil {
		en.holders = slices.DeleteFunc(en.holders, func(holder reference.Repository) bool { return holder == to })
	}
}

// Forget discards what is known about repositories and their blobs, for an
// engine that lives long enough for blobs to be deleted. Transfers continue.
func (e *Engine) Forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for at, en := range e.places {
		if en.busy == nil {
			delete(e.places, at)
		}
	}
}

// noteIdle records that the blob is no longer being sent.
func (e *Engine) noteIdle(at place) {
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.places[at].busy)
	e.places[at].busy = nil
}

// mount takes the blob from a repository that has it. A target that does not
// mount opens a session instead, which is used.
func (e *Engine) mount(ctx context.Context, blob Blob, source Source, target Target, from reference.Repository, progress func(int64)) (Outcome, error) {
	slots := e.slots(target, true)
	if err := slots.acquire(ctx, 0, nil); err != nil {
		return 0, err
	}
	present, err := target.Start(ctx, from)
	slots.release()
	if err != nil || present {
		return Mounted, err
	}
	return e.send(ctx, blob, source, target, progress)
}

// slots returns those of a target for uploads, or for mounts and small blobs.
func (e *Engine) slots(target Target, small bool) *slots {
	e.mu.Lock()
	defer e.mu.Unlock()
	host := target.Host()
	if e.uploads[host] == nil {
		e.uploads[host], e.asks[host] = newUploadTuner(&e.tuning, target.Trip()), newSlots(e.maxExchanges)
		if len(e.uploads) > 1 {
			e.memory.maxKept = e.memory.budget // the other target may want what this one has read
		}
	}
	if small {
		return e.asks[host]
	}
	return e.uploads[host].slots
}

// send sends the blob, in the open session if there is one.
func (e *Engine) send(ctx context.Context, blob Blob, source Source, target Target, progress func(int64)) (Outcome, error) {
	slots := e.slots(target, blob.Size <= smallBlob)
	// Acquired before the wait, so that later readers find the blocks that
	// others have read.
	s := e.acquire(blob, source, false)
	defer func() { e.release(s) }()
	sending := &sending{blob: blob, target: target, slots: slots, from: target.Repository(), maxRestarts: e.maxRestarts, progress: progress}
	if source.Host() == target.Host() {
		// Both sides are one registry, which only needs to be told where the
		// blob is.
		sending.from, sending.blob.Fresh = source.Repository(), false
	}
	if err := slots.acquire(ctx, blob.Size, func() { sending.prepare(ctx, s) }); err != nil {
		sending.stop()
		target.Cancel(ctx)
		return 0, err
	}
	defer slots.release()
	for try := 1; ; try++ {
		outcome, err := sending.run(ctx, s)
		if err == nil || failure.CodeOf(err) != failure.Corrupt || try == e.maxReads {
			return outcome, err
		}
		// A content network may have a bad copy; the next one may be good.
		e.release(s)
		s = e.acquire(blob, source, false)
	}
}
