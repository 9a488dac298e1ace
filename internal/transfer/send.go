package transfer

import (
	"context"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

// sending is one blob being sent to one repository.
type sending struct {
	blob        Blob
	target      Target
	slots       *slots               // has one for each blob being sent
	from        reference.Repository // may have the blob already
	maxRestarts int
	told        int64 // offset up to which progress was reported
	progress    func(int64)

	r      *reader // of all attempts, so that blocks read for it stay; nil before the first
	opened *opening
}

// opening is the result of asking the target for a session.
type opening struct {
	present bool
	err     error
}

// prepare begins to read the blob and opens a session for it, while the target
// confirms the blob before it: otherwise a far target would receive nothing for
// two round trips.
func (u *sending) prepare(ctx context.Context, s *stream) {
	u.start(ctx, s)
	if !u.target.Open() {
		present, err := u.target.Start(ctx, u.from)
		u.opened = &opening{present, err}
	}
}

// start begins to read the blob.
func (u *sending) start(ctx context.Context, s *stream) {
	if u.r != nil {
		return
	}
	u.r = s.reader(ctx, 0, s.blob.Size, u.passed)
	if u.blob.Fresh {
		u.r.prefetch()
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
	return u.target.Start(ctx, u.from)
}

// run sends the blob from s. After a temporary failure it continues at the
// offset that the target reports.
func (u *sending) run(ctx context.Context, s *stream) (Outcome, error) {
	tries := u.target.Backoff()
	var offset int64
	restarts, late := 0, 0
	u.start(ctx, s)
	defer u.stop()
	r := u.r
	for {
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

// passed reports progress, once for each byte.
func (u *sending) passed(offset int64) {
	if offset > u.told {
		if offset == u.blob.Size {
			u.slots.announce()
		}
		u.progress(offset - u.told)
		u.told = offset
	}
}
