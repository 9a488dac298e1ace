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

// Refusal is an answer that gives nothing: why, and what to do about it.
type Refusal struct {
	Status  int
	Code    string // of the distribution specification
	Message string // one sentence of cause and cure; it holds nothing that a registry said
	// Failure is Ferry's own code, if the refusal comes from a place.
	Failure failure.Code
	// Places are the places that were asked, and what each was answered with.
	Places []Attempt
	// RetryAfter is when asking again may help; zero if nothing is known.
	RetryAfter time.Duration
	// Challenge asks the client for its token.
	Challenge bool
}

// Attempt is what became of a question at one place.
type Attempt struct {
	Place   string       `json:"place"`
	Failure failure.Code `json:"failure"`
}

// detail is what Ferry adds to an error.
type detail struct {
	Ferry  failure.Code `json:"ferry"`
	Places []Attempt    `json:"places,omitempty"`
}

func (r *Refusal) Error() string { return fmt.Sprintf("%d %s: %s", r.Status, r.Code, r.Message) }

func refuse(status int, code, format string, args ...any) *Refusal {
	return &Refusal{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// write sends the refusal in the form of the specification, "Error Codes". The
// method decides whether there is a body.
func (r *Refusal) write(w http.ResponseWriter, method string) {
	e := distribution.Error{Code: r.Code, Message: r.Message}
	if r.Failure != "" {
		// Strings alone, which can't fail.
		e.Detail, _ = json.Marshal(detail{r.Failure, r.Places})
	}
	body, _ := json.Marshal(map[string][]distribution.Error{"errors": {e}})
	h := w.Header()
	h.Del("ETag") // of what would have been sent
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
		_, _ = w.Write(body) // the client has gone, or will see that it is cut
	}
}
