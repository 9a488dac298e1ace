package front

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

const (
	missingURI = "/v2/harbour/hello/manifests/1.0?ns=gcr.io"
	runsPage   = "https://github.com/alice/ferry/actions/workflows/mirror.yml"
	clientWait = 2 * time.Minute
)

// requester is a world whose front has only a mirror and requests what it lacks.
type requester struct {
	*world
	started atomic.Int32
	start   func(reference.Reference) error
	runs    func() (id int64, conclusion string)
	reason  func(run int64) (string, error)
	pauses  func(time.Duration) // between two looks
	late    chan func()         // ends a client's wait
}

func newRequester(t *testing.T, change func(*requester)) *requester {
	t.Helper()
	r := &requester{start: func(reference.Reference) error { return nil }, late: make(chan func(), 2000),
		runs: func() (int64, string) { return 0, "" }, reason: func(int64) (string, error) { return "", nil }, pauses: func(time.Duration) {}}
	r.world = newWorld(t, func(w *world) {
		w.options.Places["gcr.io"] = []*Place{w.mirror}
		w.options.after = func(d time.Duration, f func()) *time.Timer {
			switch d {
			case DefaultPatience:
				return time.AfterFunc(time.Hour, f)
			case clientWait:
				r.late <- f
				return time.AfterFunc(time.Hour, f)
			}
			r.pauses(d)
			return time.AfterFunc(0, f)
		}
		w.options.Requests = &Requests{
			Start: func(_ context.Context, image reference.Reference) error {
				r.started.Add(1)
				return r.start(image)
			},
			Run: func(_ context.Context, image reference.Reference) (id int64, conclusion, page string, err error) {
				id, conclusion = r.runs()
				return id, conclusion, fmt.Sprintf("https://github.com/alice/ferry/actions/runs/%d", id), nil
			},
			Reason: func(_ context.Context, run int64, _ reference.Reference) (string, error) { return r.reason(run) },
			Runs:   runsPage, Sources: map[string]bool{"gcr.io": true}, Wait: clientWait, Hourly: 20, Daily: 200,
		}
	})
	if change != nil {
		change(r)
		r.front = New(r.options)
	}
	return r
}

// arrives puts the image at the target, as a run does.
func (r *requester) arrives(wanted reference.Reference) error {
	if wanted.String() != "gcr.io/harbour/hello:1.0" {
		return errors.New("another image: " + wanted.String())
	}
	r.target.Add(mirrored, "1.0", image(1))
	return nil
}

func TestMissingImageIsMirroredOnceForAThousandClients(t *testing.T) {
	r := newRequester(t, nil)
	all := make(chan struct{})
	r.start = func(image reference.Reference) error {
		<-all // every client waits before the image is there
		return r.arrives(image)
	}
	var wg sync.WaitGroup
	var served atomic.Int32
	for range 1000 {
		wg.Go(func() {
			rec := r.get("GET", missingURI)
			if rec.Code == http.StatusOK && rec.Header().Get("Docker-Content-Digest") == fakeregistry.Digest(image(1).Root().Body) {
				served.Add(1)
			}
		})
	}
	for range 1000 {
		<-r.late
	}
	close(all)
	wg.Wait()
	if served.Load() != 1000 || r.started.Load() != 1 {
		t.Errorf("%d clients were served, and %d runs were started\n%s", served.Load(), r.started.Load(), r.log)
	}
}

