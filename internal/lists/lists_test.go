package lists_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/lists"
)

var update = flag.Bool("update", false, "write the expected readings anew")

// sample are the tags that selections choose from in the expected readings.
var sample = strings.Fields("latest 8 8.0 8.0.1 8.0.2 8.0.2-alpine 7.4.2 7.4.1 7.4.2-alpine 7.4.1-alpine 7.4.1-rc1 7.2.6 7.2.5 6.2.16 3.0.1 2.53.2 v1 v2")

// show writes a reading down.
func show(l lists.List) string {
	var b strings.Builder
	fmt.Fprintf(&b, "format %s\n", l.Format)
	for _, e := range l.Entries {
		fmt.Fprintf(&b, "%d %s", e.Line, e.Source)
		if named, ok := e.Named(); ok {
			for _, ref := range named {
				fmt.Fprintf(&b, " %s", strings.TrimPrefix(ref.String(), e.Source.String()))
			}
		} else {
			b.WriteString(" of the sample")
			for _, v := range e.Tags.Choose(sample) {
				if v.Chosen {
					fmt.Fprintf(&b, " %s", v.Tag)
				}
			}
		}
		for _, p := range e.Platforms {
			fmt.Fprintf(&b, " +%s", p)
		}
		if e.KeepOld {
			b.WriteString(" keeps the old")
		}
		if e.Immutable != nil {
			b.WriteString(" immutable")
			for _, tag := range sample {
				if e.Immutable.Matches(tag) {
					b.WriteString(" " + tag)
				}
			}
		}
		if as := e.As.String(); as != "" {
			fmt.Fprintf(&b, " as %s", as)
		}
		for _, t := range e.Targets {
			fmt.Fprintf(&b, " at %s", t)
		}
		for _, to := range e.To {
			fmt.Fprintf(&b, " -> %s", strings.Join(append([]string{to.Repository.String()}, to.Tags...), ":"))
		}
		b.WriteString("\n")
	}
	for _, u := range l.Upstreams {
		fmt.Fprintf(&b, "%d %s %s", u.Line, u.Kind, strings.Join(strings.Fields(u.From+" "+u.Name+" "+u.Range+" "+u.Values), " "))
		for _, v := range u.Versions.Choose(sample) {
			if v.Chosen && (u.Kind == lists.Kubernetes || u.Kind == lists.Release) {
				fmt.Fprintf(&b, " %s", v.Tag)
			}
		}
		for _, p := range u.Platforms {
			fmt.Fprintf(&b, " +%s", p)
		}
		for _, t := range u.Targets {
			fmt.Fprintf(&b, " at %s", t)
		}
		b.WriteString("\n")
	}
	for _, f := range l.Faults {
		fmt.Fprintf(&b, "fault %s\n", f)
	}
	for _, f := range l.Notes {
		fmt.Fprintf(&b, "note %s\n", f)
	}
	return b.String()
}

func environment(name string) string {
	return map[string]string{"REGISTRY": "registry.example.com", "NAMESPACE": "mirror", "TOKEN": "hunter2secret", "HUB_TOKEN": "hunter2secret"}[name]
}

func TestReadings(t *testing.T) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, ".want") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got := show(lists.Read(text, lists.Options{Getenv: environment, Now: time.Date(2026, 11, 29, 3, 41, 0, 0, time.UTC)}))
		if strings.Contains(got, "hunter2") {
			t.Errorf("%s: a credential is shown", file)
		}
		if *update {
			if err := os.WriteFile(file+".want", []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file + ".want")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-update writes it anew): -want +got\n%s", file, diff)
		}
	}
}

// TestExamples: the lists that people copy, and those of docs/lists.md, have no
// fault.
func TestExamples(t *testing.T) {
	root := filepath.Join("..", "..")
	texts := map[string]string{}
	for _, file := range []string{"examples/lists/images.txt", "examples/lists/images.yaml"} {
		texts[file] = read(t, filepath.Join(root, file))
	}
	for _, page := range []string{"docs/lists.md", "docs/lists.zh-CN.md", "README.md", "README.zh-CN.md"} {
		before := ""
		for n, block := range strings.Split(read(t, filepath.Join(root, page)), "```") {
			language, text, _ := strings.Cut(block, "\n")
			isList := language == "" || language == "yaml"
			if strings.HasPrefix(page, "README") {
				isList = strings.HasSuffix(strings.TrimRight(before, ":：\n"), "`images.txt`")
			}
			if n%2 == 1 && isList {
				texts[fmt.Sprintf("%s, block %d", page, n/2)] = strings.ReplaceAll(text, "sha256:0123…", "sha256:"+strings.Repeat("0123", 16))
			}
			before = block
		}
	}
	if len(texts) != 10 {
		t.Errorf("%d examples, want 10", len(texts))
	}
	for name, text := range texts {
		l := lists.Read([]byte(text), lists.Options{})
		if len(l.Entries)+len(l.Upstreams) < 4 || len(l.Faults)+len(l.Notes) > 0 {
			t.Errorf("%s: %d entries, %v %v", name, len(l.Entries), l.Faults, l.Notes)
		}
	}
}

