package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fanout"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/shards"
	"github.com/imageferry/ferry/internal/wiring"
)

// shardTime limits the time of a shard: GitHub stops a job after six hours, and
// the workflow after 340 minutes. A job that ends before has time for its receipts.
const shardTime = 320 * time.Minute

// watchEvery is how often a shard looks whether its request has been withdrawn.
const watchEvery = time.Minute

// failuresInRow is after how many failures in a row a job no longer helps.
const failuresInRow = 8

// sharding is the copying of one shard, and then of what other shards have left.
type sharding struct {
	*syncing
	plan     *shards.Plan
	receipts shards.File
	display  *display
	began    time.Time
	measure  fanout.Measure

	mu      sync.Mutex
	job     *fanout.Job
	looking sync.Mutex    // one look at a time
	freed   chan struct{} // an image has ended
	helped  int           // images of other shards
	inRow   int           // failures of images of other shards
	failed  int           // images of the own list
	err     error         // of writing receipts
}

// runShard copies a shard of a plan.
func (s *syncing) runShard(ctx context.Context) (int, error) {
	p, err := shards.Read(s.o.plan)
	if err != nil {
		return wiring.StatusUsage, err
	}
	shard, err := strconv.Atoi(s.o.shard)
	if err != nil || shard < 1 || shard > len(p.Lists) {
		return wiring.StatusUsage, usageError{fmt.Sprintf("the shard is %q; %s has shards 1 to %d", s.o.shard, s.o.plan, len(p.Lists))}
	}
	s.manifests = p.Known()
	if err := s.open(p); err != nil {
		return wiring.StatusUsage, err
	}
	defer s.engine.Close()
	for blob, step := range p.Homes {
		for _, d := range p.Steps[step].Destinations {
			s.engine.Engine().Expect(d.Mirror.Repository(), blob)
		}
	}
	attempt, err := strconv.Atoi(s.env.Getenv("GITHUB_RUN_ATTEMPT"))
	if err != nil {
		attempt = 1
	}
	file, err := p.Create(s.o.receipts, shard, attempt)
	if err != nil {
		return wiring.StatusFailed, fmt.Errorf("--receipts: %w", err)
	}
	defer file.Close()
	h := &sharding{
		syncing: s, plan: p, receipts: file, began: s.env.Time(), freed: make(chan struct{}, 1),
		job: fanout.NewJob(p.Dealt, p.Rates, shard-1, uint64(attempt)),
	}
	h.display = startDisplay(s.env.Stderr, func() (int, int, bool) { return 0, 0, false }, p.Steps, true, true, language(s.env))
	defer h.display.close()
	ctx, cancel := context.WithTimeout(ctx, shardTime)
	defer cancel()
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	if p.Marker.Issue != 0 {
		h.watch(ctx, leave)
	}
	// What an earlier attempt has copied is not begun, and one token covers all.
	h.look(ctx, p.Lists[shard-1])
	var workers sync.WaitGroup
	for range fanout.AtOnce {
		workers.Go(func() { h.work(ctx) })
	}
	workers.Wait()
	var lost lostError // errors.AsType would be compiled for it
	stopped := errors.As(context.Cause(ctx), &lost)
	switch {
	case h.err != nil:
	case stopped:
		say(s.env, s.env.Stdout, "shard %d: stopped: the request was withdrawn, or another run has taken it over\n", shard)
		h.err = file.Add(&shards.Receipt{Stopped: lost.Error()})
	case ctx.Err() == nil:
		h.measure.Start = h.began.Sub(p.At)
		h.err = file.Add(&shards.Receipt{Measure: &h.measure})
	}
	say(s.env, s.env.Stdout, "shard %d: %d images of its own, %d of them failed; helped with %d images of other shards\n", shard, len(p.Lists[shard-1]), h.failed, h.helped)
	switch {
	case h.err != nil:
		return wiring.StatusFailed, fmt.Errorf("--receipts: %w", h.err)
	case errors.Is(ctx.Err(), context.Canceled) && !stopped:
		return wiring.StatusInterrupted, errors.New("stopped; the other shards, or the next run, copy the rest")
	case p.Marker.Issue == 0 && (h.failed > 0 || ctx.Err() != nil): // the answer to an issue says what failed
		return wiring.StatusFailed, nil
	}
	return wiring.StatusDone, nil
}

// lostError says why the request of an issue is no longer this run's.
type lostError string

func (e lostError) Error() string { return string(e) }

