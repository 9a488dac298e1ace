package config

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/name"
)

// The documents that describe the policy file to people and to editors.
const (
	schemaFile  = "../../.github/ferry.schema.json"
	exampleFile = "../../.github/ferry.example.yaml"
	manual      = "../../docs/configuration.md"
)

func document(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// schema is the part of JSON Schema that the policy file's schema uses.
type schema struct {
	Description          string
	Type                 any
	Enum                 []string
	Default              any
	Minimum, Maximum     *float64
	Pattern              string
	Required             []string
	AdditionalProperties *bool
	Properties           map[string]schema
	Items                *schema
	AnyOf                []schema
}

func readSchema(t *testing.T) schema {
	t.Helper()
	var s schema
	if err := json.Unmarshal([]byte(document(t, schemaFile)), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// vocabulary returns the keys that the reader accepts, by object.
func vocabulary() map[string]keys {
	d := &decoder{fault: func(Fault) {}, note: func(Fault) {}}
	return map[string]keys{
		"": d.policyKeys(&policy{}), "targets": d.targetKeys(&listedTarget{}),
		"sources": d.sourceKeys(&listedSource{}), "limits": d.limitKeys(&Limits{}), "archives": d.archiveKeys(&Archives{}), "quota": d.quotaKeys(&Quota{}), "verify": d.verifyKeys(&Verification{}),
		"keep": d.keepKeys(&Keep{}), "public-mirrors": d.publicKeys(new(string), new(string), new([]name.Pattern)),
	}
}

func TestSchemaHasTheKeysOfTheReader(t *testing.T) {
	root := readSchema(t)
	described := map[string]schema{
		"": root, "targets": *root.Properties["targets"].Items, "sources": *root.Properties["sources"].Items, "limits": root.Properties["limits"],
		"archives": root.Properties["archives"], "quota": root.Properties["targets"].Items.Properties["quota"],
		"verify": *root.Properties["verify"].Items, "public-mirrors": *root.Properties["public-mirrors"].Items, "keep": root.Properties["keep"],
	}
	for object, known := range vocabulary() {
		s := described[object]
		if diff := cmp.Diff(slices.Sorted(maps.Keys(known)), slices.Sorted(maps.Keys(s.Properties))); diff != "" {
			t.Errorf("keys of %q: -reader +schema\n%s", object, diff)
		}
		if s.AdditionalProperties == nil || *s.AdditionalProperties {
			t.Errorf("the schema lets unknown keys of %q pass", object)
		}
		for key, property := range s.Properties {
			if property.Description == "" {
				t.Errorf("%s.%s has no description", object, key)
			}
		}
	}
}

// TestSchemaAgreesWithReader reads values at and just beyond the limits of the
// schema.
func TestSchemaAgreesWithReader(t *testing.T) {
	root := readSchema(t)
	accepts := func(object, key, value string) bool {
		text := key + ": " + value
		switch object {
		case "targets":
			text = "targets: [{to: quay.io/a, " + text + "}]"
		case "sources":
			text = "sources: [{host: a.example, " + text + "}]"
		case "verify":
			text = "verify: [{images: [quay.io/a], " + text + "}]"
		case "public-mirrors":
			text = "public-mirrors: [{at: m.example.com, images: [quay.io/a], " + text + "}]"
			if key != "names" {
				text = "public-mirrors: [{at: m.example.com, images: [quay.io/a]}]"
			}
		case "quota":
			text = "targets: [{to: quay.io/a, quota: {" + text + "}}]"
		case "keep":
			text = "keep: {" + text + "}"
		case "limits":
			text = "limits: {" + text + "}"
		case "archives":
			text = "archives: {requests: anyone, " + strings.TrimPrefix(text, "requests: anyone") + "}"
			if key == "requests" {
				text = "archives: {" + key + ": " + value + "}"
			}
		}
		_, err := Load(Options{
			Getenv:   func(string) string { return "" },
			ReadFile: func(string) ([]byte, error) { return []byte(text), nil },
		})
		var faults Faults
		errors.As(err, &faults)
		// An incomplete login is a different fault.
		faults = slices.DeleteFunc(faults, func(f Fault) bool { return f.Reason == "has an incomplete login" })
		return len(faults) == 0
	}
	check := func(object string, s schema) {
		for key, property := range s.Properties {
			var good, bad []string
			for _, word := range property.Enum {
				good, bad = append(good, word), append(bad, word+"x")
			}
			switch {
			case property.Type == "boolean":
				good, bad = []string{"true", "false"}, []string{"yes", "1", `"true"`}
			case property.Type == "integer":
				least, most := *property.Minimum, *property.Maximum
				good, bad = []string{number(least), number(most)}, []string{number(least - 1), number(most + 1), "x", "[1]"}
			case property.AnyOf != nil:
				good, bad = []string{"1", "30GiB", "500 MB", "1tib"}, []string{"0", "-1", "1.5GiB", "GiB", "1 PB", "1e9"}
				for _, alternative := range property.AnyOf {
					if p := alternative.Pattern; p != "" {
						for _, text := range good {
							if !regexp.MustCompile(p).MatchString(text) {
								t.Errorf("%s.%s: the schema refuses %s", object, key, text)
							}
						}
						for _, text := range bad[1:] {
							if regexp.MustCompile(p).MatchString(text) {
								t.Errorf("%s.%s: the schema accepts %s", object, key, text)
							}
						}
					}
				}
			case property.Pattern != "":
				for _, text := range []string{"abc", "a-b", "A_B", "_", "-a", "a b", "ä"} {
					if regexp.MustCompile(property.Pattern).MatchString(text) {
						good = append(good, text)
					} else {
						bad = append(bad, text)
					}
				}
			}
			for _, value := range good {
				if !accepts(object, key, value) {
					t.Errorf("%s.%s: the reader refuses %s", object, key, value)
				}
			}
			for _, value := range bad {
				if accepts(object, key, value) {
					t.Errorf("%s.%s: the reader accepts %s", object, key, value)
				}
			}
		}
	}
	check("", root)
	check("targets", *root.Properties["targets"].Items)
	check("sources", *root.Properties["sources"].Items)
	check("limits", root.Properties["limits"])
}

func number(f float64) string {
	data, _ := json.Marshal(f)
	return string(data)
}

// TestSchemaDefaults writes out every default of the schema, which must change
// nothing.
func TestSchemaDefaults(t *testing.T) {
	root := readSchema(t)
	said := map[string]any{"limits": map[string]any{}}
	for key, property := range root.Properties {
		if property.Default != nil {
			said[key] = property.Default
		}
	}
	for key, property := range root.Properties["limits"].Properties {
		if property.Default == nil {
			t.Errorf("limits.%s has no default", key)
		}
		said["limits"].(map[string]any)[key] = property.Default
	}
	text, err := yaml.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	login := []string{"FERRY_USERNAME", "a", "FERRY_PASSWORD", "p"}
	if diff := cmp.Diff(inAction("", login...).load(t), inAction(string(text), login...).load(t), same); diff != "" {
		t.Errorf("-without +with the schema's defaults\n%s", diff)
	}
}

func TestExampleShowsEveryKey(t *testing.T) {
	text := document(t, exampleFile)
	var env []string
	for _, name := range regexp.MustCompile(`-env: (\w+)`).FindAllStringSubmatch(text, -1) {
		env = append(env, name[1], "x")
	}
	c := inFederatedJob(text, append(env, "FERRY_USERNAME", "alice", "FERRY_PASSWORD", "p")...).load(t)
	if len(c.Targets) != 4 || c.Limits != DefaultLimits() {
		t.Errorf("the example gives %+v", c)
	}
	var shown map[string]any
	if err := yaml.Unmarshal([]byte(text), &shown); err != nil {
		t.Fatal(err)
	}
	for object, known := range vocabulary() {
		holders := []any{shown}
		switch object {
		case "":
		case "quota":
			holders = nil
			for _, target := range shown["targets"].([]any) {
				holders = append(holders, target.(map[string]any)[object])
			}
		default:
			holders = []any{shown[object]}
		}
		if list, ok := holders[0].([]any); ok {
			holders = list
		}
		for key := range known {
			if !slices.ContainsFunc(holders, func(h any) bool { m, _ := h.(map[string]any); _, ok := m[key]; return ok }) {
				t.Errorf("the example does not show %s.%s", object, key)
			}
		}
	}
}

// variablesRead returns the environment variables that the package reads.
func variablesRead(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`(?:input|word|Getenv)\("([A-Z_]+)"`).FindAllStringSubmatch(document(t, file), -1) {
			read[m[1]] = true
		}
	}
	return read
}

func TestManualIsComplete(t *testing.T) {
	text := document(t, manual)
	read := variablesRead(t)
	if len(read) < 10 {
		t.Fatalf("only %v were found in the sources", read)
	}
	for name := range read {
		if strings.HasPrefix(name, "FERRY_") && !strings.Contains(text, "`"+name+"`") {
			t.Errorf("it does not describe the variable %s", name)
		}
	}
	for _, m := range regexp.MustCompile("`(FERRY_[A-Z]+)`").FindAllStringSubmatch(text, -1) {
		// The first is read under the name that a target gives it, the others by
		// "ferry sync", whose lists name targets.
		if !read[m[1]] && !slices.Contains([]string{"FERRY_PASSWORD", "FERRY_LISTS", "FERRY_SEEN", "FERRY_JOBS", "FERRY_PLAN", "FERRY_SHARD", "FERRY_JOIN", "FERRY_LOG", "FERRY_RECEIPTS"}, m[1]) {
			t.Errorf("it describes the variable %s, which nothing reads", m[1])
		}
	}
	for object, known := range vocabulary() {
		for key := range known {
			if !strings.Contains(text, "`"+key+"`") {
				t.Errorf("it does not describe %s.%s", object, key)
			}
		}
	}
	for _, host := range known.Allowed() {
		if !strings.Contains(text, "`"+host+"`") {
			t.Errorf("it does not list the source %s", host)
		}
	}
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(text, -1) {
		if strings.Contains(m[1], "uses:") {
			continue // a workflow
		}
		if _, err := Load(Options{
			Getenv:   func(string) string { return "" },
			ReadFile: func(string) ([]byte, error) { return []byte(m[1]), nil },
		}); err != nil {
			t.Errorf("an example does not load: %v\n%s", err, m[1])
		}
	}
}

// TestExamplesLoad checks that the example policy files have no faults.
func TestExamplesLoad(t *testing.T) {
	files, err := filepath.Glob(filepath.FromSlash("../../examples/*/ferry.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 4 {
		t.Errorf("only %d examples", len(files))
	}
	for _, file := range files {
		inAction(document(t, file), "FERRY_USERNAME", "alice", "FERRY_PASSWORD", "p").load(t)
	}
}
