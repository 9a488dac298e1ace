package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/failure"
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
