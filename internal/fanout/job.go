package fanout

import (
	"math/rand/v2"
	"slices"
	"time"
)

const (
	// AtOnce is the maximum number of images that a job copies at once. Small
	// images mostly wait for responses.
	AtOnce = 16
	// enough is how many bytes of images, begun and not ended, fill a job's
	// connection, so that it need not begin another image. Beginning few large
	// images at once leaves the others to jobs that help.
	enough = 256 << 20
	// few is how many images a job begins if they are larger: while one waits for
	// responses, another is sent. With plenty of bytes it leaves the next image to
	// jobs that help.
	few    = 2
	plenty = 10 * enough
	// sample is how many images of another list a job considers to copy.
	sample = 2
	// Recheck is how often a job asks the target about images that other jobs
	// are likely to have begun, while it has nothing else to do.
	Recheck = 10 * time.Second
)

// Job decides what one job copies: the images of its own list in their order, and
// then images of other lists that are not at the target and that their own job has
// not begun. So the lists of jobs that are slow, that died or that never started
// are finished, too.
//
// A job only knows what the target has. It takes the first images of another list
// that are not there for those that its job has begun, as long as that list
// progresses.
type Job struct {
	mine    []int // the own list
	weights []int64
	rates   Rates
	random  *rand.Rand
	closed  []bool // images that are at the target, or that this job has begun
	of      []int  // by image: the index into others, or own
	others  []other

	images int // that the job has begun and not ended
	bytes  int64
}

// own is the place of images in the job's own list.
const own = -1

// other is the list of another job.
type other struct {
	list  []int // closed images are removed from time to time
	open  int   // how many images are not closed
	known bool  // whether this job has looked at it
	// moved is when this job last noticed that the other one progressed.
	moved time.Duration
	doubt float64 // how much longer than necessary this job waits
}

// NewJob returns the decisions of the job with the list at index job. weights are
// the bytes of each image that its own job has to send. Jobs must have different
// seeds, so that they help with different images.
func NewJob(d Dealt, r Rates, job int, seed uint64) *Job {
	j := &Job{
		mine: d.Lists[job], weights: d.Fresh, rates: r, random: rand.New(rand.NewPCG(seed, uint64(job))),
		closed: make([]bool, len(d.Fresh)), of: make([]int, len(d.Fresh)),
	}
	for i, list := range d.Lists {
		at := own
		if i != job {
			at = len(j.others)
			j.others = append(j.others, other{list: slices.Clone(list), open: len(list), doubt: 1 + j.random.Float64()})
		}
		for _, image := range list {
			j.of[image] = at
		}
	}
	return j
}

// Room reports whether the job should begin another image.
func (j *Job) Room() bool { return room(j.images, j.bytes) }

// room reports whether a job that has begun some images should begin another.
func room(images int, bytes int64) bool {
	return images < AtOnce && (bytes < enough || images < few && bytes < plenty)
}

// Own begins the next image of the job's own list. It reports false if there is
// none.
func (j *Job) Own() (image int, ok bool) {
	for len(j.mine) > 0 {
		image, j.mine = j.mine[0], j.mine[1:]
		if !j.closed[image] {
			j.begin(image)
			return image, true
		}
	}
	return 0, false
}

func (j *Job) begin(image int) {
	j.close(image)
	j.images++
	j.bytes += j.weights[image]
}

// Ended says that the job has ended an image which it had begun.
func (j *Job) Ended(image int) {
	j.images--
	j.bytes -= j.weights[image]
}

// Done says that an image has been found at the target at a time, counted from
// anywhere.
func (j *Job) Done(image int, now time.Duration) {
	at := j.of[image]
	if at != own {
		if head, _, _ := j.head(at); slices.Contains(head, image) { // other jobs help with later images
			j.others[at].moved = now
		}
	}
	j.close(image)
}

// close closes an image, unless it is closed.
func (j *Job) close(image int) {
	if j.closed[image] {
		return
	}
	j.closed[image] = true
	if j.of[image] == own {
		return
	}
	o := &j.others[j.of[image]]
	o.open--
	if 2*o.open < len(o.list) {
		o.list = slices.DeleteFunc(o.list, func(i int) bool { return j.closed[i] })
	}
}

// Offer are images of another list with which a job may help.
type Offer struct {
	// Images are those to look up at the target before Help is called.
	Images     []int
	list       int
	candidates []int
}

// Offer returns images of another list, chosen at random. It reports false if all
// that is left is what other jobs are likely to have begun; see Left.
func (j *Job) Offer(now time.Duration) (Offer, bool) {
	spare := make([]int, len(j.others))
	sum := 0
	for at := range j.others {
		begun, _ := j.begun(at, now)
		spare[at] = j.others[at].open - len(begun)
		sum += spare[at]
	}
	if sum == 0 {
		return Offer{}, false
	}
	n, at := j.random.IntN(sum), 0 // every image is equally likely
	for ; n >= spare[at]; at++ {
		n -= spare[at]
	}
	begun, from := j.begun(at, now)
	o := Offer{list: at, Images: begun}
	rest := j.others[at].list[from:]
	for range 4 * sample { // at least half of the list is open
		image := rest[j.random.IntN(len(rest))]
		if !j.closed[image] && !slices.Contains(o.candidates, image) && len(o.candidates) < sample {
			o.candidates = append(o.candidates, image)
		}
	}
	o.Images = append(o.Images, o.candidates...)
	return o, true
}

// Help begins the largest image of an offer. It reports false if all are at the
// target, or have become those that their own job has begun.
func (j *Job) Help(o Offer, now time.Duration) (image int, ok bool) {
	begun, _ := j.begun(o.list, now)
	image = -1
	for _, c := range o.candidates {
		if !j.closed[c] && !slices.Contains(begun, c) && (image < 0 || j.weights[c] > j.weights[image]) {
			image = c
		}
	}
	if image < 0 {
		return 0, false
	}
	j.begin(image)
	return image, true
}

// Left returns the images of other lists that this job does not know to be at the
// target, to look them up.
func (j *Job) Left() (left []int) {
	for _, o := range j.others {
		for _, image := range o.list {
			if !j.closed[image] {
				left = append(left, image)
			}
		}
	}
	return left
}

// begun returns the images of another list that its own job is likely to have
// begun, and the index of the image after them. If the list has not progressed
// for longer than these take, there are none: its job is slow, or dead.
func (j *Job) begun(at int, now time.Duration) (images []int, after int) {
	o := &j.others[at]
	images, after, seconds := j.head(at)
	if !o.known {
		o.known, o.moved = true, now
	}
	if (now - o.moved).Seconds() > o.doubt*(j.rates.Start.Seconds()+seconds) {
		return nil, 0
	}
	return images, after
}

// head returns the first images of another list that a job can have begun at
// once, the index of the image after them, and how long they take.
func (j *Job) head(at int) (images []int, after int, seconds float64) {
	var l load
	list := j.others[at].list
	for ; after < len(list) && room(len(images), l.bytes); after++ {
		if image := list[after]; !j.closed[image] {
			images = append(images, image)
			l = l.plus(j.weights[image], j.weights[image], 0)
		}
	}
	return images, after, l.seconds(j.rates)
}
