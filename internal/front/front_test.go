package front

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
)

const mirrored = namespace + "/harbour.hello"

// errorCode returns the code of an OCI error body.
func errorCode(t testing.TB, rec *httptest.ResponseRecorder) string {
	t.Helper()
	var body struct {
		Errors []struct{ Code, Message string }
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil || len(body.Errors) != 1 {
		t.Fatalf("no error body: %s", rec.Body)
	}
	if body.Errors[0].Message == "" || rec.Header().Get("Content-Type") != "application/json" {
		t.Errorf("an error without a message, or of type %s", rec.Header().Get("Content-Type"))
	}
	return body.Errors[0].Code
}

func TestOriginalNames(t *testing.T) {
	w := newWorld(t)
	img := image(1)
	w.target.Add(mirrored, "1.0", img)
	root := img.Root()
	for _, uri := range []string{"/v2/harbour/hello/manifests/1.0?ns=gcr.io", "/v2/gcr.io/harbour/hello/manifests/1.0"} {
		for _, method := range []string{"HEAD", "GET"} {
			rec := w.expect(w.get(method, uri), http.StatusOK)
			h := rec.Header()
			if h.Get("Docker-Content-Digest") != fakeregistry.Digest(root.Body) || h.Get("Content-Type") != root.MediaType ||
				h.Get("Content-Length") != fmt.Sprint(len(root.Body)) || h.Get("ETag") != `"`+fakeregistry.Digest(root.Body)+`"` {
				t.Errorf("%s %s: header %v", method, uri, h)
			}
			if got := rec.Body.Bytes(); method == "GET" && !bytes.Equal(got, root.Body) || method == "HEAD" && len(got) > 0 {
				t.Errorf("%s %s: %d bytes", method, uri, len(got))
			}
			if got := h.Get("OCI-Namespace"); got != "" != strings.Contains(uri, "ns=") {
				t.Errorf("OCI-Namespace is %q", got)
			}
		}
	}
	for _, part := range img.Manifests {
		digest := fakeregistry.Digest(part.Body)
		rec := w.expect(w.get("GET", "/v2/harbour/hello/manifests/"+digest+"?ns=gcr.io"), http.StatusOK)
		if !bytes.Equal(rec.Body.Bytes(), part.Body) {
			t.Errorf("%s is another", digest)
		}
	}
	for _, blob := range img.Blobs {
		digest := fakeregistry.Digest(blob)
		rec := w.expect(w.get("GET", "/v2/harbour/hello/blobs/"+digest+"?ns=gcr.io"), http.StatusOK)
		if !bytes.Equal(rec.Body.Bytes(), blob) || rec.Header().Get("Docker-Content-Digest") != digest ||
			rec.Header().Get("Content-Type") != "application/octet-stream" || rec.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d bytes, %v", digest, rec.Body.Len(), rec.Header())
		}
	}
	if n := w.source.Count("."); n > 0 {
		t.Errorf("the source was asked %d times for what the mirror has", n)
	}
	if strings.Contains(w.log.String(), "sesame") || !strings.Contains(w.log.String(), "image=gcr.io/harbour/hello:1.0") {
		t.Errorf("log: %s", w.log)
	}
}

