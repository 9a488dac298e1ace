package clients

import "testing"

func TestDocker(t *testing.T) {
	pulls(t, docker, map[string][]string{
		"tag":          {"docker pull docker.io/u/docker.nginx:1", "docker tag docker.io/u/docker.nginx:1 docker.io/library/nginx:1"},
		"tag, digest":  {"docker pull docker.io/u/a.b:1", "docker tag docker.io/u/a.b:1 gcr.io/a/b:1"},
		"digest":       {"docker pull docker.io/u/a.b:x"},
		"other digest": {"docker pull docker.io/u/a.b:x"},
		"platform":     {"docker pull --platform linux/arm64 docker.io/u/a.b:1", "docker tag docker.io/u/a.b:1 gcr.io/a/b:1"},
		"bad platform": {"docker pull docker.io/u/a.b:1", "docker tag docker.io/u/a.b:1 gcr.io/a/b:1"},
	})
}
