package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/imageferry/ferry/internal/failure"
)

// Reader reads one blob, as a whole or in part. It is for one goroutine.
//
// If the whole blob is read from the beginning, the last bytes are returned
// only after digest and size have been verified, and an error with the code
// Corrupt is returned instead if they are wrong. A part is read in blocks of
// 256 KiB, of which only those it touches are fetched, and is not verified.
//
// Readers of the same blob share the bytes read from the source while they are
// in memory. A reader that is not used gives its share of the memory to others.
type Reader struct {
	e           *Engine
	ctx         context.Context
	blob        Blob
	source      Source
	offset, end int64
	s           *stream // nil before the first Read
	r           *reader
	closed      bool
}

// Open returns a reader of the whole blob. If the size is negative, source is
// asked for it if it is a Sizer. No other request is made before the first
// Read, whose errors, except io.EOF at the end, are *failure.Error. All reading
// ends with ctx.
func (e *Engine) Open(ctx context.Context, blob Blob, source Source) (*Reader, error) {
	if blob.Size < 0 {
		sizer, ok := source.(Sizer)
		if !ok {
			return nil, &failure.Error{Code: failure.Internal, Side: failure.Source, Step: readingBlob, Err: errors.New("size is unknown")}
		}
		var err error
		if blob.Size, err = sizer.Size(ctx); err != nil {
			return nil, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reads, e.memory.maxKept = true, e.memory.budget
	return &Reader{e: e, ctx: ctx, blob: blob, source: source, end: blob.Size}, nil
}

// Size returns the blob's size in bytes.
func (r *Reader) Size() int64 { return r.blob.Size }

// Range makes the following reads return the bytes from from up to, but not
// including, to, and then io.EOF.
func (r *Reader) Range(from, to int64) error {
	if from < 0 || to < from || to > r.blob.Size {
		return fmt.Errorf("no bytes %d to %d in a blob of %d bytes", from, to, r.blob.Size)
	}
	r.stop()
	r.offset, r.end = from, to
	return nil
}

// Seek makes the following reads return the bytes from an offset to the blob's
// end.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.offset
	case io.SeekEnd:
		offset += r.blob.Size
	}
	if offset == r.offset && r.end == r.blob.Size {
		return offset, nil
	}
	return offset, r.Range(offset, r.blob.Size)
}

// Read waits for bytes.
func (r *Reader) Read(p []byte) (int, error) {
	if r.closed {
		return 0, fs.ErrClosed
	}
	if r.r == nil {
		r.start()
	}
	n, err := r.r.Read(p)
	r.offset += int64(n)
	return n, err
}

func (r *Reader) start() {
	part := r.offset > 0 || r.end < r.blob.Size
	r.s = r.e.acquire(r.blob, r.source, part)
	r.r = r.s.reader(r.ctx, r.offset, r.end, func(int64) {})
}

// stop releases the stream.
func (r *Reader) stop() {
	if r.r == nil {
		return
	}
	r.r.close()
	r.e.release(r.s)
	r.r, r.s = nil, nil
}

// Close ends the reading. It may be called several times.
func (r *Reader) Close() error {
	r.stop()
	r.closed = true
	return nil
}