func TestMissingImagesComeFromTheSource(t *testing.T) {
	w := newWorld(t)
	img := image(1)
	w.source.Add("harbour/hello", "1.0", img)
	w.expect(w.get("GET", "/v2/harbour/hello/manifests/1.0?ns=gcr.io"), http.StatusOK)
	for _, part := range img.Manifests {
		w.expect(w.get("GET", "/v2/harbour/hello/manifests/"+fakeregistry.Digest(part.Body)+"?ns=gcr.io"), http.StatusOK)
	}
	w.target.Forget()
	for _, blob := range img.Blobs {
		rec := w.expect(w.get("GET", "/v2/harbour/hello/blobs/"+fakeregistry.Digest(blob)+"?ns=gcr.io"), http.StatusOK)
		if !bytes.Equal(rec.Body.Bytes(), blob) {
			t.Error("another blob")
		}
	}
	if n := w.target.Count("blobs"); n > 0 {
		t.Errorf("the mirror was asked %d times for blobs of a manifest that it lacked", n)
	}
	rec := w.expect(w.get("GET", "/v2/harbour/hello/manifests/2.0?ns=gcr.io"), http.StatusNotFound)
	if code := errorCode(t, rec); code != distribution.ManifestUnknown || !strings.Contains(rec.Body.String(), "mirror registry.example.com/alice: not-found; upstream gcr.io: not-found") {
		t.Errorf("%s", rec.Body)
	}
	w.source.Forget()
	w.expect(w.get("GET", "/v2/harbour/hello/manifests/2.0?ns=gcr.io"), http.StatusNotFound)
	if n := w.source.Count("manifests"); n > 0 {
		t.Errorf("a missing image was requested again, %d times", n)
	}
	w.source.Add("harbour/hello", "2.0", img)
	w.pass(absent + time.Second)
	w.expect(w.get("GET", "/v2/harbour/hello/manifests/2.0?ns=gcr.io"), http.StatusOK)
}

func TestTagsAreCheckedByHead(t *testing.T) {
	w := newWorld(t, func(w *world) { w.options.Places["gcr.io"] = []*Place{w.upstream} })
	w.source.Add("harbour/hello", "1.0", image(1))
	const uri = "/v2/harbour/hello/manifests/1.0?ns=gcr.io"
	for range 1000 {
		w.expect(w.get("GET", uri), http.StatusOK)
	}
	if n := w.source.Count("manifests"); n != 1 {
		t.Errorf("1000 nodes cost %d requests", n)
	}
	w.source.Forget()
	w.pass(time.Minute)
	for range 1000 {
		w.expect(w.get("HEAD", uri), http.StatusOK)
	}
	if head, get := w.source.Count("HEAD .*manifests"), w.source.Count("GET .*manifests"); head != 1 || get != 0 {
		t.Errorf("an unchanged tag cost %d HEAD and %d GET", head, get)
	}
	second := image(2)
	w.source.Add("harbour/hello", "1.0", second)
	w.pass(time.Minute)
	rec := w.expect(w.get("GET", uri), http.StatusOK)
	if !bytes.Equal(rec.Body.Bytes(), second.Root().Body) {
		t.Error("a changed tag is served with its old manifest")
	}
}

func TestOneQuestionForAll(t *testing.T) {
	w := newWorld(t, func(w *world) { w.options.Places["gcr.io"] = []*Place{w.upstream} })
	w.source.Add("harbour/hello", "1.0", image(1))
	arrived := make(chan struct{})
	w.source.Inject(fakeregistry.Fault{Match: "GET .*manifests", Times: 1, Do: func(http.ResponseWriter, *http.Request) bool {
		<-arrived
		return false
	}})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if i == 19 {
				close(arrived)
			}
			if rec := w.get("GET", "/v2/harbour/hello/manifests/1.0?ns=gcr.io"); rec.Code != http.StatusOK {
				t.Errorf("status %d", rec.Code)
			}
		})
	}
	wg.Wait()
	if n := w.source.Count("manifests"); n != 1 {
		t.Errorf("20 clients at once cost %d requests", n)
	}
}

func TestTagsWhileNoPlaceAnswers(t *testing.T) {
	w := newWorld(t)
	img := image(1)
	w.source.Add("harbour/hello", "1.0", img)
	const uri = "/v2/harbour/hello/manifests/1.0?ns=gcr.io"
	w.expect(w.get("GET", uri), http.StatusOK)
	w.source.Inject(fakeregistry.Fault{Match: "manifests", Times: -1, Status: http.StatusBadGateway})
	w.pass(time.Hour)
	rec := w.expect(w.get("GET", uri), http.StatusOK)
	if !strings.HasPrefix(rec.Header().Get("Warning"), "110 ferry ") || !bytes.Equal(rec.Body.Bytes(), img.Root().Body) {
		t.Errorf("header %v", rec.Header())
	}
	w.pass(24 * time.Hour)
	rec = w.expect(w.get("GET", uri), http.StatusServiceUnavailable)
	if errorCode(t, rec) != distribution.Unavailable || rec.Header().Get("Retry-After") == "" {
		t.Errorf("%v %s", rec.Header(), rec.Body)
	}
}

