package lists_test

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/imageferry/ferry/internal/lists"
)

// schema is the part of JSON Schema that .github/images.schema.json uses.
type schema struct {
	Ref                  string `json:"$ref"`
	Type                 any
	Enum                 []any
	Pattern              string
	MinLength            int
	Required             []string
	AdditionalProperties *bool
	Properties           map[string]*schema
	Items                *schema
	AnyOf                []*schema
	Definitions          map[string]*schema
}

func readSchema(t *testing.T) *schema {
	t.Helper()
	s := &schema{}
	if err := json.Unmarshal([]byte(read(t, filepath.Join("..", "..", ".github", "images.schema.json"))), s); err != nil {
		t.Fatal(err)
	}
	return s
}

// valid reports whether a value satisfies a schema.
func (root *schema) valid(s *schema, v any) bool {
	if name, ok := strings.CutPrefix(s.Ref, "#/definitions/"); ok {
		s = root.Definitions[name]
	}
	kind := map[bool]string{true: "null"}[v == nil]
	switch v := v.(type) {
	case string:
		kind = "string"
		if len(v) < s.MinLength || s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v) {
			return false
		}
	case bool:
		kind = "boolean"
	case float64, int:
		kind = "number"
	case []any:
		kind = "array"
		for _, item := range v {
			if s.Items != nil && !root.valid(s.Items, item) {
				return false
			}
		}
	case map[string]any:
		kind = "object"
		for key, value := range v {
			if p := s.Properties[key]; p != nil && !root.valid(p, value) ||
				p == nil && s.AdditionalProperties != nil && !*s.AdditionalProperties && !strings.HasPrefix(key, "x-") {
				return false
			}
		}
		for _, key := range s.Required {
			if _, ok := v[key]; !ok {
				return false
			}
		}
	}
	switch types := s.Type.(type) {
	case string:
		if types != kind {
			return false
		}
	case []any:
		if !slices.Contains(types, any(kind)) {
			return false
		}
	}
	if s.Enum != nil && !slices.ContainsFunc(s.Enum, func(e any) bool { return e == v || e == float64(1) && v == 1 }) {
		return false
	}
	return s.AnyOf == nil || slices.ContainsFunc(s.AnyOf, func(one *schema) bool { return root.valid(one, v) })
}

// TestSchema: the schema has the keys of the reader at each level, and finds what the
// reader finds in the structure of a list.
func TestSchema(t *testing.T) {
	root := readSchema(t)
	image := root.Definitions["images"].Items.AnyOf[1]
	for level, c := range map[string]struct {
		properties map[string]*schema
		text       string
	}{
		"top":      {root.Properties, "images: []\nunknown: 1\n"},
		"defaults": {root.Properties["defaults"].Properties, "images: []\ndefaults: {unknown: 1}\n"},
		"group":    {root.Properties["groups"].Items.Properties, "groups: [{images: [], unknown: 1}]\n"},
		"image":    {image.Properties, "images: [{image: nginx, unknown: 1}]\n"},
	} {
		l := lists.Read([]byte(c.text), lists.Options{})
		var want []string
		for key := range c.properties {
			want = append(want, key)
		}
		slices.Sort(want)
		if len(l.Faults) != 1 || !strings.HasSuffix(l.Faults[0].Cure, "the keys allowed here are "+strings.Join(want, ", ")) {
			t.Errorf("%s: the schema has %v, the reader says %v", level, want, l.Faults)
		}
	}
	for text, valid := range map[string]bool{
		read(t, filepath.Join("..", "..", "examples", "lists", "images.yaml")):                                        true,
		"version: 1\nimages: [nginx]\nx-a: {b: c}\n":                                                                  true,
		"groups: [{name: a, images: [{image: nginx, as: b}], schedule: [mon, Friday], targets: docker.io/b}]\n":       true,
		"images: [nginx]\ndefaults: {keep-old: true, immutable: '*.*.*', platforms: all, schedule: weekly, select: }": true,
		"images: [{image: nginx, select: [a]}]\n":                                                                     false,
		"images: [{select: newest 3}]\n":                                                                              false,
		"images: [[nginx]]\n":                                                                                         false,
		"images: ['']\n":                                                                                              false,
		"groups: [{name: a}]\n":                                                                                       false,
		"groups: [nginx]\n":                                                                                           false,
		"version: 2\nimages: [nginx]\n":                                                                               false,
		"images: [nginx]\ndefaults: {keep-old: maybe}\n":                                                              false,
		"images: [nginx]\ndefaults: {schedule: 0 3 * * *}\n":                                                          false,
		"images: [nginx]\ndefaults: {schedule: weekday}\n":                                                            false,
		"images: [nginx]\ndefaults: {schedule: [day]}\n":                                                              false,
		"images: [nginx]\ndefaults: {schedule: monkey}\n":                                                             false,
		"images: [nginx]\ndefaults: {platforms: {a: b}}\n":                                                            false,
		"images: [nginx]\ndefault: {}\n":                                                                              false,
	} {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		l := lists.Read([]byte(text), lists.Options{Format: lists.YAML})
		if got := root.valid(root, v); got != valid || (len(l.Faults) == 0) != valid {
			t.Errorf("%q: valid is %t by the schema, want %t; the reader says %v", text, got, valid, l.Faults)
		}
	}
}
