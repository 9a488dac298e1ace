package page

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// definition is the definition in schema.json that a file has to fit.
func definition(path string) string {
	first, _, nested := strings.Cut(path, "/")
	if nested {
		return first
	}
	return strings.TrimSuffix(first, ".json")
}

// TestSchemas holds every file of the API against its schema, and the schema against
// files that do not fit.
func TestSchemas(t *testing.T) {
	folder := filepath.Join(site(t), "api", "v1")
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schemaOf := func(name string) *jsonschema.Schema {
		schema, err := compiler.Compile("file://" + filepath.ToSlash(folder) + "/schema.json#/$defs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return schema
	}
	seen := map[string]bool{}
	for _, path := range files(t, folder, ".json") {
		name, err := filepath.Rel(folder, path)
		if err != nil {
			t.Fatal(err)
		}
		if name = filepath.ToSlash(name); name == "schema.json" || name == "openapi.json" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		seen[definition(name)] = true
		if err := schemaOf(definition(name)).Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		object := value.(map[string]any)
		for field := range object {
			kept := object[field]
			delete(object, field)
			if schemaOf(definition(name)).Validate(value) == nil {
				t.Errorf("%s fits its schema without %s", name, field)
			}
			object[field] = []any{"<script>", 1.5}
			if schemaOf(definition(name)).Validate(value) == nil {
				t.Errorf("%s fits its schema with another %s", name, field)
			}
			object[field] = kept
		}
	}
	for _, name := range []string{"index", "tags", "images", "digests", "hosts", "targets", "clients"} {
		if !seen[name] {
			t.Errorf("no file %s was seen", name)
		}
	}
}

// TestOpenAPI checks the description of the API, and that it has a path for each file.
func TestOpenAPI(t *testing.T) {
	folder := filepath.Join(site(t), "api", "v1")
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = true
	description, err := loader.LoadFromURI(&url.URL{Path: filepath.ToSlash(filepath.Join(folder, "openapi.json"))})
	if err != nil {
		t.Fatal(err)
	}
	if err := description.Validate(loader.Context); err != nil {
		t.Error(err)
	}
	described := map[string]bool{}
	for path, item := range description.Paths.Map() {
		described[definition(strings.TrimPrefix(path, "/"))] = true
		if schema := item.Get.Responses.Value("200").Value.Content.Get("application/json").Schema; schema.Value == nil || schema.Value.Properties["version"] == nil {
			t.Errorf("%s has no schema", path)
		}
	}
	for _, path := range files(t, folder, ".json") {
		name, err := filepath.Rel(folder, path)
		if err != nil {
			t.Fatal(err)
		}
		if name = filepath.ToSlash(name); name != "schema.json" && name != "openapi.json" && !described[definition(name)] {
			t.Errorf("%s is not described", name)
		}
	}
}
