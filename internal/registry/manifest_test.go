package registry

import (
	"context"
	"net/http"
	"testing"

	"github.com/imageferry/ferry/internal/failure"
)

// TestDigestWaitsForNoOther: one question that gets no answer holds up no other.
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
