package outbound

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestSilentHandshake: the error of a handshake that is never answered says so, unless
// the caller has given up before.
func TestSilentHandshake(t *testing.T) {
	for _, test := range []struct {
		patience, took time.Duration
		want           error
	}{
		{time.Hour, dialTimeout, ErrNoHandshake},
		{time.Second, time.Second, context.DeadlineExceeded},
	} {
		synctest.Test(t, func(t *testing.T) {
			here, there := net.Pipe()
			defer there.Close()
			go func() { _, _ = there.Read(make([]byte, 1<<16)) }()
			ctx, cancel := context.WithTimeout(t.Context(), test.patience)
			defer cancel()
			began := time.Now()
			_, err := newConnections(dialer{}, nil).secure(ctx, here, "quay.io", "quay.io:443")
			if took := time.Since(began); !errors.Is(err, test.want) || took != test.took {
				t.Errorf("%v after %v, want %v after %v", err, took, test.want, test.took)
			}
		})
	}
}
