package fanout

import (
	"math"
	"math/rand/v2"
)

// generated makes the work of a catalog of n images. The distributions are
// assumptions, stated in docs/fanout.md:
//
//   - an image has one platform (60 %), two (30 %) or five (10 %);
//   - for each platform it has a base, by Zipf's law one of n/20+3, whose two to
//     five layers are shared, and a configuration;
//   - three images in ten are another tag of the one before, and share half of its
//     own layers; the others have three to nine own layers;
//   - layers have a lognormal size with a median of 4 MB and σ 1.8, at most 4 GB;
//   - an image needs three requests, and two for each blob.
func generated(n int, random *rand.Rand) Work {
	var w Work
	layer := func() int32 {
		w.Sizes = append(w.Sizes, int64(min(4e6*math.Exp(1.8*random.NormFloat64()), 4e9)))
		return int32(len(w.Sizes) - 1)
	}
	layers := func(least, most int) (all []int32) {
		for range least + random.IntN(most-least+1) {
			all = append(all, layer())
		}
		return all
	}
	bases := make([][]int32, 5*(n/20+3))
	for i := range bases {
		bases[i] = layers(2, 5)
	}
	popular := rand.NewZipf(random, 1.3, 1, uint64(len(bases)/5-1))
	var base int
	var before [][]int32
	for range n {
		another := len(before) > 0 && random.Float64() < 0.3
		if !another {
			base = int(popular.Uint64())
			before = make([][]int32, [10]int{1, 1, 1, 1, 1, 1, 2, 2, 2, 5}[random.IntN(10)])
		}
		var image Image
		for p := range before {
			if another {
				before[p] = append(before[p][:len(before[p])/2:len(before[p])/2], layers(1, 3)...)
			} else {
				before[p] = layers(3, 9)
			}
			image.Blobs = append(image.Blobs, bases[5*base+p]...)
			image.Blobs = append(image.Blobs, before[p]...)
			w.Sizes = append(w.Sizes, 4000)
			image.Blobs = append(image.Blobs, int32(len(w.Sizes)-1))
		}
		image.Trips = 3 + 2*len(image.Blobs)
		w.Images = append(w.Images, image)
	}
	return w
}

// roundRobin deals images in their order.
func roundRobin(w Work, jobs int) Dealt {
	lists := make([][]int, jobs)
	for i := range w.Images {
		lists[i%jobs] = append(lists[i%jobs], i)
	}
	return Dealt{lists, make([]int64, len(w.Images))}
}

// bySize deals the largest images first, each to the job with the fewest bytes,
// as if images shared nothing (LPT).
func bySize(w Work, r Rates, jobs int) Dealt {
	lists := make([][]int, jobs)
	bytes := make([]int64, jobs)
	for _, i := range w.falling(r) {
		least := 0
		for job := range bytes {
			if bytes[job] < bytes[least] {
				least = job
			}
		}
		lists[least] = append(lists[least], i)
		bytes[least] += w.alone(i).bytes
	}
	return Dealt{lists, make([]int64, len(w.Images))}
}
