package request

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// How the weights of a wording are learned.
const (
	mostMarks = 48000 // that have a weight: with half of them, 0.8 % more unseen texts are misread
	leastSeen = 2     // texts in which each occurs
	rounds    = 12
	averaged  = 6 // of the last rounds: the weights after one depend on the order of its texts
	reruns    = 6 // at most, for cases that are lost
	step      = 0.15
	decay     = 0.005 // of weights, so that marks that are rare or decide little weigh little
	scale     = 20    // of the logarithm of the odds, to the weights of signals
)

// lesson is what weights are learned from: the texts of the corpus, and the cases to
// whose wording they apply. Their order is random, but always the same.
type lesson struct {
	texts []*sample
	names []string // of the marks, by their numbers
	kept  []bool   // the marks that have a weight
}

// worded returns the lesson, which tests must not change.
func worded(t *testing.T) lesson {
	t.Helper()
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
	all := readCorpus(t)
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
		e, _ := understand(Input{Title: s.Title, Body: s.Body, Templates: s.templates})
		if !e.isWorded() {
			return
		}
		s.wording = e.wording
		s.signals, _ = score(&e.title, &e.body)
		var found []string
		eachMark(&e.title, &e.body, func(mark []byte) { found = append(found, string(mark)) })
		slices.Sort(found)
		mu.Lock()
		defer mu.Unlock()
		marks[s] = slices.Compact(found)
	})
	all = slices.DeleteFunc(all, func(s *sample) bool { return marks[s] == nil })
	var names []string
	numbers := map[string]int{}
	for _, s := range all {
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
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
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

// weighing is what was learned: the weights of marks, by their numbers, in tenths.
type weighing struct {
	bias  int
	marks []int
	has   []bool // whether a mark has a weight
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
	seen, kept := make([]int, len(l.names)), make([]bool, len(l.names))
	var found []int
	for _, s := range texts {
		for _, k := range s.marks {
			if seen[k]++; seen[k] == leastSeen {
				kept[k] = true
				found = append(found, k)
			}
		}
	}
	_, weights := regression(texts, kept)
	matters := func(k int) float64 { return math.Abs(weights[k]) * math.Pow(float64(seen[k]), 0.3) }
	slices.SortFunc(found, func(a, b int) int {
		return cmp.Or(cmp.Compare(matters(b), matters(a)), cmp.Compare(l.names[a], l.names[b]))
	})
	for _, k := range found[min(len(found), mostMarks):] {
		kept[k] = false
	}
	return kept
}

// learn returns the weights of some marks that tell requests from other texts best.
func learn(texts []*sample, kept []bool) weighing {
	bias, weights := regression(texts, kept)
	w := weighing{int(math.Round(10 * scale * bias)), make([]int, len(kept)), kept}
	for k, x := range weights {
		w.marks[k] = int(math.Round(10 * scale * x))
	}
	return w
}

// regression is a logistic regression by stochastic gradient descent with a step for
// each mark (Duchi, Hazan, Singer: Adaptive Subgradient Methods, 2011).
func regression(texts []*sample, kept []bool) (bias float64, weights []float64) {
	has := make([][]int, len(texts))
	for i, s := range texts {
		for _, k := range s.marks {
			if kept[k] {
				has[i] = append(has[i], k)
			}
		}
	}
	w, squares := make([]float64, len(kept)), slices.Repeat([]float64{0.01}, len(kept))
	weights = make([]float64, len(kept))
	random := rand.New(rand.NewPCG(1, 1))
	for round := range rounds {
		for _, i := range random.Perm(len(texts)) {
			share, z := shareOfMark(len(has[i])), bias+float64(texts[i].signals)/scale
			for _, k := range has[i] {
				z += w[k] * share
			}
			wrong := 1 / (1 + math.Exp(-z))
			if texts[i].Request {
				wrong--
			}
			bias -= step / 10 * wrong
			for _, k := range has[i] {
				slope := wrong*share + decay*w[k]
				squares[k] += slope * slope
				w[k] -= step * slope / math.Sqrt(squares[k])
			}
		}
		if round >= rounds-averaged {
			for k := range w {
				weights[k] += w[k] / averaged
			}
		}
	}
	return bias, weights
}
