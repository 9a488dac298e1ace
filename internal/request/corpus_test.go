package request

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/imageferry/ferry/internal/reference"
)

// sample is a text and what its author wants according to a reader who did not know
// the program.
type sample struct {
	Title, Body string
	Request     bool     // whether it asks for images
	Clear       bool     // whether every careful reader would say so
	Want        []string // the images that it asks for; "ask" if the author has to be asked
	Language    string

	file      string   // of the corpus
	number    int      // of its line there
	templates []string // of the repository
	marks     []int    // the numbers of the marks of its wording, sorted
	wording   int      // the weight that it has in the program
	signals   int      // the weight of its signals
}

// selects reports whether a text is one of those that name images beside the ones that
// they ask for. Which these are is learned from them, but not whether a text asks for
// images: all of them do.
func (s *sample) selects() bool { return strings.HasPrefix(s.file, "selections") }

// readCorpus returns the texts of testdata/corpus.
func readCorpus(t testing.TB) []*sample {
	t.Helper()
	return readSamples(t, "testdata/corpus/*.jsonl")
}

// readSamples returns the texts of the files that a pattern matches, one a line.
func readSamples(t testing.TB, pattern string) []*sample {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no file is %s: %v", pattern, err)
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
			s := &sample{file: filepath.Base(file), number: number}
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

// inParallel calls do for each text.
func inParallel(all []*sample, do func(*sample)) {
	var wait sync.WaitGroup
	var next atomic.Int32
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for i := int(next.Add(1)); i <= len(all); i = int(next.Add(1)) {
				do(all[i-1])
			}
		})
	}
	wait.Wait()
}

// FuzzChangedCases reads cases in which lines have moved, or stand at another indentation,
// beside lines of others of the same dialect: nobody would write that, but somebody may
// paste it.
func FuzzChangedCases(f *testing.F) {
	bodies := map[string][][]string{} // of the cases, by their folder
	for _, c := range caseTexts(f) {
		bodies[c.folder] = append(bodies[c.folder], strings.Split(c.body, "\n"))
	}
	folders := slices.Sorted(maps.Keys(bodies))
	for seed := range uint64(500) {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 2))
		all := bodies[folders[random.IntN(len(folders))]]
		lines := slices.Clone(all[random.IntN(len(all))])
		for range 1 + random.IntN(4) {
			at := random.IntN(len(lines))
			other := all[random.IntN(len(all))]
			switch random.IntN(3) {
			case 0:
				lines[at] = strings.Repeat("  ", random.IntN(4)) + strings.TrimLeft(lines[at], " ")
			case 1:
				from := random.IntN(len(other))
				lines = slices.Insert(lines, at, other[from:min(len(other), from+1+random.IntN(3))]...)
			default:
				to := random.IntN(len(lines))
				lines[at], lines[to] = lines[to], lines[at]
			}
		}
		in := Input{Title: "Please mirror", Body: strings.Join(lines, "\n"), List: random.IntN(4) == 0}
		Parse(in)
		Explain(in)
	})
}

// FuzzMixedTexts parses titles and lines of different texts of the corpus together, with
// few images in place of theirs: what one line says of an image meets what another one
// says of it, as in no single text. No image may be named twice in a request, or be left
// out of it as well.
func FuzzMixedTexts(f *testing.F) {
	image := regexp.MustCompile(`[\w.-]+(/[\w.-]+)+(:[\w.-]+)?|\b[\w-]+:v?\d[\w.-]*`)
	pool := []string{"docker.io/a/b", "quay.io/a/b:1.2", "bitnami/redis 7.2", "bitnami/redis:7.2", "redis:7", "redis", "a/b", "ghcr.io/a/c@sha256:" + strings.Repeat("0", 64), "quay.io/bitnami/redis", "7.2"}
	all := readCorpus(f)
	for seed := range uint64(500) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 1))
		replace := func(text string) string {
			return image.ReplaceAllStringFunc(text, func(string) string { return pool[random.IntN(len(pool))] })
		}
		title, body := replace(all[random.IntN(len(all))].Title), ""
		for range 1 + random.IntN(3) {
			lines := strings.Split(all[random.IntN(len(all))].Body, "\n")
			from := random.IntN(len(lines))
			body += strings.Join(lines[from:min(len(lines), from+1+random.IntN(5))], "\n") + "\n"
		}
		body = replace(body)
		r := Parse(Input{Title: title, Body: body})
		seen := map[reference.Reference]bool{}
		note := func(ref reference.Reference) {
			if seen[ref] {
				t.Errorf("%q above %q: %s is there twice", title, body, ref)
			}
			seen[ref] = true
		}
		for _, image := range r.Images {
			note(image.Reference)
		}
		for _, left := range r.LeftOut {
			note(left.Reference)
		}
	})
}

