package publish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
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
	Archived   Code = "github-archived"   // the repository is archived, so nothing in it can be changed
	Refused    Code = "github-refused"    // GitHub refuses for another reason, which its message gives: an allow list of addresses, single sign-on, a block
	Gone       Code = "github-gone"       // the issue or repository was deleted or moved, or Issues are off
	Mute       Code = "github-mute"       // commenting is not possible, according to the message: the issue is locked, or has 2,500 comments
	Rejected   Code = "github-rejected"   // GitHub rejected the content of a request
)

// Error is a request that GitHub refused. The same request would be refused
// again.
type Error struct {
	Code  Code
	Step  string // what was being done, beginning with a gerund
	Write bool   // the request was to change something
	Said  string // GitHub's message: foreign text
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
		e := &Error{Step: step, Err: err, Write: answer.Response.Request.Method != http.MethodGet, Said: answer.Message}
		for _, each := range answer.Errors {
			if each.Message != "" {
				e.Said += "; " + each.Message
			}
		}
		e.Code = meaning(answer.Response.StatusCode, e.Write, strings.ToLower(e.Said))
		return e
	}
	return passing
}

// refusedWrite returns the code of an error if GitHub has refused to change
// something; empty for other errors.
func refusedWrite(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok && e.Write {
		return e.Code
	}
	return ""
}

// sign describes a kind of refusal by its status and GitHub's message, in lower
// case.
type sign struct {
	from, to int // statuses
	write    bool
	words    []string // nil for any message
	means    Code
}

// signs classify refusals; the first match counts. GitHub answers 403 for many
// reasons, of which only its message tells a missing permission.
var signs = []sign{
	{400, 499, true, []string{
		"issue is locked", "conversation is locked", "2500 comments", "2,500 comments", "commenting is disabled", "limited the ability to comment", "interaction limit",
	}, Mute},
	{400, 499, false, []string{"archived", "read-only"}, Archived},
	{401, 401, false, nil, Token},
	{403, 403, false, []string{"not accessible", "permission", "must have", "admin rights", "push access", "scope", "forbidden"}, Permission},
	{403, 403, false, []string{" "}, Refused}, // any other reason
	{403, 403, false, nil, Permission},
	{404, 404, false, nil, Gone},
	{410, 410, false, nil, Gone},
	{300, 399, false, nil, Gone},
	{451, 451, false, nil, Refused},
}

// meaning returns the code of a response with a status of 3xx or 4xx.
func meaning(status int, write bool, message string) Code {
	for _, s := range signs {
		if s.from <= status && status <= s.to && (write || !s.write) &&
			(s.words == nil || slices.ContainsFunc(s.words, func(words string) bool { return strings.Contains(message, words) })) {
			return s.means
		}
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
