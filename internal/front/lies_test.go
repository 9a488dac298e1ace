package front

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/fakeregistry"
)

// lie makes a place answer requests for blobs wrongly.
type lie struct {
	name  string
	match string
	do    func(w http.ResponseWriter, r *http.Request, blob []byte) (answered bool)
}

// inside are redirects of which only a private place, such as those of these
// tests, may tell a client (TestReadAsksOnce in package registry has the others).
var inside = map[string]bool{"a redirect inside of the network": true, "a redirect to this machine": true}

// sending returns a lie that is a response with this status, header and body.
func sending(status int, body string, fields ...string) func(http.ResponseWriter, *http.Request, []byte) bool {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		for i := 0; i < len(fields); i += 2 {
			w.Header().Set(fields[i], fields[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

// lies are what a place may do to the blobs of an image.
var lies = []lie{
	{"other bytes of the same size", "GET .*blobs", func(w http.ResponseWriter, _ *http.Request, blob []byte) bool {
		w.Header().Set("Content-Length", strconv.Itoa(len(blob)))
		_, _ = w.Write(bytes.Repeat([]byte("x"), len(blob)))
		return true
	}},
	{"the last byte", "GET .*blobs", func(w http.ResponseWriter, _ *http.Request, blob []byte) bool {
		wrong := bytes.Clone(blob)
		wrong[len(wrong)-1] ^= 1
		w.Header().Set("Content-Length", strconv.Itoa(len(blob)))
		_, _ = w.Write(wrong)
		return true
	}},
	{"too few bytes", "GET .*blobs", func(w http.ResponseWriter, _ *http.Request, blob []byte) bool {
		w.Header().Set("Content-Length", strconv.Itoa(len(blob)-1))
		_, _ = w.Write(blob[1:])
		return true
	}},
	{"too many bytes", "GET .*blobs", func(w http.ResponseWriter, _ *http.Request, blob []byte) bool {
		w.Header().Set("Content-Length", strconv.Itoa(len(blob)+7))
		_, _ = w.Write(append([]byte("a lie: "), blob...))
		return true
	}},
	{"no length and too few bytes", "GET .*blobs", func(w http.ResponseWriter, _ *http.Request, blob []byte) bool {
		_, _ = w.Write(blob[:len(blob)/2])
		return true
	}},
	{"an early end", "GET .*blobs", func(w http.ResponseWriter, _ *http.Request, blob []byte) bool {
		w.Header().Set("Content-Length", strconv.Itoa(len(blob)))
		_, _ = w.Write(blob[:len(blob)/2])
		panic(http.ErrAbortHandler)
	}},
	{"another size for HEAD", "HEAD .*blobs", func(w http.ResponseWriter, _ *http.Request, blob []byte) bool {
		w.Header().Set("Content-Length", strconv.Itoa(len(blob)+1))
		return true
	}},
	{"a range of something else", "GET .*blobs", func(w http.ResponseWriter, _ *http.Request, blob []byte) bool {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes 5-%d/%d", len(blob)+4, len(blob)+5))
		w.Header().Set("Content-Length", strconv.Itoa(len(blob)))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(bytes.Repeat([]byte("x"), len(blob)))
		return true
	}},
	{"a web page", "blobs", sending(200, "<html>Welcome to the hotel</html>", "Content-Type", "text/html")},
	{"nothing", "blobs", sending(200, "")},
	{"no content", "blobs", sending(204, "")},
	{"not modified", "blobs", sending(304, "")},
	{"a status that is unknown", "blobs", sending(299, "hello")},
	{"a circle", "blobs", func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		w.Header().Set("Location", r.URL.RequestURI())
		w.WriteHeader(http.StatusTemporaryRedirect)
		return true
	}},
	{"a circle of two", "blobs", func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		to := r.URL.Path + "?again"
		if r.URL.RawQuery != "" {
			to = r.URL.Path
		}
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
		return true
	}},
	{"a redirect inside of the network", "blobs", sending(307, "", "Location", "https://10.0.0.1/secret")},
	{"a redirect to the cloud's metadata", "blobs", sending(307, "", "Location", "http://169.254.169.254/latest/meta-data")},
	{"a redirect to this machine", "blobs", sending(302, "", "Location", "https://localhost/secret")},
	{"a redirect to a file", "blobs", sending(302, "", "Location", "file:///etc/passwd")},
	{"a redirect to nowhere", "blobs", sending(302, "", "Location", "https://")},
	{"a redirect without an address", "blobs", sending(307, "")},
	{"a login of its own", "blobs", sending(401, "", "Www-Authenticate", `Basic realm="give me your password"`)},
	{"compression", "GET .*blobs", sending(200, "\x1f\x8b\x08\x00nothing", "Content-Encoding", "gzip")},
}

// TestPlacesThatLieAboutBlobs checks that, whatever a place sends, a client gets
// the right bytes from the next place or no complete response. In no case does
// it get a challenge, a page or a way inside.
func TestPlacesThatLieAboutBlobs(t *testing.T) {
	img := image(1)
	blob := img.Blobs[0]
	digest := fakeregistry.Digest(blob)
	for _, way := range []Way{Auto, Relay} {
		for _, lie := range lies {
			if way == Auto && inside[lie.name] {
				continue
			}
			t.Run(fmt.Sprint(way, " ", lie.name), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.mirror.Blobs = way
				w.target.Add(mirrored, "1.0", img)
				w.target.Inject(fakeregistry.Fault{Match: lie.match, Times: -1, Do: func(rw http.ResponseWriter, r *http.Request) bool {
					return lie.do(rw, r, blob)
				}})
				server := httptest.NewServer(w.front)
				defer server.Close()
				uri := server.URL + "/v2/gcr.io/harbour/hello/blobs/" + digest
				// The size is known from the manifest, as for all clients that pull.
				w.expect(w.get("GET", "/v2/gcr.io/harbour/hello/manifests/1.0"), http.StatusOK)
				client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
				get := func(method string) (*http.Response, []byte, error) {
					r, err := http.NewRequest(method, uri, nil)
					if err != nil {
						t.Fatal(err)
					}
					resp, err := client.Do(r)
					if err != nil {
						return nil, nil, err
					}
					defer resp.Body.Close()
					body, err := io.ReadAll(resp.Body)
					return resp, body, err
				}
				var last []byte
				check := func(method string) (complete bool) {
					t.Helper()
					resp, body, err := get(method)
					last = body
					if err != nil {
						return false
					}
					if resp.Header.Get("Location") != "" || resp.Header.Get("Www-Authenticate") != "" || bytes.Contains(body, []byte("html")) {
						t.Errorf("%s: status %d, header %v, %.60q", method, resp.StatusCode, resp.Header, body)
					}
					switch {
					case resp.StatusCode >= 400:
						return false
					case resp.StatusCode != http.StatusOK, resp.ContentLength != int64(len(blob)), method == "GET" && !bytes.Equal(body, blob):
						t.Errorf("%s: status %d with %d of %d bytes", method, resp.StatusCode, len(body), resp.ContentLength)
					}
					return true
				}
				for _, method := range []string{"GET", "HEAD", "GET"} {
					check(method)
				}
				// With the source behind it, a client that tries again gets the blob.
				w.source.Add("harbour/hello", "1.0", img)
				for range 5 {
					if w.pass(5 * time.Second); check("GET") {
						return
					}
				}
				t.Error("the place after it was never asked", string(last))
			})
		}
	}
}

// TestPlacesThatHang checks that a place that sends nothing, or no more, does not
// hold a client for ever.
func TestPlacesThatHang(t *testing.T) {
	img := image(1)
	digest := fakeregistry.Digest(img.Blobs[0])
	for _, path := range []string{"manifests/1.0", "manifests/" + fakeregistry.Digest(img.Root().Body), "blobs/" + digest, "tags/list", "referrers/" + digest} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(w *world) {
				w.options.after = func(_ time.Duration, late func()) *time.Timer { return time.AfterFunc(20*time.Millisecond, late) }
			})
			hang := fakeregistry.Fault{Match: ".", Times: -1, Do: func(_ http.ResponseWriter, r *http.Request) bool {
				<-r.Context().Done()
				return true
			}}
			w.target.Inject(hang)
			w.source.Inject(hang)
			rec := w.expect(w.get("GET", "/v2/gcr.io/harbour/hello/"+path), http.StatusServiceUnavailable)
			if rec.Header().Get("Retry-After") == "" {
				t.Errorf("header %v", rec.Header())
			}
		})
	}
}

