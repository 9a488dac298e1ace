package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/fanout"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
)

// readsAtOnce is how many images a plan reads at once.
const readsAtOnce = 48

// divide reads the manifests of the images to copy, and deals them to jobs. It returns zero if the work is not worth several.
func (s *syncing) divide(ctx context.Context, todo plan.Plan, least, most int) (shards int) {
	w := s.survey(ctx, todo.Steps)
	rates := fanout.Usual()
	if shards = w.Jobs(rates, least, most); shards == 1 || ctx.Err() != nil {
		return 0
	}
	s.dealt = w.Deal(rates, shards)
	say(s.env, s.env.Stderr, "%d images for %d jobs, which take %v or longer\n", len(todo.Steps), shards, w.Bound(rates, shards).Round(1e9))
	return shards
}

// survey reads the manifests of images, and returns their blobs. An image that
// cannot be read has none: the shard that copies it says why.
func (s *syncing) survey(ctx context.Context, steps []plan.Step) fanout.Work {
	read := make([]*mirror.Image, len(steps))
	slots := make(chan struct{}, readsAtOnce)
	var all sync.WaitGroup
	for i, step := range steps {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			platforms, byDefault := together(step.Destinations)
			if image, err := s.engine.Read(ctx, step.Image.Reference, platforms, byDefault); err == nil {
				read[i] = image
			}
		})
	}
	all.Wait()
	type blob struct {
		digest  v1.Hash
		targets string // a blob that one target has, another may lack
	}
	w := fanout.Work{Images: make([]fanout.Image, len(steps))}
	s.sizes = make([]int64, len(steps))
	ids := map[blob]int32{}
	room := int64(maxManifests)
	for i, image := range read {
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
		for _, m := range image.Manifests {
			if size := int64(len(m.Body)); s.manifests[m.Digest] == nil && size <= room {
				room -= size
				s.manifests[m.Digest] = m
			}
		}
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