func TestDeletedTag(t *testing.T) {
	w := newWorld(t)
	w.source.Add("harbour/hello", "1.0", image(1))
	const uri = "/v2/harbour/hello/manifests/1.0?ns=gcr.io"
	w.expect(w.get("GET", uri), http.StatusOK)
	w.source.Inject(fakeregistry.Fault{Match: "manifests/1.0", Times: -1, Status: http.StatusNotFound})
	w.pass(time.Hour)
	w.expect(w.get("GET", uri), http.StatusNotFound)
}

func TestFailuresOfPlaces(t *testing.T) {
	for _, test := range []struct {
		name   string
		fault  fakeregistry.Fault
		status int
		code   string
	}{
		{"server error", fakeregistry.Fault{Status: 500}, 503, distribution.Unavailable},
		{"rate limit", fakeregistry.Fault{Status: 429, RetryAfter: "30"}, 429, distribution.TooManyRequests},
		{"private", fakeregistry.Fault{Status: 403, Body: `{"errors":[{"code":"DENIED"}]}`}, 403, distribution.Denied},
		{"web page", fakeregistry.Fault{Status: 200, Body: "<html>Welcome to the hotel</html>"}, 502, distribution.Unavailable},
		{"cut", fakeregistry.Fault{CutResponse: 20}, 503, distribution.Unavailable},
		{"circle", fakeregistry.Fault{Status: 302, Header: http.Header{"Location": {"/v2/harbour/hello/manifests/1.0"}}}, 403, distribution.Denied},
		{"inside", fakeregistry.Fault{Status: 302, Header: http.Header{"Location": {"https://10.0.0.1/secret"}}}, 403, distribution.Denied},
		{"without TLS", fakeregistry.Fault{Status: 302, Header: http.Header{"Location": {"http://example.com/x"}}}, 403, distribution.Denied},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			img := image(1)
			w.source.Add("harbour/hello", "1.0", img)
			test.fault.Match, test.fault.Times = "GET .*manifests", -1
			w.source.Inject(test.fault)
			rec := w.expect(w.get("GET", "/v2/harbour/hello/manifests/1.0?ns=gcr.io"), test.status)
			if code := errorCode(t, rec); code != test.code {
				t.Errorf("code %s, want %s", code, test.code)
			}
			if strings.Contains(rec.Body.String(), "html") || rec.Header().Get("WWW-Authenticate") != "" || rec.Header().Get("ETag") != "" {
				t.Errorf("%v %s", rec.Header(), rec.Body)
			}
			if test.status == 429 && rec.Header().Get("Retry-After") != "31" && rec.Header().Get("Retry-After") != "30" {
				// The registry uses real time, the front does not.
				t.Logf("Retry-After %s", rec.Header().Get("Retry-After"))
			}
			// Another place has the image.
			w = newWorld(t)
			w.target.Add(mirrored, "1.0", img)
			w.options.Places["gcr.io"] = []*Place{w.upstream, w.mirror}
			w.source.Inject(test.fault)
			w.expect(w.get("GET", "/v2/harbour/hello/manifests/1.0?ns=gcr.io"), http.StatusOK)
		})
	}
}

func TestAPlaceThatLies(t *testing.T) {
	w := newWorld(t)
	img, other := image(1), image(2)
	w.source.Add("harbour/hello", "1.0", img)
	digest := fakeregistry.Digest(img.Root().Body)
	w.target.Inject(fakeregistry.Fault{Match: "GET .*manifests/sha256", Times: -1, Status: 200, Body: string(other.Root().Body)})
	rec := w.expect(w.get("GET", "/v2/harbour/hello/manifests/"+digest+"?ns=gcr.io"), http.StatusOK)
	if !bytes.Equal(rec.Body.Bytes(), img.Root().Body) {
		t.Error("other bytes were served for a digest")
	}
}

