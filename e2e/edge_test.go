package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/imageferry/ferry/e2e/parts"
)

const (
	edgeHost  = "front.example.com"
	edgeToken = "0123456789abcdef0123456789abcdef01234567"
)

// serveEdge starts the Worker on the edge network's runtime. It is reached as it is
// there: under its domain, by TLS, which ends before it.
func serveEdge(t *testing.T, settings ...string) {
	t.Helper()
	worker := exec.Command("node", "../edge/test/serve.mjs")
	worker.Env = append(append(os.Environ(), "FERRY_TARGET=docker.io/user", "FERRY_TOKENS="+edgeToken), settings...)
	stop, err := worker.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := worker.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaint strings.Builder
	worker.Stderr = &complaint
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	log := bufio.NewReader(out)
	port, err := log.ReadString('\n')
	if err != nil {
		t.Fatalf("the Worker does not serve: %v: %s", err, complaint.String())
	}
	seen := make(chan string)
	go func() {
		text, _ := io.ReadAll(log) // what the pipe had when it was closed
		seen <- string(text)
	}()
	t.Cleanup(func() {
		stop.Close()
		text := <-seen
		if err := worker.Wait(); err != nil {
			t.Errorf("the Worker: %v", err)
		}
		if strings.Contains(text+complaint.String(), edgeToken) {
			t.Error("the log has the token")
		}
		if t.Failed() {
			t.Logf("the Worker said:\n%s%s", text, complaint.String())
		}
	})
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "127.0.0.1:" + strings.TrimSpace(port)})
	parts.Serve(t, authority, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("CF-Connecting-IP", "203.0.113.9")
		proxy.ServeHTTP(w, r)
	}), edgeHost)
}

// askOnly writes the files with which ctr (--hosts-dir) and podman
// (CONTAINERS_REGISTRIES_CONF) ask a front at an address for the images of gcr.io,
// registry.k8s.io and Docker Hub, and know no other way.
func askOnly(t *testing.T, front string) (hosts, registries string) {
	t.Helper()
	hosts, registries = t.TempDir(), filepath.Join(t.TempDir(), "registries.conf")
	toml := "server = \"" + front + "\"\n[host.\"" + front + "\"]\n  capabilities = [\"pull\", \"resolve\"]\n  override_path = true\n"
	var conf strings.Builder
	_, at, _ := strings.Cut(strings.Replace(front, "/v2", "", 1), "://")
	for _, source := range []string{"gcr.io", "registry.k8s.io", "docker.io"} {
		fmt.Fprintf(&conf, "[[registry]]\nprefix = %q\nlocation = \"nowhere.example.com\"\n[[registry.mirror]]\nlocation = %q\ninsecure = %t\n",
			source, at+"/"+source, strings.HasPrefix(front, "http:"))
	}
	if err := os.MkdirAll(filepath.Join(hosts, "_default"), 0o755); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{filepath.Join(hosts, "_default", "hosts.toml"): toml, registries: conf.String()} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return hosts, registries
}

// pullAll pulls images by tag and by digest with ctr, podman and skopeo, which ask
// where the files say, and compares their digests. An image that is nowhere must
// fail.
func pullAll(t *testing.T, shell *parts.Shell, hosts, registries string, digests map[string]string) {
	t.Helper()
	for source, want := range digests {
		pinned := strings.Split(source, ":")[0] + "@" + want
		for _, reference := range []string{source, pinned} {
			shell.Run(t, "ctr -n e2e images pull --all-platforms --hosts-dir "+hosts+" "+reference)
			if out := shell.Run(t, "ctr -n e2e images ls 'name=="+reference+"'"); !strings.Contains(out, want) {
				t.Errorf("ctr has for %s:\n%s", reference, out)
			}
			shell.Run(t, "CONTAINERS_REGISTRIES_CONF="+registries+" podman pull -q "+reference)
			if out := shell.Run(t, "podman image inspect --format '{{.Digest}} {{.RepoDigests}}' "+reference); !strings.Contains(out, want) {
				t.Errorf("podman has for %s: %s", reference, out)
			}
			shell.Run(t, "podman rmi -f "+reference)
			if out := shell.Run(t, "skopeo --registries-conf "+registries+" inspect --raw docker://"+reference+" | sha256sum"); "sha256:"+strings.Fields(out)[0] != want {
				t.Errorf("skopeo has for %s: %s", reference, out)
			}
		}
	}
	if _, err := shell.Try(t, "ctr -n e2e images pull --hosts-dir "+hosts+" gcr.io/ns/none:1"); err == nil {
		t.Error("an image that is nowhere was pulled")
	}
}

