package transfer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

const mib = 1 << 20

// sea is a source with one blob, some targets and an Engine between them.
type sea struct {
	t       *testing.T
	engine  *Engine
	source  *fakeregistry.Registry
	client  *registry.Client
	from    *registry.Blob
	blob    Blob
	targets []*fakeregistry.Registry
	clients []*registry.Client
	to      []reference.Repository
}

func newSea(t *testing.T, size, targets int, opts Options) *sea {
	t.Helper()
	leavesNoGoroutines(t)
	s := &sea{t: t, engine: New(opts), source: fakeregistry.New(fakeregistry.Options{})}
	image := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{size}})
	t.Cleanup(s.engine.Close)
	s.source.Add("src", "1", image)
	digest, err := reference.ParseDigest(fakeregistry.Digest(image.Blobs[0]))
	if err != nil {
		t.Fatal(err)
	}
	s.blob = Blob{Digest: digest, Size: int64(size)}
	ropts := registry.Options{Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	host := s.serve(s.source)
	sources := registry.NewSources([]config.Source{{Host: host, Private: true, PlainHTTP: true}}, ropts)
	t.Cleanup(sources.Close)
	s.client, _ = sources.ForHost(host)
	s.from = s.client.Blob(s.repository(host, "src"), digest, int64(size))
	for range targets {
		target := fakeregistry.New(fakeregistry.Options{})
		host := s.serve(target)
		set := registry.NewTargets([]config.Target{{Host: host, Private: true, PlainHTTP: true}}, nil, ropts)
		t.Cleanup(set.Close)
		client, _ := set.ForHost(host)
		s.targets, s.clients, s.to = append(s.targets, target), append(s.clients, client), append(s.to, s.repository(host, "dst"))
	}
	return s
}

