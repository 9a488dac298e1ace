// Package transfer moves blobs from a source to targets, through memory of a
// fixed size and nothing else. It has one table of all blobs of a job:
//
//   - Each blob is sent to a target once; every other repository of that target
//     which needs it gets it by a mount (Place).
//   - Each blob is read once, whatever the number of targets: a stream hands
//     the same blocks to all uploads (stream.go, reader.go) and only who falls
//     behind by more than the memory holds has to read again.
//   - A cut on the source is resumed with a Range at the last good byte
//     (fetch.go), a cut on the target at the offset that its session names
//     (send.go); what has been read lately is kept for that.
//   - Where one connection is the limit several read one blob (governor.go), as
//     many as help (climber.go).
//
// Digest and size are verified on the way, and the last bytes of a blob are
// held back until they are.
package transfer

import (
	"context"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

const (
	// DefaultMemory bounds the bytes that are on the way from a source to the
	// targets. With some dozens of connections and what the garbage collector
	// leaves lying about, the process stays under 64 MiB.
	DefaultMemory = 24 << 20
	// minMemory is what the smallest number of blocks needs that can make
	// progress at all with several uploads.
	minMemory = 16 * blockSize
	// uploads is how many blobs are sent to one target at once. More would only
	// share the same link, and what is sent by half when the process dies has been
	// sent in vain; fewer would leave it idle while connections start.
	uploads = 12
	// exchanges is how many mounts and small blobs one target is asked to take at
	// once beside them.
	exchanges = 32
	// small is the largest blob, in bytes, that is on the wire no longer than the
	// question whether it may be.
	small = blockSize
	// maxCorrupt is how often a blob that is not what its digest says is read
	// before that is believed.
	maxCorrupt = 3
)

// Options tune an Engine.
type Options struct {
	// Memory bounds the bytes on the way; zero for DefaultMemory.
	Memory int64
}

// Blob is what moves.
type Blob struct {
	Digest v1.Hash
	Size   int64
	// Content is the blob itself, verified, if it has been read already.
	Content []byte
	// Fresh tells that nothing suggests that the target has it. Then its first
	// bytes are read while the target is being asked.
	Fresh bool
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
	mu      sync.Mutex
	memory  memory
	reading int // readers of all streams
	streams map[v1.Hash]*stream
	hosts   map[*registry.Client]*host
	places  map[place]*entry
	uploads map[*registry.Client]*slots
	asks    map[*registry.Client]*slots
	near    func(*registry.Client) bool
}

// New makes an Engine.
func New(opts Options) *Engine {
	e := &Engine{
		streams: map[v1.Hash]*stream{}, hosts: map[*registry.Client]*host{}, places: map[place]*entry{},
		uploads: map[*registry.Client]*slots{}, asks: map[*registry.Client]*slots{},
		near: (*registry.Client).Near,
	}
	if opts.Memory == 0 {
		opts.Memory = DefaultMemory
	}
	e.memory = memory{budget: max(opts.Memory, minMemory), freed: sync.NewCond(&e.mu)}
	return e
}

// place is a blob at a target.
type place struct {
	target *registry.Client
	digest v1.Hash
}

// entry is what is known of a blob at a target.
type entry struct {
	holders []reference.Repository // that hold it
	busy    chan struct{}          // closed when the one who sends it is done; nil if nobody does
}

// Place sees to it that a repository of the target holds the blob. Progress is
// told of bytes that were handed to the network, each once. When several want
// the same blob at the same target, one sends it and the others mount it.
func (e *Engine) Place(ctx context.Context, blob Blob, source *registry.Blob, target *registry.Client, to reference.Repository, progress func(int64)) (Outcome, error) {
	at := place{target, blob.Digest}
	for {
		e.mu.Lock()
		en := e.places[at]
		if en == nil {
			en = &entry{}
			e.places[at] = en
		}
		busy := en.busy
		switch {
		case slices.Contains(en.holders, to):
			e.mu.Unlock()
			return Present, nil
		case len(en.holders) > 0:
			from := en.holders[0]
			e.mu.Unlock()
			return e.mount(ctx, at, blob, source, to, from, progress)
		case busy == nil:
			en.busy = make(chan struct{})
			e.mu.Unlock()
			outcome, err := e.send(ctx, blob, source, target, to, nil, progress)
			e.settle(at, to, err == nil, true)
			return outcome, err
		}
		e.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// settle notes who holds a blob now.
func (e *Engine) settle(at place, to reference.Repository, held, sender bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	en := e.places[at]
	if held {
		en.holders = append(en.holders, to)
	}
	if sender {
		close(en.busy)
		en.busy = nil
	}
}

// mount takes the blob from a repository that holds it. A target that does not
// mount opens an upload instead, and that is used.
func (e *Engine) mount(ctx context.Context, at place, blob Blob, source *registry.Blob, to, from reference.Repository, progress func(int64)) (Outcome, error) {
	slots := e.slots(e.asks, at.target, exchanges)
	if err := slots.acquire(ctx, 0); err != nil {
		return 0, err
	}
	u, err := at.target.Upload(ctx, to, blob.Digest, blob.Size, from)
	slots.release()
	outcome := Mounted
	if err == nil && u != nil {
		outcome, err = e.send(ctx, blob, source, at.target, to, u, progress)
	}
	e.settle(at, to, err == nil, false)
	return outcome, err
}

func (e *Engine) slots(of map[*registry.Client]*slots, target *registry.Client, n int) *slots {
	e.mu.Lock()
	defer e.mu.Unlock()
	if of[target] == nil {
		of[target] = &slots{free: n, spare: n / 2}
	}
	return of[target]
}

// send sends the blob, in a session that is open already if u is not nil.
func (e *Engine) send(ctx context.Context, blob Blob, source *registry.Blob, target *registry.Client, to reference.Repository, u *registry.Upload, progress func(int64)) (Outcome, error) {
	slots := e.slots(e.uploads, target, uploads)
	if blob.Size <= small {
		slots = e.slots(e.asks, target, exchanges)
	}
	// Registered before the wait: who comes later finds what others have read.
	s := e.acquire(blob, source)
	defer func() { e.release(s) }()
	if err := slots.acquire(ctx, blob.Size); err != nil {
		if u != nil {
			u.Cancel(ctx)
		}
		return 0, err
	}
	defer slots.release()
	sending := &sending{target: target, to: to, from: to, blob: blob, upload: u, progress: progress}
	if source.Client().Host() == target.Host() {
		// Both sides are one registry: it need only be told where the blob is.
		sending.from, sending.blob.Fresh = source.Repository(), false
	}
	for try := 1; ; try++ {
		outcome, err := sending.run(ctx, s)
		if failure.CodeOf(err) != failure.Corrupt || try == maxCorrupt {
			return outcome, err
		}
		// Content networks do have bad copies; the next one may be good.
		e.release(s)
		s = e.acquire(blob, source)
	}
}