func TestClientIsHeldAsLongAsItMay(t *testing.T) {
	r := newRequester(t, nil)
	arrive := make(chan struct{})
	go func() { (<-r.late)() }()
	rec := r.expect(r.get("HEAD", missingURI), http.StatusNotFound)
	if rec.Header().Get("Retry-After") == "" {
		t.Errorf("%v", rec.Header())
	}
	go func() { (<-r.late)() }()
	rec = r.expect(r.get("GET", missingURI), http.StatusNotFound)
	if body := rec.Body.String(); errorCode(t, rec) != "MANIFEST_UNKNOWN" || !strings.Contains(body, "no mirror has gcr.io/harbour/hello:1.0") || !strings.Contains(body, runsPage) {
		t.Errorf("%s", body)
	}

	// The client that leaves ends its own wait alone.
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan struct{})
	go func() {
		defer close(left)
		request := httptest.NewRequest("GET", missingURI, nil).WithContext(ctx)
		r.front.ServeHTTP(httptest.NewRecorder(), request)
	}()
	<-r.late
	cancel()
	<-left

	metrics := httptest.NewRecorder()
	server := &Server{}
	server.Use(r.front)
	server.Metrics(r.front.memories).ServeHTTP(metrics, httptest.NewRequest("GET", "/-/requests", nil))
	var shown struct{ Requests map[string]string }
	if err := json.Unmarshal(metrics.Body.Bytes(), &shown); err != nil || !strings.HasPrefix(shown.Requests["gcr.io/harbour/hello:1.0"], "running since ") {
		t.Errorf("%s %v", metrics.Body, err)
	}

	go func() {
		defer close(arrive)
		r.expect(r.get("GET", missingURI), http.StatusOK)
	}()
	<-r.late
	r.target.Add(mirrored, "1.0", image(1))
	<-arrive
	if r.started.Load() != 1 {
		t.Errorf("%d runs were started", r.started.Load())
	}
}

func TestRunThatCannotBeStarted(t *testing.T) {
	r := newRequester(t, nil)
	r.start = func(reference.Reference) error { return errors.New("the token has expired") }
	for range 3 {
		rec := r.expect(r.get("GET", missingURI), http.StatusNotFound)
		if body := rec.Body.String(); !strings.Contains(body, "could not be requested") || strings.Contains(body, "expired") {
			t.Errorf("%s", body)
		}
	}
	if r.started.Load() != 1 || !strings.Contains(r.log.String(), "the token has expired") {
		t.Errorf("%d runs were started\n%s", r.started.Load(), r.log)
	}
}

// TestRunThatEndsWithoutTheImage answers the clients at once, and remembers the
// failure.
func TestRunThatEndsWithoutTheImage(t *testing.T) {
	for _, conclusion := range []string{"failure", "cancelled", "timed_out", "startup_failure", "success"} {
		r := newRequester(t, nil)
		r.runs = func() (int64, string) {
			if r.started.Load() == 0 {
				return 6, "failure" // of yesterday
			}
			return 7, conclusion
		}
		for range 3 {
			rec := r.expect(r.get("GET", missingURI), http.StatusNotFound)
			if body := rec.Body.String(); !strings.Contains(body, "no mirror has gcr.io/harbour/hello:1.0: the run for it has ended with "+conclusion+", see https://github.com/alice/ferry/actions/runs/7") {
				t.Errorf("%s", body)
			}
			if again := rec.Header().Get("Retry-After"); again != "600" {
				t.Errorf("%s: it may be requested again in %q seconds", conclusion, again)
			}
		}
		if r.started.Load() != 1 {
			t.Errorf("%s: %d runs were started", conclusion, r.started.Load())
		}
	}
}

// TestReasonOfAFailedRun: clients get what Ferry says in the run, on one line that is
// not too long.
func TestReasonOfAFailedRun(t *testing.T) {
	for said, want := range map[string]string{
		"":           "actions/runs/7\"",
		"\n\t\u202e": "actions/runs/7\"",
		"not found: no image\n\x1b[31m at \u202egcr.io": "actions/runs/7: not found: no image [31m at gcr.io\"",
		strings.Repeat("é", 1000):                       "actions/runs/7: " + strings.Repeat("é", 198) + "…\"",
	} {
		r := newRequester(t, nil)
		r.runs = func() (int64, string) { return int64(r.started.Load()) * 7, "failure" }
		r.reason = func(run int64) (string, error) {
			if run != 7 {
				t.Errorf("the reason of run %d was asked for", run)
			}
			return said, nil
		}
		if body := r.expect(r.get("GET", missingURI), http.StatusNotFound).Body.String(); !strings.Contains(body, want) {
			t.Errorf("%q: %s, want %s", said, body, want)
		}
	}
	r := newRequester(t, nil)
	r.runs = func() (int64, string) { return int64(r.started.Load()) * 7, "failure" }
	r.reason = func(int64) (string, error) { return "", errors.New("github-permission") }
	rec := r.expect(r.get("GET", missingURI), http.StatusNotFound)
	if body := rec.Body.String(); !strings.Contains(body, "actions/runs/7\"") || !strings.Contains(r.log.String(), "github-permission") {
		t.Errorf("%s\n%s", body, r.log)
	}
}

