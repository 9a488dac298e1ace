package transfer

import (
	"context"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// maxRestarts is how often an upload begins anew because its session is gone
// or turned sour. A session that is resumed does not count.
const maxRestarts = 3

// sending is one blob on its way to one repository.
type sending struct {
	target   *registry.Client
	to, from reference.Repository // from may hold the blob already
	blob     Blob
	upload   *registry.Upload // nil if there is no session
	told     int64            // the offset up to which progress was told
	progress func(int64)
}

// run sends the blob from s. After a failure that passes it goes on at the
// offset that the target names.
func (u *sending) run(ctx context.Context, s *stream) (Outcome, error) {
	tries := u.target.Backoff()
	var offset int64
	restarts := 0
	// One reader from the first try to the last: what was read for it stays.
	r := s.reader(ctx, u.passed)
	defer r.close()
	if u.blob.Fresh {
		r.hurry()
	}
	for {
		if u.upload == nil {
			// What looks like a failure may have been a success whose answer was
			// lost: then the blob is there.
			upload, err := u.target.Upload(ctx, u.to, u.blob.Digest, u.blob.Size, u.from)
			switch {
			case err != nil:
				return 0, err
			case upload == nil && restarts > 0:
				return Sent, nil
			case upload == nil && u.from != u.to:
				return Mounted, nil
			case upload == nil:
				return Present, nil
			}
			u.upload, offset = upload, 0
		}
		r.seek(offset)
		err := u.upload.Send(ctx, r, offset)
		if err == nil {
			u.upload = nil
			return Sent, nil
		}
		restart := false
		if f, ok := failure.As(err); ok && f.Side == failure.Target {
			// A token that has run out, a session that is gone, a digest that came
			// out wrong: a new session may help where the old one cannot.
			restart = f.Code == failure.TargetLogin || f.Code == failure.Corrupt || registry.NoSession(err)
		}
		if !restart {
			if gaveUp := tries.Again(ctx, err); gaveUp != nil {
				u.abandon(ctx)
				return 0, gaveUp
			}
			arrived, lost := u.upload.Offset(ctx)
			switch {
			case registry.NoSession(lost):
				restart = true
			case lost != nil:
				u.abandon(ctx)
				return 0, lost
			case arrived > offset:
				tries.Progress()
			}
			offset = arrived
		}
		if restart {
			if restarts++; restarts > maxRestarts {
				u.abandon(ctx)
				return 0, err
			}
			u.abandon(ctx)
			u.from = u.to
		}
	}
}

// passed tells of progress, once for each byte.
func (u *sending) passed(offset int64) {
	if offset > u.told {
		u.progress(offset - u.told)
		u.told = offset
	}
}

// abandon ends the session.
func (u *sending) abandon(ctx context.Context) {
	if u.upload != nil {
		u.upload.Cancel(ctx)
		u.upload = nil
	}
}
