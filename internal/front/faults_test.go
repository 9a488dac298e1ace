package front

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/fakeregistry"
)

// TestTwentyClientsAmongFaults checks that, whatever fails at either place,
// every byte that a client gets is right and no client waits for ever. Failed
// pulls are tried again, as clients do.
func TestTwentyClientsAmongFaults(t *testing.T) {
	for _, fault := range []fakeregistry.Fault{
		{Match: "GET .*manifests", Times: 5, Status: 500},
		{Match: "GET .*manifests", Times: 5, Status: 429, RetryAfter: "1"},
		{Match: "GET .*manifests", Times: 5, Status: 200, Body: "<html>"},
		{Match: "GET .*manifests", Times: 5, CutResponse: 30},
		{Match: "GET .*blobs", Times: 5, Status: 503},
		{Match: "GET .*blobs", Times: 5, CutResponse: 50_000},
		{Match: "GET .*blobs", Times: 3, Status: 200, Body: "other bytes"},
		{Match: "HEAD .*blobs", Times: 5, Status: 404},
		{Match: "blobs", Times: 5, Status: 401},
	} {
		t.Run(fmt.Sprintf("%s %d cut %d", fault.Match, fault.Status, fault.CutResponse), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			img := image(7)
			w.source.Add("harbour/hello", "1.0", img)
			w.target.Add(mirrored, "1.0", img)
			one, two := fault, fault
			w.source.Inject(one)
			w.target.Inject(two)
			server := httptest.NewServer(w.front)
			defer server.Close()
			get := func(uri string, want []byte) error {
				var last error
				for range 40 {
					last = once(server.URL+uri, want)
					if _, wrong := errors.AsType[errWrong](last); last == nil || wrong {
						return last
					}
					w.pass(absent + time.Second)
				}
				return last
			}
			var clients sync.WaitGroup
			for range 20 {
				clients.Go(func() {
					for _, part := range img.Manifests {
						if err := get("/v2/gcr.io/harbour/hello/manifests/"+fakeregistry.Digest(part.Body), part.Body); err != nil {
							t.Errorf("a manifest: %v", err)
						}
					}
					for _, blob := range img.Blobs {
						if err := get("/v2/gcr.io/harbour/hello/blobs/"+fakeregistry.Digest(blob), blob); err != nil {
							t.Errorf("a blob: %v", err)
						}
					}
				})
			}
			clients.Wait()
		})
	}
}

// errWrong is a successful response with wrong content.
type errWrong struct{ n, want int }

func (e errWrong) Error() string {
	return fmt.Sprintf("%d bytes, which are not the %d wanted", e.n, e.want)
}

// once sends one request. Wrong content ends the test, because it is not a
// temporary failure.
func once(uri string, want []byte) error {
	resp, err := http.Get(uri)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("status %d: %s", resp.StatusCode, body)
	case !bytes.Equal(body, want):
		return errWrong{len(body), len(want)}
	}
	return nil
}

// TestClientsThatHangUp checks that clients that leave in the middle of a blob
// do not affect its other readers.
func TestClientsThatHangUp(t *testing.T) {
	w := newWorld(t)
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{3 << 20}})
	w.target.Add(mirrored, "1.0", img)
	server := httptest.NewServer(w.front)
	defer server.Close()
	uri := server.URL + "/v2/gcr.io/harbour/hello/blobs/" + fakeregistry.Digest(img.Blobs[0])
	var clients sync.WaitGroup
	for i := range 20 {
		clients.Go(func() {
			if i%2 == 0 {
				if err := once(uri, img.Blobs[0]); err != nil {
					t.Errorf("a remaining client: %v", err)
				}
				return
			}
			resp, err := http.Get(uri)
			if err != nil {
				t.Errorf("a leaving client: %v", err)
				return
			}
			_, _ = io.CopyN(io.Discard, resp.Body, int64(i)*100_000)
			resp.Body.Close()
		})
	}
	clients.Wait()
}
