package bot

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/report"
)

const (
	// showEvery is how often the conversation is offered a new state. The
	// conversation decides which of them are sent.
	showEvery = time.Second
	// lookEvery is after how many of these the run checks whether the request
	// is still its own: every ten seconds, by a conditional request, which
	// GitHub does not count if nothing has changed.
	lookEvery = 10
)

// mirror carries out the plan of a job, logs each image, and shows the progress
// in the comment. Nothing is written before the greeting, which may be nil. The
// error is errLost or nil.
func (s *actionRun) mirror(ctx context.Context, job *job, g *greeting) error {
	if len(job.plan.Steps) == 0 {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var ready chan struct{}
	watch := func(mirror.Event) {}
	if g != nil {
		ready = g.ready
		watch = func(e mirror.Event) {
			if e.Kind == mirror.Progress { // there is something to send
				g.start()
			}
		}
	}
	b := board{began: time.Now(), log: s.log, bytes: map[[2]int]mirror.Event{}}
	showing, stop := context.WithCancel(ctx)
	var shown sync.WaitGroup
	if job.talk != nil {
		j := *job
		j.phase = report.Running
		shown.Go(func() {
			// The greeting comes first: it opens a closed issue again. The
			// sweep would not find the issue if another comment came before.
			select {
			case <-ready:
				s.lookAfter(showing, cancel, j, &b)
			case <-showing.Done():
			}
		})
	}
	if s.divides(*job) {
		job.division = s.divide(ctx, job)
	}
	if job.division == nil {
		rest, done := s.rest(job.plan, &b)
		if job.public == nil { // else they were asked to divide it
			job.public = s.registries().AskPublic(ctx, rest.Steps)
		}
		copied := s.registries().RunAfter(ctx, ready, rest, func(e mirror.Event) {
			watch(e)
			b.note(e)
		})
		s.arrived(copied)
		job.results = append(done, copied...)
		job.sent = b.used()
	}
	stop()
	shown.Wait()
	if cause := context.Cause(ctx); errors.Is(cause, errLost) {
		return cause
	}
	return nil
}

// lookAfter updates the comment until ctx ends, and calls cancel if the request
// is withdrawn.
func (s *actionRun) lookAfter(ctx context.Context, cancel context.CancelCauseFunc, j job, b *board) {
	tick := time.NewTicker(cmp.Or(s.env.Tick, showEvery))
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		j.results, j.progress = b.state()
		j.sent = b.used()
		j.alive = s.now().Truncate(publish.Heartbeat)
		body := s.render(j).Comment
		if n%lookEvery != 0 && !j.talk.Due(body) {
			continue
		}
		if err := s.lost(ctx, j); err != nil {
			cancel(err)
			return
		}
		// The next tick or the answer makes up for a failure.
		if err := j.talk.Progress(ctx, body); err != nil && ctx.Err() == nil {
			s.log.Debug("showing progress: " + err.Error())
		}
	}
}
