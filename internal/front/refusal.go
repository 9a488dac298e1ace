package front

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
)

// Refusal is an error response: the cause, and what to do about it.
type Refusal struct {
	Status  int
	Code    string // of the distribution specification
	Message string // a sentence with the cause and the cure; it contains no text from a registry, but perhaps the reason of a run
	// Failure is Ferry's own code if the refusal comes from a place.
	Failure failure.Code
	// Places are the places that were asked, with the result of each.
	Places []Attempt
	// RetryAfter is when the client may try again; zero if unknown.
	RetryAfter time.Duration
	// Challenge makes the client send its token.
	Challenge bool
}

// Attempt is the result of a request to one place.
type Attempt struct {
	Place   string       `json:"place"`
	Failure failure.Code `json:"failure"`
}

// detail is what Ferry adds to the error of the specification.
type detail struct {
	Ferry  failure.Code `json:"ferry"`
	Places []Attempt    `json:"places,omitempty"`
}

func (r *Refusal) Error() string { return fmt.Sprintf("%d %s: %s", r.Status, r.Code, r.Message) }

func refuse(status int, code, format string, args ...any) *Refusal {
	return &Refusal{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// write sends the refusal in the format of the specification, "Error Codes".
// For HEAD there is no body.
func (r *Refusal) write(w http.ResponseWriter, method string) {
	e := distribution.Error{Code: r.Code, Message: r.Message}
	if r.Failure != "" {
		// It contains only strings, which always marshal.
		e.Detail, _ = json.Marshal(detail{r.Failure, r.Places})
	}
	body, _ := json.Marshal(map[string][]distribution.Error{"errors": {e}})
	h := w.Header()
	h.Del("ETag") // set for the successful response
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	if r.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((r.RetryAfter+time.Second-1)/time.Second)))
	}
	if r.Challenge {
		h.Set("WWW-Authenticate", `Basic realm="ferry"`)
	}
	w.WriteHeader(r.Status)
	if method != http.MethodHead {
		_, _ = w.Write(body) // the error means that the client is gone
	}
}
