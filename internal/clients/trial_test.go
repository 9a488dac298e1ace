package clients

import (
	"strings"
	"testing"
)

func TestTrials(t *testing.T) {
	const image = "gcr.io/a/b:1"
	for want, trial := range map[string]Trial{
		"podman pull gcr.io/a/b:1; podman image inspect --format {{range .RepoDigests}}{{.}} {{end}} gcr.io/a/b:1; podman rmi gcr.io/a/b:1": TryLikeDocker(image, "podman"),
		"skopeo inspect --no-tags --format {{.Digest}} docker://gcr.io/a/b:1; ; ":                                                           TrySkopeo(image),
		"ctr --address /run/containerd/containerd.sock -n k8s.io images pull --hosts-dir /d gcr.io/a/b:1; ctr --address /run/containerd/containerd.sock -n k8s.io images ls name==gcr.io/a/b:1; ctr --address /run/containerd/containerd.sock -n k8s.io images rm gcr.io/a/b:1": TryCtr("/d", image),
		"k3s crictl pull gcr.io/a/b:1; k3s crictl inspecti gcr.io/a/b:1; k3s crictl rmi gcr.io/a/b:1": TryCrictl(image, "k3s", "crictl"),
	} {
		var lines []string
		for _, args := range [][]string{trial.Pull, trial.Digests, trial.Remove} {
			lines = append(lines, strings.Join(args, " "))
		}
		if got := strings.Join(lines, "; "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
