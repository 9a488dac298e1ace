package report

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file in testdata. The files hold the comments as
// GitHub receives them, so that the end-to-end suite can render them.
func golden(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test ./internal/report -update writes it)", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(text, "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestComments(t *testing.T) {
	for name, in := range scenarios(t) {
		for _, language := range []string{"en", "zh"} {
			t.Run(name+"."+language, func(t *testing.T) {
				in.Language = language
				comment := Render(in).Comment
				golden(t, name+"."+language+".md", comment)
				for _, complaint := range inspect(comment) {
					t.Error(complaint)
				}
			})
		}
	}
}

func TestHelp(t *testing.T) {
	for _, language := range []string{"en", "zh"} {
		in := scenarios(t)["done-one"]
		in.Language = language
		comment := Render(in).Comment
		with := WithHelp(comment, in)
		golden(t, "help."+language+".md", WithHelp("", in))
		if !strings.HasPrefix(with, strings.TrimRight(comment, "\n")) {
			t.Error("the comment was changed")
		}
		if again := WithHelp(with, in); again != with {
			t.Error("the comment has the help twice")
		}
		for _, complaint := range inspect(with) {
			t.Error(complaint)
		}
	}
}

func TestTerminal(t *testing.T) {
	all := scenarios(t)
	var b strings.Builder
	for _, name := range []string{"partial", "done-targets", "hostile", "not-permitted", "unreachable"} {
		b.WriteString(Terminal{}.Copies(all[name].Plan, all[name].Results) + "\n")
	}
	golden(t, "copies.txt", b.String())
	b.Reset()
	for _, name := range []string{"done-assumed", "done-platform", "hostile", "problems"} {
		b.WriteString(Terminal{}.Understood(all[name].Request) + "\n")
	}
	golden(t, "understood.txt", b.String())
}

func TestSummaryIsTheCommentWithoutItsMarker(t *testing.T) {
	r := Render(scenarios(t)["partial"])
	_, body, _ := strings.Cut(r.Comment, "\n")
	if r.Summary != body {
		t.Errorf("summary differs:\n%s", cmp.Diff(body, r.Summary))
	}
}
