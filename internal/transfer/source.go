package transfer

import (
	"context"
	"io"
	"time"

	"github.com/imageferry/ferry/internal/reference"
)

// Source is one blob at the place it is read from: a registry or an archive. It
// is safe for concurrent use.
type Source interface {
	// Host returns the registry's canonical host. Sources of one host share
	// connections and measurements.
	Host() string
	// Repository returns the repository of the blob.
	Repository() reference.Repository
	// Open reads the bytes from from up to, but not including, to. It makes one
	// attempt. The stream ends with an error if it is too short, and is never
	// too long. Errors are *failure.Error.
	Open(ctx context.Context, from, to int64) (io.ReadCloser, error)
	// Ranged reports whether the blob can be read in parts, as far as known.
	Ranged() bool
	// Parted reports whether a part has been requested and was returned.
	Parted() bool
	// Trip returns the time of a round trip to the farthest server that the
	// blob comes from; zero if unknown.
	Trip() time.Duration
	// Answer returns how long the source takes to begin a response; zero if
	// unknown.
	Answer() time.Duration
	// Backoff begins a series of attempts.
	Backoff() Backoff
}

// Sizer is a Source that can look up the size of its blob.
type Sizer interface {
	// Size returns the blob's size in bytes. Errors are *failure.Error.
	Size(ctx context.Context) (int64, error)
}

// Target is one blob at the place it is sent to: a repository of a registry, or
// an archive. It is for one goroutine at a time.
type Target interface {
	// Host returns the registry's canonical host. The limits on concurrent
	// uploads apply to each host.
	Host() string
	// Repository returns the repository that is to have the blob.
	Repository() reference.Repository
	// Start reports whether the repository has the blob, possibly after taking
	// it from another repository of the same host, from, which may be the same
	// one. Otherwise, a session is open afterwards.
	Start(ctx context.Context, from reference.Repository) (present bool, err error)
	// Open reports whether there is a session, as far as known.
	Open() bool
	// Send sends body, the bytes from offset to the end, and completes the
	// blob. It makes one attempt.
	Send(ctx context.Context, body io.Reader, offset int64) error
	// Offset returns how many bytes the session has received.
	Offset(ctx context.Context) (int64, error)
	// Trip returns the time of a round trip to the farthest server of the
	// registry; zero if unknown.
	Trip() time.Duration
	// Cancel ends the session, if there is one.
	Cancel(ctx context.Context)
	// Backoff begins a series of attempts.
	Backoff() Backoff
}

// Backoff decides whether a failed attempt is repeated.
type Backoff = interface {
	// Progress resets the count of failures.
	Progress()
	// Again waits until another attempt is worthwhile and returns nil, or
	// returns the failure to give up with.
	Again(ctx context.Context, err error) error
}
