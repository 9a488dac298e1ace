package transfer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"sync"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/registry"
)

// stream is one blob on its way from the source: the blocks that are in
// memory, who reads them and who fetches them. Its fields are guarded by the
// engine's mutex.
type stream struct {
	e       *Engine
	blob    Blob
	source  *registry.Blob
	host    *host
	ctx     context.Context
	cancel  context.CancelFunc
	users   int
	ending  bool // the last user waits for what still runs
	changed *sync.Cond

	blocks   map[int64]*block // those that are there, being filled or claimed
	readers  map[*reader]bool
	fetchers map[*fetcher]bool
	running  sync.WaitGroup
	err      error

	hash    hash.Hash // of the first hashed bytes
	hashed  int64
	hashing bool
}

// acquire is the stream of a blob, made for the first user. One that nobody
// uses any more goes on with what the memory has kept of it.
func (e *Engine) acquire(blob Blob, source *registry.Blob) *stream {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.streams[blob.Digest]
	if s == nil || s.err != nil || s.ending {
		s = &stream{
			e: e, blob: blob, source: source, changed: sync.NewCond(&e.mu),
			blocks: map[int64]*block{}, readers: map[*reader]bool{}, fetchers: map[*fetcher]bool{}, hash: sha256.New(),
		}
		if blob.Content != nil {
			s.hold(blob.Content)
		}
		e.streams[blob.Digest] = s
	}
	if s.users == 0 {
		s.ctx, s.cancel = context.WithCancel(context.Background())
		context.AfterFunc(s.ctx, func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			s.changed.Broadcast()
			e.memory.freed.Broadcast()
		})
		s.host = e.join(s.source.Client(), s)
	}
	s.users++
	return s
}

// hold fills the stream with what is known already. It is small: the memory
// for it is not asked for.
func (s *stream) hold(content []byte) {
	for index := range s.count() {
		piece := bytes.Clone(content[index*blockSize:][:s.sizeOf(index)]) // its memory will be used again
		s.blocks[index] = &block{s: s, index: index, data: piece, n: len(piece)}
		s.e.memory.held += int64(len(piece))
	}
	s.hash.Write(content)
	s.hashed = s.blob.Size
}

// release stops the stream with its last user. What is good of it may stay for
// as long as nobody needs the memory: another target may want it yet.
func (e *Engine) release(s *stream) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.users > 1 {
		s.users--
		return
	}
	s.ending = true
	s.cancel()
	e.mu.Unlock()
	s.running.Wait()
	e.mu.Lock()
	s.users, s.ending = 0, false
	e.leave(s)
	for index, b := range s.blocks {
		if !b.full() || s.err != nil || e.streams[s.blob.Digest] != s {
			delete(s.blocks, index)
			e.memory.drop(b)
		}
	}
	s.rest()
	s.forget()
}

// rest lets go of what was read ahead for readers that are there no more.
func (s *stream) rest() {
	for index, b := range s.blocks {
		switch {
		case !b.full():
		case b.hashed():
			b.read = true
			s.e.memory.keep(b)
		case !s.hashing:
			delete(s.blocks, index)
			s.e.memory.drop(b)
		}
	}
}

// forget takes the stream off the table if nothing of it is left.
func (s *stream) forget() {
	if s.users == 0 && (len(s.blocks) == 0 || s.err != nil) && s.e.streams[s.blob.Digest] == s {
		delete(s.e.streams, s.blob.Digest)
	}
}

func (s *stream) count() int64 { return (s.blob.Size + blockSize - 1) / blockSize }

// long reports whether the blob is more than can be read ahead.
func (s *stream) long() bool { return s.count() > window }

func (s *stream) sizeOf(index int64) int {
	return int(min(blockSize, s.blob.Size-index*blockSize))
}

// fail ends the stream for all.
func (s *stream) fail(err error) {
	if s.err == nil {
		s.err = err
	}
	s.changed.Broadcast()
	s.e.memory.freed.Broadcast()
}

// needed reports whether some reader will soon come to a block.
func (s *stream) needed(index, ahead int64) bool {
	for r := range s.readers {
		if at := r.offset / blockSize; at <= index && index < at+ahead {
			return true
		}
	}
	return false
}

// ahead is how many blocks each reader may have read ahead for it. From a
// neighbour they come as fast as they are asked for, and memory that has just
// been used is faster than any other.
func (s *stream) ahead() int64 {
	if s.e.near(s.source.Client()) {
		return nearAhead
	}
	m := &s.e.memory
	share := (m.budget - m.budget/4) / blockSize / int64(max(s.e.reading, 1))
	return min(max(share, minAhead), maxAhead)
}

// urgent reports whether a reader is waiting for a block.
func (s *stream) urgent(index int64) bool { return s.needed(index, 1) }

// digest goes on with the hash as far as the bytes are there in order. One
// goroutine at a time does it, without the lock.
func (s *stream) digest() {
	if s.hashing {
		return
	}
	s.hashing = true
	for s.hashed < s.blob.Size {
		b := s.blocks[s.hashed/blockSize]
		if b == nil || b.data == nil {
			break
		}
		from := int(s.hashed % blockSize)
		piece := b.data[from:b.n]
		if len(piece) == 0 {
			break
		}
		s.e.mu.Unlock()
		s.hash.Write(piece)
		s.e.mu.Lock()
		s.hashed += int64(len(piece))
		s.e.memory.keep(b)
	}
	s.hashing = false
	if s.hashed == s.blob.Size {
		if sum := hex.EncodeToString(s.hash.Sum(nil)); sum != s.blob.Digest.Hex {
			s.fail(&failure.Error{Code: failure.Corrupt, Side: failure.Source, Step: "reading blob", Err: fmt.Errorf("got sha256:%s for %s", sum, s.blob.Digest)})
		}
	}
	s.changed.Broadcast()
}
