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

// Code is the stable name of what GitHub alone refuses. Everything else, limits,
// outages and the end of a run among them, is a failure.Error.
type Code string

// The codes.
const (
	Token      Code = "github-token"      // the token is not valid
	Permission Code = "github-permission" // the token may not do this: permissions in the workflow
	Gone       Code = "github-gone"       // the issue or repository was deleted, moved, or has no Issues
	Mute       Code = "github-mute"       // nobody can comment: the issue is locked, or has 2,500 comments
	Rejected   Code = "github-rejected"   // GitHub finds what we sent wrong
)

// Error is a call that GitHub refused. Another try gets the same answer.
type Error struct {
	Code  Code
	Step  string // what was being done, a gerund
	Write bool   // something was to be changed
	Err   error  // the chain, for the log
}

// Error is for the log: step, code, chain.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s: %v", e.Step, e.Code, e.Err) }

// Unwrap gives the chain to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// classify makes an error of go-github an Error, or a failure.Error if GitHub has
// refused nothing and the call may work another time.
func classify(step string, err error) error {
	passing := &failure.Error{Code: failure.Unavailable, Step: step, Err: err} // server errors, broken connections, silence
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

// isClosedToComments reports whether GitHub says that nobody can comment on an
// issue: it is locked, or it has 2,500 comments. The status is that of a missing
// permission.
func isClosedToComments(message string) bool {
	message = strings.ToLower(message)
	return strings.Contains(message, "issue is locked") || strings.Contains(message, "conversation is locked") ||
		strings.Contains(message, "more than 2500 comments") || strings.Contains(message, "commenting is disabled")
}

// isMute reports whether err is of an issue that nobody can comment on.
func isMute(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == Mute
}

// codeOf is the code of an answer with a status of 3xx or 4xx.
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

// isStatus reports whether err is an answer of that status.
func isStatus(err error, status int) bool {
	var answer *github.ErrorResponse
	return errors.As(err, &answer) && answer.Response.StatusCode == status
}

// transient reports whether it may work another time.
func transient(err error) bool {
	f, ok := failure.As(err)
	return ok && f.Kind() == failure.Transient
}

// limitError is a limit that asks for more patience than there is.
type limitError struct{ until time.Time }

func (e *limitError) Error() string {
	return "GitHub's rate limit is reached until " + e.until.UTC().Format(time.RFC3339)
}
