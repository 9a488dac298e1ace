package bot

import (
	"log/slog"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/runner"
)

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
	log := b.log.With(runner.ImageKey, e.Result.Image.Reference.String(), "mirror", e.Result.Destination.Mirror.String())
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
