package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/patience"
)

const (
	// maxTries is the number of consecutive failures without progress. With the
	// delays below they take 11 to 23 seconds.
	maxTries = 9
	// fewTries is maxTries for somebody who waits at a terminal. With the delays
	// below they take 0.75 to 1.5 seconds.
	fewTries = 5
	// maxPatience limits the time without progress, because attempts at a slow
	// server can take minutes each.
	maxPatience = 4 * time.Minute
	// maxRetryAfter is the longest Retry-After that a run waits for. After a longer
	// one the whole request is retried later.
	maxRetryAfter = 90 * time.Second
)

var (
	// backoff is the delay before another attempt.
	backoff = patience.Backoff{First: 100 * time.Millisecond, Most: 10 * time.Second}
	// politely is the delay for a registry that limits requests without saying
	// for how long.
	politely = patience.Backoff{First: 500 * time.Millisecond, Most: 10 * time.Second}
	// settling is the delay after a doubtful refusal: the clocks of token
	// servers and registries differ by seconds, and large registries need
	// seconds to become consistent.
	settling = patience.Backoff{First: 700 * time.Millisecond, Most: 4 * time.Second}
)

// Backoff decides whether a failed operation is repeated, and waits.
type Backoff struct {
	wait  func(context.Context, time.Duration) error
	tries int
	since time.Time // the last progress
	brief bool      // see Options.Attended
}

// Retrier is the interface of Backoff that package transfer uses.
type Retrier = interface {
	Progress()
	Again(ctx context.Context, err error) error
}

// Backoff begins a series of attempts at the registry.
func (w *wire) Backoff() *Backoff {
	return &Backoff{wait: w.opts.Wait, since: time.Now(), brief: w.opts.Attended && w.Answer() == 0}
}

// Progress resets the count of failures, because data has been transferred
// since.
func (b *Backoff) Progress() { b.tries, b.since = 0, time.Now() }

// Again waits until another attempt is worthwhile and returns nil, or returns
// the failure to give up with: err itself if it is not temporary, if there were
// too many consecutive failures, or if the registry asks for a longer wait than
// maxRetryAfter.
func (b *Backoff) Again(ctx context.Context, err error) error {
	f, ok := failure.As(err)
	if !ok || ctx.Err() != nil {
		return err
	}
	b.tries++
	limit, delays := passes(f)
	if b.brief && unconnected(f.Err) {
		limit = min(limit, fewTries)
	}
	if b.tries >= limit || time.Since(b.since) > maxPatience {
		return err
	}
	delay := delays.Delay(b.tries)
	if !f.Until.IsZero() {
		asked := time.Until(f.Until)
		if asked > maxRetryAfter {
			return err
		}
		// Some registries always ask for zero seconds. The random part
		// separates clients that got the same response.
		delay = max(asked, min(delay, time.Second)) + rand.N(backoff.First)
	}
	if b.wait(ctx, delay) != nil {
		return err
	}
	return nil
}

// passes returns how many attempts a failure is worth, because it may end
// within seconds, and the delays between them. It returns 0 for permanent
// failures.
func passes(f *failure.Error) (tries int, delays patience.Backoff) {
	if doubt, ok := errors.AsType[*doubtError](f.Err); ok {
		return doubt.times + 1, settling
	}
	switch f.Code {
	case failure.Proxy:
		proxy, ok := errors.AsType[*outbound.ProxyError](f.Err)
		switch {
		case ok && proxy.Lasting:
			return 0, backoff
		case unconnected(f.Err):
			return fewTries, backoff // it is on this machine or near
		}
		return maxTries, backoff
	case failure.Network:
		return networkTries(f.Err), backoff
	case failure.Unavailable, failure.PartLost:
		return maxTries, backoff
	case failure.RateLimited:
		// Docker Hub's pull limit is counted over six hours.
		if f.Until.IsZero() && strings.Contains(strings.ToLower(f.Detail), "pull rate limit") {
			return 0, backoff
		}
		return maxTries, politely
	default: // it does not end within seconds
		return 0, backoff
	}
}

// networkTries returns how many attempts a network failure is worth.
func networkTries(err error) int {
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return 2 // a resolver that has just been reloaded may know the name the second time
	}
	if NoTLS(err) {
		return 1
	}
	if NoHandshake(err) {
		return 3 // each takes a quarter of a minute
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return 1
	}
	if OldTLS(err) || OnlyTLS(err) {
		return 1
	}
	return maxTries
}

// unconnected reports whether a connection was refused, or there is no route.
func unconnected(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial" && !op.Timeout()
}

// NoTLS reports whether err says that the server does not use TLS.
func NoTLS(err error) bool {
	var header tls.RecordHeaderError
	return errors.As(err, &header)
}

// NoHandshake reports whether err says that the server accepts connections, and does
// not answer the handshake of TLS.
func NoHandshake(err error) bool { return errors.Is(err, outbound.ErrNoHandshake) }

// OldTLS reports whether err says that the server and this program have no version
// or cipher of TLS in common.
func OldTLS(err error) bool {
	return says(err, "tls: protocol version", "unsupported protocol version", "tls: handshake failure")
}

// OnlyTLS reports whether err says that a request without TLS was sent to a port
// that requires it. Some servers answer by an alert of TLS.
func OnlyTLS(err error) bool {
	return says(err, `malformed HTTP response "\x15\x03`, "to an HTTPS server", "to HTTPS port", "SSL-enabled server port")
}

func says(err error, phrases ...string) bool {
	return err != nil && slices.ContainsFunc(phrases, func(phrase string) bool { return strings.Contains(err.Error(), phrase) })
}
