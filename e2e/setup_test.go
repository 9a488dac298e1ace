package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sys/unix"

	"github.com/imageferry/ferry/e2e/parts"
	"github.com/imageferry/ferry/e2e/sandbox"
)

// TestSetup sets up every client that is installed, while dockerd and containerd
// run with files of others, and pulls by original names through a front whose
// target holds nothing but mirror names. Then it takes everything out again.
func TestSetup(t *testing.T) {
	parts.DockerHub(t, authority, owner)
	login := remote.WithAuth(&authn.Basic{Username: owner.Username, Password: owner.Password})
	digest := push(t, "docker.io/user/ns.img:1.2", login).String()
	hub := push(t, "docker.io/user/docker.grafana.grafana:11", login).String()
	serve(t, "--target", "docker.io/user")

	copyCrictl(t)
	// The nvidia runtime is what scripts that write this file anew have taken away.
	writeFile(t, "/etc/docker/daemon.json", "{\r\n\t\"runtimes\": {\"nvidia\": {\"path\": \"/bin/true\", \"runtimeArgs\": []}},\r\n\t\"bridge\": \"none\", \"iptables\": false, \"ip6tables\": false, \"storage-driver\": \"vfs\"\r\n}")
	writeFile(t, "/etc/containerd/config.toml", "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\n  [plugins.\"io.containerd.grpc.v1.cri\".containerd]\n    snapshotter = \"native\" # ours\n")
	before := etc(t)
	shell := parts.NewNode(t)

	const front = "http://" + frontAddress
	setup := ferryFile() + " setup --front " + front + " --host docker.io --host gcr.io"
	if out := shell.Run(t, setup); !strings.Contains(out, "Nothing was written") || gocmp.Diff(before, etc(t)) != "" {
		t.Errorf("a dry run printed %q and changed:\n%s", out, gocmp.Diff(before, etc(t)))
	}
	for range 2 { // the second run changes nothing
		out := shell.Run(t, setup+" --apply --restart")
		for _, client := range []string{"docker", "crictl", "podman", "skopeo"} {
			if want := "tested: pulled with " + client + ": docker.io/ferry-front/sample:1, through " + front; !strings.Contains(out, want) {
				t.Errorf("ferry setup did not say %q:\n%s", want, out)
			}
		}
	}

	const image = "gcr.io/ns/img:1.2"
	const docker, crictl = "docker -H unix:///var/run/docker.sock ", "crictl -r unix:///run/containerd/containerd.sock "
	for command, want := range map[string]string{
		docker + "info --format '{{.Runtimes}}'":                                   "nvidia",
		docker + "pull grafana/grafana:11":                                         hub,
		docker + "pull grafana/grafana@" + hub:                                     hub,
		crictl + "pull " + image + " && " + crictl + "inspecti " + image:           digest,
		crictl + "pull gcr.io/ns/img@" + digest:                                    "Image is up to date",
		"podman pull -q " + image + " && podman image inspect " + image:            digest,
		"podman rmi -f " + image + " >&2 || true; buildah pull " + image + " 2>&1": "Trying to pull",
		"skopeo inspect --no-tags docker://" + image:                               digest,
	} {
		if out := shell.Run(t, command); !strings.Contains(out, want) {
			t.Errorf("%s does not print %s:\n%s", command, want, out)
		}
	}

	shell.Run(t, ferryFile()+" setup --undo")
	if diff := gocmp.Diff(before, etc(t)); diff != "" {
		t.Errorf("--undo left:\n%s", diff)
	}

	// A file with which containerd does not start again: it has a fault that the
	// running daemon has not read.
	writeFile(t, "/etc/containerd/config.toml", "version = 2\nrequired_plugins = [\"io.containerd.none\"]\n")
	before = etc(t)
	if _, err := shell.Try(t, setup+" --only containerd --apply --restart"); err == nil || !strings.Contains(err.Error(), "the changes were undone") ||
		!strings.Contains(err.Error(), "with its old files the service does not start either") {
		t.Errorf("a daemon that does not start: %v", err)
	}
	if diff := gocmp.Diff(before, etc(t)); diff != "" {
		t.Errorf("a failed set-up left:\n%s", diff)
	}
}

// copyCrictl puts crictl where "ferry setup" looks for it.
func copyCrictl(t *testing.T) {
	t.Helper()
	program, err := exec.LookPath("crictl")
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(program)
	if err == nil {
		err = os.WriteFile("/usr/local/bin/crictl", content, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove("/usr/local/bin/crictl") })
}

