package registry

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
)

// TestDigestWaitsForNoOther checks that a request without a response does not
// delay others.
func TestDigestWaitsForNoOther(t *testing.T) {
	asked, done := make(chan struct{}, 2), make(chan struct{})
	host := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path != "/v2/" {
			asked <- struct{}{}
			<-done
		}
		w.WriteHeader(http.StatusNotFound)
	})
	c, ref := sourceAt(t, host)
	ended := make(chan error)
	go func() {
		_, err := c.Digest(t.Context(), ref)
		ended <- err
	}()
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Digest(ctx, ref); failure.CodeOf(err) != failure.Cancelled {
		t.Errorf("error %v, want that it was cancelled", err)
	}
	close(done)
	if err := <-ended; failure.CodeOf(err) != failure.NotFound {
		t.Errorf("error %v, want that it is not there", err)
	}
}

// TestConfirmLooksAgainSoon checks that a tag that appears late is found within
// twice that time, without very frequent requests.
func TestConfirmLooksAgainSoon(t *testing.T) {
	m := NewManifest("application/vnd.oci.image.manifest.v1+json", []byte(`{"schemaVersion":2}`))
	for _, lag := range []time.Duration{0, 50 * time.Millisecond, 150 * time.Millisecond, 400 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 9 * time.Second, time.Minute} {
		t.Run(lag.String(), func(t *testing.T) {
			var waited, asked atomic.Int64
			host := hostile(t, func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				if time.Duration(waited.Load()) < lag {
					w.WriteHeader(http.StatusNotFound)
					return
				}
				w.Header().Set("Docker-Content-Digest", m.Digest.String())
			})
			opts := impatient
			opts.Wait = func(ctx context.Context, d time.Duration) error {
				waited.Add(int64(d))
				return ctx.Err()
			}
			c, ref := clientOf(t, NewSources([]config.Source{{Host: host, Private: true, PlainHTTP: true}}, opts), host)
			confirmed, err := c.Confirm(t.Context(), ref, m.Digest, m.Digest)
			if err != nil || confirmed != (lag < time.Minute) {
				t.Errorf("confirmed: %v, %v", confirmed, err)
			}
			if total := time.Duration(waited.Load()); total > max(2*lag, 100*time.Millisecond) || total > 10*time.Second {
				t.Errorf("it waited %v", total)
			}
			if n := asked.Load(); n > 24 {
				t.Errorf("the registry was asked %d times", n)
			}
		})
	}
}
