package bot

import (
	"context"
	"errors"
	"fmt"

	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
)

// errLost ends the work on a request that now belongs to another run, which
// answers it.
var errLost = errors.New("the request is left")

// lost checks whether the comment shows that this run has lost its request. The
// error is errLost or nil.
func (s *actionRun) lost(ctx context.Context, j job) error {
	body, err := j.talk.Current(ctx)
	if err != nil || body == j.before {
		return nil // if that is unknown, or not news yet, the answer is posted
	}
	return s.lostTo(body, j)
}

// lostTo evaluates Ferry's comment.
func (s *actionRun) lostTo(body string, j job) error {
	now, ok := ledger.ParseMarker(body)
	if !ok {
		return nil
	}
	if loss := ledger.Lost(s.marker(j), now); loss != ledger.Kept {
		return fmt.Errorf("%w: %s", errLost, loss.Reason())
	}
	return nil
}

// isGone reports whether an issue was deleted, or transferred to another
// repository.
func isGone(err error) bool {
	e, ok := errors.AsType[*publish.Error](err)
	return ok && e.Code == publish.Gone
}
