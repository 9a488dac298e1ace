package ledger

import (
	"time"

	"github.com/imageferry/ferry/internal/config"
)

const (
	// alive is how long after its last sign of life a run may still be working.
	// A run updates its comment at least every ten minutes.
	alive = 15 * time.Minute
	// divided is how long the jobs of a run may copy, which cannot update its comment:
	// they may wait for runners, and end after 340 minutes.
	divided = 12 * time.Hour
	// heard is the same if somebody asks for the work to be repeated. That
	// person believes that no run is working, so only a very recent sign of
	// life counts.
	heard = time.Minute
	// maxLost is how many runs may end without an answer while they work on one
	// request. The reason, whatever it is, would end the next run as well.
	maxLost = 4
	// Day is the period of the daily limits.
	Day = 24 * time.Hour
)

// Occasion is why a run looks at an issue.
type Occasion int

// The occasions.
const (
	Changed Occasion = iota // something happened to the issue; an answered request needs no second answer
	Asked                   // somebody wants the request repeated
	Swept                   // the sweep found it; another run may be working on it
)

// Facts are what a run knows about an issue when it decides what to do.
type Facts struct {
	Occasion Occasion
	Spoken   bool      // Ferry has commented, and Before is the marker
	Before   Marker    // marker of an earlier run
	Trusted  bool      // only Ferry has written Before
	Edited   time.Time // when it was last written, by GitHub's clock
	Request  string    // Fingerprint of the current request
	Run      int64     // number of this run
	Now      time.Time // by GitHub's clock
}

// Deed is what to do with an issue.
type Deed int

// The deeds.
const (
	Serve    Deed = iota // work on the request, and answer
	GiveUp               // answer without working: too many runs have died
	Conclude             // it is answered: set the label and state of the issue accordingly
	Leave                // another run is working on it
)

// Action is what a run does with an issue, and what its marker records.
type Action struct {
	Deed  Deed
	Tries int       // including this one
	Lost  int       // of them, those that ended without an answer
	Since time.Time // when the first of them began
	Used  Usage
	// Asker is the relation under which the request was admitted before; it is
	// not checked again. Empty means unknown.
	Asker config.Who
	// Recall reports whether commands have changed the request. They must be
	// looked up again.
	Recall bool
}

// Next decides what a run does with an issue.
func Next(f Facts) Action {
	a := Action{Tries: 1, Since: f.Now}
	if f.Spoken {
		a.Used = f.Before.Used
	}
	if f.Now.Sub(a.Used.From) >= Day {
		a.Used = Usage{From: f.Now}
	}
	same := f.Spoken && (f.Before.Request == f.Request || f.Before.Text != "" && f.Before.Text == f.Request)
	if f.Spoken && (f.Occasion == Asked || !same && f.Before.Request != "") {
		a.Used.Repeats++
	}
	switch {
	case !same:
		return a
	case f.Before.State == Working && f.Before.Run != f.Run && f.Now.Sub(f.Edited) < f.quiet():
		a.Deed = Leave
		return a
	case !f.Before.State.Open():
		if f.Occasion != Asked {
			a.Deed = Conclude
		}
		return a
	}
	joins := f.Before.State == Working && f.Before.Run == f.Run && f.Before.Shards > 0
	switch {
	case joins: // the same attempt goes on
		a.Tries, a.Lost, a.Since = f.Before.Tries, f.Before.Lost, f.Before.Since
	case f.Before.State != SetUp && !f.Before.Since.IsZero(): // waiting for the owner does not count as trying
		a.Tries, a.Since = f.Before.Tries+1, f.Before.Since
	}
	if f.Occasion == Asked {
		return a
	}
	approved := f.Before.Asker == config.Collaborators || f.Before.Asker == config.Owner
	if f.Trusted {
		a.Asker = f.Before.Asker
	}
	a.Recall = f.Before.Refresh || f.Before.Request != f.Request || approved && !f.Trusted
	if f.Before.State == Working && !joins {
		a.Lost = f.Before.Lost + 1
		if a.Lost >= maxLost {
			a.Deed = GiveUp
		}
	}
	return a
}

// quiet is how long a working run may be silent.
func (f Facts) quiet() time.Duration {
	switch {
	case f.Occasion == Asked:
		return heard
	case f.Before.Shards > 0:
		return divided
	}
	return alive
}

// Loss is how a run has lost its request.
type Loss int

// The losses.
const (
	Kept      Loss = iota // not lost
	Cancelled             // cancelled by a command
	Overtaken             // another run works on it
)

// Reason returns what has become of the request, for the log; empty if it is kept.
func (l Loss) Reason() string {
	return [...]string{"", "the request was withdrawn by a command", "another run has taken over the request"}[l]
}

// Lost compares the marker that a run has written with the current one. Of two
// runs with the same request, the one that has written last continues; of two
// runs with different requests, the one that has read the issue last.
func Lost(mine, now Marker) Loss {
	switch {
	case now.Run == mine.Run:
		return Kept
	case now.State == Withdrawn:
		return Cancelled
	case now.Request == mine.Request, now.Since.Unix() > mine.Since.Unix():
		return Overtaken
	}
	return Kept
}

// Opened is an issue that a person opened, or that was answered, on one day.
type Opened struct {
	Number  int
	Created time.Time
	Request bool // it asks for images, or did when it was answered
}

// Recent returns how many requests of a day a person has made before the one in
// the issue. Edits and repetitions of the issue count; otherwise one issue,
// edited for ever, would bypass the limit. Issues opened later do not count, so
// that the first of many requests are served.
func Recent(all []Opened, issue, repeats int, now time.Time) int {
	recent := max(repeats-1, 0)
	for _, i := range all {
		switch {
		case !i.Request:
		case i.Number == issue && (repeats == 0 || i.Created.Before(now.Add(-Day))):
		case i.Number <= issue || repeats > 0:
			recent++
		}
	}
	return recent
}

// Add adds the usage of other issues of the same person, as far as it is within
// a day before now.
func (u Usage) Add(others []Usage, now time.Time) Usage {
	for _, other := range others {
		if now.Sub(other.From) < Day {
			u.Bytes += other.Bytes
			u.Repositories += other.Repositories
			u.Archives += other.Archives
		}
	}
	return u
}
