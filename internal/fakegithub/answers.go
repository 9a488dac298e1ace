package fakegithub

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
)

// answer is a response: body is its value, content the same as JSON.
type answer struct {
	status  int
	header  http.Header
	body    any
	content []byte
}

func ok(body any) answer { return answer{status: http.StatusOK, body: body} }

func created(location string, body any) answer {
	return answer{status: http.StatusCreated, header: http.Header{"Location": {location}}, body: body}
}

// seal marshals the body while the server is locked. A cacheable answer gets an
// ETag; if the client has it already, the answer is a 304, which does not count
// against the limit.
func (a answer) seal(r *http.Request, requests *window) answer {
	if a.body == nil {
		return a
	}
	content, err := json.Marshal(a.body)
	if err != nil { // a type of this package that cannot be JSON
		return answer{status: http.StatusInternalServerError}
	}
	a.body, a.content = nil, content
	a.header.Set("Content-Type", "application/json; charset=utf-8")
	if r.Method != http.MethodGet || a.status != http.StatusOK {
		return a
	}
	tag := fmt.Sprintf(`W/"%x"`, sha256.Sum256(content))
	a.header.Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		requests.refund()
		a.header.Del("Content-Type") // and other headers of the body
		a.header.Del("Link")
		a.status, a.content = http.StatusNotModified, nil
	}
	return a
}

func (a answer) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.content) // the client may be gone; the effect stays
}

// refusal is the body of GitHub's error answers.
type refusal struct {
	Message string    `json:"message"`
	Errors  []problem `json:"errors,omitempty"`
	Docs    string    `json:"documentation_url"`
	Status  string    `json:"status"`
}

// problem is one reason why a 422 was given.
type problem struct {
	Resource string `json:"resource"`
	Field    string `json:"field"`
	Code     string `json:"code"`
	Message  string `json:"message,omitempty"`
}

const docs = "https://docs.github.com/rest"

func refuse(status int, message string) answer {
	return answer{status: status, body: refusal{Message: message, Docs: docs, Status: strconv.Itoa(status)}}
}

func invalid(p problem) answer {
	a := refuse(http.StatusUnprocessableEntity, "Validation Failed")
	r := a.body.(refusal)
	r.Errors = []problem{p}
	a.body = r
	return a
}

func notFound() answer { return refuse(http.StatusNotFound, "Not Found") }

// integration is the response to requests that GITHUB_TOKEN may not make.
func integration() answer {
	return refuse(http.StatusForbidden, "Resource not accessible by integration")
}
