// Package transfer moves blobs. It has one table of all blobs of a job: each
// is read from its source at most once and sent to a target at most once; in
// every other repository of that target which needs it, it is mounted.
package transfer

import (
	"context"
	"errors"
	"io"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// DefaultMemory bounds the bytes that are on the way from a source to the
// targets.
const DefaultMemory = 32 << 20

// Options tune an Engine.
type Options struct {
	Memory int64 // zero for DefaultMemory
}

// Blob is what moves.
type Blob struct {
	Digest v1.Hash
	Size   int64
}

// Outcome is how a blob came to be where it was wanted.
type Outcome int

// The outcomes.
const (
	Present Outcome = iota // the repository held it already
	Mounted                // the target took it from another of its repositories
	Sent                   // it was sent
)

// Engine moves blobs. It is safe for concurrent use.
type Engine struct {
	mu sync.Mutex
}

// New makes an Engine.
func New(opts Options) *Engine { return &Engine{} }

// Place sees to it that a repository of the target holds the blob.
func (e *Engine) Place(ctx context.Context, blob Blob, source *registry.Blob, target *registry.Client, to reference.Repository, progress func(int64)) (Outcome, error) {
	tries := target.Backoff()
	for {
		outcome, err := e.send(ctx, blob, source, target, to, progress)
		if err == nil {
			return outcome, nil
		}
		if err := tries.Again(ctx, err); err != nil {
			return 0, err
		}
	}
}

func (e *Engine) send(ctx context.Context, blob Blob, source *registry.Blob, target *registry.Client, to reference.Repository, progress func(int64)) (Outcome, error) {
	u, err := target.Upload(ctx, to, blob.Digest, blob.Size, to)
	if err != nil || u == nil {
		return Present, err
	}
	body, err := source.Open(ctx, 0, blob.Size)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	if err := u.Send(ctx, &checked{r: body}, 0); err != nil {
		return 0, err
	}
	progress(blob.Size)
	return Sent, nil
}

type checked struct{ r io.Reader }

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if f := (*failure.Error)(nil); errors.As(err, &f) {
		return n, f
	}
	return n, err
}
