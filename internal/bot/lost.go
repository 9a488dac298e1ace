package bot

import (
	"context"
	"errors"
	"fmt"

	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
)

var (
	// errLost ends the work on a request that is no longer this run's. Whoever
	// has taken it over answers.
	errLost      = errors.New("the request is left")
	errWithdrawn = fmt.Errorf("%w: it was withdrawn by a command", errLost)
	errOvertaken = fmt.Errorf("%w to another run", errLost)
)

// lost looks whether the comment says by now that the work is over for this
// run. The error is errLost or nil.
func (s *actionRun) lost(ctx context.Context, j job) error {
	body, err := j.talk.Current(ctx)
	if err != nil || body == j.before {
		return nil // what can't be found out, or is not news yet, is no reason to keep silent
	}
	return s.lostTo(body, j)
}

// lostTo judges what Ferry's comment says.
func (s *actionRun) lostTo(body string, j job) error {
	now, ok := ledger.ParseMarker(body)
	if !ok {
		return nil
	}
	switch ledger.Lost(s.marker(j), now) {
	case ledger.Cancelled:
		return errWithdrawn
	case ledger.Overtaken:
		return errOvertaken
	case ledger.Kept:
	}
	return nil
}

// isGone reports whether an issue was deleted, or transferred to another
// repository.
func isGone(err error) bool {
	e, ok := errors.AsType[*publish.Error](err)
	return ok && e.Code == publish.Gone
}
