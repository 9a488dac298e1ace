package report

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/ledger"
)

// TestOutputsAreDocumented checks that docs/outputs.md explains every field,
// code and label that programs may rely on.
func TestOutputsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "outputs.md"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, shape := range []any{Record{}, RecordTag{}, RecordError{}} {
		for field := range reflect.TypeOf(shape).Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	names = append(names, constants(t, "failure", "Code")...)
	names = append(names, constants(t, "failure", "Side")...)
	names = append(names, constants(t, "mirror", "Change")...)
	names = append(names, constants(t, "report", "Status")...)
	for _, l := range ledger.Labels() {
		names = append(names, l.Name)
	}
	for _, name := range names {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/outputs.md does not explain `%s`", name)
		}
	}
}

// TestCommandsAreDocumented checks that the READMEs explain the commands that
// /ferry help lists.
func TestCommandsAreDocumented(t *testing.T) {
	for name, l := range map[string]*language{"README.md": english, "README.zh-CN.md": chinese()} {
		text, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range l.Help {
			if !strings.Contains(string(text), "| `"+string(c.Command)+"` |") {
				t.Errorf("%s does not explain `%s`", name, c.Command)
			}
		}
	}
}
