package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/e2e/parts"
)

// TestSave carries images past a network: they are saved from their registry, in a
// file and in a folder with parts, loaded by every client that is here, and pushed
// into another registry. The names and digests are those of the source.
func TestSave(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	shell := parts.NewShell(t)
	const one, two = "gcr.io/ns/img:1.2", "gcr.io/other/image:3"
	digests := map[string]string{one: push(t, one).String(), two: push(t, two).String()}
	machine := "linux/" + runtime.GOARCH
	// What refers to an image goes with it into a registry; clients load the image alone.
	signature := strings.Replace(digests[one], ":", "-", 1) + ".sig"
	signed := push(t, "gcr.io/ns/img:"+signature)

	shell.Run(t, ferryFile()+" save "+one+" "+two+" -p "+machine+" -o machine.tar -q")
	shell.Run(t, ferryFile()+" save "+one+" "+two+" -p "+machine+" -o again.tar -q && cmp machine.tar again.tar")
	shell.Run(t, ferryFile()+" save "+one+" "+two+" -p all --referrers -o all.tar -q")
	shell.Run(t, ferryFile()+" save "+one+" "+two+" -p all --referrers --split 1MiB -o parts/ -q && [ -f parts/images.tar.002 ]")
	shell.Run(t, ferryFile()+" verify machine.tar all.tar parts && [ -z \"$(ls | grep partial)\" ]")

	// A run that was killed leaves a partial file, over which the next one writes.
	shell.Run(t, "head -c 5000000 /dev/urandom > killed.tar.partial && "+ferryFile()+" save "+one+" "+two+" -p "+machine+" -o killed.tar -q && cmp machine.tar killed.tar && [ ! -e killed.tar.partial ]")
	// On a full disk nothing is left that looks like an archive.
	shell.Run(t, "mkdir small && mount -t tmpfs -o size=100k small small")
	for _, script := range []string{" -o small/images.tar -q", " -o small/ -q", " -o - -q > /dev/full"} {
		if _, err := shell.Try(t, ferryFile()+" save "+one+script); err == nil || !strings.Contains(err.Error(), "no space left on device") {
			t.Errorf("save%s, on a full disk: %v", script, err)
		}
	}
	shell.Run(t, `left=$(ls small); umount small; [ -z "$left" ] || { echo "$left"; exit 1; }`)

	var record struct {
		Images []struct{ Image, Digest string }
	}
	if text, err := os.ReadFile(filepath.Join(shell.Dir, "parts", "archive.json")); err != nil || json.Unmarshal(text, &record) != nil || len(record.Images) != 2 {
		t.Fatalf("archive.json: %v, %+v", err, record)
	}
	for _, image := range record.Images {
		if image.Digest != digests[image.Image] {
			t.Errorf("archive.json has %s for %s, want %s", image.Digest, image.Image, digests[image.Image])
		}
	}

	for _, archive := range []string{"machine.tar", "all.tar"} {
		shell.Run(t, "podman load -q -i "+archive)
		for image := range digests {
			config := strings.Fields(shell.Run(t, "skopeo inspect --raw docker-archive:"+archive+":"+image+" | grep -o 'sha256:[0-9a-f]*' | head -1"))
			if id := shell.Run(t, "podman image inspect --format '{{.Id}}' "+image); len(config) == 0 || "sha256:"+strings.TrimSpace(id) != config[0] {
				t.Errorf("podman has %s from %s with the ID %s, skopeo reads %v", image, archive, id, config)
			}
		}
		if listed := shell.Run(t, "podman images --format '{{.Repository}}:{{.Tag}}'"); strings.Contains(listed, "sha256-") {
			t.Errorf("podman has a signature as an image:\n%s", listed)
		}
		shell.Run(t, "podman rmi -fa")

		flags := map[string]string{"machine.tar": "", "all.tar": "--all-platforms "}[archive]
		shell.Run(t, "ctr -n k8s.io images import "+flags+archive)
		for image, digest := range digests {
			listed := shell.Run(t, "ctr -n k8s.io images ls 'name=="+image+"'")
			if !strings.Contains(listed, image) || archive == "all.tar" && !strings.Contains(listed, digest) {
				t.Errorf("ctr has from %s:\n%s", archive, listed)
			}
			if all := shell.Run(t, "ctr -n k8s.io images ls -q"); strings.Contains(all, "sha256-") {
				t.Errorf("ctr has a signature as an image:\n%s", all)
			}
			shell.Run(t, "ctr -n k8s.io images rm "+image)
		}
	}
	for image, digest := range digests {
		if sum := shell.Run(t, "skopeo inspect --raw oci-archive:all.tar:"+image+" | sha256sum"); "sha256:"+strings.Fields(sum)[0] != digest {
			t.Errorf("skopeo reads %s as %s, want %s", image, sum, digest)
		}
	}

	for _, client := range []string{"", "podman", "ctr"} {
		if out := shell.Run(t, "sh parts/load.sh "+client); !strings.Contains(out, "loaded into "+client) {
			t.Errorf("load.sh %s said:\n%s", client, out)
		}
	}
	for image := range digests {
		shell.Run(t, "podman image exists "+image+" && ctr -n k8s.io images ls -q | grep -Fx "+image)
	}

	shell.Run(t, "FERRY_USERNAME="+owner.Username+" FERRY_PASSWORD="+owner.Password+" "+ferryFile()+" copy parts --to docker.io/"+owner.Username)
	for image, digest := range digests {
		name := strings.TrimSpace(shell.Run(t, ferryFile()+" name "+image+" --to docker.io/"+owner.Username))
		hash, err := v1.NewHash(digest)
		if err != nil {
			t.Fatal(err)
		}
		mustHold(t, name, hash)
		if image == one {
			mustHold(t, name[:strings.LastIndexByte(name, ':')+1]+signature, signed)
		}
	}

	shell.Run(t, "printf damage | dd of=parts/images.tar.002 bs=1 seek=4000 conv=notrunc status=none")
	for _, script := range []string{"sh parts/load.sh podman", ferryFile() + " verify parts"} {
		if _, err := shell.Try(t, script); err == nil || !strings.Contains(err.Error(), "images.tar.002 is damaged") {
			t.Errorf("%s, with a damaged part: %v", script, err)
		}
	}
	shell.Run(t, "rm parts/images.tar.001")
	if _, err := shell.Try(t, "sh parts/load.sh podman"); err == nil || !strings.Contains(err.Error(), "images.tar.001 is missing") {
		t.Errorf("a part is missing: %v", err)
	}
}

