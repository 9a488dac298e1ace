// Package transfer moves blobs from a source to targets and to readers, through
// memory of a fixed size. It has one table of all blobs of a job:
//
//   - Each blob is sent to a target once. Other repositories of that target that
//     need it get it by a mount (Place).
//   - A blob can be read without being sent anywhere, by many readers at once,
//     as a whole or in part (Open).
//   - Each blob is read once for any number of targets: a stream gives the same
//     blocks to all readers (stream.go, reader.go). Blocks are read again only for
//     a reader that falls behind by more than the memory holds.
//   - After a cut at the source, reading resumes with a Range at the last good
//     byte (fetch.go); after a cut at the target, at the offset of its session
//     (send.go). Connections that are far slower than others are given up, on
//     both sides (hedge.go, attempt.go).
//   - If a single connection is the bottleneck, several connections read one blob
//     (connections.go), as many as help (tuner.go).
//
// Digest and size are verified while reading, and the last bytes of a blob are
// held back until then. The interfaces of sources and targets are in source.go.
package transfer

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash/maphash"
	"runtime"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

// Options tune an Engine.
type Options struct {
	// Memory limits the bytes in transit; zero for DefaultMemory.
	Memory int64
}

// Blob is a blob to transfer.
type Blob struct {
	Digest v1.Hash
	Size   int64
	// Content is the verified content of the blob, if it has been read already.
	Content []byte
	// Fresh reports whether the target probably lacks the blob. Its first bytes
	// are then read while the target is being asked.
	Fresh bool
}

// Outcome is how a repository got a blob.
type Outcome int

// The outcomes.
const (
	Present Outcome = iota // the repository already had it
	Mounted                // the target had it in another repository
	Sent                   // it was sent
)

// Engine moves blobs. It is safe for concurrent use.
type Engine struct {
	tuning
	near  func(Source) bool
	aside bool // blobs are hashed in parallel to reading, if there are enough cores

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	running sync.WaitGroup // every goroutine of the engine

	mu      sync.Mutex
	closed  bool
	memory  memory
	reading int   // readers of all streams
	twice   int64 // bytes that hedges have fetched in addition to late fetchers
	counts  Counts
	streams map[streamKey]*stream
	checks  maphash.Seed // seed of the checksums of blocks; see stream.sums
	reads   bool         // Open has been called
	hosts   map[string]*host
	places  map[place]*entry
	uploads map[string]*uploadTuner // by the target's host
	asks    map[string]*slots

	attempts map[*attempt]bool
	sent     map[string][]sample // of the latest uploads, by the target's host
}

// Counts are what an Engine has done so far.
type Counts struct {
	Read   int64 // bytes of blobs from sources
	Joined int64 // users of a blob that was being read for another one
}

// Counts returns what e has done so far.
func (e *Engine) Counts() Counts {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.counts
}

// place is a blob at a target's host. It has the SHA-256 of the digest's text, for there
// are many places.
type place struct {
	host   string
	digest [sha256.Size]byte
}

func placeOf(host string, digest v1.Hash) place {
	return place{host, sha256.Sum256([]byte(digest.String()))}
}

// entry is the known state of a blob at a place.
type entry struct {
	holders []reference.Repository // repositories that have it
	busy    chan struct{}          // closed when the sender is done; nil if it is not being sent
	home    *reference.Repository  // see Expect
}

// streamKey identifies a stream of an engine. A blob that is read in part, and
// so cannot be hashed, has another stream than the whole blob.
type streamKey struct {
	digest v1.Hash
	part   bool
}

// New returns an Engine.
func New(opts Options) *Engine {
	e := &Engine{
		tuning: defaultTuning, near: func(s Source) bool { return s.Trip() > 0 && s.Trip() < nearTrip },
		streams: map[streamKey]*stream{}, checks: maphash.MakeSeed(), hosts: map[string]*host{}, places: map[place]*entry{},
		uploads: map[string]*uploadTuner{}, asks: map[string]*slots{},
		attempts: map[*attempt]bool{}, sent: map[string][]sample{},
	}
	e.aside = runtime.GOMAXPROCS(0) > 2
	e.ctx, e.cancel = context.WithCancel(context.Background())
	if opts.Memory == 0 {
		opts.Memory = DefaultMemory
	}
	e.memory = memory{budget: max(opts.Memory, minMemory), freed: sync.NewCond(&e.mu)}
	e.memory.maxKept = e.memory.budget / 3
	return e
}

const readingBlob = "reading blob"

// errClosed is the failure of transfers that were running when the engine was
// closed.
var errClosed = &failure.Error{Code: failure.Cancelled, Step: readingBlob, Err: errors.New("engine is closed")}

// Close cancels all transfers and waits until all goroutines of the engine have
// ended. Later calls fail as cancelled.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	for _, s := range e.streams {
		s.failLocked(errClosed)
	}
	e.mu.Unlock()
	e.cancel()
	e.running.Wait()
}

// goLocked runs f in a goroutine that Close waits for. The engine must not be
// closed.
func (e *Engine) goLocked(f func()) { e.running.Go(f) }

// beside reports whether a source is on this machine.
func (e *Engine) beside(s Source) bool {
	trip := s.Trip()
	return e.near(s) && trip > 0 && trip < loopbackTrip
}
