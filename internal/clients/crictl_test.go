package clients

import "testing"

func TestCrictl(t *testing.T) {
	pulls(t, crictl, map[string][]string{
		"tag":      {"crictl pull docker.io/u/docker.nginx:1"},
		"platform": {"crictl pull docker.io/u/a.b:1"}, // there is no such flag
	})
}
