package request

import (
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// How the weights of what stands beside images are learned.
const (
	mostBeside  = 20000 // marks that have a weight
	besideDecay = 0.004
)

// neighbour is an image of a text that names several.
type neighbour struct {
	of       *sample
	group    []*neighbour // all images of the text
	found    []string     // the marks of what stands beside it
	marks    []int        // their numbers
	weight   float64      // that it has in the program
	unwanted bool         // the text does not ask for it
	taken    bool         // it is requested if the words beside it do not count
}

// besideLesson is what the weights are learned from. Tests must not change it.
type besideLesson struct {
	all   []*neighbour
	names []string // of the marks, by their numbers
}

var (
	besideOnce    sync.Once
	besideLearned besideLesson
)

func neighbours(t *testing.T) besideLesson {
	t.Helper()
	skipUnlessLearning(t)
	besideOnce.Do(func() { besideLearned = gatherNeighbours(t) })
	if len(besideLearned.all) == 0 {
		t.Fatal("no images")
	}
	return besideLearned
}

func gatherNeighbours(t *testing.T) (l besideLesson) {
	t.Helper()
	corpus := readCorpus(t)
	for _, c := range caseTexts(t) { // they say what has been decided
		s := &sample{Title: c.title, Body: c.body, templates: c.templates, Request: true, Clear: true}
		for line := range strings.SplitSeq(c.want, "\n") {
			line, _, _ = strings.Cut(line, "|")
			line, _, _ = strings.Cut(line, " ")
			s.Want = append(s.Want, line)
		}
		corpus = append(corpus, s)
	}
	before := rules
	defer func() { rules = before }()
	rules = rules[:slices.IndexFunc(rules, func(r rule) bool { return r.name == "beside" })]
	groups := make(map[*sample][]*neighbour, len(corpus))
	var mu sync.Mutex
	inParallel(corpus, func(s *sample) {
		if !s.Clear || !s.Request || slices.Contains(s.Want, "ask") {
			return
		}
		if slices.Contains(s.Want, "!") {
			return
		}
		group := neighboursIn(s)
		mu.Lock()
		defer mu.Unlock()
		groups[s] = group
	})
	numbers := map[string]int{}
	for _, s := range corpus {
		for _, n := range groups[s] {
			for _, mark := range n.found {
				k, ok := numbers[mark]
				if !ok {
					k = len(l.names)
					numbers[mark] = k
					l.names = append(l.names, mark)
				}
				n.marks = append(n.marks, k)
			}
			l.all = append(l.all, n)
		}
	}
	return l
}

// neighboursIn returns the images of a text that are compared.
func neighboursIn(s *sample) (group []*neighbour) {
	e, _ := understand(Input{Title: s.Title, Body: s.Body, Templates: s.templates})
	all := e.compared()
	if all == nil {
		return nil
	}
	want := map[string]bool{}
	for _, w := range s.Want {
		repository, _, _ := strings.Cut(w, "@")
		repository, _ = cutTag(repository)
		want[w], want[repository] = true, true
	}
	weights := weighBeside(all)
	for i, c := range all {
		ref := c.image.Reference
		wanted := want[ref.String()] || c.has(AssumedTag) && want[ref.Repository().String()]
		group = append(group, &neighbour{of: s, found: besideMarks(all, i), weight: weights[i], unwanted: !wanted, taken: c.verdict == taken})
	}
	for _, n := range group {
		n.group = group
	}
	return group
}

// besideExamples returns what weights are learned from.
func besideExamples(all []*neighbour) []example {
	var found []example
	for _, n := range all {
		values := map[int]float64{}
		for _, o := range n.group {
			share := shareOfMark(len(o.marks))
			if o != n {
				share *= -sharedBeside / float64(len(n.group)-1)
			}
			for _, k := range o.marks {
				values[k] += share
			}
		}
		x := example{text: n.of.Title + "\n" + n.of.Body, yes: n.unwanted}
		for k, v := range values {
			x.features = append(x.features, feature{k, v})
		}
		slices.SortFunc(x.features, func(a, b feature) int { return a.mark - b.mark })
		times := 1
		if n.of.number == 0 {
			times = 4 // cases are fewer
		} else if n.unwanted {
			times = 2 // so are unwanted images
		}
		found = append(found, slices.Repeat([]example{x}, times)...)
	}
	return found
}

// learn returns the weights of the marks that matter most. All marks are learned from,
// because those of one text take up what is said there only.
func (l besideLesson) learn(all []*neighbour) weighing {
	bias, weights := regression(besideExamples(all), len(l.names), besideDecay)
	seen := make(counts, len(l.names))
	for _, n := range all {
		for _, k := range n.marks {
			seen[k]++
		}
	}
	return inTenths(bias, weights, seen.heaviest(seen.often(1), weights, l.names, mostBeside))
}

// beside returns the weight of what stands beside an image.
func (w weighing) beside(n *neighbour) float64 {
	own := func(n *neighbour) float64 {
		sum := 0
		for _, k := range n.marks {
			if w.has[k] {
				sum += w.marks[k]
			}
		}
		return float64(sum) / 10 * shareOfMark(len(n.marks))
	}
	others := 0.0
	for _, o := range n.group {
		if o != n {
			others += own(o)
		}
	}
	return math.Round(float64(w.bias)/10 + own(n) - sharedBeside*others/float64(len(n.group)-1))
}

// TestBeside compares texts/beside.json with what is learned; -learn -update writes it.
func TestBeside(t *testing.T) {
	l := neighbours(t)
	learned := l.learn(l.all)
	if *update {
		if err := os.WriteFile("texts/beside.json", learned.file(t, l.names), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	const few = 0.02 // see TestWording
	changed := 0
	for _, n := range l.all {
		if (n.weight > maxAskedFor) != (learned.beside(n) > maxAskedFor) {
			changed++
		}
	}
	if float64(changed) > few*float64(len(l.all)) {
		t.Errorf("%d of %d images would be decided otherwise if the weights were learned anew: run the test with -learn -update", changed, len(l.all))
	}
}

// TestUnseenBeside checks which images are dropped by weights that were learned without
// their texts.
func TestUnseenBeside(t *testing.T) {
	const (
		parts     = 4
		of        = 100 // lines of a file
		leastGone = 22  // percent of the images that are not asked for
		mostLost  = 1   // percent of those that are
	)
	l := neighbours(t)
	var mu sync.Mutex
	var wait sync.WaitGroup
	unwanted, gone, wanted, lost := 0, 0, 0, 0
	for part := range parts / 2 { // enough to see what is lost
		wait.Go(func() {
			var mine, others []*neighbour
			for _, n := range l.all {
				if n.of.number > 0 && n.of.number/of%parts == part {
					mine = append(mine, n)
				} else {
					others = append(others, n)
				}
			}
			learned := l.learn(others)
			mu.Lock()
			defer mu.Unlock()
			for _, n := range mine {
				drops := learned.beside(n) > maxAskedFor
				switch {
				case !n.taken:
				case n.unwanted:
					unwanted++
					if drops {
						gone++
					}
				default:
					wanted++
					if drops {
						lost++
					}
				}
			}
		})
	}
	wait.Wait()
	t.Logf("%d of %d images that are not asked for are dropped, and %d of %d others", gone, unwanted, lost, wanted)
	if float64(100*gone) < leastGone*float64(unwanted) || float64(100*lost) > mostLost*float64(wanted) {
		t.Error("worse than before")
	}
}

func TestNoteSides(t *testing.T) {
	for body, want := range map[string]string{
		"Please copy quay.io/a/b:1, but quay.io/a/c:2 is there.": "please copy | ; , but | is there.",
		"Please copy quay.io/a/b:1 and quay.io/a/c:2 today":      "please copy | today; please copy | today",
		"We have quay.io/a/b:1. We need quay.io/a/c:2; thanks":   "we have | .; we need | ;",
		"quay.io/a/b:1 is old, quay.io/a/c:2 is new, copy it":    " | is old; , | is new, copy it",
		"- quay.io/a/b:1 ✅\n- `quay.io/a/c:2` (missing)":         "- | ✅; - ` | ` (missing)",
		"- quay.io/a/b:{1,2} gone":                               "- | gone; - | gone",
	} {
		e := read(t, "Please copy", body)
		var got []string
		for _, c := range e.body.candidates {
			got = append(got, strings.TrimSpace(c.before)+" | "+strings.TrimSpace(c.behind))
		}
		if all := strings.Join(got, "; "); all != want {
			t.Errorf("%q has beside its images\n%s, want\n%s", body, all, want)
		}
	}
}

func TestIsLater(t *testing.T) {
	for _, c := range []struct {
		tag, than string
		want      bool
	}{
		{"1.10", "1.9", true}, {"v1.9", "v1.10", false}, {"1.2", "1.2", false}, {"1.2.1", "1.2", true},
		{"2024-01-02", "2023-12-31", true}, {"007", "7", false}, {"99999999999999999999", "9", true}, {"", "1", false},
	} {
		if got := isLater(c.tag, c.than); got != c.want {
			t.Errorf("isLater(%q, %q) is %t", c.tag, c.than, got)
		}
	}
}

// TestBesideIsTold checks that an image that would be requested but for the words beside
// it is told, also without a tag.
func TestBesideIsTold(t *testing.T) {
	r := Parse(Input{Title: "images", Body: "jellyfin/jellyfin came over last spring, immich-app/server never made it, please copy"})
	if len(r.Images) != 1 || len(r.LeftOut) != 1 || r.LeftOut[0].Written != "jellyfin/jellyfin" {
		t.Errorf("images %+v, left out %+v", r.Images, r.LeftOut)
	}
}
