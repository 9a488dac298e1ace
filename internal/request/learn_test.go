package request

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

var learnAnew = flag.Bool("learn", false, "learn the weights in texts/wording.json and texts/beside.json anew")

// skipUnlessLearning skips a test that learns weights: it takes long, and checks the
// corpus rather than the code. TestCorpus checks what the weights in use decide.
func skipUnlessLearning(t *testing.T) {
	t.Helper()
	if !*learnAnew {
		t.Skip("weights are learned anew only with: go test ./internal/request -learn")
	}
}

// How weights are learned.
const (
	rounds    = 12
	averaged  = 6 // of the last rounds: the weights after one depend on the order of its texts
	sequences = 3 // of the texts, of which each gives other weights
	step      = 0.15
	scale     = 20 // of the logarithm of the odds, to the weights of signals
)

// weighing is what was learned: the weights of marks, by their numbers, in tenths.
type weighing struct {
	bias  int
	marks []int
	has   []bool // whether a mark has a weight
}

// inTenths returns learned weights in tenths; only some marks have one.
func inTenths(bias float64, weights []float64, kept []bool) weighing {
	w := weighing{int(math.Round(10 * scale * bias)), make([]int, len(kept)), kept}
	for k, x := range weights {
		w.marks[k] = int(math.Round(10 * scale * x))
	}
	return w
}

// file returns a file of weights, for marks with these names.
func (w weighing) file(t *testing.T, names []string) []byte {
	t.Helper()
	weights := map[string]int{"": w.bias}
	for k, n := range w.marks {
		if w.has[k] {
			weights[names[k]] = n
		}
	}
	var marks, halves []string
	before := ""
	for _, mark := range slices.Sorted(maps.Keys(weights)) {
		n := sharedBytes(mark, before)
		marks, before = append(marks, shares[n:n+1]+mark[n:]), mark
		halves = append(halves, strconv.Itoa(int(math.Round(float64(weights[mark])/5))))
	}
	var file bytes.Buffer
	to := json.NewEncoder(&file)
	to.SetEscapeHTML(false)
	to.SetIndent("", " ")
	if err := to.Encode(weightFile{strings.Join(marks, ","), strings.Join(halves, ",")}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// sharedBytes returns how many bytes two marks begin with in common, at most as many as
// shares can tell, and none of them a part of a character.
func sharedBytes(a, b string) int {
	n := 0
	for n < min(len(a), len(b), len(shares)-1) && a[n] == b[n] {
		n++
	}
	for n > 0 && n < len(a) && !utf8.RuneStart(a[n]) {
		n--
	}
	return n
}

// TestSharedBytes reads what file has written.
func TestSharedBytes(t *testing.T) {
	names := []string{"the", "them", "the <path>", "镜 像", "镜 头", "钜", strings.Repeat("x", 50), strings.Repeat("x", 49)}
	w := weighing{bias: -10, marks: []int{5, 10, -15, 20, -25, 30, 35, 400}, has: slices.Repeat([]bool{true}, len(names))}
	weights := *readWeights(string(w.file(t, names)))
	if len(weights) != len(names)+1 || weights[""] != w.bias {
		t.Errorf("it has %d weights, the first one is %d", len(weights), weights[""])
	}
	for k, name := range names {
		if weights[name] != w.marks[k] {
			t.Errorf("%q weighs %d, want %d", name, weights[name], w.marks[k])
		}
	}
}

// counts are how many texts have each mark, by its number.
type counts []int

// often returns the marks that at least some texts have.
func (c counts) often(least int) []bool {
	kept := make([]bool, len(c))
	for k, n := range c {
		kept[k] = n >= least
	}
	return kept
}

// heaviest returns the marks, among some, that weigh most and occur often, at most a
// number of them.
func (c counts) heaviest(among []bool, weights []float64, names []string, most int) []bool {
	var found []int
	for k, is := range among {
		if is {
			found = append(found, k)
		}
	}
	matters := func(k int) float64 { return math.Abs(weights[k]) * math.Pow(float64(c[k]), 0.3) }
	slices.SortFunc(found, func(a, b int) int {
		return cmp.Or(cmp.Compare(matters(b), matters(a)), cmp.Compare(names[a], names[b]))
	})
	kept := make([]bool, len(c))
	for _, k := range found[:min(len(found), most)] {
		kept[k] = true
	}
	return kept
}

// example is something to learn from: its features, and whether it has the property.
type example struct {
	text     string // that it is from
	features []feature
	offset   float64 // of the logarithm of the odds
	yes      bool
}

// feature is a mark, by its number, with its value.
type feature struct {
	mark  int
	value float64
}

// regression is a logistic regression by stochastic gradient descent with a step for
// each mark (Duchi, Hazan, Singer: Adaptive Subgradient Methods, 2011). It returns the
// means of what several orders of the examples give.
func regression(all []example, marks int, decay float64) (bias float64, weights []float64) {
	places := placesOf(all)
	var biases [sequences]float64
	var learned [sequences][]float64
	var wait sync.WaitGroup
	for n := range sequences {
		wait.Go(func() { biases[n], learned[n] = descend(all, places, marks, decay, uint64(n)) })
	}
	wait.Wait()
	weights = make([]float64, marks)
	for n := range sequences {
		bias += biases[n] / sequences
		for k, w := range learned[n] {
			weights[k] += w / sequences
		}
	}
	return bias, weights
}

// placesOf returns numbers that say where each example stands in an order. They are those
// of its text, so that the others keep their order if one is added.
func placesOf(all []example) []uint64 {
	times := map[string]byte{}
	places := make([]uint64, len(all))
	for i, x := range all {
		h := fnv.New64a()
		h.Write([]byte(x.text))
		h.Write([]byte{times[x.text]})
		times[x.text]++
		places[i] = h.Sum64()
	}
	return places
}

// descend is regression for one order of the examples, which is another one in each
// round.
func descend(all []example, places []uint64, marks int, decay float64, order uint64) (bias float64, weights []float64) {
	w, squares := make([]float64, marks), slices.Repeat([]float64{0.01}, marks)
	weights = make([]float64, marks)
	type next struct {
		place uint64
		at    int
	}
	sequence := make([]next, len(all))
	// The mean is that of all steps of the last rounds. A weight is added when it changes,
	// as often as it has been the same.
	steps, since := 0, make([]int, marks)
	mean := func(k int) {
		weights[k] += w[k] * float64(steps-since[k])
		since[k] = steps
	}
	for round := range rounds {
		for i, place := range places {
			sequence[i] = next{rand.NewPCG(place, order*rounds+uint64(round)).Uint64(), i}
		}
		slices.SortFunc(sequence, func(a, b next) int { return cmp.Compare(a.place, b.place) })
		for _, n := range sequence {
			x := &all[n.at]
			z := bias + x.offset
			for _, f := range x.features {
				z += w[f.mark] * f.value
			}
			wrong := 1 / (1 + math.Exp(-z))
			if x.yes {
				wrong--
			}
			bias -= step / 10 * wrong
			for _, f := range x.features {
				if round >= rounds-averaged {
					mean(f.mark)
				}
				slope := wrong*f.value + decay*w[f.mark]
				squares[f.mark] += slope * slope
				w[f.mark] -= step * slope / math.Sqrt(squares[f.mark])
			}
			if round >= rounds-averaged {
				steps++
			}
		}
	}
	for k := range w {
		mean(k)
		weights[k] /= float64(max(steps, 1))
	}
	return bias, weights
}
