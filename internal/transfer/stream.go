package transfer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/maphash"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/failure"
)

// stream is one blob being read from the source: the blocks in memory, the
// readers and the fetchers. Its fields are guarded by the engine's mutex.
type stream struct {
	e       *Engine
	blob    Blob
	source  Source
	host    *host
	ctx     context.Context
	cancel  context.CancelFunc
	users   int
	ending  bool // the last user waits for running fetchers
	changed *sync.Cond

	blocks   map[int64]*block // those in memory, being filled or claimed
	readers  map[*reader]bool
	fetchers map[*fetcher]bool
	running  sync.WaitGroup // of fetchers
	err      error

	part    bool      // read in part, and not hashed
	hash    hash.Hash // of the first hashed bytes; used by one goroutine at a time
	hashed  int64
	hashing bool
	aside   bool // another goroutine hashes, and will see blocks that arrive
	// sums are the checksums of hashed blocks, by index. A block that is read
	// again is compared with its checksum before a reader gets it. Nil if the
	// readers are uploads, whose targets compare the digest.
	sums map[int64]uint64
	// dropped is the checksum of the hashed part of a block that was dropped
	// before the rest was hashed; nil if there is none.
	dropped *uint64
}

// fetcher reads consecutive blocks of a stream over one connection.
type fetcher struct {
	s       *stream
	ctx     context.Context
	cancel  context.CancelFunc
	at, end int64    // the next block, and the one before which it stops
	shared  bool     // one of several that share the work
	length  int64    // how many blocks it claims by default
	got     int64    // bytes fetched
	claimed bool     // whether the blocks have been claimed
	block   *block   // the block that it fills, or filled last
	next    *fetcher // the fetcher that continues after it

	exchange  exchange // the current request
	hedged    bool     // another fetcher fetches the same
	hedges    int      // how often the piece has been hedged
	overtaken bool     // another fetcher has taken over the piece
}

// reader reads a stream to the end, from the beginning or from where it is set
// back to.
type reader struct {
	s      *stream
	ctx    context.Context
	offset int64
	end    int64     // where it stops, in bytes
	used   time.Time // when it was last read from
	stop   func() bool
	woken  chan struct{} // closed once waiters have been woken because ctx has ended
	block  *block        // pinned
	avail  int           // bytes of it that have arrived
	since  time.Time     // when it began to wait for bytes; zero if it is not waiting
	waited time.Duration // for bytes, before since
	passed func(int64)
	tuner  *uploadTuner // of the target that it is sent to; nil for none
}

func newStream(e *Engine, blob Blob, source Source, part bool) *stream {
	s := &stream{
		e: e, blob: blob, source: source, part: part, changed: sync.NewCond(&e.mu),
		blocks: map[int64]*block{}, readers: map[*reader]bool{}, fetchers: map[*fetcher]bool{}, hash: sha256.New(),
	}
	if e.reads && !part {
		s.sums = map[int64]uint64{}
	}
	return s
}

func (s *stream) key() streamKey { return streamKey{s.blob.Digest, s.part} }

// holdLocked fills the stream with known content. The content is small, so its
// memory is not counted.
func (s *stream) holdLocked(content []byte) {
	for index := range s.count() {
		piece := bytes.Clone(content[index*blockSize:][:s.sizeOf(index)]) // the caller will reuse its memory
		s.blocks[index] = &block{s: s, index: index, data: piece, n: len(piece)}
		s.e.memory.held += int64(len(piece))
		if s.sums != nil {
			s.sums[index] = maphash.Bytes(s.e.checks, piece)
		}
	}
	s.hash.Write(content)
	s.hashed = s.blob.Size
}

// restLocked releases blocks that were read ahead for readers that are gone.
func (s *stream) restLocked() {
	for index, b := range s.blocks {
		switch {
		case !b.full():
		case b.hashed():
			b.read = true
			s.e.memory.keepLocked(b)
		case !s.hashing:
			delete(s.blocks, index)
			s.e.memory.dropLocked(b)
		}
	}
}

// comingLocked reports whether a reader will come to a block.
func (s *stream) comingLocked(b *block) bool {
	begin := b.index * blockSize
	for r := range s.readers {
		if r.offset < begin+int64(len(b.data)) && begin < r.end {
			return true
		}
	}
	return false
}

// forgetLocked removes the stream from the table if nothing of it is left.
func (s *stream) forgetLocked() {
	if s.users == 0 && (len(s.blocks) == 0 || s.err != nil) && s.e.streams[s.key()] == s {
		delete(s.e.streams, s.key())
	}
}

func (s *stream) count() int64 { return (s.blob.Size + blockSize - 1) / blockSize }

// long reports whether the blob has more blocks than are read ahead.
func (s *stream) long() bool { return s.count() > s.e.window }

func (s *stream) sizeOf(index int64) int {
	return int(min(blockSize, s.blob.Size-index*blockSize))
}

// failLocked ends the stream for all users.
func (s *stream) failLocked(err error) {
	if s.err == nil {
		s.err = err
	}
	s.wakeLocked()
}

// wakeLocked wakes readers and fetchers.
func (s *stream) wakeLocked() {
	s.changed.Broadcast()
	s.e.memory.freed.Broadcast()
}

// neededLocked reports whether a reader will need a block soon.
func (s *stream) neededLocked(index, ahead int64) bool {
	for r := range s.readers {
		if at := r.offset / blockSize; at <= index && index < at+ahead && index*blockSize < r.end {
			return true
		}
	}
	return false
}

