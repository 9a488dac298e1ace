package publish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/imageferry/ferry/internal/failure"
)

// Code is the stable name of a refusal that only GitHub makes. All other
// failures, such as limits, outages and the end of a run, are failure.Errors.
type Code string

// The codes.
const (
	Token      Code = "github-token"      // the token is not valid
	Permission Code = "github-permission" // the token lacks a permission
	Gone       Code = "github-gone"       // the issue or repository was deleted or moved, or Issues are off
	Mute       Code = "github-mute"       // commenting is not possible: the issue is locked, or has 2,500 comments
	Rejected   Code = "github-rejected"   // GitHub rejected the content of a request
)

// Error is a request that GitHub refused. The same request would be refused
// again.
type Error struct {
	Code  Code
	Step  string // what was being done, beginning with a gerund
	Write bool   // the request was to change something
	Err   error  // the wrapped error, for the log
}

// Error describes the refusal for the log: step, code, wrapped error.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s: %v", e.Step, e.Code, e.Err) }

// Unwrap returns the wrapped error for errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// classify turns an error of go-github into an Error, or into a failure.Error
// if GitHub has not refused the request and it may work later.
func classify(step string, err error) error {
	passing := &failure.Error{Code: failure.Unavailable, Step: step, Err: err} // server errors, broken connections, time-outs
	var limited *limitError
	var answer *github.ErrorResponse
	switch {
	case errors.Is(err, context.Canceled):
		passing.Code = failure.Cancelled
	case errors.As(err, &limited): // GitHub asks for a longer pause than a run can wait
		passing.Code, passing.Until = failure.RateLimited, limited.until
	case errors.As(err, &answer) && answer.Response.StatusCode < 500:
		e := &Error{Step: step, Err: err, Code: codeOf(answer.Response.StatusCode), Write: answer.Response.Request.Method != http.MethodGet}
		if e.Write && isClosedToComments(answer.Message) {
			e.Code = Mute
		}
		return e
	}
	return passing
}

// isClosedToComments reports whether GitHub says that commenting on an issue is
// not possible: it is locked, or has 2,500 comments. The status is the same as
// for a missing permission.
func isClosedToComments(message string) bool {
	message = strings.ToLower(message)
	return strings.Contains(message, "issue is locked") || strings.Contains(message, "conversation is locked") ||
		strings.Contains(message, "more than 2500 comments") || strings.Contains(message, "commenting is disabled")
}

// isMute reports whether err means that commenting is not possible.
func isMute(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == Mute
}

// codeOf returns the code of a response with a status of 3xx or 4xx.
func codeOf(status int) Code {
	switch {
	case status == http.StatusUnauthorized:
		return Token
	case status == http.StatusForbidden:
		return Permission
	case status == http.StatusNotFound, status == http.StatusGone, 300 <= status && status <= 399:
		return Gone
	}
	return Rejected
}

// isStatus reports whether err is a response with that status.
func isStatus(err error, status int) bool {
	var answer *github.ErrorResponse
	return errors.As(err, &answer) && answer.Response.StatusCode == status
}

// transient reports whether the request may work later.
func transient(err error) bool {
	f, ok := failure.As(err)
	return ok && f.Kind() == failure.Transient
}

// limitError is a limit that lasts longer than a run can wait.
type limitError struct{ until time.Time }

func (e *limitError) Error() string {
	return "GitHub's rate limit is reached until " + e.until.UTC().Format(time.RFC3339)
}
