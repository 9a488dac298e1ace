package name_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/name"
)

var codeSpan = regexp.MustCompile("`([^`]+)`")

// TestDocumentation checks every table of docs/names.md that has a column of
// sources, forwards and backwards.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/names.md")
	if err != nil {
		t.Fatal(err)
	}
	var header []string
	rows := 0
	for number, line := range strings.Split(string(text), "\n") {
		if !strings.HasPrefix(line, "| ") {
			header = nil
			continue
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if header == nil {
			header = cells
			continue
		}
		if header[0] != "source" || strings.HasPrefix(line, "| ---") {
			continue
		}
		rows++
		for column, cell := range cells {
			spans := codeSpan.FindAllStringSubmatch(header[column], -1)
			if column == 0 || len(spans) == 0 {
				continue // a reason
			}
			host := "harbor.example.com"
			if len(spans) == 2 {
				host = spans[1][1]
			}
			s := scheme(t, host+"/user", name.Profile(spans[0][1]), nil)
			want := host + "/user" + strings.TrimPrefix(codeSpan.FindStringSubmatch(cell)[1], "USER")
			for i, span := range codeSpan.FindAllStringSubmatch(cells[0], -1) {
				src := span[1]
				n := mirror(t, s, src)
				if n.Reference.String() != want {
					t.Errorf("docs/names.md:%d: %s has the name %s, not %s", number+1, src, n.Reference, want)
				}
				back, err := s.Source(n.Reference)
				if i == 0 && err == nil && back.Repository() != parse(t, src).Repository() {
					t.Errorf("docs/names.md:%d: %s reads back as %s, not %s", number+1, n.Reference, back, src)
				}
			}
		}
	}
	if rows < 30 {
		t.Errorf("docs/names.md: only %d rows were checked: have the tables changed their form?", rows)
	}
}
