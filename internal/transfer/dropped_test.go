package transfer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
)

// TestABlockIsDroppedInTheMiddleOfItsHash checks a block that is dropped for
// lack of memory after a part of it was hashed. It is read again, and the
// hashed part must be the same.
func TestABlockIsDroppedInTheMiddleOfItsHash(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 2*blockSize/16)
	for _, honest := range []bool{true, false} {
		digest := sha256.Sum256(content)
		e := New(Options{})
		defer e.Close()
		e.reads = true
		s := newStream(e, Blob{Digest: v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(digest[:])}, Size: int64(len(content))}, nil, false)
		fill := func(index int64, from []byte, n int) {
			e.mu.Lock()
			b := s.blocks[index]
			if b == nil {
				b = &block{s: s, index: index}
				s.blocks[index] = b
				if !e.memory.takeLocked(b, blockSize, true) {
					t.Error("there is no memory")
				}
			}
			copy(b.data[b.n:], from[b.n:n])
			b.n = n
			e.mu.Unlock()
			s.verify()
		}
		fill(0, content, 1258)
		fill(0, content, 1300)
		e.mu.Lock()
		e.memory.dropLocked(s.blocks[0])
		delete(s.blocks, 0)
		e.mu.Unlock()
		s.verify()
		again := bytes.Clone(content)
		if !honest {
			again[7]++
		}
		fill(0, again, 0)
		fill(0, again, 1000)
		fill(0, again, blockSize)
		fill(1, content[blockSize:], blockSize)
		if honest && (s.err != nil || s.hashed != int64(len(content))) {
			t.Errorf("%d bytes were hashed: %v", s.hashed, s.err)
		}
		if !honest && failure.CodeOf(s.err) != failure.Corrupt {
			t.Errorf("other content was accepted: %v", s.err)
		}
	}
}
