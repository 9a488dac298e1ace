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

// moment is how long an answer may take without a comment that says that the
// work has begun. Everybody on the issue gets a mail for each comment.
const moment = 2 * time.Second

// greeting says that the work has begun, while the registries are being asked.
type greeting struct {
	ready chan struct{} // closed when it is sure that no other run has begun with the same
	begin chan struct{} // closed when there is something to say
	over  chan struct{} // closed when there is not any more
	once  sync.Once
	said  sync.WaitGroup
}

// start has the comment written, now that bytes are to move or time has passed.
func (g *greeting) start() { g.once.Do(func() { close(g.begin) }) }

// wait waits until everything is said that was started, and ends what was not.
func (g *greeting) wait() {
	select {
	case <-g.over:
	default:
		close(g.over)
	}
	g.said.Wait()
}

// greet prepares the greeting. What it can't say now the answer will make up
// for. leave ends the work if another run has begun with the same.
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
		// There the sweep finds by its label what this run leaves if it dies.
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
