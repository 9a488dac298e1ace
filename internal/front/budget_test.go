package front

import (
	"net/http"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/fakeregistry"
)

// TestBudgetsOutliveAReload: a changed file does not give back what was taken.
func TestBudgetsOutliveAReload(t *testing.T) {
	w := newWorld(t, func(w *world) { w.options.Memories = NewMemories(DefaultMemory) })
	reload := func(limit int) {
		w.upstream.Budget = NewBudget(limit, time.Hour, w.clock)
		w.front = New(w.options)
	}
	take := func(want int) {
		t.Helper()
		for i := 0; ; i++ {
			if w.upstream.Budget.take() != nil {
				if i != want {
					t.Errorf("%d requests, want %d", i, want)
				}
				return
			}
		}
	}
	reload(10)
	for range 4 {
		if err := w.upstream.Budget.take(); err != nil {
			t.Fatal(err)
		}
	}
	reload(10)
	take(6)
	reload(12) // two more than before
	take(2)
	reload(5)
	take(0)
	w.pass(2 * time.Hour)
	take(5)
	w.upstream.Budget = nil // no limit
	w.front = New(w.options)
	if err := w.upstream.Budget.take(); err != nil {
		t.Error(err)
	}
}

// TestLimitsOfAGuestOutliveAReload: a changed file does not give back what a
// guest has used.
func TestLimitsOfAGuestOutliveAReload(t *testing.T) {
	w := newWorld(t, func(w *world) { w.options.Memories = NewMemories(DefaultMemory) })
	w.target.Add(mirrored, "1.0", image(1))
	reload := func(requests int, bytes int64) {
		w.options.Guests = NewGuests(Admission{Anybody: true, Requests: requests, Bytes: bytes}, w.clock)
		w.front = New(w.options)
	}
	const manifest = "/v2/harbour/hello/manifests/1.0?ns=gcr.io"
	blob := "/v2/harbour/hello/blobs/" + fakeregistry.Digest(image(1).Blobs[0]) + "?ns=gcr.io" // 200,000 bytes
	reload(4, 100_000)
	for range 2 {
		w.expect(w.get("GET", manifest), http.StatusOK)
	}
	reload(4, 100_000)
	w.expect(w.get("GET", blob), http.StatusOK)
	reload(5, 150_000) // one request more than before, but still too many bytes
	w.expect(w.get("GET", manifest), http.StatusOK)
	w.expect(w.get("GET", blob), http.StatusTooManyRequests)
	w.expect(w.get("GET", manifest), http.StatusTooManyRequests)
	reload(0, 150_000)
	for range 10 {
		w.expect(w.get("GET", manifest), http.StatusOK)
	}
	w.pass(3 * time.Minute)
	reload(5, 150_000)
	for _, uri := range []string{manifest, manifest, manifest, manifest, blob} {
		w.expect(w.get("GET", uri), http.StatusOK)
	}
	w.expect(w.get("GET", manifest), http.StatusTooManyRequests)
}
