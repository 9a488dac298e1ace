package front

import (
	"bytes"
	"context"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// Requests has images mirrored that no mirror has.
type Requests struct {
	// Start starts a run that mirrors an image. It returns once the run is
	// accepted.
	Start func(context.Context, reference.Reference) error
	// Run returns the run for an image that was started last, by any front: its
	// number, which is larger than those of earlier runs, how it ended, which is
	// empty until then, and its address. The number is 0 if there is none.
	Run func(context.Context, reference.Reference) (id int64, conclusion, page string, err error)
	// Reason returns why the run with a number failed to mirror an image: foreign
	// text, empty if it is not known.
	Reason func(ctx context.Context, run int64, image reference.Reference) (string, error)
	// Runs is the address of the page that lists the runs.
	Runs string
	// Sources are the hosts whose images are requested.
	Sources map[string]bool
	// Wait is how long a client waits for an image.
	Wait time.Duration
	// Hourly limits the images of one guest in an hour, Daily those of all
	// guests in a day.
	Hourly, Daily int
}

// requestRest is how long an image is not requested again after a failure.
const requestRest = 10 * time.Minute

// awaited is an image that was requested.
type awaited struct {
	repository reference.Repository
	began      time.Time
	announced  chan struct{}      // closed when index is set
	index      *registry.Manifest // of which a mirror has some platforms only
	done       chan struct{}      // closed when the fields below are set
	ended      time.Time
	err        error // nil if the image has arrived; clients may read it
}

// desk has the images that were requested, for all guests.
type desk struct {
	mu     sync.Mutex
	images map[reference.Reference]*awaited
}

// find returns the request for image. It makes one, which the caller has to
// carry out, unless there is one; it returns nil if may refuses it.
func (d *desk) find(image reference.Reference, now time.Time, may func() bool) (a *awaited, made bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for image, a := range d.images {
		// An image that has arrived and is missing again is requested again.
		if !a.ended.IsZero() && (a.err == nil || now.Sub(a.ended) > requestRest) {
			delete(d.images, image)
		}
	}
	if a := d.images[image]; a != nil {
		return a, false
	}
	if !may() {
		return nil, false
	}
	a = &awaited{repository: image.Repository(), began: now, announced: make(chan struct{}), done: make(chan struct{})}
	d.images[image] = a
	return a, true
}

// announced returns the request in a repository whose image has been announced with an
// index that is or has a digest; nil for none.
func (d *desk) announced(repository reference.Repository, digest v1.Hash) *awaited {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.images {
		if digest.Hex == "" || a.repository != repository {
			continue
		}
		select {
		case <-a.announced:
			if a.index.Digest == digest || bytes.Contains(a.index.Body, []byte(digest.Hex)) {
				return a
			}
		default:
		}
	}
	return nil
}

// end ends a request.
func (d *desk) end(a *awaited, now time.Time, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a.err, a.ended = err, now
	close(a.done)
}

// states returns, for each image that has not arrived, since when it is awaited
// and what happened to it.
func (d *desk) states() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	states := map[string]string{}
	for image, a := range d.images {
		switch {
		case a.ended.IsZero():
			states[image.String()] = "running since " + a.began.UTC().Format(time.RFC3339)
		case a.err != nil:
			states[image.String()] = "failed at " + a.ended.UTC().Format(time.RFC3339)
		}
	}
	return states
}
