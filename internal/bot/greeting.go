package bot

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/report"
)

// moment is how long an answer may take without a comment that the work has
// begun, unless something is copied. GitHub notifies people of each comment, and
// the reaction has told the requester that the request was received.
const moment = 10 * time.Second

// greeting is the comment that the work has begun, written while the registries
// are being read.
type greeting struct {
	ready chan struct{} // closed when it is certain that no other run works on the same request
	begin chan struct{} // closed when the comment is to be written
	over  chan struct{} // closed when it is no longer needed
	once  sync.Once
	said  sync.WaitGroup
}

// start writes the comment, because data is about to move or time has passed.
func (g *greeting) start() { g.once.Do(func() { close(g.begin) }) }

// wait waits for the requests that have begun, and cancels the rest.
func (g *greeting) wait() {
	select {
	case <-g.over:
	default:
		close(g.over)
	}
	g.said.Wait()
}

// greet prepares the greeting. If it fails, the answer makes up for it. leave
// ends the work if another run has begun with the same request.
func (s *actionRun) greet(ctx context.Context, j job, leave context.CancelCauseFunc) *greeting {
	g := &greeting{ready: make(chan struct{}), begin: make(chan struct{}), over: make(chan struct{})}
	say := func(what func() error) {
		g.said.Go(func() {
			if err := what(); err != nil && ctx.Err() == nil {
				s.log.Info("greeting: " + err.Error())
			}
		})
	}
	say(func() error { return j.talk.React(ctx, publish.Eyes) })
	if s.foreign() {
		// By this label, the sweep finds the issue if the run dies.
		say(func() error { return j.talk.Label(ctx, ledger.Working.Label()) })
	}
	say(func() error {
		defer close(g.ready)
		timer := time.AfterFunc(moment, g.start)
		defer timer.Stop()
		select {
		case <-g.begin:
		case <-g.over:
			return nil
		case <-ctx.Done():
			return nil
		}
		return s.announce(ctx, j, leave)
	})
	return g
}

// announce writes the comment and opens the issue if it is closed.
func (s *actionRun) announce(ctx context.Context, j job, leave context.CancelCauseFunc) error {
	j.phase = report.Running
	err := j.talk.Progress(ctx, s.render(j).Comment)
	if errors.Is(err, publish.ErrBeaten) {
		err = nil
		if lost := s.lostTo(j.talk.Body(), j); lost != nil {
			leave(lost)
			return nil
		}
	}
	if !j.issue.Open {
		err = errors.Join(err, j.talk.Reopen(ctx))
	}
	return err
}
