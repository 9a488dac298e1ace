package mirror

import (
	"sync"
	"time"
)

// EventKind is the kind of an Event.
type EventKind string

// The kinds of events, in order for one destination. Progress may come any
// number of times.
const (
	Started  EventKind = "started"  // requests to the registries have started
	Progress EventKind = "progress" // bytes were copied
	Finished EventKind = "finished" // Result is set
)

// Event is an event of one step at one destination.
type Event struct {
	Kind        EventKind
	Step        int // index into the steps
	Destination int // index into the step's destinations
	// Done and Total are bytes of the image's blobs: the bytes that are at the
	// destination or on their way, and all bytes. Total is zero until the image
	// is known. Bytes that are sent again count once.
	Done, Total int64
	// Sent is the number of bytes sent, and Rate the current rate in bytes per
	// second.
	Sent int64
	Rate float64
	// LayersDone and Layers are the same as Done and Total, in distinct layers.
	LayersDone, Layers int
	// NewRepository reports whether the image is the first of its repository.
	// It is only set if the plan has a quota.
	NewRepository bool
	// Result is set when the kind is Finished.
	Result *Result
}

// progressEvery is the shortest time between two progress events of a destination.
const progressEvery = 100 * time.Millisecond

// progress keeps the progress of all destinations and calls the watcher.
type progress struct {
	mu    sync.Mutex
	watch func(Event)
	state map[[2]int]*standing // of destinations that have not finished
	moved int64                // bytes of those that have
}

// standing is the state of one destination, and its state at the last event.
type standing struct {
	Event
	told time.Time
	sent int64
}

func newProgress(watch func(Event)) *progress {
	if watch == nil {
		watch = func(Event) {}
	}
	return &progress{watch: watch, state: map[[2]int]*standing{}}
}

// tell changes the state of a destination and calls the watcher.
func (b *progress) tell(kind EventKind, step, destination int, change func(*Event)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.state[[2]int{step, destination}]
	if s == nil {
		s = &standing{}
		b.state[[2]int{step, destination}] = s
	}
	s.Kind, s.Step, s.Destination = kind, step, destination
	known := s.Total > 0
	if change != nil {
		change(&s.Event)
	}
	now := time.Now()
	since := now.Sub(s.told)
	// The first events, with the size of the image and the first bytes, are not
	// delayed.
	if kind == Progress && known && s.Done < s.Total && since < progressEvery {
		return
	}
	if s.sent > 0 || s.Sent > 0 {
		// The mean of the last rate and the new one changes slowly enough to
		// read.
		s.Rate = (s.Rate + float64(s.Sent-s.sent)/max(since, progressEvery).Seconds()) / 2
	}
	s.told, s.sent = now, s.Sent
	if kind == Finished {
		b.moved += s.Done
		delete(b.state, [2]int{step, destination})
	}
	b.watch(s.Event)
}

// sum returns how many bytes are at all destinations or on their way, and
// whether there are more to come.
func (b *progress) sum() (bytes int64, more bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	bytes = b.moved
	for _, s := range b.state {
		bytes += s.Done
		more = more || s.Kind == Progress && s.Done < s.Total
	}
	return bytes, more
}
