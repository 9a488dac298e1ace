package request_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/request"
)

// A case is one request in testdata/DIALECT/*.txt and what a sensible human would say
// its author wants. A file holds many of them, each a name between "=== " and
// " ===", and sections that begin with "-- title --", "-- body --",
// "-- template --" (several are allowed) and "-- want --". A want section lists,
// one a line, the canonical references in order, each with "|" and its
// platforms, "->" and its custom name where there are any, and in the end
// "! code suggestion" for each problem.
type testCase struct {
	file, name string
	in         request.Input
	want       string
}

func readCases(t testing.TB) []testCase {
	t.Helper()
	files, err := filepath.Glob("testdata/*/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in testdata: %v", err)
	}
	var cases []testCase
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range strings.Split("\n"+string(data), "\n=== ") {
			if i == 0 {
				continue
			}
			name, rest, ok := strings.Cut(part, " ===\n")
			if !ok {
				t.Fatalf("%s: case %q has no end of its name", file, part)
			}
			c := testCase{file: strings.TrimPrefix(file, "testdata/"), name: name}
			for section := range strings.SplitSeq("\n"+rest, "\n-- ") {
				key, text, ok := strings.Cut(section, " --\n")
				if !ok {
					key, text, _ = strings.Cut(section, " --")
				}
				text = strings.TrimSuffix(text, "\n")
				switch strings.TrimSpace(key) {
				case "":
				case "title":
					c.in.Title = text
				case "body":
					c.in.Body = text
				case "template":
					c.in.Templates = append(c.in.Templates, text)
				case "repository":
					c.in.Repository = text
				case "want":
					c.want = strings.TrimSpace(text)
				default:
					t.Fatalf("%s: case %q has an unknown section %q", file, name, key)
				}
			}
			cases = append(cases, c)
		}
	}
	return cases
}

// summary returns a Request in the form of the want sections.
func summary(r request.Request) string {
	var b strings.Builder
	for _, i := range r.Images {
		b.WriteString(i.Reference.String())
		for n, p := range i.Platforms {
			b.WriteString(map[bool]string{true: "|", false: ","}[n == 0] + p.String())
		}
		if i.As != (request.Alias{}) {
			b.WriteString(" -> " + i.As.String())
		}
		b.WriteByte('\n')
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "! %s %s\n", p.Code, p.Suggestion)
	}
	return strings.TrimSpace(strings.ReplaceAll(b.String(), " \n", "\n"))
}

// images returns want without the problems.
func images(want string) string {
	var kept []string
	for line := range strings.SplitSeq(want, "\n") {
		if !strings.HasPrefix(line, "!") && line != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

func TestCases(t *testing.T) {
	names := make(map[string]bool)
	for _, c := range readCases(t) {
		t.Run(c.file+"/"+c.name, func(t *testing.T) {
			if names[c.file+c.name] {
				t.Errorf("two cases of this name")
			}
			names[c.file+c.name] = true
			got := summary(request.Parse(c.in))
			want := c.want
			if !strings.Contains(want, "!") {
				// Problems are compared if a case lists them, or has "! none".
				got = images(got)
			}
			want = strings.TrimSpace(strings.ReplaceAll(want, "! none", ""))
			if got != want {
				t.Errorf("title %q body\n%s\ngot\n%s\nwant\n%s", c.in.Title, c.in.Body, got, want)
			}
		})
	}
}
