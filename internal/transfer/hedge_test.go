package transfer

import (
	"bytes"
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// stuckSource is a simSource whose first response stops after a while and ends only
// when it is released, although nobody wants it any more.
type stuckSource struct {
	*simSource
	opened  int
	release chan struct{}
}

func (s *stuckSource) Open(_ context.Context, from, to int64) (io.ReadCloser, error) {
	s.opened++
	content := bytes.NewReader(bytes.Repeat(numbers, int(s.size/period)/2+1)[from:to])
	if s.opened > 1 {
		return io.NopCloser(content), nil
	}
	return io.NopCloser(io.MultiReader(io.LimitReader(content, 100_000), readerFunc(func([]byte) (int, error) {
		<-s.release
		return 0, io.ErrUnexpectedEOF
	}))), nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestOneHedge: what is late is requested a second time, and not a third time while
// the late response is still being stopped. Two hedges would fill one block.
func TestOneHedge(t *testing.T) {
	const size = 3*blockSize + 5
	digest := numbered(size)
	synctest.Test(t, func(t *testing.T) {
		e := New(Options{})
		defer e.Close()
		source := &stuckSource{simSource: &simSource{n: &network{rtt: time.Millisecond}, size: size}, release: make(chan struct{})}
		r, err := e.Open(t.Context(), Blob{Digest: digest, Size: size}, source)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		got := make(chan string)
		go func() {
			digest, err := sum(r)
			if err != nil {
				t.Error(err)
			}
			got <- digest
		}()
		for range 3 { // as at three ticks
			synctest.Wait()
			e.mu.Lock()
			for f := range r.s.fetchers {
				if f.claimed && !f.hedged {
					r.s.hedgeLocked(f)
				}
			}
			e.mu.Unlock()
		}
		synctest.Wait()
		if source.opened != 2 {
			t.Errorf("%d requests, want 2", source.opened)
		}
		close(source.release)
		if got := <-got; got != digest.Hex {
			t.Errorf("read %s, want %s", got, digest.Hex)
		}
	})
}
