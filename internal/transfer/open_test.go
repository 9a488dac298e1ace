package transfer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
)

// open opens the blob.
func (s *sea) open() *Reader {
	s.t.Helper()
	r, err := s.engine.Open(s.t.Context(), s.blob, s.from)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// answer makes the source serve other content.
func (s *sea) answer(content []byte) {
	s.source.Inject(fakeregistry.Fault{Match: "^GET .*/blobs/", Times: -1, Do: func(w http.ResponseWriter, r *http.Request) bool {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		return true
	}})
}

// sum returns the digest of the rest of r.
func sum(r io.Reader) (string, error) {
	h := sha256.New()
	_, err := io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), err
}

func TestManyReadersOneReading(t *testing.T) {
	for _, aside := range []bool{false, true} {
		t.Run(fmt.Sprint(aside), func(t *testing.T) { readByMany(t, aside) })
	}
}

// readByMany has twenty readers and an upload share one reading. If aside is
// set, another goroutine hashes.
func readByMany(t *testing.T, aside bool) {
	s := newSea(t, 9*mib+4321, 1, Options{})
	s.engine.aside = aside
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for range 20 {
		r := s.open()
		defer r.Close()
		wg.Go(func() {
			<-begin
			if got, err := sum(r); err != nil || got != s.blob.Digest.Hex {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
	wg.Go(func() {
		<-begin
		if err := s.place(0); err != nil { // an upload is a reader like any other
			t.Error(err)
		}
	})
	close(begin)
	wg.Wait()
	if n := s.read(); n != s.blob.Size {
		t.Errorf("read %d bytes of %d", n, s.blob.Size)
	}
	if counts := s.engine.Counts(); counts != (Counts{Read: s.blob.Size, Joined: 20}) {
		t.Errorf("%+v", counts)
	}
}

// TestTrailingReaders: what a reader still needs stays in the memory, in preference to
// what all have read, so that readers at different places share one reading.
func TestTrailingReaders(t *testing.T) {
	for _, lag := range []int64{mib, 5 * mib / 2} {
		s := newSea(t, 16*mib, 0, Options{Memory: 4 * mib})
		lead, middle, last := s.open(), s.open(), s.open()
		advance := func(r *Reader, n int64) {
			t.Helper()
			if _, err := io.CopyN(io.Discard, r, n); err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
		}
		advance(lead, lag)
		advance(middle, lag/2)
		for range s.blob.Size / blockSize {
			for _, r := range []*Reader{lead, middle, last} {
				advance(r, blockSize)
			}
		}
		for _, r := range []*Reader{lead, middle, last} {
			r.Close()
		}
		// On a slow machine some pieces are requested twice. With an eviction that
		// leaves out what trailing readers need, the factor is at least 2.4.
		if n := s.read(); n > s.blob.Size*3/2 {
			t.Errorf("with a lag of %d bytes: read %d bytes of %d", lag, n, s.blob.Size)
		}
	}
}

// TestLateReader reads a blob that is larger than the memory a second time.
func TestLateReader(t *testing.T) {
	for _, changed := range []bool{false, true} {
		t.Run(fmt.Sprint(changed), func(t *testing.T) {
			s := newSea(t, 9*mib, 0, Options{Memory: 4 * mib})
			first, late := s.open(), s.open()
			defer late.Close()
			if _, err := io.CopyN(io.Discard, late, 1); err != nil {
				t.Fatal(err)
			}
			if got, err := sum(first); err != nil || got != s.blob.Digest.Hex {
				t.Fatalf("the first got %s, %v", got, err)
			}
			first.Close()
			if changed {
				s.answer(bytes.Repeat([]byte{1}, 9*mib))
			}
			n, err := io.Copy(io.Discard, late)
			switch {
			case !changed && (err != nil || n != s.blob.Size-1):
				t.Errorf("the late one got %d bytes, %v", n, err)
			case changed && (failure.CodeOf(err) != failure.Corrupt || n == s.blob.Size-1):
				t.Errorf("of a blob that has changed the late one got %d bytes, %v", n, err)
			}
		})
	}
}

func TestLastBytesWaitForTheDigest(t *testing.T) {
	s := newSea(t, mib, 0, Options{})
	s.blob.Digest.Hex = hex.EncodeToString(make([]byte, 32))
	s.answer(bytes.Repeat([]byte{1}, mib))
	r := s.open()
	defer r.Close()
	n, err := io.Copy(io.Discard, r)
	if failure.CodeOf(err) != failure.Corrupt || n == mib {
		t.Errorf("got %d bytes, %v", n, err)
	}
}

func TestRangeReadsItsBlocksOnly(t *testing.T) {
	s := newSea(t, 20*mib, 0, Options{})
	r := s.open()
	defer r.Close()
	var whole bytes.Buffer
	first := s.open()
	defer first.Close()
	if _, err := io.Copy(&whole, first); err != nil {
		t.Fatal(err)
	}
	before := s.read()
	for _, c := range []struct{ from, to int64 }{{5*mib - 10, 5*mib + 10}, {0, 3}, {20*mib - 7, 20 * mib}, {17*mib + 1, 17*mib + 1}} {
		if err := r.Range(c.from, c.to); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, whole.Bytes()[c.from:c.to]) {
			t.Errorf("bytes %d to %d: got %d bytes, %v", c.from, c.to, len(got), err)
		}
	}
	if n := s.read() - before; n > 4*blockSize {
		t.Errorf("read %d bytes, want %d at most", n, 4*blockSize)
	}
	if err := r.Range(5, 20*mib+1); err == nil {
		t.Error("no error for a range beyond the end")
	}
	if at, err := r.Seek(-100, io.SeekEnd); at != 20*mib-100 || err != nil {
		t.Errorf("sought to %d, %v", at, err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, whole.Bytes()[20*mib-100:]) {
		t.Errorf("the last bytes: got %d, %v", len(got), err)
	}
	r.Close()
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestIdleReadersHoldNobodyUp has more readers stop than the memory has blocks.
func TestIdleReadersHoldNobodyUp(t *testing.T) {
	s := newSea(t, 12*mib, 0, Options{Memory: 4 * mib})
	for i := range int64(40) {
		r := s.open()
		defer r.Close()
		if err := r.Range(i*blockSize+1, 12*mib); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	quick := s.open()
	defer quick.Close()
	if got, err := sum(quick); err != nil || got != s.blob.Digest.Hex {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestReaderIsNotToldOfCuts cuts the source's responses after each half MiB.
func TestReaderIsNotToldOfCuts(t *testing.T) {
	s := newSea(t, 3*mib, 0, Options{})
	s.source.Inject(fakeregistry.Fault{Match: "^GET .*/blobs/", Times: -1, CutResponse: mib / 2})
	r := s.open()
	defer r.Close()
	if got, err := sum(r); err != nil || got != s.blob.Digest.Hex {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestSizeIsAskedFor(t *testing.T) {
	s := newSea(t, mib+1, 1, Options{})
	source := s.client.Blob(s.from.Repository(), s.blob.Digest, -1)
	r, err := s.engine.Open(t.Context(), Blob{Digest: s.blob.Digest, Size: -1}, source)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := sum(r); err != nil || got != s.blob.Digest.Hex || r.Size() != mib+1 {
		t.Errorf("got %s of %d bytes, %v", got, r.Size(), err)
	}
}

// leaving is a source that stops to exist.
type leaving struct {
	Source
	gone bool
}

func (l *leaving) Open(ctx context.Context, from, to int64) (io.ReadCloser, error) {
	if l.gone {
		return nil, &failure.Error{Code: failure.NotFound, Side: failure.Source}
	}
	return l.Source.Open(ctx, from, to)
}

// TestNextReaderReadsFromItsOwnSource: what earlier readers left in memory is
// used, but the rest comes from the source of the reader that wants it.
func TestNextReaderReadsFromItsOwnSource(t *testing.T) {
	s := newSea(t, 9*mib+4321, 1, Options{Memory: 4 * mib})
	before := &leaving{Source: s.from}
	first, err := s.engine.Open(s.t.Context(), s.blob, before)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, first, mib); err != nil {
		t.Fatal(err)
	}
	first.Close()
	before.gone = true
	r := s.open()
	defer r.Close()
	if got, err := sum(r); err != nil || got != s.blob.Digest.Hex {
		t.Errorf("got %s, %v", got, err)
	}
}
