package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fanout"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
)

// readsAtOnce is how many images a plan reads at once.
const readsAtOnce = 48

// divide reads the manifests of the images to copy, and deals them to jobs. It returns zero if the work is not worth several.
func (s *syncing) divide(ctx context.Context, todo plan.Plan, least, most int) (shards int) {
	w := s.survey(todo.Steps, s.read(ctx, todo.Steps))
	rates := fanout.Usual()
	if shards = w.Jobs(rates, least, most); shards == 1 || ctx.Err() != nil {
		return 0
	}
	s.dealt = w.Deal(rates, shards)
	say(s.env, s.env.Stderr, "%d images for %d jobs, which take %v or longer\n", len(todo.Steps), shards, w.Bound(rates, shards).Round(1e9))
	return shards
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
			for k, r := range s.read(ctx, steps) {
				left--
				if r.image != nil {
					left -= len(r.image.Manifests) - 1
				} else if f, ok := failure.As(r.err); ok && f.Code == failure.RateLimited {
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

// manifests are those of an image, or the error of reading them.
type manifests struct {
	image *mirror.Image
	err   error
}

// read reads the manifests of images, and keeps them.
func (s *syncing) read(ctx context.Context, steps []plan.Step) []manifests {
	all := make([]manifests, len(steps))
	slots := make(chan struct{}, readsAtOnce)
	var wait sync.WaitGroup
	for i, step := range steps {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			platforms, byDefault := together(step.Destinations)
			all[i].image, all[i].err = s.engine.Read(ctx, step.Image.Reference, platforms, byDefault)
		})
	}
	wait.Wait()
	for _, r := range all {
		if r.image == nil {
			continue
		}
		for _, m := range r.image.Manifests {
			if size := int64(len(m.Body)); s.manifests[m.Digest] == nil && size <= maxManifests-s.kept {
				s.kept += size
				s.manifests[m.Digest] = m
			}
		}
	}
	return all
}

// survey returns the blobs of images. An image that could not be read has none: the
// shard that copies it says why.
func (s *syncing) survey(steps []plan.Step, all []manifests) fanout.Work {
	type blob struct {
		digest  v1.Hash
		targets string // a blob that one target has, another may lack
	}
	w := fanout.Work{Images: make([]fanout.Image, len(steps))}
	s.sizes = make([]int64, len(steps))
	ids := map[blob]int32{}
	for i, r := range all {
		image := r.image
		w.Images[i].Trips = 3
		if image == nil {
			continue
		}
		targets := make([]string, len(steps[i].Destinations))
		for k, d := range steps[i].Destinations {
			targets[k] = d.Mirror.Repository().Host()
		}
		key := strings.Join(targets, " ")
		for _, d := range image.Blobs {
			id, ok := ids[blob{d.Digest, key}]
			if !ok {
				id = int32(len(w.Sizes))
				ids[blob{d.Digest, key}] = id
				w.Sizes = append(w.Sizes, d.Size)
			}
			w.Images[i].Blobs = append(w.Images[i].Blobs, id)
		}
		w.Images[i].Trips += len(image.Manifests) + 2*len(image.Blobs)*len(targets)
		s.sizes[i] = image.Size
	}
	return w
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
	p := &planFile{
		Images: s.sum.Images, Unlisted: s.sum.Unlisted, Faults: faults, Seen: s.now.lines(), Dealt: s.dealt,
	}
	numbers := []byte("[")
	if len(p.Lists) > 0 {
		p.Steps, p.Sizes = todo.Steps, s.sizes
		for i := range p.Steps {
			n := len(p.Steps[i].Destinations)
			p.Indices = append(p.Indices, pending[:n])
			pending = pending[n:]
		}
		for _, m := range s.manifests {
			p.Manifests = append(p.Manifests, m)
		}
		for i := range p.Lists {
			numbers = append(strconv.AppendInt(numbers, int64(i+1), 10), ',')
		}
	}
	changed := len(p.Lists) > 0 || faults > 0 || s.sum.Outputs().Images != "[]"
	for i := range p.Images {
		p.Images[i].Result.Step.Destinations = nil // it is in Result.Destination
	}
	if err := p.write(s.o.plan); err != nil {
		return fmt.Errorf("--plan: %w", err)
	}
	return errors.Join(s.out.Output("shards", strings.TrimSuffix(string(numbers), ",")+"]"), s.out.Output("changed", strconv.FormatBool(changed)))
}
