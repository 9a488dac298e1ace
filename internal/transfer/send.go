package transfer

import (
	"context"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

// sending is one blob being sent to one repository.
type sending struct {
	blob        Blob
	target      Target
	slots       *slots               // has one for each blob that has bytes to send
	from        reference.Repository // may have the blob already
	maxRestarts int
	told        int64 // offset up to which progress was reported
	progress    func(int64)
	began       time.Time     // the attempt
	first       int64         // the offset at which it began
	opening     time.Duration // how long the target took to open the session
	announced   bool          // another upload knows that it will have the slot soon
	ended       bool          // all has been sent, and the slot is given back

	r      *reader // of all attempts, so that blocks read for it stay; nil before the first
	opened *opening
}

// opening is the result of asking the target for a session.
type opening struct {
	present bool
	err     error
}

// prepare begins to read the blob and opens a session for it, while the last bytes
// of the blob before it are sent: otherwise a far target would receive nothing for
// a round trip.
func (u *sending) prepare(ctx context.Context, s *stream) {
	u.start(ctx, s, true)
	if !u.target.Open() {
		present, err := u.ask(ctx)
		u.opened = &opening{present, err}
	}
}

// start begins to read the blob; early before it can be sent.
func (u *sending) start(ctx context.Context, s *stream, early bool) {
	if u.r != nil {
		return
	}
	u.r = s.reader(ctx, 0, s.blob.Size, u.passed)
	if u.blob.Fresh {
		u.r.prefetch(early)
	}
}

// stop ends the reading.
func (u *sending) stop() {
	if u.r != nil {
		u.r.close()
		u.r = nil
	}
}

// open opens a session, unless the target has the blob.
func (u *sending) open(ctx context.Context) (present bool, err error) {
	if first := u.opened; first != nil {
		u.opened = nil
		return first.present, first.err
	}
	return u.ask(ctx)
}

// ask asks the target for a session.
func (u *sending) ask(ctx context.Context) (present bool, err error) {
	began := time.Now()
	present, err = u.target.Start(ctx, u.from)
	u.opening = time.Since(began)
	return present, err
}

// release gives the slot back.
func (u *sending) release() {
	if u.ended {
		u.slots.answered()
	} else {
		u.slots.release()
	}
}

// run sends the blob from s. After a temporary failure it continues at the
// offset that the target reports.
func (u *sending) run(ctx context.Context, s *stream) (Outcome, error) {
	tries := u.target.Backoff()
	var offset int64
	restarts, late := 0, 0
	u.start(ctx, s, false)
	defer u.stop()
	r := u.r
	for {
		if u.ended { // what was sent is to be sent again
			u.ended = false
			u.slots.resume()
		}
		if !u.target.Open() || u.opened != nil {
			// A failure may have been a success whose response was lost: then
			// the blob is there.
			present, err := u.open(ctx)
			switch {
			case err != nil:
				return 0, err
			case present && restarts+late > 0:
				return Sent, nil
			case present && u.from != u.target.Repository():
				return Mounted, nil
			case present:
				return Present, nil
			}
			offset = 0
		}
		r.seek(offset)
		u.began, u.first = time.Now(), offset
		attempt, a := s.e.attempt(ctx, r, u.target, late == s.e.maxHedges)
		err := u.target.Send(attempt, r, offset)
		gaveUp := s.e.end(a, err)
		if err == nil {
			return Sent, nil
		}
		if gaveUp && ctx.Err() == nil {
			late++
			offset = u.elsewhere(ctx)
			continue
		}
		restart := false
		if f, ok := failure.As(err); ok && f.Side == failure.Target {
			// An expired token, a lost session, or a wrong digest: a new
			// session may help where the old one cannot.
			restart = f.Code == failure.TargetLogin || f.Code == failure.Corrupt || !u.target.Open()
		}
		if !restart {
			if err := tries.Again(ctx, err); err != nil {
				u.target.Cancel(ctx)
				return 0, err
			}
			arrived, lost := u.target.Offset(ctx)
			switch {
			case !u.target.Open():
				restart = true
			case lost != nil:
				u.target.Cancel(ctx)
				return 0, lost
			case arrived > offset:
				tries.Progress()
			}
			offset = arrived
		}
		if restart {
			if restarts++; restarts > u.maxRestarts {
				u.target.Cancel(ctx)
				return 0, err
			}
			u.target.Cancel(ctx)
			u.from = u.target.Repository()
		}
	}
}

// elsewhere prepares the target for another connection. A session that has
// received little is replaced, because its registry may not have noticed yet
// that the old connection is closed.
func (u *sending) elsewhere(ctx context.Context) (offset int64) {
	offset, err := u.target.Offset(ctx)
	if err == nil && u.target.Open() && offset >= u.blob.Size/4 {
		return offset
	}
	u.target.Cancel(ctx)
	u.from = u.target.Repository()
	return 0
}

// passed reports progress, once for each byte. The next upload gets the slot with
// the last byte, and is told of it as early before as it needs to read its first
// bytes and to open a session.
func (u *sending) passed(offset int64) {
	lead := max(u.opening, u.r.s.source.Answer())
	took := max(time.Since(u.began), lead) // the first bytes say nothing about the rate
	left, sent := float64(u.blob.Size-offset), float64(offset-u.first)
	if !u.announced && left*took.Seconds() <= sent*lead.Seconds() {
		u.announced = true
		u.slots.announce()
	}
	if offset == u.blob.Size && !u.ended {
		u.ended = true
		u.slots.end()
	}
	if offset > u.told {
		u.progress(offset - u.told)
		u.told = offset
	}
}
