package bot

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/runner"
	"github.com/imageferry/ferry/internal/wiring"
)

const (
	// showEvery is how often the conversation is offered a new state. The
	// conversation decides which of them are sent.
	showEvery = time.Second
	// lookEvery is after how many of these the run checks whether the request
	// is still its own: every ten seconds, by a conditional request, which
	// GitHub does not count if nothing has changed.
	lookEvery = 10
	// minRate is how many bytes per second all images of a request together
	// have to transfer. A job of six hours transfers 1.3 GiB at this rate.
	minRate = 64 << 10
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
	job.public = s.registries().AskPublic(ctx, job.plan.Steps)
	job.results = s.registries().RunAfter(ctx, ready, job.plan, func(e mirror.Event) {
		watch(e)
		b.note(e)
	})
	stop()
	shown.Wait()
	job.sent = b.used()
	if cause := context.Cause(ctx); errors.Is(cause, errLost) {
		return cause
	}
	return nil
}

// registries returns the clients of the registries, created on first use.
func (s *actionRun) registries() *wiring.Engine {
	if s.engine == nil {
		s.engine = wiring.NewEngine(s.env, s.cfg, wiring.EngineOptions{Held: wiring.Held(s.hub), Registries: s.env.Registries(s.out), MinRate: minRate, Sizes: true, Run: s.runPage()})
	}
	return s.engine
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

// board adds up the events of a Mirror.
type board struct {
	began time.Time
	log   *slog.Logger

	mu      sync.Mutex
	bytes   map[[2]int]mirror.Event
	results []mirror.Result
}

// note records an event. The Mirror delivers them one at a time.
func (b *board) note(e mirror.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes[[2]int{e.Step, e.Destination}] = e
	if e.Kind != mirror.Finished || e.Result == nil {
		return
	}
	b.results = append(b.results, *e.Result)
	log := b.log.With(runner.ImageKey, e.Result.Step.Image.Reference.String(), "mirror", e.Result.Destination.Mirror.String())
	switch r := e.Result.Receipt; {
	case r == nil:
		// The answer makes the annotation; this line has the cause.
		log.Info("not mirrored", "error", e.Result.Failure)
	case r.Present:
		log.Info("already there", "digest", r.Digest.String(), "took", r.Took.Round(time.Millisecond))
	default:
		log.Info("mirrored", "digest", r.Digest.String(), "sent", r.Sent, "mounted", r.Mounted, "took", r.Took.Round(time.Millisecond))
	}
}

// state returns the results so far and the progress of the bytes.
func (b *board) state() ([]mirror.Result, report.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var p report.Progress
	var sent int64
	known := true
	for _, e := range b.bytes {
		p.Bytes += e.Total
		p.BytesDone += e.Done
		p.Layers += e.Layers
		p.LayersDone += e.LayersDone
		sent += e.Sent
		known = known && (e.Total > 0 || e.Kind == mirror.Finished)
	}
	if !known {
		p.Bytes, p.Layers = 0, 0
	}
	if seconds := time.Since(b.began).Seconds(); seconds >= 1 {
		p.Rate = int64(float64(sent) / seconds)
	}
	return append([]mirror.Result(nil), b.results...), p
}

// used returns what has been used of the daily limits. The same content for
// several targets counts once.
func (b *board) used() ledger.Usage {
	b.mu.Lock()
	defer b.mu.Unlock()
	var u ledger.Usage
	sent := map[int]int64{}
	for _, e := range b.bytes {
		sent[e.Step] = max(sent[e.Step], e.Sent)
		if e.NewRepository && (e.Sent > 0 || e.Result != nil && e.Result.Receipt != nil) { // else nothing was created
			u.Repositories++
		}
	}
	for _, n := range sent {
		u.Bytes += n
	}
	return u
}