func TestSlowPlaceIsSkipped(t *testing.T) {
	attempts := 0
	w := newWorld(t, func(w *world) {
		w.options.after = func(_ time.Duration, late func()) *time.Timer {
			if attempts++; attempts > 1 {
				return time.AfterFunc(time.Hour, late)
			}
			return time.AfterFunc(0, late)
		}
	})
	w.source.Add("harbour/hello", "1.0", image(1))
	w.source.Add("harbour/other", "1.0", image(2))
	w.target.Inject(fakeregistry.Fault{Match: "GET .*manifests", Times: -1, Do: func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	}})
	for _, repository := range []string{"hello", "other"} {
		w.expect(w.get("GET", "/v2/harbour/"+repository+"/manifests/1.0?ns=gcr.io"), http.StatusOK)
	}
	if attempts != 3 {
		t.Errorf("%d places were asked: one that has just hung was asked again at once", attempts)
	}
}

func TestRanges(t *testing.T) {
	w := newWorld(t, func(w *world) { w.options.Places["gcr.io"] = []*Place{w.upstream} })
	img := image(1)
	w.source.Add("harbour/hello", "1.0", img)
	blob := img.Blobs[0]
	digest := fakeregistry.Digest(blob)
	uri, size := "/v2/harbour/hello/blobs/"+digest+"?ns=gcr.io", len(blob)
	for _, test := range []struct {
		header string
		status int
		span   string
		want   []byte
	}{
		{"bytes=0-9", 206, fmt.Sprintf("bytes 0-9/%d", size), blob[:10]},
		{"bytes=100000-", 206, fmt.Sprintf("bytes 100000-%d/%d", size-1, size), blob[100000:]},
		{"bytes=-7", 206, fmt.Sprintf("bytes %d-%d/%d", size-7, size-1, size), blob[size-7:]},
		{"bytes=-99999999", 206, fmt.Sprintf("bytes 0-%d/%d", size-1, size), blob},
		{"bytes=5-99999999999999999999999", 206, fmt.Sprintf("bytes 5-%d/%d", size-1, size), blob[5:]},
		{fmt.Sprintf("bytes=%d-", size), 416, fmt.Sprintf("bytes */%d", size), nil},
		{"bytes=99999999999999999999999-", 416, fmt.Sprintf("bytes */%d", size), nil},
		{"bytes=-0", 416, fmt.Sprintf("bytes */%d", size), nil},
		{"bytes=9-0", 200, "", blob},
		{"bytes=0-1,5-6", 200, "", blob},
		{"bytes=", 200, "", blob},
		{"bytes=-", 200, "", blob},
		{"bytes=a-b", 200, "", blob},
		{"bytes=+1-2", 200, "", blob},
		{"lines=1-2", 200, "", blob},
		{"", 200, "", blob},
	} {
		rec := w.expect(w.get("GET", uri, "Range", test.header), test.status)
		if rec.Header().Get("Content-Range") != test.span {
			t.Errorf("%q: Content-Range %q, want %q", test.header, rec.Header().Get("Content-Range"), test.span)
		}
		if test.status != 416 && !bytes.Equal(rec.Body.Bytes(), test.want) {
			t.Errorf("%q: %d bytes, want %d", test.header, rec.Body.Len(), len(test.want))
		}
	}
	w.expect(w.get("GET", uri, "Range", "bytes=0-1", "If-Range", `"another"`), http.StatusOK)
	w.expect(w.get("GET", uri, "Range", "bytes=0-1", "If-Range", `"`+digest+`"`), http.StatusPartialContent)
	w.expect(w.get("GET", uri, "If-None-Match", `"`+digest+`"`), http.StatusNotModified)
	w.source.Forget()
	rec := w.expect(w.get("HEAD", uri, "Range", "bytes=0-9"), http.StatusOK)
	if rec.Header().Get("Content-Length") != fmt.Sprint(size) || rec.Header().Get("Accept-Ranges") != "bytes" || w.source.Count("HEAD .*blobs") != 1 {
		t.Errorf("HEAD: %v", rec.Header())
	}
}

