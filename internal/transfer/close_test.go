package transfer

import (
	"net/http"
	"sync"
	"testing"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
)

// TestCloseEndsWhatRuns closes an engine while a source does not respond.
func TestCloseEndsWhatRuns(t *testing.T) {
	s := newSea(t, 5*mib, 1, Options{})
	asked, done := make(chan struct{}), make(chan struct{})
	s.source.Inject(fakeregistry.Fault{Match: "^GET .*/blobs/", Times: -1, Do: func(_ http.ResponseWriter, r *http.Request) bool {
		select {
		case asked <- struct{}{}:
		case <-r.Context().Done():
		}
		<-done
		return false
	}})
	defer close(done)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.place(0); failure.CodeOf(err) != failure.Cancelled {
			t.Errorf("got %v, want cancelled", err)
		}
	})
	<-asked
	s.engine.Close()
	wg.Wait()
	if err := s.place(0); failure.CodeOf(err) != failure.Cancelled {
		t.Errorf("after Close: got %v, want cancelled", err)
	}
}