// TestMirrorThatDiffersFromTheSource: a digest of the source is answered by the
// source or not at all, although the mirror has the tag with another digest.
func TestMirrorThatDiffersFromTheSource(t *testing.T) {
	old, current := image(1), image(2)
	digest := fakeregistry.Digest(current.Root().Body)
	for _, offshore := range []bool{false, true} {
		w := newWorld(t, func(w *world) {
			if !offshore {
				w.options.Places["gcr.io"] = []*Place{w.mirror}
			}
		})
		w.target.Add(mirrored, "1.0", old)
		w.source.Add("harbour/hello", "1.0", current)
		rec := w.expect(w.get("GET", "/v2/gcr.io/harbour/hello/manifests/1.0"), http.StatusOK)
		if !bytes.Equal(rec.Body.Bytes(), old.Root().Body) {
			t.Error("the first place that has a tag did not answer")
		}
		for _, path := range []string{"manifests/" + digest, "blobs/" + fakeregistry.Digest(current.Blobs[0])} {
			for _, method := range []string{"HEAD", "GET"} {
				rec := w.get(method, "/v2/gcr.io/harbour/hello/"+path)
				want := map[bool]int{true: http.StatusOK, false: http.StatusNotFound}[offshore]
				if w.expect(rec, want); offshore && rec.Header().Get("Docker-Content-Digest") != path[len(path)-len(digest):] {
					t.Errorf("%s %s: %v", method, path, rec.Header())
				}
			}
		}
	}
}

