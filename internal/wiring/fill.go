package wiring

import (
	"context"
	"log/slog"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/front"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/transfer"
)

const (
	// maxFills is how many images are copied at the same time. Reading for
	// clients has priority.
	maxFills = 4
	// maxWaiting is how many images can wait to be copied. Others are dropped,
	// because they will be requested again.
	maxWaiting = 1000
	// fillAgain is after how long a failed copy is tried again, if the image is
	// requested.
	fillAgain = 10 * time.Minute
)

// filler copies missing images to one target when clients ask for them. The
// copy and the client read the source through one engine, which reads each blob
// once.
type filler struct {
	place    string
	cfg      *config.Config // with the one target
	mirror   *mirror.Mirror
	engine   *transfer.Engine
	memories *front.Memories
	log      *slog.Logger
	now      func() time.Time
	slots    chan struct{}
	running  sync.WaitGroup

	mu     sync.Mutex
	wanted map[reference.Reference]bool
	failed map[reference.Reference]time.Time
	filled map[reference.Repository]time.Time // of sources
	closed bool
}

// has reports whether the target has a blob, according to recent copies.
func (f *filler) has(source, at reference.Repository, digest v1.Hash) bool {
	f.mu.Lock()
	lately := f.now().Sub(f.filled[source]) < fillAgain
	f.mu.Unlock()
	return lately || f.engine.Holds(at, digest)
}

// want queues an image to be copied, and returns at once.
func (f *filler) want(ctx context.Context, ref reference.Reference) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.wanted[ref] || len(f.wanted) >= maxWaiting || f.now().Sub(f.failed[ref]) < fillAgain {
		return
	}
	delete(f.failed, ref)
	f.wanted[ref] = true
	f.running.Go(func() {
		f.slots <- struct{}{}
		err := f.copy(ctx, ref)
		<-f.slots
		f.done(ref, err)
	})
}

// copy copies one image, exactly as "ferry copy" does.
func (f *filler) copy(ctx context.Context, ref reference.Reference) error {
	steps, err := plan.Make(request.Request{Images: []request.Image{{Reference: ref, Written: ref.String()}}}, plan.Asker{Role: plan.Owner}, f.cfg)
	if err != nil {
		return err
	}
	for _, refusal := range steps.Refusals {
		return refusal.Failure
	}
	for _, result := range f.mirror.Run(ctx, steps.Steps, nil) {
		if result.Failure != nil {
			return result.Failure
		}
		f.memories.CountFill(f.place, "ok", result.Receipt.Sent)
		f.log.Info("filled", "image", ref.String(), "place", f.place, "mirror", result.Destination.Mirror.String(), "bytes", result.Receipt.Sent)
	}
	return nil
}

// done records the end of a copy. When no copy runs, the engine forgets what the
// target holds, because blobs may be deleted there.
func (f *filler) done(ref reference.Reference, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.wanted, ref)
	if len(f.wanted) == 0 {
		f.engine.Forget()
	}
	if len(f.failed)+len(f.filled) >= maxWaiting {
		clear(f.failed)
		clear(f.filled)
	}
	if err == nil {
		f.filled[ref.Repository()] = f.now()
		return
	}
	f.failed[ref] = f.now()
	code := failure.CodeOf(err)
	f.memories.CountFill(f.place, string(code), 0)
	f.log.Warn("not filled", "image", ref.String(), "place", f.place, "failure", string(code), "error", err.Error())
}

// close refuses further copies and waits for running ones.
func (f *filler) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.running.Wait()
}
