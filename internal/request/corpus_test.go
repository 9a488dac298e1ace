package request

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// sample is a text and what its author wants according to a reader who did not know
// the program.
type sample struct {
	Title, Body string
	Request     bool     // whether it asks for images
	Clear       bool     // whether every careful reader would say so
	Want        []string // the images that it asks for; "ask" if the author has to be asked
	Language    string

	number    int      // of its line in the corpus
	templates []string // of the repository
	marks     []int    // the numbers of the marks of its wording, sorted
	wording   int      // the weight that it has in the program
	signals   int      // the weight of its signals
}

// readCorpus returns the texts of testdata/corpus, one a line.
func readCorpus(t testing.TB) []*sample {
	t.Helper()
	files, err := filepath.Glob("testdata/corpus/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	var all []*sample
	for _, file := range files {
		data, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(data)
		lines.Buffer(nil, 1<<20)
		for number := 1; lines.Scan(); number++ {
			s := &sample{number: number}
			if err := json.Unmarshal(lines.Bytes(), s); err != nil {
				t.Fatalf("%s:%d: %v", file, number, err)
			}
			if s.Request != (len(s.Want) > 0) {
				t.Errorf("%s:%d: a request names what is wanted, another text does not", file, number)
			}
			all = append(all, s)
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
		data.Close()
	}
	return all
}

// TestCorpus parses the corpus. Its texts were used to develop the program, so that
// the figures say only that nothing is lost; other texts come out worse.
func TestCorpus(t *testing.T) {
	requests, exact, others, alone := 0, 0, 0, 0
	for _, s := range readCorpus(t) {
		r := Parse(Input{Title: s.Title, Body: s.Body})
		if !s.Request {
			others++
			if len(r.Images)+len(r.Problems) == 0 {
				alone++
			}
			continue
		}
		if !s.Clear {
			continue
		}
		requests++
		var got []string
		for _, i := range r.Images {
			got = append(got, i.Reference.String())
		}
		want := slices.DeleteFunc(slices.Clone(s.Want), func(w string) bool { return w == "ask" })
		slices.Sort(got)
		slices.Sort(want)
		if slices.Equal(got, want) && (len(r.Problems) > 0) == (len(want) < len(s.Want)) {
			exact++
		}
	}
	t.Logf("%d of %d clear requests are understood exactly, %d of %d other texts are left alone", exact, requests, alone, others)
	if 100*exact < 91*requests || 100*alone < 97*others {
		t.Error("fewer than before")
	}
}