// TestClockThatJumps: nothing is served for longer, nobody is shut out and
// nothing is skipped because the clock of the machine was set.
func TestClockThatJumps(t *testing.T) {
	for _, jump := range []time.Duration{-48 * time.Hour, -time.Second, time.Second, 48 * time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			w := newWorld(t)
			w.options.Guests = NewGuests(Admission{Anybody: true, Requests: 100}, w.clock)
			w.upstream.Budget = NewBudget(100, time.Hour, w.clock)
			w.front = New(w.options)
			w.source.Add("harbour/hello", "1.0", image(1))
			w.target.Inject(fakeregistry.Fault{Match: "missing", Times: 2, Status: http.StatusServiceUnavailable})
			const uri = "/v2/gcr.io/harbour/hello/manifests/1.0"
			w.expect(w.get("GET", uri), http.StatusOK)
			w.get("GET", "/v2/gcr.io/harbour/missing/manifests/1.0") // the target is down for some seconds
			w.expect(w.get("GET", "/v2/gcr.io/harbour/hello/manifests/2.0"), http.StatusNotFound)
			w.pass(jump)
			for range 20 {
				w.expect(w.get("GET", uri), http.StatusOK)
			}
			w.source.Add("harbour/hello", "1.0", image(2))
			w.pass(DefaultTagTTL)
			if rec := w.expect(w.get("GET", uri), http.StatusOK); !bytes.Equal(rec.Body.Bytes(), image(2).Root().Body) {
				t.Error("the tag is not checked any more")
			}
			w.target.Add(mirrored, "2.0", image(3))
			w.expect(w.get("GET", "/v2/gcr.io/harbour/hello/manifests/2.0"), http.StatusOK)
		})
	}
}