// TestRunThatSucceedsBeforeTheImageIsSeen: registries may show later what they have.
func TestRunThatSucceedsBeforeTheImageIsSeen(t *testing.T) {
	r := newRequester(t, nil)
	looks := 0
	r.runs = func() (int64, string) {
		if looks++; looks == 8 {
			r.target.Add(mirrored, "1.0", image(1))
		}
		return int64(r.started.Load()), "success"
	}
	r.expect(r.get("GET", missingURI), http.StatusOK)
}

// TestRunBeforeIsNotSeen: a run may be that of yesterday if GitHub did not tell the
// last one before the start.
func TestRunBeforeIsNotSeen(t *testing.T) {
	looks := 0
	r := newRequester(t, func(r *requester) {
		run := r.options.Requests.Run
		r.options.Requests.Run = func(ctx context.Context, image reference.Reference) (id int64, conclusion, page string, err error) {
			if looks++; looks == 1 {
				return 0, "", "", errors.New("GitHub does not answer")
			}
			return run(ctx, image)
		}
	})
	r.runs = func() (int64, string) { return 6, "failure" }
	pauses := 0
	r.pauses = func(time.Duration) {
		if pauses++; pauses == 100 {
			r.target.Add(mirrored, "1.0", image(1))
		}
	}
	r.expect(r.get("GET", missingURI), http.StatusOK)
	if looks != 1 {
		t.Errorf("GitHub was asked for runs %d times", looks)
	}
}

// TestReplicasShareARun: a run that another front has started is waited for, and its
// failure is a failure here too.
func TestReplicasShareARun(t *testing.T) {
	for want, conclusion := range map[int]string{http.StatusOK: "success", http.StatusNotFound: "failure"} {
		r := newRequester(t, nil)
		looks := 0
		r.runs = func() (int64, string) {
			if looks++; looks < 5 {
				return 7, "" // queued
			}
			if want == http.StatusOK {
				r.target.Add(mirrored, "1.0", image(1))
			}
			return 7, conclusion
		}
		r.expect(r.get("GET", missingURI), want)
		if r.started.Load() != 0 {
			t.Errorf("%d runs were started besides that of the other front", r.started.Load())
		}
	}
}

// TestRunThatIsQueuedForAnHour: the request for its image fails, and the next one waits
// for the same run.
func TestRunThatIsQueuedForAnHour(t *testing.T) {
	r := newRequester(t, nil)
	r.runs = func() (int64, string) { return int64(r.started.Load()), "" }
	q, refusal := r.options.Names.Question("", "/v2/harbour/hello/manifests/1.0", "", "ns=gcr.io")
	if refusal != nil {
		t.Fatal(refusal)
	}
	wanted, err := reference.Parse("gcr.io/harbour/hello:1.0")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		var waited time.Duration
		looks := 0
		r.pauses = func(d time.Duration) {
			looks++
			if waited += d; waited >= requestTime {
				cancel()
			}
		}
		if err := r.front.await(ctx, q, wanted, &awaited{announced: make(chan struct{})}); err == nil || !strings.Contains(err.Error(), "it was requested and has not arrived, see "+runsPage) {
			t.Errorf("%v", err)
		}
		if looks > 500 {
			t.Errorf("the target was asked %d times", looks)
		}
	}
	if r.started.Load() != 1 {
		t.Errorf("%d runs were started", r.started.Load())
	}
}