func TestRedirects(t *testing.T) {
	const signed = "https://bucket.oss-cn-hangzhou.example/layer?Signature=abc"
	img := image(1)
	digest := fakeregistry.Digest(img.Blobs[0])
	uri := "/v2/harbour/hello/blobs/" + digest + "?ns=gcr.io"
	redirecting := func(w *world, to string) {
		w.target.Add(mirrored, "1.0", img)
		w.target.Inject(fakeregistry.Fault{Match: "GET .*blobs", Times: 1, Status: 307, Header: http.Header{
			"Location": {to}, "Set-Cookie": {"session=of-the-place"}, "X-Secret": {"1"},
		}})
	}
	t.Run("handed on", func(t *testing.T) {
		w := newWorld(t)
		redirecting(w, signed)
		rec := w.expect(w.get("GET", uri), http.StatusTemporaryRedirect)
		if rec.Header().Get("Location") != signed || rec.Header().Get("Set-Cookie") != "" || rec.Header().Get("X-Secret") != "" || rec.Body.Len() > 0 {
			t.Errorf("%v", rec.Header())
		}
	})
	for name, to := range map[string]string{
		"out of reach": "https://storage.blocked.example/layer", "without TLS": "http://registry.example.com/v2/" + mirrored + "/blobs/" + digest,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(w *world) { w.options.RelayHosts = []string{"blocked.example"} })
			redirecting(w, to)
			if rec := w.expect(w.get("GET", uri), http.StatusOK); !bytes.Equal(rec.Body.Bytes(), img.Blobs[0]) {
				t.Error("another blob")
			}
		})
	}
	t.Run("relay", func(t *testing.T) {
		w := newWorld(t, func(w *world) { w.mirror.Blobs = Relay })
		w.target.Add(mirrored, "1.0", img)
		w.expect(w.get("GET", uri), http.StatusOK)
		if n := w.target.Count("GET .*blobs"); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestListsUseTheRequestedName(t *testing.T) {
	w := newWorld(t)
	w.target.Add(mirrored, "1.0", image(1))
	w.target.Add(mirrored, "digest-"+strings.Repeat("a", 64), image(2))
	w.target.Inject(fakeregistry.Fault{Match: "GET .*tags/list", Times: 1, Do: func(rw http.ResponseWriter, _ *http.Request) bool {
		rw.Header().Set("Link", `</v2/`+mirrored+`/tags/list?last=1.0&n=1>; rel="next"`)
		return false
	}})
	rec := w.expect(w.get("GET", "/v2/harbour/hello/tags/list?n=1&ns=gcr.io"), http.StatusOK)
	if got := rec.Body.String(); got != `{"name":"harbour/hello","tags":["1.0"]}` {
		t.Error(got)
	}
	if got := rec.Header().Get("Link"); got != `</v2/harbour/hello/tags/list?last=1.0&n=1&ns=gcr.io>; rel="next"` {
		t.Error(got)
	}
	if n := w.target.Count(`tags/list\?n=1$`); n == 0 {
		t.Error("the size of the page was not passed on")
	}
}

func TestReferrers(t *testing.T) {
	for _, old := range []bool{false, true} {
		t.Run(fmt.Sprintf("tag scheme %t", old), func(t *testing.T) {
			w := newWorld(t)
			img := image(1)
			w.target.Add(mirrored, "1.0", img)
			subject := fakeregistry.Digest(img.Root().Body)
			signature := fakeregistry.Signature(img.Root(), 7)
			if old {
				root := signature.Root()
				index, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []map[string]any{
					{"mediaType": root.MediaType, "digest": fakeregistry.Digest(root.Body), "size": len(root.Body), "artifactType": "application/vnd.example.signature"},
				}})
				if err != nil {
					t.Fatal(err)
				}
				w.target.PutManifest(mirrored, strings.Replace(subject, ":", "-", 1), "application/vnd.oci.image.index.v1+json", index)
			} else {
				w.target.Add(mirrored, "", signature)
			}
			uri := "/v2/harbour/hello/referrers/" + subject + "?ns=gcr.io"
			rec := w.expect(w.get("GET", uri), http.StatusOK)
			if !strings.Contains(rec.Body.String(), fakeregistry.Digest(signature.Root().Body)) || rec.Header().Get("Content-Type") != "application/vnd.oci.image.index.v1+json" {
				t.Errorf("%s", rec.Body)
			}
			rec = w.expect(w.get("GET", uri+"&artifactType="+url.QueryEscape("application/other")), http.StatusOK)
			if strings.Contains(rec.Body.String(), "digest") || rec.Header().Get("OCI-Filters-Applied") != "artifactType" {
				t.Errorf("%s", rec.Body)
			}
		})
	}
	w := newWorld(t)
	rec := w.expect(w.get("GET", "/v2/harbour/hello/referrers/"+anyDigest+"?ns=gcr.io"), http.StatusOK)
	if !strings.Contains(rec.Body.String(), `"manifests":[]`) {
		t.Errorf("%s", rec.Body)
	}
}

