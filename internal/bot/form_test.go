package bot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
)

// filled returns the body that GitHub makes of a form: each answer below the
// label of its field. Fields without an answer get GitHub's placeholder.
func filled(t *testing.T, form string, answers map[string]string) string {
	t.Helper()
	var parsed struct {
		Body []struct {
			ID         string
			Attributes struct{ Label string }
		}
	}
	if err := yaml.Unmarshal([]byte(form), &parsed); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, field := range parsed.Body {
		answer := answers[field.ID]
		if answer == "" {
			answer = "_No response_"
		}
		b.WriteString("### " + field.Attributes.Label + "\n\n" + answer + "\n\n")
	}
	return b.String()
}

// TestMirrorForm reads requests made with the shipped form, which is also known
// as a template: its examples count if somebody asks for them.
func TestMirrorForm(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", ".github", "ISSUE_TEMPLATE", "mirror.yml"))
	if err != nil {
		t.Fatal(err)
	}
	form := string(data)
	for _, test := range []struct {
		name    string
		answers map[string]string
		want    string
	}{
		{"nothing", nil, ""},
		{"its own examples", map[string]string{"images": "registry.k8s.io/pause:3.9\nquay.io/prometheus/node-exporter:v1.8.2"},
			"registry.k8s.io/pause:3.9\nquay.io/prometheus/node-exporter:v1.8.2\n"},
		{"with platforms", map[string]string{"images": "gcr.io/ns/img:1", "platforms": "linux/amd64, linux/arm/v7"},
			"gcr.io/ns/img:1\n    platforms: linux/amd64, linux/arm/v7\n"},
		{"no platform chosen", map[string]string{"images": "gcr.io/ns/img:1", "platforms": "None"}, "gcr.io/ns/img:1\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			read := request.Parse(request.Input{Body: filled(t, form, test.answers), Templates: []string{form}})
			got := ""
			if len(read.Images) > 0 || len(read.Problems) > 0 {
				got = report.Terminal{}.Understood(read)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
