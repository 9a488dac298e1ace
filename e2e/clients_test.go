package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/e2e/parts"
	"github.com/imageferry/ferry/e2e/sandbox"
)

// TestServeByName has Helm and cosign, which know no mirrors, pull and verify by
// original names: the name of the source leads to a front, whose target has nothing
// but mirror names.
func TestServeByName(t *testing.T) {
	parts.DockerHub(t, authority, owner)
	login := remote.WithAuth(&authn.Basic{Username: owner.Username, Password: owner.Password})
	digest := push(t, "docker.io/user/ns.img:1.2", login)
	shell := parts.NewTerminal(t)

	// A chart as "helm push" would push it.
	shell.Run(t, "helm create chart >&2; helm package chart --version 0.1.0 >&2")
	packed, err := os.ReadFile(filepath.Join(shell.Dir, "chart-0.1.0.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	chart, err := mutate.Append(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), "application/vnd.cncf.helm.config.v1+json"),
		mutate.Addendum{Layer: static.NewLayer(packed, "application/vnd.cncf.helm.chart.content.v1.tar+gzip"), MediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip"})
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(parse(t, "docker.io/user/ns.chart:0.1.0"), chart, login); err != nil {
		t.Fatal(err)
	}

	// A signature beside the mirror.
	auth := base64.StdEncoding.EncodeToString([]byte(owner.Username + ":" + owner.Password))
	writeFile(t, filepath.Join(shell.Dir, "login", "config.json"), `{"auths": {"https://index.docker.io/v1/": {"auth": "`+auth+`"}}}`)
	shell.Run(t, "export COSIGN_PASSWORD= DOCKER_CONFIG=$PWD/login; cosign generate-key-pair >&2; cosign sign --yes --key cosign.key --tlog-upload=false --use-signing-config=false docker.io/user/ns.img@"+digest.String()+" >&2")

	dir := t.TempDir()
	own, err := sandbox.SignedBy("gcr.io", dir)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir+"/serve.yaml", "targets: [{to: docker.io/user}]\nlisten: "+hosts["gcr.io"]+":443\ntls: {certificate: "+own.Certificate+", key: "+own.Key+"}\nnames: [{name: gcr.io, source: gcr.io}]\nguests: {networks: [1.0.0.0/8, 127.0.0.0/8]}\n")
	serve(t, "--config", dir+"/serve.yaml")
	shell.Run(t, "export SSL_CERT_FILE="+own.Authority+"; mkdir pulled; helm pull oci://gcr.io/ns/chart --version 0.1.0 -d pulled >&2")
	if got, err := os.ReadFile(filepath.Join(shell.Dir, "pulled", "chart-0.1.0.tgz")); err != nil || !bytes.Equal(got, packed) {
		t.Errorf("the chart has %d bytes, want %d: %v", len(got), len(packed), err)
	}
	for _, image := range []string{"gcr.io/ns/img:1.2", "gcr.io/ns/img@" + digest.String()} {
		out := shell.Run(t, "export SSL_CERT_FILE="+own.Authority+"; cosign verify --key cosign.pub --insecure-ignore-tlog=true "+image)
		if !strings.Contains(out, digest.String()) {
			t.Errorf("cosign verified %s as %s", image, out)
		}
	}
	if out, err := shell.Try(t, "export SSL_CERT_FILE="+own.Authority+"; cosign verify --key cosign.pub --insecure-ignore-tlog=true gcr.io/ns/chart:0.1.0"); err == nil {
		t.Errorf("cosign verified what nobody signed: %s", out)
	}
}

// TestServeBuildKit builds from an image by its original name, through a front that
// buildkitd.toml names. "ferry setup" writes that file.
func TestServeBuildKit(t *testing.T) {
	parts.DockerHub(t, authority, owner)
	login := remote.WithAuth(&authn.Basic{Username: owner.Username, Password: owner.Password})
	digest := push(t, "docker.io/user/ns.img:1.2", login).String()
	serve(t, "--target", "docker.io/user")
	shell := parts.NewTerminal(t)
	root := t.TempDir()
	writeFile(t, root+"/etc/buildkit/buildkitd.toml", "debug = true # ours\n")
	shell.Run(t, ferryFile()+" setup --root "+root+" --only buildkit --front http://"+frontAddress+" --host gcr.io --apply >&2")
	writeFile(t, filepath.Join(shell.Dir, "Dockerfile"), "FROM gcr.io/ns/img:1.2\nLABEL built=here\n")
	socket := "unix://" + root + "/buildkitd.sock"
	out := shell.Run(t, fmt.Sprintf(`
buildkitd --config %[1]s/etc/buildkit/buildkitd.toml --root %[1]s/state --addr %[2]s --oci-worker-snapshotter native >%[1]s/log 2>&1 &
trap 'kill %%1; wait; cat %[1]s/log >&2' EXIT
until buildctl --addr %[2]s debug workers >/dev/null 2>&1; do kill -0 %%1; sleep 0.1; done
buildctl --addr %[2]s build --progress plain --frontend dockerfile.v0 --local context=. --local dockerfile=. --output type=oci,dest=built.tar 2>&1
`, root, socket))
	if want := "gcr.io/ns/img:1.2@" + digest; !strings.Contains(out, want) {
		t.Errorf("the build does not show %s:\n%s", want, out)
	}
	if info, err := os.Stat(filepath.Join(shell.Dir, "built.tar")); err != nil || info.Size() == 0 {
		t.Errorf("nothing was built: %v", err)
	}
}

// TestSetupMoby sets up a current Docker Engine, which has Docker Hub by its own file,
// and with the containerd image store the other sources by a hosts.toml.
func TestSetupMoby(t *testing.T) {
	parts.DockerHub(t, authority, owner)
	login := remote.WithAuth(&authn.Basic{Username: owner.Username, Password: owner.Password})
	digest := push(t, "docker.io/user/ns.img:1.2", login).String()
	hub := push(t, "docker.io/user/docker.grafana.grafana:11", login).String()
	serve(t, "--target", "docker.io/user")
	shell := parts.NewTerminal(t)
	root := t.TempDir()
	writeFile(t, root+"/etc/docker/daemon.json", "{\n\t\"features\": {\"containerd-snapshotter\": true},\n\t\"bridge\": \"none\", \"iptables\": false, \"ip6tables\": false, \"storage-driver\": \"native\"\n}\n")
	shell.Run(t, ferryFile()+" setup --root "+root+" --only docker --front http://"+frontAddress+" --host docker.io --apply >&2")
	writeFile(t, "/etc/docker/certs.d/gcr.io/hosts.toml", "server = \"https://gcr.io\"\n[host.\"http://"+frontAddress+"\"]\n  capabilities = [\"pull\", \"resolve\"]\n")
	t.Cleanup(func() { _ = os.RemoveAll("/etc/docker") })
	out := shell.Run(t, fmt.Sprintf(`
moby-dockerd --config-file %[1]s/etc/docker/daemon.json --data-root %[1]s/data --exec-root %[1]s/exec --pidfile %[1]s/pid --host unix://%[1]s/sock >%[1]s/log 2>&1 &
trap 'kill %%1; wait; tail -n 40 %[1]s/log >&2' EXIT
ask() { curl -sS --unix-socket %[1]s/sock "$@"; }
until ask http://x/_ping >/dev/null 2>&1; do kill -0 %%1; sleep 0.1; done
for image in grafana/grafana:11 gcr.io/ns/img:1.2; do
  ask -X POST "http://x/images/create?fromImage=${image%%:*}&tag=${image##*:}" >&2
  ask "http://x/images/$image/json"
done
`, root))
	for _, want := range []string{hub, digest} {
		if !strings.Contains(out, want) {
			t.Errorf("moby does not have %s:\n%s", want, out)
		}
	}
}

// TestSetupContainerd2 sets up a containerd 2.x, whose configuration has other tables,
// and pulls by the CRI.
func TestSetupContainerd2(t *testing.T) {
	parts.DockerHub(t, authority, owner)
	login := remote.WithAuth(&authn.Basic{Username: owner.Username, Password: owner.Password})
	digest := push(t, "docker.io/user/ns.img:1.2", login).String()
	serve(t, "--target", "docker.io/user")
	shell := parts.NewTerminal(t)
	root := t.TempDir()
	writeFile(t, root+"/etc/containerd/config.toml", "version = 3\n\n[plugins.'io.containerd.cri.v1.images']\n  snapshotter = 'native' # ours\n\n[[plugins.'io.containerd.transfer.v1.local'.unpack_config]]\n  platform = 'linux/"+runtime.GOARCH+"'\n  snapshotter = 'native'\n")
	shell.Run(t, ferryFile()+" setup --root "+root+" --only containerd --front http://"+frontAddress+" --host gcr.io --apply >&2")
	if err := os.CopyFS("/etc/containerd/certs.d", os.DirFS(root+"/etc/containerd/certs.d")); err != nil { // which config_path names
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll("/etc/containerd/certs.d") })
	out := shell.Run(t, fmt.Sprintf(`
containerd2 --config %[1]s/etc/containerd/config.toml --root %[1]s/root --state %[1]s/state --address %[1]s/sock >%[1]s/log 2>&1 &
trap 'kill %%1; wait; tail -n 40 %[1]s/log >&2' EXIT
ask() { crictl -r unix://%[1]s/sock "$@"; }
until ask images >/dev/null 2>&1; do kill -0 %%1; sleep 0.1; done
ask pull gcr.io/ns/img:1.2 >&2
ask inspecti gcr.io/ns/img:1.2
`, root))
	if !strings.Contains(out, digest) {
		t.Errorf("containerd does not have %s:\n%s", digest, out)
	}
}
