package clients

import "testing"

func TestKustomization(t *testing.T) {
	for name, want := range map[string]string{
		"tag":    "  - name: nginx\n    newName: docker.io/u/docker.nginx",
		"digest": "  - name: gcr.io/a/b\n    newName: docker.io/u/a.b",
	} {
		if got := Kustomization(mirrors(t)[name]); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	named := Mirror{Source: ref(t, "grafana/grafana:11"), Name: ref(t, "docker.io/u/mine:x")}
	if got, want := Kustomization(named), "  - name: grafana/grafana\n    newName: docker.io/u/mine\n    newTag: \"x\""; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
