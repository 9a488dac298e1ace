package request

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// TestWording compares texts/wording.json with what is learned; -update writes it.
func TestWording(t *testing.T) {
	l := worded(t)
	learned := learn(l.texts, l.kept)
	if *update {
		if err := os.WriteFile("texts/wording.json", l.file(t, learned), 0o600); err != nil {
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
		t.Errorf("the wording of %d of %d texts weighs otherwise if it is learned anew, for example that of %q, %q: run the test with -update", len(changed), len(l.texts), changed[0].Title, changed[0].Body)
	}
}

// file returns the text of texts/wording.json.
func (l lesson) file(t *testing.T, w weighing) []byte {
	t.Helper()
	lists := map[string][]string{strconv.Itoa(w.bias): {""}}
	for k, n := range w.marks {
		if w.has[k] {
			lists[strconv.Itoa(n)] = append(lists[strconv.Itoa(n)], l.names[k])
		}
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
		leastTold = 85  // percent
	)
	var mu sync.Mutex
	total, right := map[string]int{}, map[string]int{} // by file
	l := worded(t)
	var wait sync.WaitGroup
	for part := range parts {
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
