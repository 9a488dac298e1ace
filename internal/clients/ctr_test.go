package clients

import "testing"

func TestCtr(t *testing.T) {
	pulls(t, ctr, map[string][]string{
		"tag": {"ctr -n k8s.io images pull docker.io/u/docker.nginx:1",
			"ctr -n k8s.io images tag --force docker.io/u/docker.nginx:1 docker.io/library/nginx:1"},
		"tag, digest": {"ctr -n k8s.io images pull docker.io/u/a.b:1",
			"ctr -n k8s.io images tag --force docker.io/u/a.b:1 gcr.io/a/b:1 gcr.io/a/b@" + sum.String()},
		"digest": {"ctr -n k8s.io images pull docker.io/u/a.b:x",
			"ctr -n k8s.io images tag --force docker.io/u/a.b:x gcr.io/a/b@" + sum.String()},
		"other digest": {"ctr -n k8s.io images pull docker.io/u/a.b:x"}, // other content must not get the name of this digest
		"platform": {"ctr -n k8s.io images pull --platform linux/arm64 docker.io/u/a.b:1",
			"ctr -n k8s.io images tag --force docker.io/u/a.b:1 gcr.io/a/b:1"},
	})
}
