package fakeregistry

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// Inject adds a fault. Faults apply in the order in which they were added.
func (r *Registry) Inject(f Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, &f)
}

func (r *Registry) pick(req *http.Request) *Fault {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.faults {
		if f.Times == 0 || !regexp.MustCompile(f.Match).MatchString(req.Method+" "+req.URL.RequestURI()) {
			continue
		}
		if f.CutRequest > 0 && req.ContentLength >= 0 && req.ContentLength <= f.CutRequest {
			continue
		}
		f.Times--
		return f
	}
	return nil
}

// fail lets a fault happen and returns true if that was all.
func (r *Registry) fail(w http.ResponseWriter, req *http.Request) bool {
	f := r.pick(req)
	switch {
	case f == nil:
		return false
	case f.Do != nil:
		return f.Do(w, req)
	case f.Status != 0:
		maps.Copy(w.Header(), f.Header)
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		w.WriteHeader(f.Status)
		io.Copy(w, strings.NewReader(f.Body))
		return true
	}
	if response, ok := w.(*counting); ok {
		response.cut = f.CutResponse
	}
	if body, ok := req.Body.(*countingBody); ok {
		body.cut = f.CutRequest
	}
	return false
}

// counting is a response that counts its bytes and may break off.
type counting struct {
	http.ResponseWriter
	status int
	n, cut int64
}

func (w *counting) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *counting) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *counting) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if w.cut > 0 && w.n+int64(len(p)) > w.cut {
		n, _ := w.ResponseWriter.Write(p[:w.cut-w.n])
		w.n += int64(n)
		http.NewResponseController(w.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	n, err := w.ResponseWriter.Write(p)
	w.n += int64(n)
	return n, err
}

// countingBody is a request's body that counts its bytes and may break off.
type countingBody struct {
	io.ReadCloser
	mu     sync.Mutex
	n, cut int64
	broken bool
}

func (b *countingBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cut > 0 {
		if b.n >= b.cut {
			b.broken = true
			return 0, io.ErrUnexpectedEOF
		}
		p = p[:min(int64(len(p)), b.cut-b.n)]
	}
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	return n, err
}

// giveUp closes the connection if the body has been cut.
func (b *countingBody) giveUp() {
	if b.broken {
		panic(http.ErrAbortHandler)
	}
}

// heldAnswer holds a response, to be sent in another form.
type heldAnswer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (h *heldAnswer) Header() http.Header         { return h.header }
func (h *heldAnswer) WriteHeader(status int)      { h.code = status }
func (h *heldAnswer) Write(p []byte) (int, error) { return h.body.Write(p) }
