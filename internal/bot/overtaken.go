package bot

import (
	"context"
	"errors"
	"fmt"

	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/report"
)

var (
	// errLeft ends the work on a request that is no longer this run's. Whoever
	// has taken it over answers.
	errLeft      = errors.New("the request is left")
	errWithdrawn = fmt.Errorf("%w: it was withdrawn by a command", errLeft)
	errOvertaken = fmt.Errorf("%w to another run", errLeft)
)

// overtaken looks whether the comment says by now that the work is over for
// this run. The error is errLeft or nil.
func (s *actionRun) overtaken(ctx context.Context, in report.Input, talk *publish.Conversation) error {
	body, err := talk.Current(ctx)
	if err != nil || body == in.Before {
		return nil // what can't be found out, or is not news yet, is no reason to keep silent
	}
	return overtakenBy(body, in)
}

// overtakenBy judges a comment of another run. Of two that serve the same
// request the one that has spoken last goes on, of two that serve different
// ones the one that has read the issue last.
func overtakenBy(body string, in report.Input) error {
	now, ok := ledger.ParseMarker(body)
	switch {
	case !ok || now.Run == in.Run:
		return nil
	case now.State == ledger.Withdrawn:
		return errWithdrawn
	case now.Request == ledger.Fingerprint(in.Request), now.Since.Unix() > in.Since.Unix():
		return errOvertaken
	}
	return nil
}