func TestTheRestOfHTTP(t *testing.T) {
	w := newWorld(t)
	for _, method := range []string{"PUT", "POST", "PATCH", "DELETE", "OPTIONS"} {
		rec := w.expect(w.get(method, "/v2/harbour/hello/manifests/1.0?ns=gcr.io"), http.StatusMethodNotAllowed)
		if errorCode(t, rec) != distribution.Unsupported || rec.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %v", method, rec.Header())
		}
	}
	w.expect(w.get("GET", "/v2/"), http.StatusOK)
	w.expect(w.get("HEAD", "/v2/"), http.StatusOK)
	w.expect(w.get("GET", "http://evil.example/v2/harbour/hello/manifests/1.0?ns=gcr.io"), http.StatusBadRequest)
	if n := w.source.Count(".") + w.target.Count("."); n > 0 {
		t.Errorf("%d requests went out", n)
	}
	rec := w.expect(w.get("HEAD", "/v2/harbour/hello/manifests/none?ns=gcr.io"), http.StatusNotFound)
	if rec.Body.Len() > 0 {
		t.Error("HEAD has a body")
	}
}

func TestNamesOfProfileLastTellNoTags(t *testing.T) {
	w := newWorld(t)
	w.mirror.Tag = nil
	target := testLast(t, w)
	img := image(1)
	w.target.Add(namespace+"/hello", "1.0", img)
	w.options.Places["gcr.io"] = []*Place{target}
	rec := w.expect(w.get("GET", "/v2/harbour/hello/manifests/1.0?ns=gcr.io"), http.StatusNotFound)
	if errorCode(t, rec) != distribution.ManifestUnknown || w.target.Count(".") > 0 {
		t.Errorf("%s", rec.Body)
	}
	w.expect(w.get("GET", "/v2/harbour/hello/manifests/"+fakeregistry.Digest(img.Root().Body)+"?ns=gcr.io"), http.StatusOK)
}