// TestLoad loads archives into daemons: dockerd 20.10, a current one with each of its two
// stores, and a current containerd. Names and digests are those of the source.
func TestLoad(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	shell := parts.NewTerminal(t)
	const image = "gcr.io/ns/img:1.2"
	digest := push(t, image).String()
	signature := push(t, "gcr.io/ns/img:"+strings.Replace(digest, ":", "-", 1)+".sig").String()
	shell.Run(t, ferryFile()+" save "+image+" -q -o one.tar && "+ferryFile()+" save "+image+" -p all --referrers -q -o all.tar")
	config := strings.TrimSpace(shell.Run(t, "skopeo inspect --raw docker-archive:one.tar:"+image+" | grep -o 'sha256:[0-9a-f]*' | head -1"))
	child := shell.Run(t, "tar -xOf one.tar index.json | grep -o 'sha256:[0-9a-f]*'")
	for name, daemon := range map[string]struct{ program, more, one, all string }{
		"docker 20.10":                  {"dockerd", `"storage-driver": "vfs"`, config, config},
		"moby":                          {"moby-dockerd", `"storage-driver": "vfs", "features": {"containerd-snapshotter": false}`, config, config},
		"moby, with containerd's store": {"moby-dockerd", `"storage-driver": "native", "features": {"containerd-snapshotter": true}`, strings.TrimSpace(child), digest},
	} {
		root := t.TempDir()
		writeFile(t, root+"/daemon.json", `{"bridge": "none", "iptables": false, "ip6tables": false, `+daemon.more+`}`)
		for archive, want := range map[string]string{"one.tar": daemon.one, "all.tar": daemon.all} {
			out := shell.Run(t, fmt.Sprintf(`
%[2]s --config-file %[1]s/daemon.json --data-root %[1]s/%[3]s --exec-root %[1]s/exec --pidfile %[1]s/pid --host unix://%[1]s/sock >%[1]s/log 2>&1 &
trap 'kill %%1; wait; tail -n 40 %[1]s/log >&2' EXIT
ask() { curl -sS --unix-socket %[1]s/sock "$@"; }
until ask http://x/_ping >/dev/null 2>&1; do kill -0 %%1; sleep 0.1; done
ask -X POST -H 'Content-Type: application/x-tar' --data-binary @%[3]s http://x/images/load >&2
ask http://x/images/json
`, root, daemon.program, archive))
			var images []struct {
				ID       string `json:"Id"`
				RepoTags []string
			}
			if err := json.Unmarshal([]byte(out), &images); err != nil || len(images) != 1 || images[0].ID != want || strings.Join(images[0].RepoTags, " ") != image {
				t.Errorf("%s has of %s: %s, %v; want %s", name, archive, out, err, want)
			}
		}
	}
	root := t.TempDir()
	writeFile(t, root+"/config.toml", "version = 3\n")
	for archive, flags := range map[string]string{"one.tar": "", "all.tar": "--all-platforms "} {
		out := shell.Run(t, fmt.Sprintf(`
containerd2 --config %[1]s/config.toml --root %[1]s/%[3]s --state %[1]s/state --address %[1]s/sock >%[1]s/log 2>&1 &
trap 'kill %%1; wait; tail -n 40 %[1]s/log >&2' EXIT
ask() { ctr -a %[1]s/sock -n k8s.io images "$@"; }
until ask ls >/dev/null 2>&1; do kill -0 %%1; sleep 0.1; done
ask import --snapshotter native %[2]s%[3]s >&2
ask ls
`, root, flags, archive))
		want := map[string]string{"one.tar": strings.TrimSpace(child), "all.tar": digest}[archive]
		if !strings.Contains(out, image) || !strings.Contains(out, want) || strings.Contains(out, signature) || strings.Count(out, "gcr.io/") != 1 {
			t.Errorf("containerd has of %s:\n%s\nwant %s", archive, out, want)
		}
	}
}

// TestDemoOfRelease checks that a build without the demo says where the demo is.
func TestDemoOfRelease(t *testing.T) {
	shell := parts.NewShell(t)
	shell.Run(t, `set +e; said=$(`+ferryFile()+` demo 2>&1); [ $? = 2 ] && case $said in *"go run github.com/imageferry/ferry/cmd/ferry@latest demo"*) ;; *) echo "$said"; exit 1;; esac`)
}
