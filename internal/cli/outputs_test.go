package cli

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/report"
)

// section returns the text under a heading of docs/outputs.md, up to the next
// heading.
func section(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "outputs.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "# "+heading+"\n")
	if !ok {
		t.Fatalf("docs/outputs.md has no section %q", heading)
	}
	body, _, _ := strings.Cut(after, "\n#")
	return body
}

// names returns the first column of a section's table.
func names(t *testing.T, heading string) []string {
	t.Helper()
	var all []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(section(t, heading), -1) {
		all = append(all, m[1])
	}
	return all
}

// fields returns the names of a type's fields in JSON, in order.
func fields(shape any) []string {
	var all []string
	for field := range reflect.TypeOf(shape).Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		all = append(all, name)
	}
	return all
}

// codes returns the constants of a type in another package.
func codes(t *testing.T, room, typeName string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", room, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	constant := regexp.MustCompile(`(?m)^\s+\w+ +` + typeName + ` += "([^"]+)"`)
	var all []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range constant.FindAllStringSubmatch(string(text), -1) {
			all = append(all, m[1])
		}
	}
	return all
}

// TestShapesAreDocumented checks that docs/outputs.md lists exactly the fields
// and codes of the code, in the same order.
func TestShapesAreDocumented(t *testing.T) {
	for heading, want := range map[string][]string{
		"Records":              fields(report.Record{}),
		"Changes":              codes(t, "mirror", "Change"),
		"Codes of errors":      codes(t, "failure", "Code"),
		"`ferry parse --json`": fields(understanding{}),
		"Images":               fields(understoodImage{}),
		"Assumptions":          codes(t, "request", "Assumption"),
		"Problems":             fields(understoodProblem{}),
		"Kinds of problems":    codes(t, "request", "ProblemCode"),
	} {
		if diff := cmp.Diff(want, names(t, heading)); diff != "" || len(want) < 3 {
			t.Errorf("%s: -code +docs/outputs.md\n%s", heading, diff)
		}
	}
}

// TestExamplesHaveTheShapes checks that the examples of the page have the
// fields of the JSON.
func TestExamplesHaveTheShapes(t *testing.T) {
	example := func(heading string) map[string]any {
		t.Helper()
		_, text, _ := strings.Cut(section(t, heading), "```json\n")
		text, _, _ = strings.Cut(text, "```")
		var object map[string]any
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			t.Fatalf("%s: %v", heading, err)
		}
		return object
	}
	sorted := func(list []string) []string { return slices.Sorted(slices.Values(list)) }
	for name := range example("Records") {
		if !slices.Contains(fields(report.Record{}), name) {
			t.Errorf("a record has no %q", name)
		}
	}
	shown := example("`ferry parse --json`")
	for name, shape := range map[string]any{"images": understoodImage{}, "problems": understoodProblem{}} {
		first := shown[name].([]any)[0].(map[string]any)
		if diff := cmp.Diff(sorted(fields(shape)), slices.Sorted(maps.Keys(first))); diff != "" {
			t.Errorf("%s: -code +example\n%s", name, diff)
		}
	}
	if diff := cmp.Diff(sorted(fields(understanding{})), slices.Sorted(maps.Keys(shown))); diff != "" {
		t.Errorf("-code +example\n%s", diff)
	}
}
