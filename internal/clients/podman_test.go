package clients

import "testing"

func TestPodman(t *testing.T) {
	pulls(t, podman, map[string][]string{
		"tag":      {"podman pull docker.io/u/docker.nginx:1", "podman tag docker.io/u/docker.nginx:1 docker.io/library/nginx:1"},
		"platform": {"podman pull --platform linux/arm64 docker.io/u/a.b:1", "podman tag docker.io/u/a.b:1 gcr.io/a/b:1"},
	})
}