// aheadLocked returns how many blocks are read ahead for each reader. From a
// near source they arrive as fast as they are requested, and recently used
// memory is the fastest.
func (s *stream) aheadLocked() int64 {
	if s.e.beside(s.source) {
		return s.e.nearAhead
	}
	m := &s.e.memory
	share := (m.budget - m.budget/4) / blockSize / int64(max(s.e.reading, 1))
	return min(max(share, s.e.minAhead), s.e.maxAhead)
}

// urgentLocked reports whether a reader is waiting for a block.
func (s *stream) urgentLocked(index int64) bool { return s.neededLocked(index, 1) }

// reachLocked returns the block before which all readers at or before index
// stop.
func (s *stream) reachLocked(index int64) int64 {
	reach := index + 1
	for r := range s.readers {
		if r.offset/blockSize <= index {
			reach = max(reach, (r.end+blockSize-1)/blockSize)
		}
	}
	return min(reach, s.count())
}

// reclaimLocked drops a block that only idle readers would need, and reports
// whether there was one. It is read again when they continue.
func (e *Engine) reclaimLocked() bool {
	now := time.Now()
	for _, s := range e.streams {
		for index, b := range s.blocks {
			if b.full() && b.kept == nil && b.pins == 0 && !s.hashing && !s.awaitedLocked(index, now) {
				delete(s.blocks, index)
				e.memory.dropLocked(b)
				return true
			}
		}
	}
	return false
}

// awaitedLocked reports whether a reader that is not idle may need a block.
func (s *stream) awaitedLocked(index int64, now time.Time) bool {
	for r := range s.readers {
		idle := r.since.IsZero() && now.Sub(r.used) > s.e.idleAfter
		if !idle && r.offset/blockSize <= index && index*blockSize < r.end {
			return true
		}
	}
	return false
}

// unclaimedLocked returns the first block from index on that is neither in
// memory nor being fetched.
func (s *stream) unclaimedLocked(index int64) int64 {
	for index < s.count() && s.blocks[index] != nil {
		index++
	}
	return index
}

// gapLocked returns the end of the unclaimed blocks that begin at index, at
// most limit.
func (s *stream) gapLocked(index, limit int64) int64 {
	limit = min(limit, s.count())
	for end := index; end < limit; end++ {
		if s.blocks[end] != nil {
			return end
		}
	}
	return limit
}

// claimLocked reserves the blocks for one fetcher.
func (s *stream) claimLocked(from, to int64) {
	for index := from; index < to; index++ {
		s.blocks[index] = &block{s: s, index: index}
	}
}

// verifyAside runs verify in its own goroutine, so that reading continues.
func (s *stream) verifyAside() {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	if s.aside || s.e.closed {
		return
	}
	s.aside = true
	s.running.Add(1)
	s.e.goLocked(func() {
		defer s.running.Done()
		s.verify()
	})
}

// verify hashes the blocks that have arrived, in order, and compares the digest
// at the end. One goroutine at a time does it; for others it returns at once.
func (s *stream) verify() {
	for {
		b, piece := s.nextToHash()
		if b == nil {
			return
		}
		s.hash.Write(piece)
		var sum uint64
		if s.sums != nil && int(s.hashed%blockSize)+len(piece) == len(b.data) {
			sum = maphash.Bytes(s.e.checks, b.data)
		}
		s.noteHashed(b, int64(len(piece)), sum)
	}
}

// checked reports whether a block that has been hashed before has the same
// content as then.
func (s *stream) checked(b *block) bool {
	sum, known := s.sumOf(b.index)
	return !known || sum == maphash.Bytes(s.e.checks, b.data)
}

// sumOf returns the checksum of a block that has been hashed before.
func (s *stream) sumOf(index int64) (sum uint64, known bool) {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	sum, known = s.sums[index]
	return sum, known
}

// nextToHash returns the bytes to hash next, and their block, or nil.
func (s *stream) nextToHash() (*block, []byte) {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	b, begun := s.blocks[s.hashed/blockSize], int(s.hashed%blockSize)
	if s.part || s.hashing || b == nil || b.data == nil || b.n <= begun {
		s.aside = false
		return nil, nil
	}
	if s.dropped != nil {
		if *s.dropped != maphash.Bytes(s.e.checks, b.data[:begun]) {
			s.failLocked(corrupt("block %d of %s differs from what was read before", b.index, s.blob.Digest))
			s.aside = false
			return nil, nil
		}
		s.dropped = nil
	}
	s.hashing = true
	return b, b.data[begun:b.n]
}

// noteDroppedLocked keeps the checksum of the hashed part of a block whose rest
// has not been hashed, for when it is read again.
func (s *stream) noteDroppedLocked(b *block) {
	if begun := int(s.hashed % blockSize); begun > 0 && s.hashed/blockSize == b.index && b.n >= begun {
		sum := maphash.Bytes(s.e.checks, b.data[:begun])
		s.dropped = &sum
	}
}

func (s *stream) noteHashed(b *block, n int64, sum uint64) {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	s.hashing = false
	s.hashed += n
	if s.sums != nil && b.hashed() {
		s.sums[b.index] = sum
	}
	s.e.memory.keepLocked(b)
	if s.hashed < s.blob.Size {
		return
	}
	if sum := hex.EncodeToString(s.hash.Sum(nil)); sum != s.blob.Digest.Hex {
		s.failLocked(corrupt("got sha256:%s for %s", sum, s.blob.Digest))
	}
	s.changed.Broadcast()
}

// corrupt returns the failure of a blob with wrong content.
func corrupt(format string, args ...any) *failure.Error {
	return &failure.Error{Code: failure.Corrupt, Side: failure.Source, Step: readingBlob, Err: fmt.Errorf(format, args...)}
}
