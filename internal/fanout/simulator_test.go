package fanout

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"time"
)

// world is what a simulated run meets.
type world struct {
	rates Rates
	slots int     // jobs that GitHub runs at once
	sigma float64 // of the logarithm of the speed of a runner
	die   float64 // the probability that a job dies, at any time of the run
	help  bool
	homes bool // blobs are mounted from their homes
}

// chain is how many requests for an image follow one another: those for the manifest,
// for a blob at the target, its upload in three, and the manifest there.
const chain = 6

// outcome is what a simulated run took.
type outcome struct {
	time  float64 // seconds until the last image is at the target
	bytes int64   // sent
	jobs  float64 // seconds of all jobs together
}

// simulate runs jobs on runners. A runner starts after a lognormal time (median
// rates.Start, σ 0.3), has a lognormal speed, and shares its bandwidth equally among
// the images that it has begun. Each of them first waits for its requests, of which
// the job has rates.AtOnce under way for all of them, and chain after one another. It sends a blob
// that it has not sent itself yet, unless the blob's home is at the target. A queued job starts when another has ended.
func simulate(w Work, d Dealt, of world, random *rand.Rand) outcome {
	s := &simulation{home: w.Homes(d.Lists), work: w, world: of, random: random, done: make([]bool, len(w.Images)), left: len(w.Images)}
	bound := w.Bound(of.rates, min(of.slots, len(d.Lists))).Seconds()
	for n := range d.Lists {
		r := &runner{
			Job: NewJob(d, of.rates, n, random.Uint64()), sent: make([]uint64, (len(w.Sizes)+63)/64),
			speed: math.Exp(of.sigma * random.NormFloat64()), dies: math.Inf(1),
		}
		if random.Float64() < of.die {
			r.dies = bound * random.Float64()
		}
		s.queue = append(s.queue, r)
	}
	for range of.slots {
		s.startNext()
	}
	for s.left > 0 && s.events.Len() > 0 {
		e := heap.Pop(&s.events).(event)
		s.now = e.at
		if !e.job.ended {
			e.do()
		}
	}
	for _, r := range s.running {
		if !r.ended {
			s.out.jobs += s.now - r.began
		}
	}
	s.out.time = s.now
	if s.left > 0 {
		s.out.time = math.Inf(1)
	}
	return s.out
}

type simulation struct {
	work Work
	world
	random  *rand.Rand
	now     float64
	events  events
	order   int
	home    []int
	done    []bool // at the target
	left    int
	queue   []*runner
	running []*runner
	out     outcome
}

// runner is the machine of one job.
type runner struct {
	*Job
	speed   float64
	began   float64
	dies    float64 // after its beginning
	ended   bool
	sent    []uint64 // blobs, as bits
	active  []transfer
	at      float64 // when the rest of each transfer was right
	change  int     // counts changes of active
	looking bool
}

// transfer is an image that is being sent.
type transfer struct {
	image int
	rest  float64 // bytes
	most  float64 // bytes per second, because one blob has a stream of its own
	rate  float64
}

func (s *simulation) after(r *runner, seconds float64, do func()) {
	s.order++
	heap.Push(&s.events, event{s.now + seconds, s.order, r, do})
}

func (s *simulation) startNext() {
	if len(s.queue) == 0 {
		return
	}
	r := s.queue[0]
	s.queue = s.queue[1:]
	s.running = append(s.running, r)
	r.began = s.now
	s.after(r, s.rates.Start.Seconds()*math.Exp(0.3*s.random.NormFloat64()), func() { s.fill(r) })
	if !math.IsInf(r.dies, 1) {
		s.after(r, r.dies, func() { s.end(r) })
	}
}

func (s *simulation) end(r *runner) {
	r.ended = true
	s.out.jobs += s.now - r.began
	s.startNext()
}

// fill begins images until the runner is busy.
func (s *simulation) fill(r *runner) {
	for r.Room() {
		image, ok := r.Own()
		if !ok {
			break
		}
		s.begin(r, image)
	}
	switch {
	case !r.Room() || r.looking:
	case s.help:
		s.look(r)
	case r.images == 0:
		s.end(r)
	}
}

