package fakegithub

import (
	"net/http"
	"strconv"
)

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

// integration is the answer to what GITHUB_TOKEN is no good for.
func integration() answer {
	return refuse(http.StatusForbidden, "Resource not accessible by integration")
}
