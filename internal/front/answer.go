package front

import (
	"net/http"
	"strconv"
	"time"
)

// answer is a response, and what is to be logged of it.
type answer struct {
	http.ResponseWriter
	began  time.Time
	status int
	bytes  int64
	place  *Place // that the answer comes from; nil for memory and for none
}

// Unwrap lets http.ResponseController find the writer.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader notes the status.
func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (a *answer) Write(b []byte) (int, error) {
	n, err := a.ResponseWriter.Write(b)
	a.bytes += int64(n)
	return n, err
}

// writeTime is how long a client may take to read 64 KiB before it counts as
// gone: a quarter of a kilobyte a second.
const writeTime = 4 * time.Minute

// extend gives the client its time anew.
func (a *answer) extend() {
	// Writers without deadlines are those of tests.
	_ = http.NewResponseController(a.ResponseWriter).SetWriteDeadline(time.Now().Add(writeTime))
}

// send answers with a small body, which HEAD leaves out.
func (a *answer) send(r *http.Request, mediaType string, body []byte) {
	a.Header().Set("Content-Type", mediaType)
	a.Header().Set("Content-Length", strconv.Itoa(len(body)))
	a.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = a.Write(body) // a client that has gone wants nothing more
	}
}
