// Package fanout divides images among jobs: images with their blobs go in,
// lists of images come out, one for each job, with a lower bound for the time.
// When a job has finished its own list, Job says which images of other lists it
// copies.
//
// Images share blobs, and a job sends each blob once, so images that share blobs
// belong into one list. No job knows what the others do. What is at the target is
// the only state that they share: an image that two jobs copy at once costs bytes,
// and never more.
package fanout

import (
	"math"
	"sort"
	"time"
)

// MaxJobs is the maximum number of jobs in the matrix of a workflow
// (https://docs.github.com/en/actions/reference/limits).
const MaxJobs = 256

// Work is what the jobs have to copy.
type Work struct {
	Images []Image
	Sizes  []int64 // of the distinct blobs, in bytes
}

// Image is an image of a Work.
type Image struct {
	Blobs []int32 // indices into Sizes, each once
	Trips int     // requests for it, each of which waits for a response
}

// Rates are what a job achieves.
type Rates struct {
	Job    float64       // bytes per second of a job
	Stream float64       // bytes per second of one blob
	Trip   time.Duration // from a request to its response
	AtOnce int           // concurrent requests
	Start  time.Duration // from the plan to the first request of a job
}

// Usual are the rates of GitHub's runners between large registries.
func Usual() Rates {
	return Rates{Job: 60e6, Stream: 40e6, Trip: 100 * time.Millisecond, AtOnce: 32, Start: 25 * time.Second}
}

// Measure is what one job has achieved.
type Measure struct {
	Bytes int64         // sent
	Time  time.Duration // from the first request to the end of the last copy
	Start time.Duration // from the plan to the first request
}

// enoughMeasured is how many bytes a job must have sent to tell its rate: the time of
// less is that of requests.
const enoughMeasured = 1 << 30

// Measured returns the rates with the medians of what jobs have achieved, as far as
// they tell it. Clocks may be wrong, so no rate is changed by more than four times.
func (r Rates) Measured(jobs []Measure) Rates {
	var rates, starts []float64
	for _, m := range jobs {
		starts = append(starts, m.Start.Seconds())
		if m.Bytes >= enoughMeasured && m.Time > 0 {
			rates = append(rates, float64(m.Bytes)/m.Time.Seconds())
		}
	}
	// slices.Sort would be compiled for this type alone.
	median := func(all sort.Float64Slice, usual float64) float64 {
		if len(all) == 0 {
			return usual
		}
		sort.Sort(all)
		return min(max(all[len(all)/2], usual/4), 4*usual)
	}
	usual := Usual()
	r.Job = median(rates, usual.Job)
	r.Start = time.Duration(median(starts, usual.Start.Seconds()) * float64(time.Second))
	return r
}

const (
	// leastTime is the least work for which another job is worth its start.
	leastTime = 2 * time.Minute
	// mostTime is the work of one job for which more jobs than the owner asked
	// for are planned: GitHub stops a job after six hours.
	mostTime = 4 * time.Hour
)

// load is what one job has to do.
type load struct {
	bytes, largest int64
	trips          int
}

// plus returns the load with an image of which some bytes are new to the job.
func (l load) plus(bytes, largest int64, trips int) load {
	return load{l.bytes + bytes, max(l.largest, largest), l.trips + trips}
}

// seconds returns how long a job takes, without its start.
func (l load) seconds(r Rates) float64 {
	return max(float64(l.bytes)/r.Job, float64(l.largest)/r.Stream, float64(l.trips)*r.Trip.Seconds()/float64(r.AtOnce))
}

// alone returns the load of an image for a job that has none of its blobs.
func (w Work) alone(image int) load {
	l := load{trips: w.Images[image].Trips}
	for _, b := range w.Images[image].Blobs {
		l = l.plus(w.Sizes[b], w.Sizes[b], 0)
	}
	return l
}

// all returns the load of all images for one job.
func (w Work) all() (all load) {
	seen := make([]bool, len(w.Sizes))
	for _, image := range w.Images {
		all.trips += image.Trips
		for _, b := range image.Blobs {
			if !seen[b] {
				seen[b] = true
				all = all.plus(w.Sizes[b], w.Sizes[b], 0)
			}
		}
	}
	return all
}

// Jobs returns how many jobs the work is worth, from least to most. If these would
// take too long, it returns more, up to MaxJobs. There are no more jobs than images,
// and at least one.
func (w Work) Jobs(r Rates, least, most int) int {
	one := w.all().seconds(r)
	n := int(one / max(leastTime, 4*r.Start).Seconds())
	n = max(least, min(n, most), int(math.Ceil(one/mostTime.Seconds())))
	return max(1, min(n, len(w.Images), MaxJobs))
}

// Bound returns the least time in which jobs with these rates can do the work:
// their start and the largest of the distinct bytes at the rate of all jobs, the
// requests of all jobs, and the longest single image.
func (w Work) Bound(r Rates, jobs int) time.Duration {
	all := w.all()
	k := float64(jobs)
	least := max(float64(all.bytes)/r.Job/k, float64(all.trips)*r.Trip.Seconds()/float64(r.AtOnce)/k)
	for i := range w.Images {
		least = max(least, w.alone(i).seconds(r))
	}
	return r.Start + time.Duration(least*float64(time.Second))
}
