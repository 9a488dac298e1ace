package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/shards"
)

// readsAtOnce is how many images a plan reads at once.
const readsAtOnce = 48

// divide reads the manifests of the images to copy, and deals them to jobs. It returns
// zero if the work is not worth several.
func (s *syncing) divide(ctx context.Context, todo plan.Plan, jobs shards.Jobs) int {
	images, _ := s.read(ctx, todo.Steps)
	jobs.Rates = s.before.rates()
	d := shards.Divide(todo.Steps, images, jobs)
	if len(d.Lists) == 0 || ctx.Err() != nil {
		return 0
	}
	s.division = d
	say(s.env, s.env.Stderr, "%d images for %d jobs, which take %v or longer\n", len(todo.Steps), len(d.Lists), d.Bound.Round(1e9))
	return len(d.Lists)
}

// imagePulls is how many pulls an image is assumed to cost: one for each manifest.
const imagePulls = 16

// afford reads the manifests of images whose hosts limit pulls, as many as they allow
// (https://docs.docker.com/docker-hub/usage/pulls/). What it reads costs no pull later,
// in this job or a shard. It takes the others out of what is to be copied.
func (s *syncing) afford(ctx context.Context, todo plan.Plan, pending []int) (plan.Plan, []int) {
	hosts := map[string][]int{}
	for i, step := range todo.Steps {
		host := step.Image.Reference.Repository().Host()
		hosts[host] = append(hosts[host], i)
	}
	over := make([]*failure.Error, len(todo.Steps))
	for _, at := range hosts {
		left, told := s.engine.Pulls(ctx, todo.Steps[at[0]].Image.Reference)
		if !told {
			continue
		}
		for len(at) > 0 && left > 0 {
			n := min(max(left/imagePulls, 1), len(at))
			var steps []plan.Step
			for _, i := range at[:n] {
				steps = append(steps, todo.Steps[i])
			}
			images, errs := s.read(ctx, steps)
			for k, image := range images {
				left--
				if image != nil {
					left -= len(image.Manifests) - 1
				} else if f, ok := failure.As(errs[k]); ok && f.Code == failure.RateLimited {
					left, over[at[k]] = 0, f
				}
			}
			at = at[n:]
		}
		for _, i := range at {
			over[i] = &failure.Error{Code: failure.RateLimited, Side: failure.Source, Step: "counting"}
		}
	}
	return s.without(todo, pending, func(i, _ int) *failure.Error { return over[i] })
}

// reserve takes what exceeds the quotas of targets out of what is to be copied, and
// reserves the rest. Shards do not count: each would count what the others copy too late.
func (s *syncing) reserve(ctx context.Context, todo plan.Plan, pending []int) (plan.Plan, []int) {
	over := s.engine.Surplus(ctx, todo.Steps)
	if over == nil {
		return todo, pending
	}
	return s.without(todo, pending, func(i, k int) *failure.Error { return over[i][k] })
}

// without takes the destinations with failures out of what is to be copied.
func (s *syncing) without(todo plan.Plan, pending []int, failed func(step, destination int) *failure.Error) (rest plan.Plan, left []int) {
	for i, step := range todo.Steps {
		var kept []plan.Destination
		for k, d := range step.Destinations {
			if f := failed(i, k); f != nil {
				s.sum.Images[pending[k]].Result.Failure = f
				continue
			}
			kept, left = append(kept, d), append(left, pending[k])
		}
		pending = pending[len(step.Destinations):]
		if step.Destinations = kept; len(kept) > 0 {
			rest.Steps = append(rest.Steps, step)
		}
	}
	return rest, left
}

// read reads the manifests of images, and keeps them. It returns an image or an error
// for each step.
func (s *syncing) read(ctx context.Context, steps []plan.Step) ([]*mirror.Image, []error) {
	images, errs := make([]*mirror.Image, len(steps)), make([]error, len(steps))
	slots := make(chan struct{}, readsAtOnce)
	var wait sync.WaitGroup
	for i, step := range steps {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			platforms, byDefault := together(step.Destinations)
			images[i], errs[i] = s.engine.Read(ctx, step.Image.Reference, platforms, byDefault, false)
		})
	}
	wait.Wait()
	shards.Keep(s.manifests, images)
	return images, errs
}

// together returns the platforms that any destination gets.
func together(destinations []plan.Destination) (platforms []reference.Platform, byDefault bool) {
	for _, d := range destinations {
		if len(d.Platforms) == 0 {
			return nil, true
		}
		platforms = append(platforms, d.Platforms...)
		byDefault = byDefault || d.Default
	}
	return platforms, byDefault
}

// writePlan writes what this job has done, and what the shards do.
func (s *syncing) writePlan(todo plan.Plan, pending []int, faults int) error {
	p := &shards.Plan{Images: s.sum.Images, Unlisted: s.sum.Unlisted, Faults: faults, Seen: s.now.lines()}
	if len(s.division.Lists) > 0 {
		p.Steps, p.At = todo.Steps, s.env.Time()
		p.Assign(pending, s.manifests, s.division)
	}
	changed := len(p.Lists) > 0 || faults > 0 || s.sum.Outputs().Images != "[]"
	if err := p.Write(s.o.plan); err != nil {
		return fmt.Errorf("--plan: %w", err)
	}
	return errors.Join(s.out.Output("shards", p.Numbers()), s.out.Output("changed", strconv.FormatBool(changed)))
}
