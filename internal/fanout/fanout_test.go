package fanout

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// seeded returns a source of the same random numbers in every run.
func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// TestDeal: every image is in exactly one list, equal arguments give equal lists,
// the largest image of a list comes first, and no list is shorter than the bound
// allows.
func TestDeal(t *testing.T) {
	r := Usual()
	for seed := range uint64(40) {
		random := seeded(seed)
		w := generated(1+random.IntN(300), random)
		jobs := 1 + random.IntN(MaxJobs)
		dealt := w.Deal(r, jobs)
		lists := dealt.Lists
		if diff := cmp.Diff(dealt, w.Deal(r, jobs)); diff != "" {
			t.Fatalf("dealt twice: %s", diff)
		}
		all := slices.Concat(lists...)
		slices.Sort(all)
		if len(lists) != jobs || len(all) != len(w.Images) {
			t.Fatalf("%d lists of %d, %d images of %d", len(lists), jobs, len(all), len(w.Images))
		}
		for i, image := range all {
			if i != image {
				t.Fatalf("image %d is in no list, or in two", i)
			}
		}
		longest := 0.0
		for _, list := range lists {
			if !slices.IsSortedFunc(list, func(a, b int) int { return int(w.alone(b).seconds(r) - w.alone(a).seconds(r)) }) {
				t.Error("a list does not begin with its largest images")
			}
			part := Work{Sizes: w.Sizes}
			for _, image := range list {
				part.Images = append(part.Images, w.Images[image])
			}
			longest = max(longest, part.all().seconds(r))
		}
		if bound := (w.Bound(r, jobs) - r.Start).Seconds(); longest < bound-1e-6 {
			t.Errorf("the longest list takes %f s, the bound is %f s", longest, bound)
		}
	}
}

// TestDealKeepsSharedBlobsTogether: two families of images that share their base
// get a job each.
func TestDealKeepsSharedBlobsTogether(t *testing.T) {
	w := Work{Sizes: []int64{1e9, 1e9}}
	for i := range 20 {
		w.Sizes = append(w.Sizes, 1e6)
		w.Images = append(w.Images, Image{Blobs: []int32{int32(i % 2), int32(len(w.Sizes) - 1)}, Trips: 3})
	}
	for _, list := range w.Deal(Usual(), 2).Lists {
		for _, image := range list {
			if image%2 != list[0]%2 {
				t.Fatalf("%v: the base is sent twice", list)
			}
		}
	}
}

