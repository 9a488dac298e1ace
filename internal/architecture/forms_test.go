package architecture

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func unmarshal(t *testing.T, file string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, file)), into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// attributes are those that GitHub allows, by the type of a form's element
// ("Syntax for GitHub's form schema"). It shows a form with any other, or with
// a doubled id or label, to nobody.
var attributes = map[string][]string{
	"markdown":   {"value"},
	"textarea":   {"label", "description", "placeholder", "value", "render"},
	"input":      {"label", "description", "placeholder", "value"},
	"dropdown":   {"label", "description", "multiple", "options", "default"},
	"checkboxes": {"label", "description", "options"},
}

func TestIssueForms(t *testing.T) {
	folder := filepath.Join("..", "..", ".github", "ISSUE_TEMPLATE")
	files, err := filepath.Glob(filepath.Join(folder, "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		if filepath.Base(file) == "config.yml" {
			continue
		}
		var form struct {
			Name, Description string
			Labels            []string
			Body              []struct {
				Type, ID    string
				Attributes  map[string]any
				Validations map[string]bool
			}
		}
		text := yaml.NewDecoder(strings.NewReader(read(t, file)))
		text.KnownFields(true)
		if err := text.Decode(&form); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if form.Name == "" || form.Description == "" || len(form.Body) == 0 || names[form.Name] {
			t.Errorf("%s needs a name of its own, a description and a body", file)
		}
		names[form.Name] = true
		seen := map[string]bool{}
		for _, e := range form.Body {
			label, _ := e.Attributes["label"].(string)
			if e.Type != "markdown" && (label == "" || seen[label] || seen[e.ID]) {
				t.Errorf("%s: %q needs a label and an id of its own", file, e.ID)
			}
			seen[label], seen[e.ID] = true, e.ID != ""
			for key := range e.Attributes {
				if !slices.Contains(attributes[e.Type], key) {
					t.Errorf("%s: a %s has no %s", file, e.Type, key)
				}
			}
			for key := range e.Validations {
				if key != "required" {
					t.Errorf("%s: there is no validation %s", file, key)
				}
			}
		}
	}
	if len(names) < 2 {
		t.Errorf("the forms are %v, want one for images and one for faults", names)
	}
}