// writeFile writes a file and its folder.
func writeFile(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// etc returns the configuration files of the clients, with their modes.
func etc(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, dir := range []string{"/etc/docker/daemon.json", "/etc/containerd", "/etc/containers"} {
		err := filepath.Walk(dir, func(name string, info os.FileInfo, err error) error {
			if err != nil || info.IsDir() {
				return err
			}
			data, err := os.ReadFile(name)
			files[name] = info.Mode().String() + " " + string(data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// TestSetupPrivateFront sets up the clients for a front that requires a token and
// whose certificate is of an authority that only --ca names. docker cannot send a
// token, so its setup fails.
func TestSetupPrivateFront(t *testing.T) {
	parts.DockerHub(t, authority, owner)
	login := remote.WithAuth(&authn.Basic{Username: owner.Username, Password: owner.Password})
	digest := push(t, "docker.io/user/ns.img:1.2", login).String()
	hub := push(t, "docker.io/user/docker.grafana.grafana:11", login).String()

	dir := t.TempDir()
	const guest = "a-token-of-a-guest-0123456789"
	sum := sha256.Sum256([]byte(guest))
	own, err := sandbox.SignedBy("front.example.com", dir)
	if err != nil {
		t.Fatal(err)
	}
	const address = "front.example.com:5443"
	writeFile(t, dir+"/serve.yaml", "targets: [{to: docker.io/user}]\nlisten: "+hosts["front.example.com"]+":5443\ntls: {certificate: "+own.Certificate+", key: "+own.Key+"}\nguests:\n  tokens:\n    - {name: cluster, sha256: "+hex.EncodeToString(sum[:])+"}\n")
	writeFile(t, dir+"/token", guest+"\n")
	serve(t, "--config", dir+"/serve.yaml")

	copyCrictl(t) // which may be in /root
	if err := unix.Mount("tmpfs", "/root", "tmpfs", 0, "mode=0700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount("/root", unix.MNT_DETACH) })
	writeFile(t, "/etc/docker/daemon.json", "{\"bridge\": \"none\", \"iptables\": false, \"ip6tables\": false, \"storage-driver\": \"vfs\"}\n")
	writeFile(t, "/etc/containerd/config.toml", "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\n  [plugins.\"io.containerd.grpc.v1.cri\".containerd]\n    snapshotter = \"native\"\n")
	before := etc(t)
	shell := parts.NewNode(t)
	setup := "export HOME=/root; " + ferryFile() + " setup --front https://" + address + " --host docker.io --host gcr.io --ca " + own.Authority + " --token " + dir + "/token --only containerd --only podman"

	out := shell.Run(t, setup+" --apply --restart")
	for _, client := range []string{"crictl", "podman", "skopeo"} {
		if want := "tested: pulled with " + client + ": docker.io/ferry-front/sample:1"; !strings.Contains(out, want) {
			t.Errorf("ferry setup did not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, guest) || !strings.Contains(out, "podman login") {
		t.Errorf("the output has the token, or no login:\n%s", out)
	}
	if out := shell.Run(t, setup); strings.Contains(out, "+++") {
		t.Errorf("a second run changes something:\n%s", out)
	}
	if info, err := os.Stat("/etc/containerd/certs.d/gcr.io/hosts.toml"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("hosts.toml: %v, %v", info, err)
	}
	const image = "gcr.io/ns/img:1.2"
	const crictl = "crictl -r unix:///run/containerd/containerd.sock "
	const ctr = "ctr -n k8s.io images pull --hosts-dir /etc/containerd/certs.d "
	for command, want := range map[string]string{
		crictl + "pull " + image + " && " + crictl + "inspecti " + image:                         digest,
		ctr + image + " && ctr -n k8s.io images ls":                                              digest,
		ctr + "docker.io/grafana/grafana:11 && ctr -n k8s.io images ls":                          hub,
		"HOME=/root podman pull -q " + image + " && podman image inspect " + image:               digest,
		"HOME=/root skopeo inspect --no-tags docker://grafana/grafana:11":                        hub,
		"HOME=/root podman rmi -f " + image + " >&2; HOME=/root buildah pull " + image + " 2>&1": "Trying to pull",
	} {
		if out := shell.Run(t, command); !strings.Contains(out, want) {
			t.Errorf("%s does not print %s:\n%s", command, want, out)
		}
	}
	if _, err := shell.Try(t, strings.Replace(setup, "--only containerd --only podman", "--only docker", 1)+" --apply"); err == nil {
		t.Error("docker is set up without a token")
	}
	if out := shell.Run(t, "HOME=/root; "+ferryFile()+" setup --undo"); !strings.Contains(out, "podman logout") {
		t.Errorf("--undo printed:\n%s", out)
	}
	if diff := gocmp.Diff(before, etc(t)); diff != "" {
		t.Errorf("--undo left:\n%s", diff)
	}
}
