package bot

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/shards"
	"github.com/imageferry/ferry/internal/wiring"
)

// minRate is how many bytes per second all images of a request together
// have to transfer. A job of six hours transfers 1.3 GiB at this rate.
const minRate = 64 << 10

// registries returns the clients of the registries, created on first use.
func (s *actionRun) registries() *wiring.Engine {
	if s.engine == nil {
		s.engine = wiring.NewEngine(s.env, s.cfg, wiring.EngineOptions{Held: wiring.Held(s.hub), Manifests: s.manifests, Registries: s.env.Registries(s.out), MinRate: minRate, Sizes: true, Run: s.runPage()})
	}
	return s.engine
}

// divides reports whether the images of a request are divided among jobs, if that is
// worth it: the workflow has jobs for them, and they are more than the owner wants in
// one job.
func (s *actionRun) divides(j job) bool {
	return s.env.Getenv("FERRY_PLAN") != "" && s.divided == nil && j.talk != nil && len(j.plan.Steps) > s.cfg.Limits.ImagesPerJob
}

// divide returns the plan of other jobs for what is to be copied, within the limits of
// the requester. It returns nil if one job is enough; what has been read for it is not
// read again.
func (s *actionRun) divide(ctx context.Context, j *job) *shards.Plan {
	jobs, err := shards.ParseJobs(cmp.Or(s.env.Getenv("FERRY_JOBS"), shards.UsualJobs))
	if err != nil {
		s.log.Warn(err.Error())
		return nil
	}
	public := s.registries().AskPublic(ctx, j.plan.Steps)
	all := s.registries().Prepare(ctx, j.plan)
	p := &shards.Plan{Images: make([]report.Synced, len(all)), At: s.env.Time()}
	var images []*mirror.Image
	var places []int
	n := 0
	for i := range j.plan.Steps {
		step := plan.Step{Image: j.plan.Steps[i].Image}
		var largest *mirror.Image
		for range j.plan.Steps[i].Destinations {
			now, at := &all[n], &p.Images[n]
			at.Result, at.Before = now.Result, now.Before
			if now.NewRepository {
				p.Created = append(p.Created, n)
			}
			if now.Content == nil {
				j.results = append(j.results, now.Result)
			} else {
				step.Destinations, places = append(step.Destinations, *now.Destination), append(places, n)
				if largest == nil || now.Content.Size > largest.Size {
					largest = now.Content
				}
			}
			n++
		}
		if largest == nil {
			continue
		}
		if ref := &step.Image.Reference; !ref.HasDigest() {
			*ref = ref.WithDigest(largest.SourceDigest)
		}
		p.Steps, images = append(p.Steps, step), append(images, largest)
	}
	shards.Keep(s.manifests, images)
	d := shards.Divide(p.Steps, images, jobs)
	if len(d.Lists) == 0 || ctx.Err() != nil {
		j.results, j.public = nil, public
		return nil
	}
	p.Assign(places, s.manifests, d)
	p.Elsewhere = public.Answers()
	j.sent.Bytes, j.sent.Repositories = p.Bytes, len(p.Created)
	s.log.Info(fmt.Sprintf("%d images for %d jobs, which take %v or longer", len(p.Steps), len(d.Lists), d.Bound.Round(1e9)))
	return p
}

// rest returns the part of a plan that no other job of this run has tried to the end,
// within the quota that is left, and the results of the others, which it notes.
func (s *actionRun) rest(p plan.Plan, b *board) (rest plan.Plan, done []mirror.Result) {
	if s.divided == nil {
		return p, nil
	}
	at := s.places()
	rest = p
	rest.Steps = nil
	for i := range p.Steps {
		step := &p.Steps[i]
		left := plan.Step{Image: step.Image}
		for k := range step.Destinations {
			index, planned := at[placeOf(&step.Image.Reference, &step.Destinations[k])]
			e := mirror.Event{Kind: mirror.Finished, Step: len(p.Steps) + i, Destination: k} // apart from those of the rest
			if planned {
				e.Result = &s.divided.Images[index].Result
			}
			switch r := e.Result; {
			case r == nil, r.Receipt == nil && (r.Failure == nil || r.Failure.Kind() != failure.Refusal):
				left.Destinations = append(left.Destinations, step.Destinations[k])
				continue
			case r.Receipt != nil:
				e.Sent, e.NewRepository = r.Receipt.Sent, slices.Contains(s.divided.Created, index)
			}
			b.note(e)
			done = append(done, *e.Result)
		}
		if len(left.Destinations) > 0 {
			rest.Steps = append(rest.Steps, left)
		}
	}
	if p.Quota != nil {
		used, quota := b.used(), *p.Quota
		quota.Bytes, quota.Repositories = max(quota.Bytes-used.Bytes, 0), max(quota.Repositories-used.Repositories, 0)
		rest.Quota = &quota
	}
	return rest, done
}

// arrived corrects the results of the rest: what was not at the target when the plan was
// made, a job of this run has copied that died before it could say so.
func (s *actionRun) arrived(results []mirror.Result) {
	at := s.places()
	for i := range results {
		r := &results[i]
		if index, planned := at[placeOf(&r.Image.Reference, r.Destination)]; planned && r.Receipt != nil && r.Receipt.Digest != s.divided.Images[index].Before {
			r.Receipt.Present = false
		}
	}
}

// places returns the places of images in the plan of the jobs of this run; none without.
func (s *actionRun) places() map[string]int {
	at := map[string]int{}
	if s.divided != nil {
		for i := range s.divided.Images {
			r := &s.divided.Images[i].Result
			at[placeOf(&r.Image.Reference, r.Destination)] = i
		}
	}
	return at
}

func placeOf(source *reference.Reference, d *plan.Destination) string {
	return source.String() + " " + d.Mirror.String()
}
