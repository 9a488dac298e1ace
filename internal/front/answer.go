package front

import (
	"net/http"
	"strconv"
	"time"
)

// answer is a response writer that records what is logged.
type answer struct {
	http.ResponseWriter
	began  time.Time
	status int
	bytes  int64
	guest  string // whose share of the limits it takes
	place  *Place // that answered; nil for an answer from memory and for none
}

// Unwrap returns the writer for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader records the status.
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

// writeTime is how long a client may take to read 64 KiB before its connection
// is cut: a quarter of a kilobyte per second.
const writeTime = 4 * time.Minute

// extend renews the client's deadline.
func (a *answer) extend() {
	// Only writers in tests do not support deadlines.
	_ = http.NewResponseController(a.ResponseWriter).SetWriteDeadline(time.Now().Add(writeTime))
}

// send sends a small body, which is left out for HEAD.
func (a *answer) send(r *http.Request, mediaType string, body []byte) {
	h := a.Header()
	h["Content-Type"], h["Content-Length"] = []string{mediaType}, []string{strconv.Itoa(len(body))}
	a.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = a.Write(body) // the error means that the client is gone
	}
}
