package clients

import "testing"

func TestFerry(t *testing.T) {
	pulls(t, ferry, map[string][]string{
		"tag":         {"ferry pull docker.io/library/nginx:1 --from docker.io/u"},
		"tag, digest": {"ferry pull gcr.io/a/b:1@" + sum.String() + " --from docker.io/u"},
		"digest":      nil, // its name is not the default one
		"platform":    {"ferry pull gcr.io/a/b:1 --platform linux/arm64 --from docker.io/u"},
	})
	for what, m := range map[string]Mirror{
		"a custom name":        {Source: ref(t, "nginx:1"), Name: ref(t, "docker.io/u/web:1")},
		"no namespace":         {Source: ref(t, "nginx:1"), Name: ref(t, "localhost:5000/docker.nginx:1")},
		"another tag":          {Source: ref(t, "nginx:1"), Name: ref(t, "docker.io/u/docker.nginx:1-amd64")},
		"one of the platforms": {Source: ref(t, "nginx:1"), Name: ref(t, "docker.io/u/docker.nginx:1"), Beside: true},
	} {
		if lines := ferry(m); lines != nil {
			t.Errorf("%s: %q", what, lines)
		}
	}
}