// TestImageIsServedSoonAfterItArrives: the response comes after at most 1.1 times what
// the run takes to push the image, and a tenth of a second.
func TestImageIsServedSoonAfterItArrives(t *testing.T) {
	for _, took := range []time.Duration{2 * time.Second, 5 * time.Second, 17 * time.Second, time.Minute, 10 * time.Minute} {
		r := newRequester(t, nil)
		var waited time.Duration
		r.pauses = func(d time.Duration) {
			if waited += d; waited >= took {
				r.target.Add(mirrored, "1.0", image(1))
			}
		}
		r.expect(r.get("GET", missingURI), http.StatusOK)
		if waited > took*11/10+firstPause {
			t.Errorf("an image that arrives after %s is served after %s", took, waited)
		}
	}
}

func TestBudgetsOfRequests(t *testing.T) {
	r := newRequester(t, func(r *requester) { r.options.Requests.Hourly, r.options.Requests.Daily = 2, 3 })
	r.start = func(reference.Reference) error { return errors.New("no runner") }
	get := func(from, tag string) string {
		request := httptest.NewRequest("GET", "/v2/harbour/hello/manifests/"+tag+"?ns=gcr.io", nil)
		request.RemoteAddr = from
		rec := httptest.NewRecorder()
		r.front.ServeHTTP(rec, request)
		return rec.Body.String()
	}
	for _, test := range []struct {
		from, tag string
		refused   bool
	}{
		{"192.0.2.1:1", "1", false}, {"192.0.2.1:1", "2", false}, {"192.0.2.1:1", "3", true}, {"192.0.2.1:1", "1", false},
		{"192.0.2.2:1", "1", false}, {"192.0.2.2:1", "4", false}, {"192.0.2.3:1", "5", true},
	} {
		if body := get(test.from, test.tag); strings.Contains(body, "one client may request 2 images in an hour") != test.refused {
			t.Errorf("%s for %s: %s", test.from, test.tag, body)
		}
	}
	if r.started.Load() != 3 {
		t.Errorf("%d runs were started", r.started.Load())
	}
}

func TestWhatIsNotRequested(t *testing.T) {
	manifest := "/v2/harbour/hello/manifests/"
	for what, test := range map[string]struct {
		change func(*requester)
		uri    string
	}{
		"a blob":                {nil, "/v2/harbour/hello/blobs/" + anyDigest + "?ns=gcr.io"},
		"a list":                {nil, "/v2/harbour/hello/tags/list?ns=gcr.io"},
		"a source with a login": {func(r *requester) { r.options.Requests.Sources = map[string]bool{} }, missingURI},
		"what the source lacks": {func(r *requester) { r.options.Places["gcr.io"] = []*Place{r.mirror, r.upstream} }, missingURI},
		"what is denied": {func(r *requester) {
			pattern, err := name.ParsePattern("gcr.io/harbour/*")
			if err != nil {
				t.Fatal(err)
			}
			r.options.Repositories = &Rules{Denied: []name.Pattern{pattern}}
		}, missingURI},
		"a tag under a name of profile last": {func(r *requester) { r.options.Places["gcr.io"] = []*Place{testLast(t, r.world)} }, missingURI},
		"what does not answer": {func(r *requester) {
			r.target.Inject(fakeregistry.Fault{Match: ".*", Times: -1, Status: 503})
		}, missingURI},
	} {
		r := newRequester(t, test.change)
		if rec := r.get("GET", test.uri); rec.Code == http.StatusOK {
			t.Errorf("%s: status %d", what, rec.Code)
		}
		if r.started.Load() != 0 {
			t.Errorf("%s was requested", what)
		}
	}

	// A part of an image whose index is there.
	r := newRequester(t, nil)
	img := image(1)
	r.target.Add(mirrored, "1.0", img)
	r.expect(r.get("GET", missingURI), http.StatusOK)
	r.target.Inject(fakeregistry.Fault{Match: "GET .*manifests", Times: -1, Status: 404})
	var index struct{ Manifests []struct{ Digest string } }
	if err := json.Unmarshal(img.Root().Body, &index); err != nil {
		t.Fatal(err)
	}
	r.expect(r.get("GET", manifest+index.Manifests[0].Digest+"?ns=gcr.io"), http.StatusNotFound)
	if r.started.Load() != 0 {
		t.Error("a part of an image was requested")
	}
}

func TestRequestsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{images: map[reference.Reference]*awaited{}}
		image, err := reference.Parse("gcr.io/harbour/hello:1.0")
		if err != nil {
			t.Fatal(err)
		}
		find := func(wantMade bool) *awaited {
			t.Helper()
			a, made := d.find(image, time.Now(), func() bool { return true })
			if a == nil || made != wantMade {
				t.Fatalf("made %t", made)
			}
			return a
		}
		first := find(true)
		time.Sleep(2 * time.Hour)
		find(false) // it runs
		d.end(first, time.Now(), errors.New("no runner"))
		time.Sleep(requestRest)
		find(false) // its failure is remembered
		time.Sleep(time.Second)
		second := find(true)
		d.end(second, time.Now(), nil)
		find(true) // it has arrived and is missing again
		if a, _ := d.find(reference.Reference{}, time.Now(), func() bool { return false }); a != nil || len(d.images) != 1 {
			t.Error("what may not be requested is remembered")
		}
	})
}

// newAnnouncer returns a requester whose run 7 has the platform linux/amd64 of image(1) at the
// target, and its index announced.
func newAnnouncer(t *testing.T) (r *requester, parts []string) {
	t.Helper()
	whole := image(1)
	var index struct{ Manifests []struct{ Digest string } }
	if err := json.Unmarshal(whole.Root().Body, &index); err != nil {
		t.Fatal(err)
	}
	r = newRequester(t, nil)
	r.start = func(image reference.Reference) error {
		r.target.Add(mirrored, "", &fakeregistry.Image{Manifests: whole.Manifests[:1], Blobs: whole.Blobs})
		r.announce(image, whole.Root(), 7)
		return nil
	}
	r.runs = r.seventh
	return r, []string{index.Manifests[0].Digest, index.Manifests[1].Digest}
}

// seventh returns run 7, which is running, once a run was started, and yesterday's run
// before.
func (r *requester) seventh() (id int64, conclusion string) {
	if r.started.Load() == 0 {
		return 6, "failure"
	}
	return 7, ""
}

// announce announces an index of an image by a run.
func (r *requester) announce(image reference.Reference, index fakeregistry.Part, run int) {
	r.t.Helper()
	targets := registry.NewTargets([]config.Target{{
		Host: targetHost, Private: true, PlainHTTP: true, Username: "alice", Password: config.NewSecret("sesame-of-alice"),
	}}, nil, registry.Options{Network: outbound.Options{At: r.at}})
	defer targets.Close()
	to, err := reference.Parse(targetHost + "/" + mirrored + ":" + registry.Announcement(image))
	if client, ok := targets.ForHost(targetHost); err == nil && ok {
		err = client.Announce(r.t.Context(), to, registry.NewManifest(types.MediaType(index.MediaType), index.Body), fmt.Sprint("https://github.com/alice/ferry/actions/runs/", run))
	}
	if err != nil {
		r.t.Error(err)
	}
}