// watch reads the comment on the issue, and again every minute until ctx ends: if the
// request is withdrawn or belongs to another run, it calls leave. GitHub does not count
// a request if the comment has not changed. While it does not show the comment, images
// are copied.
func (h *sharding) watch(ctx context.Context, leave context.CancelCauseFunc) {
	hub, err := wiring.NewGitHub(h.env)
	if err != nil || hub == nil {
		return
	}
	var talk *publish.Conversation
	look := func() {
		ctx, cancel := context.WithTimeout(ctx, watchEvery)
		defer cancel()
		if talk == nil {
			if talk, err = hub.Open(ctx, h.plan.Marker.Issue); err != nil {
				return
			}
		}
		body, err := talk.Current(ctx)
		if now, ok := ledger.ParseMarker(body); err == nil && ok {
			if loss := ledger.Lost(h.plan.Marker, now); loss != ledger.Kept {
				leave(lostError(loss.Reason()))
			}
		}
	}
	look()
	go func() {
		tick := time.NewTicker(cmp.Or(h.env.Tick, watchEvery))
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if hub.Room() {
					look()
				}
			}
		}
	}()
}

// open makes the engine for the steps of a plan.
func (s *syncing) open(p *shards.Plan) (err error) {
	var sources, targets []string
	seen := map[string]bool{}
	for i := range p.Steps {
		sources = append(sources, p.Steps[i].Image.Reference.Repository().Host())
		for k := range p.Steps[i].Destinations {
			target := plan.Place{Repository: p.Steps[i].Destinations[k].Mirror.Repository()}.Target()
			if !seen[target] {
				seen[target] = true
				targets = append(targets, target)
			}
		}
	}
	if s.cfg, err = s.load(sources, targets, true); err == nil {
		for i := range s.cfg.Targets {
			s.cfg.Targets[i].Quota = config.Quota{} // the plan has reserved it
		}
		s.start()
	}
	return err
}

// passed returns the time since the beginning.
func (h *sharding) passed() time.Duration { return h.env.Time().Sub(h.began) }

// work copies images until there are none left.
func (h *sharding) work(ctx context.Context) {
	for ctx.Err() == nil {
		image, own, ok := h.next(ctx)
		if !ok {
			return
		}
		h.copy(ctx, image, own)
	}
}

// next returns the next image to copy, once there is room for it.
func (h *sharding) next(ctx context.Context) (image int, own, ok bool) {
	h.looking.Lock()
	defer h.looking.Unlock()
	for ctx.Err() == nil {
		h.mu.Lock()
		room, tired := h.job.Room(), h.inRow >= failuresInRow
		if room {
			image, ok = h.job.Own()
		}
		var offer fanout.Offer
		var left []int
		help := false
		if room && !ok && !tired {
			if offer, help = h.job.Offer(h.passed()); !help {
				left = h.job.Left()
			}
		}
		h.mu.Unlock()
		switch {
		case ok:
			return image, true, true
		case !room:
			select {
			case <-h.freed:
			case <-ctx.Done():
			}
		case help:
			h.look(ctx, offer.Images)
			h.mu.Lock()
			image, ok = h.job.Help(offer, h.passed())
			h.mu.Unlock()
			if ok {
				return image, false, true
			}
		case len(left) == 0:
			return 0, false, false
		default:
			_ = h.env.Sleep(ctx, fanout.Recheck) // the loop sees the end of ctx
			h.look(ctx, left)
		}
	}
	return 0, false, false
}

// look asks the targets about images, and notes those that are there.
func (h *sharding) look(ctx context.Context, images []int) {
	steps := make([]plan.Step, len(images))
	for i, image := range images {
		steps[i] = h.plan.Steps[image]
	}
	for i, standings := range h.engine.Look(ctx, steps, mirror.NoSources) {
		there := true
		for k := range standings {
			there = there && h.plan.Arrived(images[i], k, standings[k].Held)
		}
		if there {
			h.mu.Lock()
			h.job.Done(images[i], h.passed())
			h.mu.Unlock()
		}
	}
}

// copy copies an image and writes its receipts.
func (h *sharding) copy(ctx context.Context, image int, own bool) {
	results := h.engine.Run(ctx, h.plan.Steps[image:image+1], func(e mirror.Event) {
		e.Step = image
		h.display.note(e)
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	h.job.Ended(image)
	select {
	case h.freed <- struct{}{}:
	default:
	}
	failed := false
	for k := range results {
		r := &shards.Receipt{Index: h.plan.Indices[image][k], Receipt: results[k].Receipt, Failure: results[k].Failure}
		switch {
		case r.Receipt != nil:
			h.measure.Bytes, h.measure.Time = h.measure.Bytes+r.Receipt.Sent, h.passed()
			r.Receipt.Platforms = slices.DeleteFunc(slices.Clone(r.Receipt.Platforms), func(p reference.Platform) bool {
				_, err := reference.ParsePlatform(p.String())
				return err != nil // some images have rare ones
			})
		case r.Failure.Code == failure.Cancelled:
			failed = true
			continue // it says nothing about the image
		default:
			failed = true
		}
		if err := h.receipts.Add(r); err != nil && h.err == nil {
			h.err = err
		}
	}
	switch {
	case own && failed:
		h.failed++
	case !own && failed:
		h.inRow++
	case !own:
		h.inRow = 0
		h.helped++
	}
}