// TestEdge pulls images by their original names through the Worker, with clients
// that are told where to ask and no more. The registry that has the mirrors keeps
// its blobs on storage of its own, and every one has to come from there.
func TestEdge(t *testing.T) {
	storage := parts.DockerHubWithStorage(t, authority, owner, "storage.example.com")
	shell := parts.NewShell(t)
	login := remote.WithAuth(&authn.Basic{Username: owner.Username, Password: owner.Password})
	digest := push(t, "docker.io/user/ns.img:1.2", login).String()
	pause := push(t, "docker.io/user/google-containers.pause:3.10", login).String()
	serveEdge(t)

	hosts, registries := askOnly(t, "https://"+edgeHost+"/v2/"+edgeToken)
	pullAll(t, shell, hosts, registries, map[string]string{"gcr.io/ns/img:1.2": digest, "registry.k8s.io/pause:3.10": pause})
	if storage.Blobs() == 0 {
		t.Error("no blob came from the storage")
	}

	// A login takes the place of the token in the address, for Docker Hub too.
	nginx := push(t, "docker.io/user/docker.nginx:1", login).String()
	_, registries = askOnly(t, "https://"+edgeHost+"/v2")
	auth := "REGISTRY_AUTH_FILE=" + filepath.Join(t.TempDir(), "auth.json") + " CONTAINERS_REGISTRIES_CONF=" + registries + " "
	if _, err := shell.Try(t, auth+"podman login -u anybody -p wrong "+edgeHost); err == nil {
		t.Error("podman logged in with a wrong token")
	}
	shell.Run(t, "echo "+edgeToken+" | "+auth+"podman login -u anybody --password-stdin "+edgeHost)
	for reference, want := range map[string]string{"docker.io/library/nginx:1": nginx, "gcr.io/ns/img:1.2": digest} {
		if out := shell.Run(t, auth+"skopeo --registries-conf "+registries+" inspect --raw docker://"+reference+" | sha256sum"); "sha256:"+strings.Fields(out)[0] != want {
			t.Errorf("skopeo has for %s: %s", reference, out)
		}
		shell.Run(t, auth+"podman pull -q "+reference)
		shell.Run(t, "podman rmi -f "+reference)
	}
}

// TestEdgeDocker pulls with dockerd, which knows mirrors of Docker Hub only and sends
// them no token: through an open Worker, and not through another.
func TestEdgeDocker(t *testing.T) {
	const docker = "docker -H unix:///var/run/docker.sock "
	storage := parts.DockerHubWithStorage(t, authority, owner, "storage.example.com")
	login := remote.WithAuth(&authn.Basic{Username: owner.Username, Password: owner.Password})
	digest := push(t, "docker.io/user/docker.grafana.grafana:11", login).String()
	writeFile(t, "/etc/docker/daemon.json", `{"registry-mirrors": ["https://`+edgeHost+`"], "bridge": "none", "iptables": false, "ip6tables": false, "storage-driver": "vfs"}`)
	shell := parts.NewNode(t)
	t.Run("open", func(t *testing.T) {
		serveEdge(t, "FERRY_OPEN=true", "FERRY_ALLOWED=docker.io/grafana/*")
		for _, reference := range []string{"grafana/grafana:11", "grafana/grafana@" + digest} {
			if out := shell.Run(t, docker+"pull "+reference); !strings.Contains(out, digest) {
				t.Errorf("docker pulls %s:\n%s", reference, out)
			}
		}
		if storage.Blobs() == 0 {
			t.Error("no blob came from the storage")
		}
		shell.Run(t, docker+"rmi -f grafana/grafana:11")
	})
	t.Run("with tokens", func(t *testing.T) {
		serveEdge(t)
		shell.Run(t, "echo "+owner.Password+" | "+docker+"login -u "+owner.Username+" --password-stdin")
		if out, err := shell.Try(t, docker+"pull grafana/grafana:11"); err == nil {
			t.Errorf("docker pulled without a token:\n%s", out)
		}
	})
}

// TestEdgeConformance holds the Worker to the specification.
func TestEdgeConformance(t *testing.T) {
	login := remote.WithAuth(&authn.Basic{Username: owner.Username, Password: owner.Password})
	repository := "OCI_REPO1=" + edgeToken + "/gcr.io/conformance/repo1"
	t.Run("redirect", func(t *testing.T) {
		parts.DockerHubWithStorage(t, authority, owner, "storage.example.com")
		digest := push(t, "docker.io/user/conformance.repo1:1", login)
		serveEdge(t)
		conform(t, digest, "OCI_REGISTRY="+edgeHost, repository)
	})
	t.Run("relay", func(t *testing.T) {
		parts.DockerHub(t, authority, owner)
		digest := push(t, "docker.io/user/conformance.repo1:1", login)
		serveEdge(t, "FERRY_RELAY=registry-1.docker.io")
		conform(t, digest, "OCI_REGISTRY="+edgeHost, repository, "OCI_API_BLOBS_DIGEST_HEADER=true")
	})
}