// TestCorpus parses the corpus. Its texts were used to develop the program, so that
// the figures say only that nothing is lost; other texts come out worse. Those of the
// files of selections are counted apart. Without -learn it parses half of them.
func TestCorpus(t *testing.T) {
	var exact, requests, selected, selections, alone, others atomic.Int32
	inParallel(readCorpus(t), func(s *sample) {
		if s.number%4 > 1 && !*learnAnew {
			return
		}
		r := Parse(Input{Title: s.Title, Body: s.Body})
		right, all := &exact, &requests
		switch {
		case !s.Request:
			right, all = &alone, &others
		case !s.Clear:
			return
		case s.selects():
			right, all = &selected, &selections
		}
		all.Add(1)
		if s.isExact(&r) {
			right.Add(1)
		}
	})
	t.Logf("%d of %d clear requests and %d of %d selections are understood exactly, %d of %d other texts are left alone",
		exact.Load(), requests.Load(), selected.Load(), selections.Load(), alone.Load(), others.Load())
	if 100*exact.Load() < 92*requests.Load() || 100*selected.Load() < 58*selections.Load() || 100*alone.Load() < 94*others.Load() {
		t.Error("fewer than before")
	}
}

// isExact reports whether a request has the images that the text asks for and no others,
// and whether it asks the author only where that is needed.
func (s *sample) isExact(r *Request) bool {
	var got []string
	for _, i := range r.Images {
		got = append(got, i.Reference.String())
	}
	want := slices.DeleteFunc(slices.Clone(s.Want), func(w string) bool { return w == "ask" })
	slices.Sort(got)
	slices.Sort(want)
	return slices.Equal(got, want) && (len(r.Problems) > 0) == (len(want) < len(s.Want))
}

var (
	readings = flag.String("readings", "", "write how each text of the corpus is read to this file")
	corpus   = flag.String("corpus", "testdata/corpus/*.jsonl", "the files that -readings reads")
)

// TestReadings writes how texts are read, one a line: whether that is right, the images,
// the problems and what is left out. Comparing the files of two versions shows what a
// change does.
func TestReadings(t *testing.T) {
	if *readings == "" {
		t.Skip("texts are read only with: go test ./internal/request -run TestReadings -readings FILE")
	}
	all := readSamples(t, *corpus)
	lines := make(map[*sample]string, len(all))
	count := map[string]int{}
	var mu sync.Mutex
	inParallel(all, func(s *sample) {
		r := Parse(Input{Title: s.Title, Body: s.Body})
		kind, verdict := "other", "wrong"
		if s.Request {
			kind = "request"
		}
		if !s.Clear {
			kind = "unclear " + kind
		}
		if s.isExact(&r) {
			verdict = "right"
		}
		line := fmt.Sprintf("%s:%d %s %s:", s.file, s.number, kind, verdict)
		for _, i := range r.Images {
			line += " " + i.Reference.String()
		}
		for _, p := range r.Problems {
			line += fmt.Sprintf("; %s %q", p.Code, p.Written)
		}
		for _, l := range r.LeftOut {
			line += fmt.Sprintf("; without %s: %s", l.Reference, l.Reason)
		}
		mu.Lock()
		defer mu.Unlock()
		lines[s] = line
		count[kind+" "+verdict]++
	})
	var file strings.Builder
	for _, s := range all {
		fmt.Fprintln(&file, lines[s])
	}
	if err := os.WriteFile(*readings, []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Log(count)
}