// TestOneRepository serves tags and digests of a mirror that has all images in one
// repository, and no lists, which would have tags of other sources.
func TestOneRepository(t *testing.T) {
	w := newWorld(t)
	target := profiled(t, w, name.One)
	img := image(1)
	w.target.Add(namespace+"/mirrors", "harbour.hello..1.0", img)
	w.options.Places["gcr.io"] = []*Place{target}
	w.expect(w.get("GET", "/v2/harbour/hello/manifests/1.0?ns=gcr.io"), http.StatusOK)
	w.expect(w.get("GET", "/v2/harbour/other/manifests/1.0?ns=gcr.io"), http.StatusNotFound)
	w.expect(w.get("GET", "/v2/harbour/hello/manifests/"+fakeregistry.Digest(img.Root().Body)+"?ns=gcr.io"), http.StatusOK)
	before := w.target.Count("tags/list")
	w.expect(w.get("GET", "/v2/harbour/hello/tags/list?ns=gcr.io"), http.StatusNotFound)
	if w.target.Count("tags/list") > before {
		t.Error("the list of all sources was asked for")
	}
}

func TestFailureCodesAreNamed(t *testing.T) {
	w := newWorld(t)
	w.source.Inject(fakeregistry.Fault{Match: "manifests", Times: -1, Status: 503})
	rec := w.expect(w.get("GET", "/v2/harbour/hello/manifests/1.0?ns=gcr.io"), http.StatusServiceUnavailable)
	for _, want := range []string{`"ferry":"unavailable"`, `{"place":"mirror registry.example.com/alice","failure":"not-found"}`, string(failure.Unavailable)} {
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%s lacks %s", rec.Body, want)
		}
	}
}

func TestTheBudgetOfAPlace(t *testing.T) {
	w := newWorld(t)
	w.upstream.Budget = NewBudget(2, time.Hour, w.clock)
	for i := range 3 {
		w.source.Add("harbour/hello", fmt.Sprint(i), image(uint64(i)))
		status := http.StatusOK
		if i == 2 {
			status = http.StatusTooManyRequests
		}
		w.expect(w.get("GET", fmt.Sprintf("/v2/harbour/hello/manifests/%d?ns=gcr.io", i)), status)
	}
	w.pass(31 * time.Minute)
	w.expect(w.get("GET", "/v2/harbour/hello/manifests/2?ns=gcr.io"), http.StatusOK)
}

// TestImagesBySHA512: the mirror has them under a tag that is made of the digest,
// the source by the digest itself. A tag that holds something else is not there.
func TestImagesBySHA512(t *testing.T) {
	w := newWorld(t)
	body := image(1).Root().Body
	sum := sha512.Sum512(body)
	digest := v1.Hash{Algorithm: "sha512", Hex: hex.EncodeToString(sum[:])}
	w.source.Behave(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			r.URL.Path = strings.ReplaceAll(r.URL.Path, digest.String(), fakeregistry.Digest(body))
			next.ServeHTTP(rw, r)
		})
	})
	repository, err := reference.NewRepository("gcr.io", "harbour/hello")
	if err != nil {
		t.Fatal(err)
	}
	tag, _ := w.mirror.Digest(repository, digest)
	uri := "/v2/harbour/hello/manifests/" + digest.String() + "?ns=gcr.io"
	w.expect(w.get("GET", uri), http.StatusNotFound)
	for _, step := range []struct {
		name string
		have func()
	}{
		{"the source has it", func() { w.source.Add("harbour/hello", "1.0", image(1)) }},
		{"the mirror has something else", func() { w.target.Add(mirrored, tag.Tag(), image(2)) }},
		{"the mirror has it", func() {
			w.target.Add(mirrored, tag.Tag(), image(1))
			w.source.Forget()
		}},
	} {
		step.have()
		w.front = New(w.options)
		for _, method := range []string{"HEAD", "GET"} {
			rec := w.expect(w.get(method, uri), http.StatusOK)
			if got := rec.Header().Get("Docker-Content-Digest"); got != digest.String() || method == "GET" && !bytes.Equal(rec.Body.Bytes(), body) {
				t.Errorf("%s: %s: digest %s, %d bytes", step.name, method, got, rec.Body.Len())
			}
		}
	}
	if n := w.source.Count("."); n > 0 {
		t.Errorf("the source was asked %d times for what the mirror has", n)
	}
	w.expect(w.get("GET", strings.Replace(uri, "manifests", "blobs", 1)), http.StatusBadRequest)
}
