package clients

import "testing"

func TestNerdctl(t *testing.T) {
	pulls(t, nerdctl, map[string][]string{
		"tag":    {"nerdctl pull docker.io/u/docker.nginx:1", "nerdctl tag docker.io/u/docker.nginx:1 docker.io/library/nginx:1"},
		"digest": {"nerdctl pull docker.io/u/a.b:x"},
	})
}
