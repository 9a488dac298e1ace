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

// Code is the stable name of what went wrong with GitHub.
type Code string

// The codes.
const (
	Token       Code = "github-token"        // the token is not valid
	Permission  Code = "github-permission"   // the token may not do this: permissions in the workflow
	Gone        Code = "github-gone"         // the issue or repository was deleted, moved, or has no Issues
	Mute        Code = "github-mute"         // nobody can comment: the issue is locked, or has 2,500 comments
	Rejected    Code = "github-rejected"     // GitHub finds what we sent wrong
	RateLimited Code = "github-rate-limited" // GitHub asks for a longer pause than a run can wait
	Unavailable Code = "github-unavailable"  // server errors, broken connections, silence
	Cancelled   Code = "github-cancelled"    // the run was told to stop
)

// Kind tells what the code asks of whom.
func (c Code) Kind() failure.Kind {
	switch c {
	case RateLimited, Unavailable, Cancelled:
		return failure.Transient
	case Token, Permission, Gone, Mute:
		return failure.Refusal
	}
	return failure.Fault
}

// Error is a call that could not be made, however often it was tried.
type Error struct {
	Code   Code
	Step   string    // what was being done, a gerund
	Status int       // the HTTP status; 0 if there was no answer
	Write  bool      // something was to be changed
	Until  time.Time // when it is worth another try, if known
	Err    error     // the chain, for the log
}

// Error is for the log: step, code, chain.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s: %v", e.Step, e.Code, e.Err) }

// Unwrap gives the chain to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// Kind is the kind of the code.
func (e *Error) Kind() failure.Kind { return e.Code.Kind() }

// classify gives an error of go-github its code.
func classify(step string, err error) *Error {
	e := &Error{Step: step, Err: err, Code: Unavailable}
	var limited *limitError
	var answer *github.ErrorResponse
	switch {
	case errors.Is(err, context.Canceled):
		e.Code = Cancelled
	case errors.As(err, &limited):
		e.Code, e.Until = RateLimited, limited.until
	case errors.As(err, &answer):
		e.Status = answer.Response.StatusCode
		e.Write = answer.Response.Request.Method != http.MethodGet
		e.Code = codeOf(e.Status)
		if e.Write && isClosedToComments(answer.Message) {
			e.Code = Mute
		}
	}
	return e
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

func codeOf(status int) Code {
	switch {
	case status == http.StatusUnauthorized:
		return Token
	case status == http.StatusForbidden:
		return Permission
	case status == http.StatusNotFound, status == http.StatusGone, 300 <= status && status <= 399:
		return Gone
	case status >= 500:
		return Unavailable
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
	var e *Error
	return errors.As(err, &e) && e.Kind() == failure.Transient
}
