package bot

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/ledger"
)

// How many requests TestStorm makes and from which seed; 200 take half a minute:
// go test ./internal/bot -run TestStorm -storm 200
var (
	stormRequests = flag.Int("storm", 16, "requests of TestStorm")
	stormSeed     = flag.Uint64("storm-seed", 1, "seed of TestStorm")
)

// TestStorm serves many requests while runs are killed, GitHub and registries fail,
// clocks are wrong, texts are edited with and without a run that notices, old
// payloads come late, and some images are hostile. Once all is calm each request
// has one answer, to the text that stands there, and each tag of the mirror holds
// what its source's tag names.
func TestStorm(t *testing.T) {
	w := newWorld(t)
	w.SetPolicy(fakeworld.Policy + "limits: {retry-hours: 6}\n")
	s := &storm{world: w, dice: rand.New(rand.NewPCG(*stormSeed, 1)), good: map[string]string{}}
	for i := range 6 {
		name := fmt.Sprint("ns/good-", i)
		s.good["gcr.io/"+name+":1"] = w.Publish(name, "1", uint64(i+1))
	}
	for _, name := range []string{"ns/liar", "ns/bomb"} {
		w.Publish(name, "1", 99)
	}
	w.Source.Inject(fakeregistry.Fault{Match: "GET /v2/ns/liar/blobs/", Times: -1, Do: func(rw http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(rw, "something else")
		return true
	}})
	w.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/bomb/manifests/", Times: -1, Do: func(rw http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(rw, `{"schemaVersion":2,"manifests":[`, strings.Repeat(`{},`, 2<<20), `{}]}`)
		return true
	}})
	for _, r := range []*fakeregistry.Registry{w.Source, w.Target} {
		r.Inject(fakeregistry.Fault{Times: -1, Do: func(rw http.ResponseWriter, _ *http.Request) bool {
			if !s.registryFails() {
				return false
			}
			rw.WriteHeader(http.StatusServiceUnavailable)
			return true
		}})
	}
	for len(s.issues) < *stormRequests {
		s.step()
	}
	s.calm()
	s.check()
}

// storm is the weather of TestStorm.
type storm struct {
	*world
	dice   *rand.Rand // not safe for concurrent use: only the test's goroutine throws it
	good   map[string]string
	issues []int
	rough  int // the next so many requests to registries fail
}

func (s *storm) registryFails() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rough--
	return s.rough >= 0
}

func (s *storm) wish() string {
	var lines []string
	for range 1 + s.dice.IntN(3) {
		lines = append(lines, []string{
			fmt.Sprintf("gcr.io/ns/good-%d:1", s.dice.IntN(6)), fmt.Sprintf("gcr.io/ns/good-%d:1", s.dice.IntN(6)), "gcr.io/ns/liar:1", "gcr.io/ns/bomb:1", "gcr.io/ns/none:1",
		}[s.dice.IntN(5)])
	}
	return strings.Join(lines, "\n")
}

// run lets an event happen in bad weather.
func (s *storm) run(kind, action string, number int, extra map[string]any) {
	s.T.Helper()
	ctx, cancel := context.WithCancel(s.T.Context())
	defer cancel()
	dies, fails := 1<<30, 0
	if s.dice.IntN(3) == 0 {
		dies = s.dice.IntN(25)
	}
	if s.dice.IntN(3) == 0 {
		fails = s.dice.IntN(12)
	}
	cut := s.dice.IntN(2) == 0
	s.disturb(func(n int) fakegithub.Fault {
		switch {
		case n > dies: // nothing that a killed run still says arrives
			cancel()
			return fakegithub.Fault{Cut: true}
		case n == fails && cut:
			return fakegithub.Fault{Cut: true}
		case n == fails:
			return fakegithub.Fault{Status: http.StatusBadGateway}
		}
		return fakegithub.Fault{}
	})
	s.mu.Lock()
	s.rough = 0
	if s.dice.IntN(4) == 0 {
		s.rough = s.dice.IntN(40)
	}
	s.ahead = []time.Duration{0, 0, 0, 3 * time.Hour, -3 * time.Hour}[s.dice.IntN(5)]
	s.mu.Unlock()
	s.happensIn(ctx, kind, action, number, extra)
	s.disturb(nil)
	// The runner gives every run files of its own.
	if err := errors.Join(os.RemoveAll(s.Environ["GITHUB_STEP_SUMMARY"]), os.RemoveAll(s.Environ["GITHUB_OUTPUT"])); err != nil {
		s.T.Fatal(err)
	}
}

// step is something that people, GitHub or time do.
func (s *storm) step() {
	some := func() int { return s.issues[s.dice.IntN(len(s.issues))] }
	what := s.dice.IntN(10)
	if len(s.issues) == 0 {
		what = 0
	}
	switch what {
	case 0, 1, 2, 3:
		who := event.User{ID: int64(7000 + len(s.issues)), Login: fmt.Sprint("passenger-", len(s.issues))}
		n := s.open(who, "please", s.wish())
		s.issues = append(s.issues, n)
		if s.dice.IntN(4) > 0 { // else its run is lost
			s.run("issues", "opened", n, nil)
		}
	case 4:
		n := some()
		before := s.payload(n)
		s.github.Edit(n, "please", s.wish())
		if s.dice.IntN(2) == 0 {
			s.run("issues", "edited", n, nil)
		}
		if s.dice.IntN(2) == 0 { // a run that waited, with the old text
			s.run("issues", "edited", n, before)
		}
	case 5, 6:
		s.run("schedule", "", 0, nil)
	case 7:
		n := some()
		author := s.github.Issue(n).Author
		id := s.github.Comment(n, author, "/ferry retry")
		s.run("issue_comment", "created", n, map[string]any{"comment": commented(author, id, "/ferry retry")})
	default:
		s.later()
	}
}

// calm lets the sweep finish everything.
func (s *storm) calm() {
	s.mu.Lock()
	s.rough, s.ahead = 0, 0
	s.mu.Unlock()
	for range 6 { // longer than what fails is tried
		s.later()
		s.later()
		s.happens("schedule", "", 0, nil)
		_ = errors.Join(os.RemoveAll(s.Environ["GITHUB_STEP_SUMMARY"]), os.RemoveAll(s.Environ["GITHUB_OUTPUT"]))
	}
}

// check holds what is there to what is promised.
func (s *storm) check() {
	s.T.Helper()
	for _, n := range s.issues {
		issue := s.github.Issue(n)
		m, ok := ledger.ParseMarker(s.comment(n)) // which fails if there are two
		if !ok || m.State.Open() || issue.Open || !slices.Contains(issue.Labels, m.State.Label().Name) {
			s.T.Errorf("issue %d: open %v, labels %v, marker %v", n, issue.Open, issue.Labels, m)
		}
		for image := range strings.FieldsSeq(issue.Body) {
			mirror := strings.TrimSuffix(strings.ReplaceAll(strings.TrimPrefix(image, "gcr.io/"), "/", "."), ":1")
			if want := s.good[image]; s.Mirrored(mirror, "1") != want {
				s.T.Errorf("issue %d asks for %s: the mirror has %q, want %q", n, image, s.Mirrored(mirror, "1"), want)
			}
		}
	}
}
