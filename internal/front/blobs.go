package front

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/transfer"
)

// firstBytes is how much of a blob is read before the response begins.
const firstBytes = 32 << 10

// firstTime limits the wait for these bytes.
const firstTime = 20 * time.Second

var buffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// serveBlob answers GET and HEAD of a blob, by redirecting the client to where
// a place redirects, or by sending the bytes.
func (f *Front) serveBlob(w *answer, r *http.Request, q Question) *Refusal {
	h := w.Header()
	h.Set("ETag", `"`+q.Digest.String()+`"`)
	if matches(r.Header.Values("If-None-Match"), q.Digest) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	where := func(p *Place) (spot, bool) { return p.thing(q.Repository, distribution.Blobs, q.Digest.String()) }
	if r.Method == http.MethodHead {
		size, p, refusal := tour(r.Context(), f, q, f.holders(q), where, func(ctx context.Context, p *Place, s spot, _ func()) (int64, error) {
			return f.size(ctx, q, p, s, true)
		})
		if refusal != nil {
			return refusal
		}
		w.place = p
		blobHeader(h, q)
		h.Set("Content-Length", strconv.FormatInt(size, 10))
		w.WriteHeader(http.StatusOK)
		return nil
	}
	got, p, refusal := tour(r.Context(), f, q, f.holders(q), where, func(ctx context.Context, p *Place, s spot, begun func()) (delivery, error) {
		return f.deliver(ctx, r, q, p, s, begun)
	})
	if refusal != nil {
		return refusal
	}
	w.place = p
	switch {
	case got.elsewhere != nil:
		f.meters.redirected.Add(1)
		h.Set("Location", got.elsewhere.String())
		h.Set("Content-Length", "0")
		w.WriteHeader(http.StatusTemporaryRedirect)
		return nil
	case got.unsatisfied:
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", got.size))
		return refuse(http.StatusRequestedRangeNotSatisfiable, distribution.Unsupported, "the range is outside the blob, which has %d bytes", got.size)
	}
	defer got.close()
	blobHeader(h, q)
	status := http.StatusOK
	if got.part {
		status = http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", got.span.from, got.span.to-1, got.size))
	}
	h.Set("Content-Length", strconv.FormatInt(got.span.to-got.span.from, 10))
	w.WriteHeader(status)
	if err := f.relay(w, got); err != nil {
		f.broke(r, q, p, err)
		panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to cut a connection, which it recovers
	}
	return nil
}

// blobHeader sets the media type, whatever the place sent, so that browsers do
// not treat the blob as a page.
func blobHeader(h http.Header, q Question) {
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Docker-Content-Digest", q.Digest.String())
}

// delivery is how a client gets a blob: from another host, or as the bytes of
// span, the first of which have been read.
type delivery struct {
	elsewhere   *url.URL
	unsatisfied bool // the client's range is outside the blob
	size        int64
	span        span
	part        bool
	head        []byte
	content     *transfer.Reader
	cancel      context.CancelFunc
}

func (d delivery) close() {
	if d.content != nil {
		d.content.Close()
		d.cancel()
	}
}

// deliver prepares a delivery from one place. Nothing has been sent to the
// client yet, so another place can be tried if this one fails.
func (f *Front) deliver(ctx context.Context, r *http.Request, q Question, p *Place, s spot, begun func()) (delivery, error) {
	elsewhere, err := f.redirect(ctx, p, s)
	if err != nil || elsewhere != nil {
		return delivery{elsewhere: elsewhere}, err
	}
	size, err := f.size(ctx, q, p, s, false)
	if err != nil {
		return delivery{}, err
	}
	d := delivery{size: size}
	var ok bool
	if d.span, d.part, ok = readRange(wanted(r, q.Digest), size); !ok {
		d.unsatisfied = true
		return d, nil
	}
	// The read outlives this attempt, but not the client. It may have to wait
	// for memory, which is not the place's fault.
	begun()
	reading, cancel := context.WithCancel(r.Context())
	late := f.opts.after(firstTime, cancel)
	defer late.Stop()
	d.cancel = cancel
	blob := transfer.Blob{Digest: q.Digest, Size: size}
	if d.content, err = f.opts.Engine.Open(reading, blob, p.Client.Blob(s.repository, q.Digest, size)); err != nil {
		cancel()
		return delivery{}, err
	}
	if err = d.content.Range(d.span.from, d.span.to); err == nil {
		d.head = make([]byte, min(firstBytes, d.span.to-d.span.from))
		_, err = io.ReadFull(d.content, d.head)
	}
	if err != nil {
		slow := reading.Err() != nil && r.Context().Err() == nil
		d.close()
		if slow {
			err = &failure.Error{Code: failure.TimedOut, Side: failure.Source, Step: "reading", Err: fmt.Errorf("%w: %s", errSlow, firstTime)}
		}
		return delivery{}, err
	}
	return d, nil
}