// look asks the target and helps.
func (s *simulation) look(r *runner) {
	o, ok := r.Offer(s.clock())
	if ok {
		r.looking = true
		s.after(r, s.asks(len(o.Images)), func() {
			s.learn(r, o.Images)
			r.looking = false
			if image, ok := r.Help(o, s.clock()); ok {
				s.begin(r, image)
			}
			s.fill(r)
		})
		return
	}
	left := r.Left()
	if len(left) == 0 {
		if r.images == 0 {
			s.end(r)
		}
		return
	}
	r.looking = true
	s.after(r, Recheck.Seconds()+s.asks(len(left)), func() {
		s.learn(r, left)
		r.looking = false
		s.fill(r)
	})
}

func (s *simulation) clock() time.Duration { return time.Duration(s.now * float64(time.Second)) }

// asks returns how long n questions to the target take.
func (s *simulation) asks(n int) float64 {
	return math.Ceil(float64(n)/48) * s.rates.Trip.Seconds()
}

func (s *simulation) learn(r *runner, images []int) {
	for _, i := range images {
		if s.done[i] {
			r.Done(i, s.clock())
		}
	}
}

func (s *simulation) begin(r *runner, image int) {
	wait := s.rates.Trip.Seconds() * max(chain, float64(s.work.Images[image].Trips*r.images)/float64(s.rates.AtOnce))
	s.after(r, wait, func() {
		var l load
		if !s.done[image] { // else the look before each image finds it
			for _, b := range s.work.Images[image].Blobs {
				if home := s.home[b]; s.homes && home >= 0 && s.done[home] { // it is mounted
					continue
				}
				if r.sent[b/64]&(1<<(b%64)) == 0 {
					r.sent[b/64] |= 1 << (b % 64)
					l = l.plus(s.work.Sizes[b], s.work.Sizes[b], 0)
				}
			}
		}
		s.out.bytes += l.bytes
		s.advance(r)
		r.active = append(r.active, transfer{image: image, rest: float64(l.bytes), most: s.rates.Stream * float64(l.bytes) / float64(max(l.largest, 1))})
		s.plan(r)
	})
}

// advance moves all transfers of a runner to the present.
func (s *simulation) advance(r *runner) {
	for i := range r.active {
		r.active[i].rest -= (s.now - r.at) * r.active[i].rate
	}
	r.at = s.now
}

// share divides the bandwidth among the transfers: equally, except those that
// cannot use their part.
func (s *simulation) share(r *runner) {
	left, sharing := s.rates.Job, len(r.active)
	for i := range r.active {
		r.active[i].rate = -1
	}
	for again := true; again; {
		again = false
		part := left / float64(max(1, sharing))
		for i := range r.active {
			if t := &r.active[i]; t.rate < 0 && t.most <= part {
				t.rate, again = t.most*r.speed, true
				left -= t.most
				sharing--
			}
		}
		if !again {
			for i := range r.active {
				if t := &r.active[i]; t.rate < 0 {
					t.rate = part * r.speed
				}
			}
		}
	}
}

// plan schedules the end of the first transfer.
func (s *simulation) plan(r *runner) {
	r.change++
	if len(r.active) == 0 {
		return
	}
	s.share(r)
	first, soonest := 0, math.Inf(1)
	for i, t := range r.active {
		seconds := 0.0
		if t.rest > 0 {
			seconds = t.rest / t.rate
		}
		if seconds < soonest {
			first, soonest = i, seconds
		}
	}
	change := r.change
	s.after(r, soonest, func() {
		if r.change != change {
			return
		}
		s.advance(r)
		image := r.active[first].image
		r.active = append(r.active[:first], r.active[first+1:]...)
		if !s.done[image] {
			s.done[image] = true
			s.left--
		}
		r.Ended(image)
		s.plan(r)
		s.fill(r)
	})
}

type event struct {
	at    float64
	order int // of events at the same time
	job   *runner
	do    func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(a, b int) bool {
	if e[a].at != e[b].at {
		return e[a].at < e[b].at
	}
	return e[a].order < e[b].order
}
func (e events) Swap(a, b int) { e[a], e[b] = e[b], e[a] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