// TestSchedule: a scheduled run takes the groups of its day, and another run all.
func TestSchedule(t *testing.T) {
	text := read(t, filepath.Join("testdata", "settings.yaml"))
	for day, want := range map[string]string{
		"2026-11-29": "cron sunday", "2026-11-30": "weekly cron", "2026-12-01": "tuesday monthly cron", "2026-12-02": "cron", "2026-12-04": "tuesday cron",
		"": "weekly tuesday monthly cron sunday",
	} {
		var today time.Time
		if day != "" {
			var err error
			if today, err = time.Parse(time.DateOnly, day); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, e := range lists.Read([]byte(text), lists.Options{Today: today}).Entries {
			if name, ok := strings.CutPrefix(e.Source.String(), "quay.io/a/"); ok {
				got = append(got, name)
			}
		}
		if said := strings.Join(got, " "); said != want {
			t.Errorf("on %s: %q, want %q", day, said, want)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestHostile: what is large or refers to itself is read in a bounded time, or
// refused.
func TestHostile(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'j'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	merges := "x-a: &a {images: [nginx:1]}\n"
	for c := 'b'; c < 'z'; c++ {
		merges += fmt.Sprintf("x-%c: &%c {<<: [*%c, *%c]}\n", c, c, c-1, c-1)
	}
	groups := "x-i: &i [" + strings.Repeat("nginx:1,", 5000) + "]\ngroups:\n" + strings.Repeat("- images: *i\n", 5000)
	for name, test := range map[string]struct {
		text    string
		entries int
		fault   string
	}{
		"large":              {strings.Repeat("# a comment\n", 1<<20), 0, "more than 10485760 bytes"},
		"many lines":         {strings.Repeat("quay.io/a/b:1\n", 100_001), 100_000, "100001: is after entry 100000"},
		"many keys":          {many(5_000, "quay.io/a/b%d: quay.io/c/d\n"), 5_000, ""},
		"many faults":        {strings.Repeat("nginx:[\n", 20_000), 0, "19000 more faults"},
		"many sentences":     {many(7000, "please copy it %d\n"), 0, "more faults"},
		"a bomb":             {"quay.io/x/y: *i\n" + bomb, 0, "not YAML"},
		"a bomb of items":    {bomb + "quay.io/x/y: *i\n", 0, ""},
		"a bomb of merges":   {merges + "images: [nginx:1]\n<<: *y\n", 1, ""},
		"a bomb of groups":   {groups, 100_000, "is after entry 100000"},
		"a circle":           {"images: &a [*a]\n", 0, "not an image"},
		"a circle of merges": {"x: &a {<<: *a}\nimages: [nginx:1]\n<<: *a\n", 1, ""},
		"deep":               {strings.Repeat("[", 20_000), 0, "not YAML"},
		"deeper":             {"images: " + strings.Repeat("{a: ", 20_000), 0, "not YAML"},
		"not UTF-8":          {"nginx:1\n\xff\xfe", 0, "not UTF-8"},
		"deep parentheses":   {"version: 1\nsync:\n- {source: a/b, type: image, target: '{{" + strings.Repeat("(", 1<<20) + "}}'}\n", 0, "not supported"},
		"nothing":            {"\n\n# nothing\n", 0, ""},
		"duplicate keys":     {"images: [nginx:1]\nimages: [nginx:2]\n", 1, "2: repeats a key of line 1"},
		"a duplicate source": {"quay.io/a/b:1: quay.io/c/d\nquay.io/a/b:1: quay.io/e/f\n", 1, "2: repeats a key of line 1"},
		"two documents":      {"images: [nginx:1]\n---\nimages: [nginx:2]\n", 1, "second document"},
		"a long line":        {"nginx:" + strings.Repeat("1 ", 500_000), 0, "the limit is"},
		"a long expression":  {"nginx:/" + strings.Repeat("(a*)*", 500) + "/", 0, "the limit is"},
	} {
		l := lists.Read([]byte(test.text), lists.Options{})
		said := fmt.Sprint(l.Faults)
		if len(l.Entries) != test.entries && name != "a bomb of items" || !strings.Contains(said, test.fault) || len(said) > 1<<20 {
			t.Errorf("%s: %d entries, %.300s", name, len(l.Entries), said)
		}
	}
}

func many(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// FuzzRead: whatever the text, an entry has a line of it and names what satisfies
// the grammar, and no password is shown.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && !strings.HasSuffix(file, ".want") {
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		l := lists.Read([]byte(text), lists.Options{Getenv: environment})
		// A carriage return alone ends a line, too (YAML 1.2.2, section 5.4).
		lines := strings.Count(strings.ReplaceAll(text, "\r\n", "\n"), "\r") + strings.Count(text, "\n") + 1
		for _, e := range l.Entries {
			if e.Line < 1 || e.Line > lines || e.Source.IsZero() {
				t.Errorf("entry %+v of %d lines", e, lines)
			}
			e.Tags.Choose(sample)
		}
		for _, u := range l.Upstreams {
			u.Entries(text)
		}
		if strings.Contains(text, "hunter2") {
			return
		}
		if said := show(l); strings.Contains(said, "hunter2") {
			t.Errorf("a credential is shown: %s", said)
		}
	})
}