// TestAnnouncedImage: a client is served as soon as the platforms that are copied first
// are there; one that wants another platform waits for it.
func TestAnnouncedImage(t *testing.T) {
	r, parts := newAnnouncer(t)
	root := fakeregistry.Digest(image(1).Root().Body)
	byDigest := func(digest string) string { return "/v2/harbour/hello/manifests/" + digest + "?ns=gcr.io" }
	for _, uri := range []string{missingURI, missingURI, byDigest(root)} {
		if got := r.expect(r.get("GET", uri), http.StatusOK).Header().Get("Docker-Content-Digest"); got != root {
			t.Errorf("%s: digest %s, want %s", uri, got, root)
		}
	}
	r.expect(r.get("GET", byDigest(parts[0])), http.StatusOK)
	for len(r.late) > 0 {
		<-r.late
	}
	served := make(chan *httptest.ResponseRecorder)
	go func() { served <- r.get("GET", byDigest(parts[1])) }()
	<-r.late
	select {
	case rec := <-served:
		t.Errorf("a platform that is not there: %s", rec.Body)
	default:
	}
	r.target.Add(mirrored, "1.0", image(1))
	r.expect(<-served, http.StatusOK)
	go func() { (<-r.late)() }()
	r.expect(r.get("GET", byDigest(fakeregistry.Digest([]byte("x")))), http.StatusNotFound)
	if r.started.Load() != 1 {
		t.Errorf("%d runs were started", r.started.Load())
	}
}

// TestRunFailsAfterTheAnnouncement: the image is not served any more.
func TestRunFailsAfterTheAnnouncement(t *testing.T) {
	r, parts := newAnnouncer(t)
	var failed atomic.Bool
	r.runs = func() (int64, string) {
		if failed.Load() {
			return 7, "failure"
		}
		return r.seventh()
	}
	r.expect(r.get("GET", missingURI), http.StatusOK)
	served := make(chan *httptest.ResponseRecorder)
	go func() { served <- r.get("GET", "/v2/harbour/hello/manifests/"+parts[1]+"?ns=gcr.io") }()
	<-r.late
	<-r.late
	failed.Store(true)
	for _, rec := range []*httptest.ResponseRecorder{r.expect(<-served, http.StatusNotFound), r.expect(r.get("GET", missingURI), http.StatusNotFound)} {
		if !strings.Contains(rec.Body.String(), "has ended with failure") {
			t.Errorf("%s", rec.Body)
		}
	}
	r.expect(r.get("GET", "/v2/harbour/hello/manifests/"+fakeregistry.Digest(image(1).Root().Body)+"?ns=gcr.io"), http.StatusNotFound)
	if r.started.Load() != 1 {
		t.Errorf("%d runs were started", r.started.Load())
	}
}

// TestWhatIsNoAnnouncement: that of an earlier run, and what is none, is not served.
func TestWhatIsNoAnnouncement(t *testing.T) {
	root, other := image(1).Root(), image(2).Root()
	for what, announce := range map[string]func(*requester, reference.Reference){
		"of an earlier run": func(r *requester, image reference.Reference) { r.announce(image, root, 6) },
		"of another digest": func(r *requester, image reference.Reference) { r.announce(image, other, 7) },
		"of no index":       func(r *requester, wanted reference.Reference) { r.announce(wanted, image(1).Manifests[0], 7) },
		"an image": func(r *requester, wanted reference.Reference) {
			r.target.Add(mirrored, registry.Announcement(wanted), image(2))
		},
	} {
		r := newRequester(t, nil)
		r.start = func(image reference.Reference) error {
			announce(r, image)
			return nil
		}
		r.runs = r.seventh
		looks := 0
		r.pauses = func(time.Duration) {
			if looks++; looks == 4 {
				(<-r.late)()
			}
		}
		rec := r.expect(r.get("GET", "/v2/harbour/hello/manifests/"+fakeregistry.Digest(root.Body)+"?ns=gcr.io"), http.StatusNotFound)
		if !strings.Contains(rec.Body.String(), "is being mirrored") {
			t.Errorf("%s: %s", what, rec.Body)
		}
		if n := r.target.Count("GET .*/manifests/digest-"); n != 1 {
			t.Errorf("%s: it was read %d times", what, n)
		}
	}
}
