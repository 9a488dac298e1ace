package transfer

import (
	"context"
	"io"
	"time"

	"github.com/imageferry/ferry/internal/reference"
)

// Source is one blob at the place that it is read from: a registry, or an
// archive. It is safe for concurrent use.
type Source interface {
	// Host is the registry's canonical host. Sources of one host share their
	// connections and what is learned about it.
	Host() string
	// Repository is where the blob lies.
	Repository() reference.Repository
	// Open reads the bytes from from up to to, exclusively. It makes one
	// attempt. The stream ends with an error if it is shorter than it should
	// be, and is never longer. Errors are *failure.Error.
	Open(ctx context.Context, from, to int64) (io.ReadCloser, error)
	// Ranged reports whether parts can be asked for, as far as is known.
	Ranged() bool
	// Parted reports whether a part has been asked for and was what came.
	Parted() bool
	// Trip is how long a round trip to the farthest server takes that the blob
	// comes from, as far as is known; zero for nothing.
	Trip() time.Duration
	// Answer is how long the source takes to begin an answer, as far as is known;
	// zero for nothing.
	Answer() time.Duration
	// Backoff begins a series of tries.
	Backoff() Backoff
}

// Sizer is a Source that can find out how large its blob is.
type Sizer interface {
	// Size is the blob's size in bytes. Errors are *failure.Error.
	Size(ctx context.Context) (int64, error)
}

// Target is one blob at the place that it is sent to, one repository of a
// registry, or an archive. It is for one goroutine at a time.
type Target interface {
	// Host is the registry's canonical host. The limits on concurrent uploads are
	// for each host.
	Host() string
	// Repository is where the blob is to lie.
	Repository() reference.Repository
	// Start reports whether the repository holds the blob, if need be after it
	// was taken from another repository of the same host, from, which may be the
	// very same. If it does not, a session is open afterwards.
	Start(ctx context.Context, from reference.Repository) (present bool, err error)
	// Open reports whether there is a session, as far as is known.
	Open() bool
	// Send sends the bytes from offset to the end, which are all that body has,
	// and completes the blob. It makes one attempt.
	Send(ctx context.Context, body io.Reader, offset int64) error
	// Offset asks how many bytes the session has got.
	Offset(ctx context.Context) (int64, error)
	// Cancel ends the session, if there is one.
	Cancel(ctx context.Context)
	// Backoff begins a series of tries.
	Backoff() Backoff
}

// Backoff decides whether something that failed is tried again.
type Backoff = interface {
	// Progress resets the failures so far.
	Progress()
	// Again waits until it is worth another try and returns nil, or returns the
	// failure to give up with.
	Again(ctx context.Context, err error) error
}
