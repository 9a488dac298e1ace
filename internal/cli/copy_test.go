package cli

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

func TestCopy(t *testing.T) {
	w := newWorld(t)
	digest := w.publish("ns/img", "1.0", 1)
	delete(w.environ, "FERRY_CONFIG")
	base := []string{"copy", "--to", "registry.example.com/mirror", "--plain-http", "registry.example.com", "--private", "registry.example.com",
		"--private", "gcr.io", "--plain-http", "gcr.io"}
	status, out := w.run(t.Context(), append(base, "gcr.io/ns/img:1.0", "--json")...)
	w.wantStatus(status, wiring.StatusDone, out)
	var records []report.Record
	if err := json.Unmarshal([]byte(out), &records); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if len(records) != 1 || records[0].Digest != digest || records[0].Mirror != "registry.example.com/mirror/ns.img:1.0" || records[0].Status != report.Copied {
		t.Errorf("got %+v", records)
	}
	if got := w.mirrored("ns.img", "1.0"); got != digest {
		t.Errorf("the mirror is %q, want %q", got, digest)
	}

	status, out = w.run(t.Context(), append(base, "gcr.io/ns/img:1.0", "gcr.io/ns/img:none")...)
	w.wantStatus(status, wiring.StatusFailed, out)
	wantText(t, "the output", out, digest, "gcr.io/ns/img:none")

	// Sources on private addresses need the owner's word.
	status, out = w.run(t.Context(), "copy", "--to", "registry.example.com/mirror", "--plain-http", "registry.example.com", "--private", "registry.example.com",
		"--plain-http", "gcr.io", "gcr.io/ns/img:1.0")
	w.wantStatus(status, wiring.StatusFailed, out)
}

func TestCopyUsage(t *testing.T) {
	for _, test := range []struct {
		name    string
		environ map[string]string
		args    []string
		status  int
		stderr  string
	}{
		{"no target", nil, []string{"gcr.io/ns/img:1"}, wiring.StatusUsage, "there is no target: name it by --to, such as --to docker.io/USER"},
		{"neither", nil, nil, wiring.StatusUsage, "there is no image"},
		{"no login", nil, []string{"--to", "ghcr.io/alice", "gcr.io/ns/img:1"}, wiring.StatusUsage, "ferry copy: FERRY_PASSWORD is empty"},
		{"a target without a namespace", nil, []string{"--to", "ghcr.io", "gcr.io/ns/img:1"}, wiring.StatusUsage, `ferry copy: --to is "ghcr.io", which has no namespace`},
		{"two faults", map[string]string{"FERRY_USERNAME": "u", "FERRY_PASSWORD": "p"}, []string{"--profile", "flt", "--platform", "toaster", "gcr.io/ns/img:1"}, wiring.StatusUsage, "\nferry copy: --p"},
		{"no words", map[string]string{"FERRY_USERNAME": "u", "FERRY_PASSWORD": "p"}, []string{""}, wiring.StatusNothing, "ferry copy: no image is named"},
		{"no image", map[string]string{"FERRY_USERNAME": "u", "FERRY_PASSWORD": "p"}, nil, wiring.StatusUsage, "there is no image"},
		{"bad platform", map[string]string{"FERRY_USERNAME": "u", "FERRY_PASSWORD": "p"}, []string{"--platform", "toaster", "gcr.io/ns/img:1"}, wiring.StatusUsage, "toaster"},
		{"bad profile", map[string]string{"FERRY_USERNAME": "u", "FERRY_PASSWORD": "p"}, []string{"--profile", "flt", "gcr.io/ns/img:1"}, wiring.StatusUsage, `"flat"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			environ := map[string]string{"DOCKER_CONFIG": t.TempDir()}
			maps.Copy(environ, test.environ)
			status, _, stderr := ferry(t, "", environ, append([]string{"copy"}, test.args...)...)
			if status != test.status || !strings.Contains(stderr, test.stderr) {
				t.Errorf("status %d, stderr %q", status, stderr)
			}
		})
	}
}
