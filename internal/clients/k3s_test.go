package clients

import "testing"

func TestK3s(t *testing.T) {
	pulls(t, k3s, map[string][]string{
		"tag": {"k3s ctr images pull docker.io/u/docker.nginx:1",
			"k3s ctr images tag --force docker.io/u/docker.nginx:1 docker.io/library/nginx:1"},
		"other digest": {"k3s ctr images pull docker.io/u/a.b:x"},
	})
}