// TestSave compares the bytes that jobs save with those of a plain loop.
func TestSave(t *testing.T) {
	random := seeded(1)
	for range 500 {
		jobs := 1 + random.IntN(MaxJobs)
		has, got, want := make([]uint64, (jobs+63)/64), make([]int64, jobs), make([]int64, jobs)
		share := random.Float64()
		for job := range jobs {
			if random.Float64() < share {
				has[job/64] |= 1 << (job % 64)
				want[job] = 7
			}
		}
		all := save(got, has, 7)
		for job := range got {
			got[job] += all
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestJobs(t *testing.T) {
	r := Usual()
	for _, test := range []struct {
		images int
		bytes  int64 // of each
		least  int
		most   int
		want   int
	}{
		{0, 0, 1, 8, 1},
		{10, 1e6, 1, 8, 1},     // a second
		{100, 600e6, 1, 8, 8},  // 1,000 s
		{100, 250e6, 1, 8, 3},  // 417 s
		{100, 250e6, 1, 1, 1},  //
		{4, 60e9, 1, 8, 4},     // no more jobs than images
		{1000, 10e9, 1, 8, 12}, // 46 hours: more than the owner's
		{1000, 10e12, 1, 8, 256},
		{100, 600e6, 1, 0, 1},
		{10, 1e6, 4, 8, 4},
		{3, 1e6, 4, 8, 3},
	} {
		var w Work
		for i := range test.images {
			w.Sizes = append(w.Sizes, test.bytes)
			w.Images = append(w.Images, Image{Blobs: []int32{int32(i)}})
		}
		if got := w.Jobs(r, test.least, test.most); got != test.want {
			t.Errorf("%d images of %d bytes, at most %d jobs: %d, want %d", test.images, test.bytes, test.most, got, test.want)
		}
	}
}

// TestBound compares the bound with what each of its parts alone demands.
func TestBound(t *testing.T) {
	r := Rates{Job: 100, Stream: 10, Trip: time.Second, AtOnce: 4, Start: 5 * time.Second}
	for name, test := range map[string]struct {
		w    Work
		want time.Duration
	}{
		"nothing":        {Work{}, 5 * time.Second},
		"distinct bytes": {Work{Sizes: []int64{80, 80, 80, 80, 80}, Images: []Image{{Blobs: []int32{0, 1, 2}}, {Blobs: []int32{2, 3, 4}}}}, 13 * time.Second}, // a blob of 80 at 10 a second
		"requests":       {Work{Images: []Image{{Trips: 40}, {Trips: 40}}}, 15 * time.Second},
		"a single image": {Work{Images: []Image{{Trips: 80}, {}}}, 25 * time.Second},
		"rates of all":   {Work{Sizes: slices.Repeat([]int64{10}, 200), Images: spread(200)}, 15 * time.Second},
	} {
		if got := test.w.Bound(r, 2); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// spread returns images with one blob each.
func spread(n int) []Image {
	images := make([]Image, n)
	for i := range images {
		images[i].Blobs = []int32{int32(i)}
	}
	return images
}

// TestJob: a job begins its own list in order, then helps with what is not at the
// target and not begun by others, and finishes the list of a job that has stopped.
func TestJob(t *testing.T) {
	d := Dealt{Lists: [][]int{{4, 2}, nil}, Fresh: make([]int64, 105)}
	for i := 5; i < 105; i++ {
		d.Lists[1] = append(d.Lists[1], i)
	}
	j := NewJob(d, Usual(), 0, 1)
	j.Done(7, 0)
	for _, want := range []int{4, 2} {
		if got, ok := j.Own(); !ok || got != want {
			t.Fatalf("%d, want %d", got, want)
		}
	}
	if got, ok := j.Own(); ok {
		t.Fatalf("%d of the own list again", got)
	}
	helped := map[int]bool{}
	help := func(now time.Duration, least int) {
		t.Helper()
		for o, ok := j.Offer(now); ok; o, ok = j.Offer(now) {
			image, ok := j.Help(o, now)
			if !ok {
				t.Fatal("nothing of an offer")
			}
			if helped[image] || image < least {
				t.Fatalf("helps with %d", image)
			}
			helped[image] = true
		}
	}
	help(time.Second, 5+AtOnce+1) // 7 is at the target, so one more is begun
	if len(helped) != 100-AtOnce-1 || len(j.Left()) != AtOnce {
		t.Fatalf("helped with %d, %d are left", len(helped), len(j.Left()))
	}
	j.Done(5, 50*time.Second) // the other one progresses
	help(70*time.Second, 105)
	help(2*time.Minute, 6)
	if left := j.Left(); len(left) > 0 || len(helped) != 98 {
		t.Errorf("%v are left, helped with %d", left, len(helped))
	}
}

// TestJobHelpsWithTheLargest of an offer, among those that are not at the target.
func TestJobHelpsWithTheLargest(t *testing.T) {
	d := Dealt{Lists: [][]int{nil, {0, 1, 2, 3, 4, 5}}, Fresh: []int64{1, 9, 5, 8, 2, 3}}
	j := NewJob(d, Usual(), 0, 1)
	o := Offer{list: 0, candidates: []int{2, 1, 4, 3}}
	j.others[0].known = true
	j.Done(1, 0)
	if image, ok := j.Help(o, time.Hour); !ok || image != 3 {
		t.Errorf("helps with %d", image)
	}
}

// TestRoom: a job begins few large images at once, and many small ones.
func TestRoom(t *testing.T) {
	for _, test := range []struct {
		bytes int64
		want  int
	}{{1, AtOnce}, {100 << 20, 3}, {2 << 30, few}, {10 << 30, 1}} {
		d := Dealt{Lists: [][]int{nil}, Fresh: slices.Repeat([]int64{test.bytes}, 100)}
		for i := range d.Fresh {
			d.Lists[0] = append(d.Lists[0], i)
		}
		j := NewJob(d, Usual(), 0, 1)
		begun := 0
		for ; j.Room(); begun++ {
			j.Own()
		}
		if begun != test.want {
			t.Errorf("%d images of %d bytes, want %d", begun, test.bytes, test.want)
		}
		if j.Ended(0); !j.Room() {
			t.Errorf("no room after the end of an image of %d bytes", test.bytes)
		}
	}
}

func BenchmarkDeal(b *testing.B) {
	w := generated(100_000, seeded(1))
	blobs := 0
	for _, image := range w.Images {
		blobs += len(image.Blobs)
	}
	for _, jobs := range []int{8, 20, MaxJobs} {
		b.Run(strconv.Itoa(jobs)+" jobs", func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for b.Loop() {
				w.Deal(Usual(), jobs)
			}
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(blobs), "blobs")
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/(1<<20), "MiB/op")
			b.ReportMetric(float64(before.HeapAlloc)/(1<<20), "MiB-work")
		})
	}
}

// TestHomes: a blob that several images have has one of them as its home, the first of
// its list; others have none.
func TestHomes(t *testing.T) {
	w := Work{Sizes: make([]int64, 4), Images: []Image{{Blobs: []int32{0, 1}}, {Blobs: []int32{1, 2}}, {Blobs: []int32{0, 2}}, {Blobs: []int32{3}}}}
	if got := w.Homes([][]int{{3, 0}, {2, 1}}); !slices.Equal(got, []int{2, 0, 2, -1}) {
		t.Errorf("the homes are %v", got)
	}
	w = generated(300, seeded(1))
	lists := w.Deal(Usual(), 7).Lists
	has := map[int32][]int{}
	for image := range w.Images {
		for _, b := range w.Images[image].Blobs {
			has[b] = append(has[b], image)
		}
	}
	for b, home := range w.Homes(lists) {
		if all := has[int32(b)]; (len(all) > 1) != (home >= 0) || home >= 0 && !slices.Contains(all, home) {
			t.Errorf("blob %d of %v has the home %d", b, all, home)
		}
	}
}

// TestMeasured: what jobs have achieved changes the rates, unless they have sent little
// or their clocks are wrong.
func TestMeasured(t *testing.T) {
	usual := Usual()
	for name, test := range map[string]struct {
		jobs  []Measure
		rate  float64
		start time.Duration
	}{
		"nothing":      {nil, usual.Job, usual.Start},
		"three":        {[]Measure{{2e9, 100 * time.Second, 40 * time.Second}, {3e9, 100 * time.Second, 50 * time.Second}, {9e9, 100 * time.Second, 10 * time.Second}}, 30e6, 40 * time.Second},
		"little":       {[]Measure{{1e6, time.Second, 30 * time.Second}}, usual.Job, 30 * time.Second},
		"no time":      {[]Measure{{2e9, 0, 30 * time.Second}}, usual.Job, 30 * time.Second},
		"wrong clocks": {[]Measure{{1 << 62, time.Second, -time.Hour}}, 4 * usual.Job, usual.Start / 4},
		"very slow":    {[]Measure{{2e9, time.Hour, time.Hour}}, usual.Job / 4, 4 * usual.Start},
	} {
		got := usual.Measured(test.jobs)
		if got.Job != test.rate || got.Start != test.start || got.Stream != usual.Stream {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