// leavesNoGoroutines fails the test if goroutines of this package are left
// after its other cleanups. Those that context.AfterFunc has just started are
// given time to end.
func leavesNoGoroutines(t *testing.T) {
	t.Cleanup(func() {
		left := ""
		for range 100 {
			buffer := make([]byte, 1<<20)
			text := string(buffer[:runtime.Stack(buffer, true)])
			left = ""
			for _, g := range strings.Split(text, "\n\n")[1:] { // the first is the test's own goroutine
				if strings.Contains(g, "internal/transfer.") && !strings.Contains(g, "testing.(*T).Run") {
					left = g
				}
			}
			if left == "" {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Errorf("a goroutine is left:\n%s", left)
	})
}

func (s *sea) serve(r *fakeregistry.Registry) string {
	server := httptest.NewServer(r)
	s.t.Cleanup(func() { _ = server.Config.Close() }) // net/http holds refused requests for half a second
	return strings.Replace(strings.TrimPrefix(server.URL, "http://"), "127.0.0.1", "localhost", 1)
}

func (s *sea) repository(host, path string) reference.Repository {
	r, err := reference.NewRepository(host, path)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// place sends the blob to target i and checks the accounting of the memory.
func (s *sea) place(i int) error {
	_, err := s.engine.Place(s.t.Context(), s.blob, s.from, s.target(i), func(int64) {
		s.engine.mu.Lock()
		defer s.engine.mu.Unlock()
		m := &s.engine.memory
		if m.held < 0 || m.keeps < 0 || m.held+m.keeps > m.budget {
			s.t.Errorf("memory holds %d and keeps %d of %d", m.held, m.keeps, m.budget)
		}
	})
	return err
}

// target returns the blob at target i.
func (s *sea) target(i int) Target { return s.clients[i].Upload(s.to[i], s.blob.Digest, s.blob.Size) }

// at returns the blob in a repository of the first target.
func (s *sea) at(to reference.Repository) Target {
	return s.clients[0].Upload(to, s.blob.Digest, s.blob.Size)
}

func (s *sea) read() int64 {
	var n int64
	for _, q := range s.source.Requests() {
		n += q.Sent
	}
	return n
}

func TestManyConnectionsReadOneBlobOnce(t *testing.T) {
	for _, connections := range []int{0, 1, 5} {
		t.Run(fmt.Sprint(connections), func(t *testing.T) {
			s := newSea(t, 9*mib+12345, 1, Options{Memory: 6 * mib})
			s.engine.near = func(Source) bool { return false }
			stream := s.engine.acquire(s.blob, s.from, false)
			s.engine.mu.Lock()
			stream.host.tuner.connections, stream.host.tuner.young = connections, false
			stream.host.tuner.wait = 1 << 30 // no trials
			stream.host.shareLocked()
			s.engine.mu.Unlock()
			if err := s.place(0); err != nil {
				t.Fatal(err)
			}
			s.engine.release(stream)
			if !s.targets[0].HasBlob("dst", s.blob.Digest.String()) {
				t.Error("the blob did not arrive")
			}
			if n := s.read(); n != s.blob.Size {
				t.Errorf("read %d bytes of %d", n, s.blob.Size)
			}
			// The size of pieces depends on the speed of this machine.
			if ranges := s.source.Count("^GET .*/blobs/"); connections > 1 && ranges < 2 {
				t.Errorf("read in %d pieces", ranges)
			}
		})
	}
}

// TestLargeBlobBeginsWithManyConnections holds back all requests but the first
// until all initial connections are open.
func TestLargeBlobBeginsWithManyConnections(t *testing.T) {
	s := newSea(t, 20*mib, 1, Options{})
	s.engine.near = func(Source) bool { return false }
	s.engine.maxHedges = 0 // requests held back are late
	var mu sync.Mutex
	requests, all := 0, make(chan struct{})
	s.source.Inject(fakeregistry.Fault{Match: "^GET .*/blobs/", Times: -1, Do: func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		requests++
		n := requests
		mu.Unlock()
		if n == s.engine.initialConnections {
			close(all)
		}
		if n > 1 {
			select {
			case <-all:
			case <-r.Context().Done():
			}
		}
		return false
	}})
	if err := s.place(0); err != nil {
		t.Fatal(err)
	}
	if n := s.read(); n != s.blob.Size {
		t.Errorf("read %d bytes of %d", n, s.blob.Size)
	}
}

// TestServerWithoutRangesIsReadInOneGo checks that a server that would return
// the whole blob for each part is asked for it once.
func TestServerWithoutRangesIsReadInOneGo(t *testing.T) {
	s := newSea(t, 20*mib, 1, Options{})
	s.engine.near = func(Source) bool { return false }
	s.source.Inject(fakeregistry.Fault{Match: "^GET .*/blobs/", Times: -1, Do: func(_ http.ResponseWriter, r *http.Request) bool {
		r.Header.Del("Range")
		return false
	}})
	if err := s.place(0); err != nil {
		t.Fatal(err)
	}
	if n := s.source.Count("^GET .*/blobs/"); n > 4 {
		t.Errorf("asked for the blob %d times", n)
	}
}

func TestTwoTargetsOneReading(t *testing.T) {
	s := newSea(t, 5*mib, 3, Options{})
	var wg sync.WaitGroup
	for i := range s.targets {
		wg.Go(func() {
			if err := s.place(i); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := s.read(); n != s.blob.Size {
		t.Errorf("read %d bytes of %d", n, s.blob.Size)
	}
}

// TestSlowTargetHoldsNobodyUp has one target read nothing of a blob larger than
// the memory until the other target has all of it.
func TestSlowTargetHoldsNobodyUp(t *testing.T) {
	s := newSea(t, 12*mib, 2, Options{Memory: 4 * mib})
	quick := make(chan struct{})
	s.targets[0].Inject(fakeregistry.Fault{Match: "^PUT ", Times: 1, Do: func(_ http.ResponseWriter, _ *http.Request) bool {
		<-quick
		return false
	}})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.place(0); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() {
		defer close(quick)
		if err := s.place(1); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	for i, target := range s.targets {
		if !target.HasBlob("dst", s.blob.Digest.String()) {
			t.Errorf("target %d has not got it", i)
		}
	}
	if n := s.read(); n > 2*s.blob.Size {
		t.Errorf("read %d bytes of %d", n, s.blob.Size)
	}
}

func TestOneTargetsFailureIsItsOwn(t *testing.T) {
	s := newSea(t, 3*mib, 2, Options{})
	s.targets[0].Inject(fakeregistry.Fault{Match: "^PUT ", Times: -1, Status: 400, Body: "<html>400 Bad Request</html>"})
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i := range errs {
		wg.Go(func() { errs[i] = s.place(i) })
	}
	wg.Wait()
	f, ok := failure.As(errs[0])
	if !ok || f.Code != failure.TargetClosed {
		t.Errorf("the first says %v", errs[0])
	}
	if errs[1] != nil {
		t.Errorf("the second says %v", errs[1])
	}
}

func TestBlobIsMountedWhereItIsNeededAgain(t *testing.T) {
	s := newSea(t, mib, 1, Options{})
	host := s.to[0].Host()
	var outcomes []Outcome
	for _, path := range []string{"dst", "dst", "other", "third"} {
		outcome, err := s.engine.Place(t.Context(), s.blob, s.from, s.at(s.repository(host, path)), func(int64) {})
		if err != nil {
			t.Fatal(err)
		}
		outcomes = append(outcomes, outcome)
	}
	if want := []Outcome{Sent, Present, Mounted, Mounted}; !slices.Equal(outcomes, want) {
		t.Errorf("outcomes are %v, want %v", outcomes, want)
	}
}

// TestBlobIsMountedFromItsHome: somebody else may have put the blob into its home. If
// not, it is sent in the same session.
func TestBlobIsMountedFromItsHome(t *testing.T) {
	for _, there := range []bool{true, false} {
		s := newSea(t, mib, 1, Options{})
		home := s.repository(s.to[0].Host(), "home")
		if there {
			other := New(Options{})
			if _, err := other.Place(t.Context(), s.blob, s.from, s.at(home), func(int64) {}); err != nil {
				t.Fatal(err)
			}
			other.Close()
		}
		s.targets[0].Forget()
		s.engine.Expect(home, s.blob.Digest)
		want := Sent
		if there {
			want = Mounted
		}
		outcome, err := s.engine.Place(t.Context(), s.blob, s.from, s.target(0), func(int64) {})
		if err != nil || outcome != want {
			t.Errorf("there %v: %v, %v", there, outcome, err)
		}
		if n := s.targets[0].Count("^POST "); n != 1 {
			t.Errorf("there %v: %d sessions", there, n)
		}
		if outcome, err = s.engine.Place(t.Context(), s.blob, s.from, s.at(home), func(int64) {}); err != nil || outcome == Sent {
			t.Errorf("there %v, then at home: %v, %v", there, outcome, err)
		}
	}
}

// TestWhoWaitsTakesOver cancels the first of two senders.
func TestWhoWaitsTakesOver(t *testing.T) {
	s := newSea(t, mib, 1, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	s.targets[0].Inject(fakeregistry.Fault{Match: "^PUT ", Times: 1, Do: func(_ http.ResponseWriter, r *http.Request) bool {
		cancel()
		io.Copy(io.Discard, r.Body) // until the connection is closed
		panic(http.ErrAbortHandler)
	}})
	var wg sync.WaitGroup
	started := make(chan struct{})
	wg.Go(func() {
		close(started)
		if _, err := s.engine.Place(ctx, s.blob, s.from, s.target(0), func(int64) {}); err == nil {
			t.Error("the cancelled one has no error")
		}
	})
	<-started
	if _, err := s.engine.Place(t.Context(), s.blob, s.from, s.at(s.repository(s.to[0].Host(), "other")), func(int64) {}); err != nil && ctx.Err() == nil {
		t.Error(err)
	}
	cancel()
	wg.Wait()
}

func TestSlotsServeTheLargestFirst(t *testing.T) {
	s := &slots{free: 1}
	if err := s.acquire(t.Context(), 0, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan int64)
	wait := func(ctx context.Context, size int64) {
		before := s.length()
		go func() {
			if s.acquire(ctx, size, nil) == nil {
				served <- size
			} else {
				served <- -size
			}
		}()
		for s.length() == before {
			time.Sleep(time.Millisecond) // until it is in the queue
		}
	}
	for _, size := range []int64{3, 9, 1, 7} {
		wait(t.Context(), size)
	}
	wait(ctx, 8)
	cancel()
	if got := <-served; got != -8 {
		t.Errorf("served %d, want the cancelled 8 gone", got)
	}
	for _, want := range []int64{9, 7, 3, 1} {
		s.release()
		if got := <-served; got != want {
			t.Errorf("served %d, want %d", got, want)
		}
	}
	s.release()
	if s.free != 1 {
		t.Errorf("%d slots are free, want 1", s.free)
	}
}

// TestTheLastFewGoTogether checks that no transfer is left to run alone at the
// end.
func TestTheLastFewGoTogether(t *testing.T) {
	s := &slots{free: 4, spare: 2}
	for range 4 {
		if err := s.acquire(t.Context(), 1, nil); err != nil {
			t.Fatal(err)
		}
	}
	served := make(chan struct{})
	for n := range 4 {
		go func() {
			if s.acquire(t.Context(), 1, nil) == nil {
				served <- struct{}{}
			}
		}()
		for s.length() == n {
			time.Sleep(time.Millisecond) // until it is in the queue
		}
	}
	s.release()
	<-served
	if n := s.length(); n != 3 {
		t.Errorf("after the first of four, %d wait, want 3", n)
	}
	s.release()
	for range 3 {
		<-served
	}
	for range 6 {
		s.release()
	}
	if s.free != 4 {
		t.Errorf("%d slots are free, want 4", s.free)
	}
}

// TestSmallBlobsPassLargeOnes keeps all uploads busy until a small blob has
// arrived.
func TestSmallBlobsPassLargeOnes(t *testing.T) {
	s := newSea(t, 1000, 1, Options{})
	large := s.engine.slots(s.target(0), false)
	for range s.engine.maxUploads {
		if err := large.acquire(t.Context(), mib, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.place(0); err != nil {
		t.Fatal(err)
	}
}

// TestTargetThatRefusesDataByPut has a target accept data by PATCH only, which
// is learned with the first blob.
func TestTargetThatRefusesDataByPut(t *testing.T) {
	for _, status := range []int{405, 415, 501} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s := newSea(t, 3*mib, 1, Options{})
			s.targets[0].Inject(fakeregistry.Fault{Match: "^PUT .*/blobs/", Times: -1, Do: func(w http.ResponseWriter, r *http.Request) bool {
				if r.ContentLength == 0 {
					return false
				}
				w.WriteHeader(status)
				return true
			}})
			if err := s.place(0); err != nil {
				t.Fatal(err)
			}
			small := s.clients[0].Upload(s.repository(s.to[0].Host(), "small"), registry.NewManifest("", []byte("abc")).Digest, 3)
			if _, err := small.Start(t.Context(), small.Repository()); err != nil {
				t.Fatal(err)
			}
			if err := small.Send(t.Context(), strings.NewReader("abc"), 0); err != nil {
				t.Error(err)
			}
			if n := s.targets[0].Count("^PUT .*/blobs/"); n != 3 {
				t.Errorf("%d PUTs, want the refused one and one for each blob", n)
			}
		})
	}
}

func (s *slots) length() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting)
}

// TestGovernorAddsWhatHelps simulates a host whose connections carry ten
// megabytes per second each, on a link of sixty.
func TestGovernorAddsWhatHelps(t *testing.T) {
	play := func(near bool, perConnection, link float64, starving bool) int {
		s := newSea(t, mib, 0, Options{})
		s.engine.near = func(Source) bool { return near }
		h := newHost(s.engine)
		st := &stream{e: s.engine, source: s.from, host: h, ctx: t.Context(), blocks: map[int64]*block{}, readers: map[*reader]bool{}}
		st.readers[&reader{s: st}] = true
		h.streams[st] = true
		s.engine.mu.Lock()
		defer s.engine.mu.Unlock()
		h.running = h.e.maxConnections // no real ones
		for range 60 {
			h.got = int64(min(perConnection*float64(h.tuner.connections+2), link) * h.e.tick.Seconds())
			if starving {
				h.starved = h.e.tick
			}
			h.observeLocked(h.e.tick)
		}
		return h.tuner.connections
	}
	if n := play(false, 10e6, 60e6, true); n < 4 || n > 12 {
		t.Errorf("%d connections of 10 MB/s share a link of 60 MB/s", n)
	}
	if n := play(false, 60e6, 60e6, true); n > 12 {
		t.Errorf("%d connections share what one carries", n)
	}
	if n := play(false, 10e6, 60e6, false); n != 0 {
		t.Errorf("%d connections although nobody waits", n)
	}
	if n := play(true, 10e6, 60e6, true); n < 2 || n > 12 {
		t.Errorf("%d connections of 10 MB/s to a near source share a link of 60 MB/s", n)
	}
}
