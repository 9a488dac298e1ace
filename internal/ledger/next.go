package ledger

import (
	"time"

	"github.com/imageferry/ferry/internal/config"
)

const (
	// alive is how long after the last sign of life in its comment a run may
	// still be at work: it gives one every ten minutes at least.
	alive = 15 * time.Minute
	// heard is the same for somebody who asks for the work to be done again. He
	// has reason to think that nobody is at it, unless it has just been heard of.
	heard = time.Minute
	// maxLost is how many runs may end without a word while they work on one
	// request: whatever it is that ends them, it ends the next one as well.
	maxLost = 4
	// Day is what the limit on requests a day is about.
	Day = 24 * time.Hour
)

// Occasion tells why an issue is looked at.
type Occasion int

// The occasions.
const (
	Changed Occasion = iota // something happened to the issue; an answered request needs no second answer
	Asked                   // somebody wants it served again
	Swept                   // the sweep found it; another run may be at it
)

// Facts are what a run knows of an issue when it decides what to do.
type Facts struct {
	Occasion Occasion
	Spoken   bool      // Ferry has commented, and Before is its marker
	Before   Marker    // what an earlier run wrote
	Trusted  bool      // Before was written by Ferry and by nobody else
	Edited   time.Time // when that was, by GitHub's clock
	Request  string    // Fingerprint of what the issue asks for now
	Run      int64     // number of this run
	Now      time.Time // by GitHub's clock
}

// Deed is what to do with an issue.
type Deed int

// The deeds.
const (
	Serve    Deed = iota // work on the request, and answer
	GiveUp               // answer without work: too many runs have died of it
	Conclude             // it has its answer: make the issue say the same
	Leave                // another run is at it
)

// Action is what a run does with an issue, and how it goes down in the marker.
type Action struct {
	Deed  Deed
	Tries int       // this one included
	Lost  int       // of them, those that ended without a word
	Since time.Time // when the first of them began
	Used  Usage
	// Asker is whose wish it stays, since it was let in before and is not judged
	// again; empty to find out.
	Asker config.Who
	// Recall reports that commands made the request what it is, which are to be
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
	if f.Before.State != SetUp && !f.Before.Since.IsZero() { // to wait for the owner is not to try
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
	if f.Before.State == Working {
		a.Lost = f.Before.Lost + 1
		if a.Lost >= maxLost {
			a.Deed = GiveUp
		}
	}
	return a
}

// quiet is for how long a run that works may have said nothing.
func (f Facts) quiet() time.Duration {
	if f.Occasion == Asked {
		return heard
	}
	return alive
}

// Loss tells how a request was lost to another run.
type Loss int

// The losses.
const (
	Kept      Loss = iota // it is still this run's
	Cancelled             // it was withdrawn by a command
	Overtaken             // another run serves it
)

// Lost judges the marker of the comment as it stands by now, found by the run
// that has written mine. Of two that serve the same request the one that has
// spoken last goes on, of two that serve different ones the one that has read
// the issue last.
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

// Opened is an issue that a person opened, or got an answer to, on one day.
type Opened struct {
	Number  int
	Created time.Time
	Request bool // it asks for images, or did when it was served
}

// Recent is how many requests of a day a person has made before the one of the
// issue. What the issue was edited and repeated counts, or one issue, edited
// for ever, would be a way around the limit. What was opened after it does not:
// of all that somebody asks for at once the first are served.
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

// Add adds what other issues of the same person have used, as far as it is of the
// day before now.
func (u Usage) Add(others []Usage, now time.Time) Usage {
	for _, other := range others {
		if now.Sub(other.From) < Day {
			u.Bytes += other.Bytes
			u.Repositories += other.Repositories
		}
	}
	return u
}