// wanted returns the range that a client requests, if its partial copy is of
// this blob (RFC 9110 §13.1.5).
func wanted(r *http.Request, digest v1.Hash) string {
	if condition := r.Header.Get("If-Range"); condition != "" && strings.Trim(condition, `"`) != digest.String() {
		return ""
	}
	if len(r.Header.Values("Range")) > 1 {
		return ""
	}
	return r.Header.Get("Range")
}

// redirect returns where a place redirects clients for its blob, or nil if the
// front has to send it. The address does not contain the front's login.
func (f *Front) redirect(ctx context.Context, p *Place, s spot) (*url.URL, error) {
	if p.Blobs == Relay {
		return nil, nil
	}
	if _, no := f.memories.carriers.get(p.String()); no {
		return nil, nil
	}
	resp, err := p.Client.Read(ctx, registry.Read{Method: http.MethodGet, Repository: s.repository, Kind: s.kind, Reference: s.reference, Redirects: true})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	to, err := p.Client.Leads(resp)
	switch {
	case err != nil:
		return nil, err
	case to == nil:
		f.memories.carriers.put(p.String(), struct{}{}, 1)
		return nil, nil
	case p.Blobs == Auto && (to.Scheme != "https" || f.opts.relayed(to.Hostname())):
		return nil, nil
	}
	return to, nil
}

// size returns the size of a blob, from a manifest that was served or by asking
// the place. If sure is set the place is asked in any case, which proves that
// it has the blob.
func (f *Front) size(ctx context.Context, q Question, p *Place, s spot, sure bool) (int64, error) {
	key := item{q.Repository, q.Digest}
	known, ok := f.memories.parts.get(key)
	ok = ok && (!known.claimed || known.place == p)
	if ok && !sure {
		return known.size, nil
	}
	resp, err := p.Client.Read(ctx, registry.Read{Method: http.MethodHead, Repository: s.repository, Kind: s.kind, Reference: s.reference})
	if err != nil {
		return 0, err
	}
	resp.Body.Close()
	switch {
	case ok && resp.ContentLength >= 0 && resp.ContentLength != known.size:
		return 0, corrupt("the blob has %d bytes, but its manifest says %d", resp.ContentLength, known.size)
	case ok:
		return known.size, nil
	case resp.ContentLength < 0:
		return 0, corrupt("the place did not report the size of the blob")
	}
	f.memories.parts.put(key, part{resp.ContentLength, p, true}, 1)
	return resp.ContentLength, nil
}

// holders returns the places of q's source. Those known to have the blob come
// first: places to which it was copied, then the place that had a manifest with
// the blob.
func (f *Front) holders(q Question) []*Place {
	places := f.places(q)
	known, ok := f.memories.parts.get(item{q.Repository, q.Digest})
	i := slices.Index(places, known.place)
	if !ok || i <= 0 {
		return places
	}
	var first, later []*Place
	for _, p := range places[:i] {
		if p.Filled != nil && p.Filled(q.Repository, q.Digest) {
			first = append(first, p)
		} else {
			later = append(later, p)
		}
	}
	return slices.Concat(first, places[i:i+1], later, places[i+1:])
}

// relay sends the bytes of d. It returns an error if the source fails or sends
// wrong content.
func (f *Front) relay(w *answer, d delivery) error {
	write := func(b []byte) bool {
		w.extend()
		n, err := w.Write(b)
		f.meters.relayed.Add(int64(n))
		return err == nil
	}
	if !write(d.head) {
		return nil // the client is gone
	}
	left := d.span.to - d.span.from - int64(len(d.head))
	buffer := buffers.Get().(*[64 << 10]byte)
	defer buffers.Put(buffer)
	for left > 0 {
		n, err := d.content.Read(buffer[:min(int64(len(buffer)), left)])
		left -= int64(n)
		if n > 0 && !write(buffer[:n]) {
			return nil
		}
		if err != nil && left > 0 {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// broke logs why a response that had begun was cut, and remembers it: the client
// will try again, and should then get the blob from another place.
func (f *Front) broke(r *http.Request, q Question, p *Place, err error) {
	if r.Context().Err() != nil {
		return
	}
	var fail *failure.Error
	if !errors.As(err, &fail) {
		fail = &failure.Error{Code: failure.Internal, Err: err}
	}
	if s, ok := p.thing(q.Repository, q.Kind, q.Digest.String()); ok {
		f.lapses.broke(p, s, fail)
	}
	f.meters.broken.Add(1)
	f.opts.Log.Warn("blob cut off", "place", p.String(), "failure", string(fail.Code), "error", fail.Error())
}
