package fanout

import (
	"math"
	"math/bits"
	"sort"
)

// Dealt is a division of images among jobs.
type Dealt struct {
	Lists [][]int // by job: indices of images
	// Fresh are the bytes of each image that the images before it in its list do
	// not have.
	Fresh []int64
}

// How Deal weighs sharing against balance, as parts of the least time of a job: lists
// are filled up to balance, and what takes longer than giant is dealt for balance alone.
const (
	balance = 1.05
	giant   = 0.1
)

// Deal divides the images among jobs: every image is in one list. The images with the
// most work are dealt first. Giants go to the job that is then done first, others to the
// job for which they are least work, as blobs that a job has already cost it nothing,
// unless that takes it too long. The lists are in the order of dealing, so that no job
// begins a large image last. Equal arguments give equal lists.
func (w Work) Deal(r Rates, jobs int) Dealt {
	lists, fresh := make([][]int, jobs), make([]int64, len(w.Images))
	loads, done := make([]load, jobs), make([]float64, jobs)
	words := (jobs + 63) / 64
	has := make([]uint64, words*len(w.Sizes)) // a bit for each blob and job
	saved := make([]int64, jobs)
	least := (w.Bound(r, jobs) - r.Start).Seconds()
	for _, image := range w.falling(r) {
		alone := w.alone(image)
		balanced := alone.seconds(r) > giant*least
		clear(saved)
		for _, b := range w.Images[image].Blobs {
			alone.bytes -= save(saved, has[int(b)*words:(int(b)+1)*words], w.Sizes[b])
		}
		best, lowest, soonest := 0, 0.0, 0.0
		for job, before := range done {
			after := loads[job].plus(alone.bytes-saved[job], alone.largest, alone.trips).seconds(r)
			cost := after - before
			if balanced {
				cost = after
			} else if after > balance*least {
				cost += after // more than any job that is in time
			}
			if job == 0 || cost < lowest || cost == lowest && after < soonest {
				best, lowest, soonest = job, cost, after
			}
		}
		lists[best] = append(lists[best], image)
		fresh[image] = alone.bytes - saved[best]
		loads[best] = loads[best].plus(fresh[image], alone.largest, alone.trips)
		done[best] = soonest
		for _, b := range w.Images[image].Blobs {
			has[int(b)*words+best/64] |= 1 << (best % 64)
		}
	}
	return Dealt{lists, fresh}
}

// Homes returns for each blob that several images have the one of them that is first
// in its list; -1 for other blobs. That one is probably the first to be at the target,
// and the others may take the blob from there.
func (w Work) Homes(lists [][]int) []int {
	homes, first := make([]int, len(w.Sizes)), make([]int, len(w.Sizes)) // an image, plus one
	for i := range homes {
		homes[i] = -1
	}
	for n, more := 0, true; more; n++ {
		more = false
		for _, list := range lists {
			if n >= len(list) {
				continue
			}
			more = true
			for _, b := range w.Images[list[n]].Blobs {
				if first[b] == 0 {
					first[b] = list[n] + 1
				} else {
					homes[b] = first[b] - 1
				}
			}
		}
	}
	return homes
}

// save adds the size of a blob to what each job saves that has it. If most jobs
// have it, save returns the size, and subtracts it from what the others save.
func save(saved []int64, has []uint64, size int64) (all int64) {
	count := 0
	for _, set := range has {
		count += bits.OnesCount64(set)
	}
	var flip uint64
	if 2*count > len(saved) {
		all, size, flip = size, -size, math.MaxUint64
	}
	for word, set := range has {
		if set ^= flip; word == len(has)-1 {
			set &= math.MaxUint64 >> (len(has)*64 - len(saved)) // there are no more jobs
		}
		for ; set != 0; set &= set - 1 {
			saved[word*64+bits.TrailingZeros64(set)] += size
		}
	}
	return all
}

// falling returns the images by falling work, those with equal work in their
// order.
func (w Work) falling(r Rates) []int {
	order := make([]int, len(w.Images))
	seconds := make([]float64, len(w.Images))
	for i := range order {
		order[i], seconds[i] = i, w.alone(i).seconds(r)
	}
	sort.SliceStable(order, func(a, b int) bool { return seconds[order[a]] > seconds[order[b]] })
	return order
}
