package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/patience"
)

const (
	// maxTries is the number of failures in a row without progress. With the
	// delays below they take about half a minute.
	maxTries = 8
	// maxPatience bounds the time without progress, because a slow server can take
	// minutes for each attempt.
	maxPatience = 4 * time.Minute
	// maxObeyed is the longest Retry-After that is waited for. A longer one ends
	// the tries; the whole request is tried again later.
	maxObeyed = 90 * time.Second
)

var (
	// backoff is the delay before another try.
	backoff = patience.Backoff{First: 100 * time.Millisecond, Most: 10 * time.Second}
	// politely is the delay for a registry that asks to slow down and does not
	// say for how long.
	politely = patience.Backoff{First: 500 * time.Millisecond, Most: 10 * time.Second}
	// settling is the delay after a doubtful refusal: clocks of token servers and
	// registries are seconds apart, and so are the parts of a large registry.
	settling = patience.Backoff{First: time.Second, Most: 4 * time.Second}
)

// Backoff decides whether a failed operation is tried again, and waits.
type Backoff struct {
	wait  func(context.Context, time.Duration) error
	tries int
	since time.Time // the last progress
}

// Retrier is the interface of Backoff that package transfer uses.
type Retrier = interface {
	Progress()
	Again(ctx context.Context, err error) error
}

// Backoff begins a series of tries against the registry.
func (w *wire) Backoff() *Backoff { return &Backoff{wait: w.opts.Wait, since: time.Now()} }

// Progress resets the failures so far, because bytes were transferred since.
func (b *Backoff) Progress() { b.tries, b.since = 0, time.Now() }

// Again waits until it is worth another try and returns nil, or returns the
// failure to give up with: err itself if it is not of the kind that passes, if
// there were too many in a row, or if the registry asks for more patience than
// maxObeyed.
func (b *Backoff) Again(ctx context.Context, err error) error {
	f, ok := failure.As(err)
	if !ok || ctx.Err() != nil {
		return err
	}
	b.tries++
	limit, delays := passes(f)
	if b.tries >= limit || time.Since(b.since) > maxPatience {
		return err
	}
	delay := delays.Delay(b.tries)
	if !f.Until.IsZero() {
		asked := time.Until(f.Until)
		if asked > maxObeyed {
			return err
		}
		// Some registries always ask for zero seconds. The random part separates the
		// clients that got the same answer.
		delay = max(asked, min(delay, time.Second)) + rand.N(backoff.First)
	}
	if b.wait(ctx, delay) != nil {
		return err
	}
	return nil
}

// passes is how many tries a failure is worth in all, because it may go away
// within seconds, and the delays between them. It is 0 for those that stay.
func passes(f *failure.Error) (tries int, delays patience.Backoff) {
	if doubt, ok := errors.AsType[*doubtError](f.Err); ok {
		return doubt.times + 1, settling
	}
	switch f.Code {
	case failure.Network:
		if proxy, ok := errors.AsType[*outbound.ProxyError](f.Err); ok && proxy.Lasting {
			return 0, backoff
		}
		return networkTries(f.Err), backoff
	case failure.Unavailable, failure.PartLost:
		return maxTries, backoff
	case failure.RateLimited:
		// Docker Hub's pull limit is counted over six hours.
		if f.Until.IsZero() && strings.Contains(strings.ToLower(f.Detail), "pull rate limit") {
			return 0, backoff
		}
		return maxTries, politely
	default: // it does not pass within seconds
		return 0, backoff
	}
}

// networkTries is how many tries a failure of the network is worth in all.
func networkTries(err error) int {
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return 2 // a resolver that has just been reloaded knows the name the second time
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return 1 // it does not speak TLS
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return 1
	}
	return maxTries
}
