package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/outbound"
)

// TestTries checks that failures that cannot end within seconds are not retried
// for half a minute.
func TestTries(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want int
	}{
		{"unknown host", &net.DNSError{Err: "no such host", Name: "quay.example", IsNotFound: true}, 2},
		{"resolver in trouble", &net.DNSError{Err: "server misbehaving", Name: "quay.io", IsTemporary: true}, maxTries},
		{"no TLS", tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, 1},
		{"a certificate of somebody else", &tls.CertificateVerificationError{Err: errors.New("unknown authority")}, 1},
		{"an old version of TLS", &net.OpError{Op: "remote error", Err: errors.New("tls: protocol version not supported")}, 1},
		{"an alert of TLS", errors.New(`malformed HTTP response "\x15\x03\x01\x00\x02\x02\x16"`), 1},
		{"a handshake without an answer", outbound.ErrNoHandshake, 3},
		{"reset", errors.New("connection reset by peer"), maxTries},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := &failure.Error{Code: failure.Network, Err: fmt.Errorf("dialing: %w", test.err)}
			b := &Backoff{wait: func(context.Context, time.Duration) error { return nil }, since: time.Now()}
			tries := 1
			for b.Again(t.Context(), err) == nil {
				tries++
			}
			if tries != test.want {
				t.Errorf("%d tries, want %d", tries, test.want)
			}
		})
	}
}

// TestAttended: nobody at a terminal waits long for a registry that refuses the first
// connections. One that has answered before is given the usual time.
func TestAttended(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refuses := listener.Addr().String()
	listener.Close()
	_, refused := (&net.Dialer{}).DialContext(t.Context(), "tcp", refuses)
	reset := &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}
	for _, test := range []struct {
		name     string
		attended bool
		answered time.Duration
		err      error
		want     int
	}{
		{"refused at a terminal", true, 0, refused, fewTries},
		{"refused in a job", false, 0, refused, maxTries},
		{"refused after an answer", true, time.Millisecond, refused, maxTries},
		{"reset at a terminal", true, 0, reset, maxTries},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &wire{base: &url.URL{}, api: answering{answer: test.answered}, bulk: answering{}, opts: Options{
				Attended: test.attended, Wait: func(context.Context, time.Duration) error { return nil },
			}}
			tries := 0
			err := w.retry(t.Context(), func(context.Context) error {
				tries++
				return &failure.Error{Code: failure.Network, Err: test.err}
			})
			if err == nil || tries != test.want {
				t.Errorf("%d tries, want %d: %v", tries, test.want, err)
			}
		})
	}
}

// answering is a transport that has had answers after the given time.
type answering struct {
	transport
	answer time.Duration
}

func (a answering) Answer(*url.URL) time.Duration { return a.answer }

// TestRetryAfterNoTime checks that a repeated "Retry-After: 0" is not followed
// literally.
func TestRetryAfterNoTime(t *testing.T) {
	var waited time.Duration
	b := &Backoff{wait: func(_ context.Context, d time.Duration) error { waited += d; return nil }, since: time.Now()}
	for b.Again(t.Context(), &failure.Error{Code: failure.RateLimited, Until: time.Now()}) == nil {
		continue
	}
	if waited < 3*time.Second {
		t.Errorf("waited %v in all", waited)
	}
}
