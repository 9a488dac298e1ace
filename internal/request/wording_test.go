package request

import (
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// How the weights of a wording are learned.
const (
	mostMarks = 48000 // that have a weight: with half of them, 0.8 % more unseen texts are misread
	leastSeen = 2     // texts in which each occurs
	reruns    = 6     // at most, for cases that are lost
	decay     = 0.005 // of weights, so that marks that are rare or decide little weigh little
)

// lesson is what weights are learned from: the texts of the corpus, and the cases to
// whose wording they apply.
type lesson struct {
	texts []*sample
	names []string // of the marks, by their numbers
	kept  []bool   // the marks that have a weight
}

// worded returns the lesson, which tests must not change.
func worded(t *testing.T) lesson {
	t.Helper()
	skipUnlessLearning(t)
	wordedOnce.Do(func() { wordedTexts = gatherLesson(t) })
	if len(wordedTexts.texts) == 0 {
		t.Fatal("no texts")
	}
	return wordedTexts
}

var (
	wordedOnce  sync.Once
	wordedTexts lesson
)

func gatherLesson(t *testing.T) lesson {
	t.Helper()
	// All selections are requests: all of them would outweigh the others.
	all := slices.DeleteFunc(readCorpus(t), func(s *sample) bool { return s.selects() && s.number%4 > 0 })
	for _, s := range slices.Clone(all) {
		if strings.HasPrefix(s.file, "threads") || strings.HasPrefix(s.file, "plain") {
			all = append(all, s) // as people write: there are few
		}
	}
	for _, c := range caseTexts(t) {
		for range 4 { // they are fewer, and say what has been decided
			all = append(all, &sample{Title: c.title, Body: c.body, templates: c.templates, Request: c.want != ""})
		}
	}
	before := rules
	defer func() { rules = before }()
	// The decision is made here, and must not tell on itself.
	rules = rules[:slices.IndexFunc(rules, func(r rule) bool { return r.name == "bid" })]
	marks := make(map[*sample][]string, len(all))
	var mu sync.Mutex
	inParallel(all, func(s *sample) {
		in := Input{Title: s.Title, Body: s.Body, Templates: s.templates}
		before, _ := gather(in) // the wording is weighed before the rules
		if !before.isWorded() {
			return
		}
		e, _ := understand(in)
		var found []string
		eachMark(&before.title, &before.body, func(mark []byte) { found = append(found, string(mark)) })
		slices.Sort(found)
		mu.Lock()
		defer mu.Unlock()
		s.wording, s.signals = e.wording, e.score()-e.wording
		marks[s] = slices.Compact(found)
	})
	all = slices.DeleteFunc(all, func(s *sample) bool { return marks[s] == nil })
	var names []string
	numbers := map[string]int{}
	for _, s := range all {
		if s.marks != nil {
			continue // several times among all
		}
		for _, mark := range marks[s] {
			n, ok := numbers[mark]
			if !ok {
				n = len(names)
				numbers[mark] = n
				names = append(names, mark)
			}
			s.marks = append(s.marks, n)
		}
	}
	l := lesson{texts: all, names: names}
	l.kept = l.choose(l.texts)
	for range reruns {
		w, before := learn(l.texts, l.kept), len(l.texts)
		for _, s := range l.texts {
			if s.number == 0 && w.asks(s) != s.Request {
				l.texts = append(l.texts, s, s) // a case that would be lost
			}
		}
		if len(l.texts) == before {
			break
		}
	}
	return l
}

// of returns the weight of the wording of a text.
func (w weighing) of(s *sample) float64 {
	sum, n := 0, 0
	for _, k := range s.marks {
		if w.has[k] {
			sum, n = sum+w.marks[k], n+1
		}
	}
	return float64(w.bias)/10 + float64(sum)/10*shareOfMark(n)
}

// asks reports whether a text asks for images by its signals and its wording.
func (w weighing) asks(s *sample) bool { return float64(s.signals)+w.of(s) >= requests }

// choose returns which marks have a weight: those that weigh most if all have one, and
// occur often.
func (l lesson) choose(texts []*sample) []bool {
	seen := make(counts, len(l.names))
	for _, s := range texts {
		for _, k := range s.marks {
			seen[k]++
		}
	}
	among := seen.often(leastSeen)
	_, weights := wordingOf(texts, among)
	return seen.heaviest(among, weights, l.names, mostMarks)
}

// wordingOf returns the weights of some marks that tell requests from other texts best.
func wordingOf(texts []*sample, kept []bool) (bias float64, weights []float64) {
	all := make([]example, len(texts))
	for i, s := range texts {
		x := example{text: s.Title + "\n" + s.Body, offset: float64(s.signals) / scale, yes: s.Request}
		for _, k := range s.marks {
			if kept[k] {
				x.features = append(x.features, feature{mark: k})
			}
		}
		for k := range x.features {
			x.features[k].value = shareOfMark(len(x.features))
		}
		all[i] = x
	}
	return regression(all, len(kept), decay)
}

// learn is wordingOf with weights in tenths.
func learn(texts []*sample, kept []bool) weighing {
	bias, weights := wordingOf(texts, kept)
	return inTenths(bias, weights, kept)
}

// TestWording compares texts/wording.json with what is learned; -learn -update writes it.
func TestWording(t *testing.T) {
	l := worded(t)
	learned := learn(l.texts, l.kept)
	if *update {
		if err := os.WriteFile("texts/wording.json", learned.file(t, l.names), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	// A few new texts change little, other processors round otherwise, and learning
	// depends on the order of the texts.
	const far, few = 5, 0.05
	var changed []*sample
	for _, s := range l.texts {
		want := max(-maxWording, min(maxWording, learned.of(s)))
		if math.Abs(float64(s.wording)-want) > far {
			changed = append(changed, s)
		}
	}
	if float64(len(changed)) > few*float64(len(l.texts)) {
		t.Errorf("the wording of %d of %d texts weighs otherwise if it is learned anew, for example that of %q, %q: run the test with -learn -update", len(changed), len(l.texts), changed[0].Title, changed[0].Body)
	}
}

func TestEachWord(t *testing.T) {
	for text, want := range map[string]string{
		"could you mirror quay.io/a/b:1?": "could|^ could|you|could you|mirror|you mirror|<path>|mirror <path>|?|<path> ?|? $",
		"v1.2 否,ok":                       "<number>|^ <number>|否|<number> 否|ok|否 ok|ok $",
		"a否":                              "a|^ a|否|a 否|否 $",
		"":                                "",
		"\n":                              "^ $",
		"see https://x.example/y (nginx:1.25), über - a.b": "see|^ see|<url>|see <url>|<name>|<url> <name>|über|<name> über|<name>|über <name>|<name> $",
	} {
		var got []string
		eachWord(text, func(word []byte) { got = append(got, string(word)) })
		if all := strings.Join(got, "|"); all != want {
			t.Errorf("%q has\n%s, want\n%s", text, all, want)
		}
	}
}

// TestUnseenWording checks how many texts of the corpus are told by their signals and a
// wording whose weights were learned without them. Neighbours in a file are often of one
// author, so that they are left out together.
func TestUnseenWording(t *testing.T) {
	const (
		parts     = 4
		of        = 100 // lines of a file
		leastTold = 82  // percent
	)
	var mu sync.Mutex
	total, right := map[string]int{}, map[string]int{} // by file
	l := worded(t)
	var wait sync.WaitGroup
	for part := range parts / 2 { // enough to see what is lost
		wait.Go(func() {
			var others, mine []*sample
			for _, s := range l.texts {
				if s.number > 0 && s.number/of%parts == part {
					mine = append(mine, s)
				} else {
					others = append(others, s)
				}
			}
			learned := learn(others, l.choose(others))
			mu.Lock()
			defer mu.Unlock()
			for _, s := range mine {
				if total[s.file]++; learned.asks(s) == s.Request {
					right[s.file]++
				}
			}
		})
	}
	wait.Wait()
	sum, told := 0, 0
	for _, file := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%s: %d of %d texts are told", file, right[file], total[file])
		sum, told = sum+total[file], told+right[file]
	}
	if 100*told < leastTold*sum {
		t.Errorf("%d of %d texts are told, fewer than before", told, sum)
	}
}
