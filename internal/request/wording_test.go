package request

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// How the weights of words are learned.
const (
	mostWords = 4000 // words and pairs that have one
	leastSeen = 3    // texts in which each occurs
	rounds    = 15
	lessons   = 3 // for cases that are lost
	averaged  = 8 // of the last rounds: the weights after one depend on the order of its texts
	step      = 0.15
	decay     = 0.001 // of weights, so that words that are rare or decide little weigh little
	scale     = 10    // of the logarithm of the odds, to the weights of signals
)

// worded returns the texts from which the weights are learned: the corpus, and the
// cases to whose wording they apply. Their order is random, but always the same.
func worded(t *testing.T) []*sample {
	t.Helper()
	all := readCorpus(t)
	for _, c := range caseTexts(t) {
		for range 2 { // they are fewer, and say what has been decided
			all = append(all, &sample{Title: c.title, Body: c.body, templates: c.templates, Request: c.want != ""})
		}
	}
	before := rules
	defer func() { rules = before }()
	// The decision is made here, and must not tell on itself.
	rules = rules[:slices.IndexFunc(rules, func(r rule) bool { return r.name == "bid" })]
	all = slices.DeleteFunc(all, func(s *sample) bool {
		e, _ := understand(Input{Title: s.Title, Body: s.Body, Templates: s.templates})
		s.wording = e.wording
		s.signals, _ = score(&e.title, &e.body)
		eachMark(&e.title, &e.body, func(mark []byte) { s.words = append(s.words, string(mark)) })
		slices.Sort(s.words)
		s.words = slices.Compact(s.words)
		return !e.isWorded()
	})
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	for range lessons {
		learned := learn(all)
		for _, s := range all {
			if s.number == 0 && (float64(s.signals)+weighed(s, learned) >= requests) != s.Request {
				all = append(all, s) // a case that would be lost
			}
		}
	}
	return all
}

// learn returns the weights, in tenths, of the words that tell requests from other
// texts best: those that move the most texts if all words have a weight.
func learn(all []*sample) map[string]int {
	texts := map[string]int{}
	for _, s := range all {
		for _, w := range s.words {
			texts[w]++
		}
	}
	maps.DeleteFunc(texts, func(_ string, n int) bool { return n < leastSeen })
	_, weights := regression(all, texts)
	moves := func(w string) float64 { return math.Abs(weights[w]) * math.Sqrt(float64(texts[w])) }
	words := slices.SortedFunc(maps.Keys(texts), func(a, b string) int {
		return cmp.Or(cmp.Compare(moves(b), moves(a)), strings.Compare(a, b))
	})
	for _, w := range words[min(len(words), mostWords):] {
		delete(texts, w)
	}
	bias, weights := regression(all, texts)
	tenths := map[string]int{"": int(math.Round(10 * scale * bias))}
	for w, x := range weights {
		tenths[w] = int(math.Round(10 * scale * x))
	}
	return tenths
}

// regression is a logistic regression by stochastic gradient descent with a step for
// each word (Duchi, Hazan, Singer: Adaptive Subgradient Methods, 2011).
func regression(all []*sample, kept map[string]int) (bias float64, weights map[string]float64) {
	number := map[string]int{}
	has := make([][]int, len(all))
	for i, s := range all {
		for _, word := range s.words {
			if kept[word] > 0 {
				if _, ok := number[word]; !ok {
					number[word] = len(number)
				}
				has[i] = append(has[i], number[word])
			}
		}
	}
	w, squares, means := make([]float64, len(number)), slices.Repeat([]float64{0.01}, len(number)), make([]float64, len(number))
	random := rand.New(rand.NewPCG(1, 1))
	for round := range rounds {
		for _, i := range random.Perm(len(all)) {
			share, z := shareOfMark(len(has[i])), bias+float64(all[i].signals)/scale
			for _, k := range has[i] {
				z += w[k] * share
			}
			wrong := 1 / (1 + math.Exp(-z))
			if all[i].Request {
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
				means[k] += w[k] / averaged
			}
		}
	}
	weights = map[string]float64{}
	for word, k := range number {
		weights[word] = means[k]
	}
	return bias, weights
}

// weighed returns the weight of a wording by weights in tenths.
func weighed(s *sample, tenths map[string]int) float64 {
	sum, n := 0, 0
	for _, word := range s.words {
		if w, ok := tenths[word]; ok {
			sum, n = sum+w, n+1
		}
	}
	return float64(tenths[""])/10 + float64(sum)/10*shareOfMark(n)
}

// TestWording compares texts/wording.json with what is learned; -update writes it.
func TestWording(t *testing.T) {
	all := worded(t)
	learned := learn(all)
	if *update {
		if err := os.WriteFile("texts/wording.json", wordingOf(t, learned), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	// A few new texts change little, and other processors round otherwise.
	const far, few = 5, 0.02
	var changed []*sample
	for _, s := range all {
		want := max(-maxWording, min(maxWording, weighed(s, learned)))
		if math.Abs(float64(s.wording)-want) > far {
			changed = append(changed, s)
		}
	}
	if float64(len(changed)) > few*float64(len(all)) {
		t.Errorf("the wording of %d of %d texts weighs otherwise if it is learned anew, for example that of %q, %q: run the test with -update", len(changed), len(all), changed[0].Title, changed[0].Body)
	}
}

// wordingOf returns the text of texts/wording.json.
func wordingOf(t *testing.T, tenths map[string]int) []byte {
	t.Helper()
	lists := map[string][]string{}
	for word, n := range tenths {
		lists[strconv.Itoa(n)] = append(lists[strconv.Itoa(n)], word)
	}
	joined := map[string]string{}
	for n, words := range lists {
		slices.Sort(words)
		joined[n] = strings.Join(words, ",")
	}
	var file bytes.Buffer
	to := json.NewEncoder(&file)
	to.SetEscapeHTML(false)
	to.SetIndent("", " ")
	if err := to.Encode(joined); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
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
		leastTold = 88  // percent
	)
	total, right := 0, 0
	all := worded(t)
	for part := range parts {
		var others, mine []*sample
		for _, s := range all {
			if s.number > 0 && s.number/of%parts == part {
				mine = append(mine, s)
			} else {
				others = append(others, s)
			}
		}
		learned := learn(others)
		for _, s := range mine {
			if total++; (float64(s.signals)+weighed(s, learned) >= requests) == s.Request {
				right++
			}
		}
	}
	t.Logf("%d of %d texts are told", right, total)
	if 100*right < leastTold*total {
		t.Error("fewer than before")
	}
}
