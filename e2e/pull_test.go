package e2e

import (
	"strings"
	"testing"

	"github.com/imageferry/ferry/e2e/parts"
)

// TestPull pulls an image from a namespace that holds it under its mirror name
// alone. Each client has it under its own name then, with the source's digest,
// and the mirror's name is gone. The registry of the source is not there at all.
func TestPull(t *testing.T) {
	parts.Registry(t, authority, "registry.example.com")
	shell := parts.NewShell(t)
	digest := push(t, "registry.example.com/user/ns.img:1.2").String()
	const source = "gcr.io/ns/img:1.2"

	names := map[string]string{"docker": "docker image ls", "podman": "podman image ls", "ctr": "ctr -n k8s.io images ls"}
	for client, list := range names {
		out := shell.Run(t, ferryFile()+" pull "+source+" --from registry.example.com/user --with "+client)
		if !strings.Contains(out, digest) {
			t.Errorf("%s: ferry printed %q, which lacks %s", client, out, digest)
		}
		if listed := shell.Run(t, list); strings.Contains(listed, "registry.example.com") || !strings.Contains(listed, "gcr.io/ns/img") {
			t.Errorf("%s has:\n%s", client, listed)
		}
		if client != "ctr" {
			shell.Run(t, client+" rmi "+source)
		}
	}

	if _, err := shell.Try(t, ferryFile()+" pull gcr.io/ns/none:1 --from registry.example.com/user --with ctr --request alice/ferry"); err == nil ||
		!strings.Contains(err.Error(), "not mirrored yet") || !strings.Contains(err.Error(), "https://github.com/alice/ferry/issues/new?") {
		t.Errorf("an image that is not there: %v", err)
	}
}
