package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/wiring"
)

func TestParseJSON(t *testing.T) {
	status, stdout, stderr := ferry(t, "", nil, "parse", "--title", "[PORTER]gcr.io/ns/img:tag|linux/arm64", "--json")
	if status != wiring.StatusDone || stderr != "" {
		t.Fatalf("status %d, stderr %q", status, stderr)
	}
	var got struct {
		Images []struct {
			Reference, Written, As string
			Platforms              []string
		}
		Problems  []struct{ Code, Text, Suggestion string }
		Platforms []string
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	if len(got.Images) != 1 || got.Images[0].Reference != "gcr.io/ns/img:tag" || len(got.Images[0].Platforms) != 1 || got.Images[0].Platforms[0] != "linux/arm64" {
		t.Errorf("got %+v", got)
	}
	// Lists are never null.
	for _, field := range []string{`"problems": []`, `"platforms": [`, `"as": ""`} {
		if !strings.Contains(stdout, field) {
			t.Errorf("there is no %s in %s", field, stdout)
		}
	}
}

func TestParseSources(t *testing.T) {
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, []byte("quay.io/a/b:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, stdin string
		args        []string
		status      int
		stdout      string
	}{
		{"arguments are lines", "", []string{"quay.io/a/b:1", "quay.io/a/c:2"}, wiring.StatusDone, "quay.io/a/b:1\nquay.io/a/c:2\n"},
		{"an item of a list", "", []string{"- quay.io/a/b:1", "--json=false", "- quay.io/a/c:2"}, wiring.StatusDone, "quay.io/a/b:1\nquay.io/a/c:2\n"},
		{"standard input", "quay.io/a/b:1", nil, wiring.StatusDone, "quay.io/a/b:1\n"},
		{"standard input by name", "quay.io/a/b:1", []string{"--body", "-"}, wiring.StatusDone, "quay.io/a/b:1\n"},
		{"a file", "", []string{"--body", file}, wiring.StatusDone, "quay.io/a/b:1\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, stdout, stderr := ferry(t, test.stdin, nil, append([]string{"parse"}, test.args...)...)
			if status != test.status || stdout != test.stdout || stderr != "" {
				t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
			}
		})
	}
	status, stdout, stderr := ferry(t, "  \n", nil, "parse")
	if status != wiring.StatusNothing || stdout != "" || stderr != "ferry parse: no image is named\n" {
		t.Errorf("nothing: status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	status, _, stderr = ferry(t, "", nil, "parse", "--body", filepath.Join(t.TempDir(), "none"))
	if status != wiring.StatusUsage || !strings.Contains(stderr, "there is no file") {
		t.Errorf("a missing file: status %d, stderr %q", status, stderr)
	}
	status, _, stderr = ferry(t, "", nil, "parse", "--body", file, "quay.io/a/b:1")
	if status != wiring.StatusUsage || !strings.Contains(stderr, "twice") {
		t.Errorf("two bodies: status %d, stderr %q", status, stderr)
	}
}

func TestName(t *testing.T) {
	for _, test := range []struct {
		name    string
		environ map[string]string
		args    []string
		status  int
		stdout  string
		stderr  string
	}{
		{"without a target", nil, []string{"gcr.io/ns/img:tag", "nginx"}, wiring.StatusDone, "ns.img:tag\ndocker.nginx:latest\n", ""},
		{"with a target", nil, []string{"--to", "docker.io/user", "quay.io/a/b:1"}, wiring.StatusDone, "docker.io/user/quay.a.b:1\n", ""},
		{"target of the environment", map[string]string{"FERRY_TARGET": "ghcr.io/me"}, []string{"quay.io/a/b:1"}, wiring.StatusDone, "ghcr.io/me/quay.a.b:1\n", ""},
		{"user of the environment", map[string]string{"FERRY_USERNAME": "Me"}, []string{"quay.io/a/b:1"}, wiring.StatusDone, "docker.io/me/quay.a.b:1\n", ""},
		{"back", nil, []string{"--reverse", "ns.img:tag", "google-containers.pause:3.9"}, wiring.StatusDone, "gcr.io/ns/img:tag\nregistry.k8s.io/pause:3.9\n", ""},
		{"back with a target", nil, []string{"--reverse", "--to", "docker.io/user", "docker.io/user/quay.a.b:1"}, wiring.StatusDone, "quay.io/a/b:1\n", ""},
		{"a namespace on Docker Hub", nil, []string{"--to", "user", "quay.io/a/b:1"}, wiring.StatusDone, "docker.io/user/quay.a.b:1\n", ""},
		{"a website", nil, []string{"--to", "hub.docker.com/user", "quay.io/a/b:1"}, wiring.StatusUsage, "", "its registry is docker.io: write a registry and a namespace"},
		{"back, in common spellings", nil, []string{"--reverse", "docker.io/user/quay.a.b:1", "user/ns.img:tag"}, wiring.StatusDone, "quay.io/a/b:1\ngcr.io/ns/img:tag\n", ""},
		{"back from another target", nil, []string{"--reverse", "--to", "docker.io/user", "docker.io/bob/quay.a.b:1"}, wiring.StatusFailed, "", "docker.io/bob/quay.a.b:1: not a mirror name of this target"},
		{"back from another name", nil, []string{"--reverse", "my-image:1"}, wiring.StatusFailed, "", "ferry name: reading the mirror name my-image:1: "},
		{"JSON", nil, []string{"--json", "quay.io/a/b:1"}, wiring.StatusDone, "[\n  {\n    \"given\": \"quay.io/a/b:1\",\n    \"name\": \"quay.a.b:1\"\n  }\n]\n", ""},
		{"profile path", nil, []string{"--profile", "path", "quay.io/a/b:1"}, wiring.StatusDone, "quay.io/a/b:1\n", ""},
		{"unknown profile", nil, []string{"--profile", "flt", "quay.io/a/b:1"}, wiring.StatusUsage, "", "flt"},
		{"no reference", nil, nil, wiring.StatusUsage, "", "no reference is given"},
		{"one bad of two", nil, []string{"gcr.io/NS/img", "gcr.io/ns/img:1"}, wiring.StatusFailed, "ns.img:1\n", "lower case"},
		{"bad target", nil, []string{"--to", "docker.io", "gcr.io/ns/img:1"}, wiring.StatusUsage, "", "namespace"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, stdout, stderr := ferry(t, "", test.environ, append([]string{"name"}, test.args...)...)
			if status != test.status || stdout != test.stdout || !strings.Contains(stderr, test.stderr) {
				t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
			}
		})
	}
}

// TestExplain checks that --explain speaks the language of the output.
func TestExplain(t *testing.T) {
	args := []string{"parse", "--title", "nginx:1.27", "--explain", "docker pull redis:7"}
	_, english, _ := ferry(t, "", nil, args...)
	if want := "title:1: \"nginx:1.27\"\n    dropped: docker.io/library/nginx:1.27\n    tagged in line, which needs official; rules: title-or-body\n"; !strings.Contains(english, want) {
		t.Errorf("%s\nlacks\n%s", english, want)
	}
	for _, want := range []string{"score: ", "\n    signals: \"title-image\" 6, \"titled\" 1"} {
		if !strings.Contains(english, want) {
			t.Errorf("%s\nlacks\n%s", english, want)
		}
	}
	_, chinese, _ := ferry(t, "", map[string]string{"FERRY_LANGUAGE": "zh"}, args...)
	if want := "标题:1: \"nginx:1.27\"\n    不采用: docker.io/library/nginx:1.27\n    写法 tagged，位置 line，该位置要求 official；规则：title-or-body\n"; !strings.Contains(chinese, want) {
		t.Errorf("%s\nlacks\n%s", chinese, want)
	}
}
