package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/imageferry/ferry/e2e/parts"
)

// front is "ferry serve" that is running, at 127.0.0.1:5050.
type front struct {
	process *exec.Cmd
	lines   chan string // of its log
}

const frontAddress = "127.0.0.1:5050"

// serve starts "ferry serve" with the owner's login for the target.
func serve(t *testing.T, args ...string) *front {
	t.Helper()
	return serveBuild(t, ferryFile(), args...)
}

// serveBuild is serve with another build of Ferry.
func serveBuild(t *testing.T, build string, args ...string) *front {
	t.Helper()
	f := &front{process: exec.Command(build, append([]string{"serve"}, args...)...), lines: make(chan string, 10000)}
	f.process.Env = append(os.Environ(), "FERRY_USERNAME="+owner.Username, "FERRY_PASSWORD="+owner.Password)
	log, err := f.process.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(f.lines)
		for scanner := bufio.NewScanner(log); scanner.Scan(); {
			f.lines <- scanner.Text()
		}
	}()
	t.Cleanup(func() {
		_ = f.process.Process.Signal(syscall.SIGTERM)
		var seen []string
		for line := range f.lines {
			seen = append(seen, line)
		}
		if err := f.process.Wait(); err != nil {
			t.Errorf("ferry serve: %v", err)
		}
		if strings.Contains(strings.Join(seen, "\n"), owner.Password) {
			t.Error("the log has the password")
		}
		if t.Failed() {
			t.Logf("ferry serve said:\n%s", strings.Join(seen, "\n"))
		}
	})
	for line := range f.lines {
		if strings.Contains(line, `"msg":"serving"`) {
			return f
		}
		t.Log(line)
	}
	t.Fatal("ferry serve does not serve")
	return nil
}

// TestServe pulls images by their original names, with clients that are told
// where to ask and no more, from a namespace on Docker Hub that has them under
// their mirror names alone. The registries of the sources are not there at all.
func TestServe(t *testing.T) {
	parts.DockerHub(t, authority, owner)
	shell := parts.NewShell(t)
	login := remote.WithAuth(&authn.Basic{Username: owner.Username, Password: owner.Password})
	digest := push(t, "docker.io/user/ns.img:1.2", login).String()
	pause := push(t, "docker.io/user/google-containers.pause:3.10", login).String()
	serve(t, "--target", "docker.io/user")

	hosts := t.TempDir()
	toml := "[host.\"http://" + frontAddress + "\"]\n  capabilities = [\"pull\", \"resolve\"]\n"
	for _, source := range []string{"gcr.io", "registry.k8s.io"} {
		if err := os.MkdirAll(filepath.Join(hosts, source), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(hosts, source, "hosts.toml"), []byte("server = \"https://"+source+"\"\n"+toml), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	registries := filepath.Join(t.TempDir(), "registries.conf")
	var conf strings.Builder
	for _, source := range []string{"gcr.io", "registry.k8s.io"} {
		fmt.Fprintf(&conf, "[[registry]]\nprefix = %q\nlocation = %q\n[[registry.mirror]]\nlocation = %q\ninsecure = true\n", source, source, frontAddress+"/"+source)
	}
	if err := os.WriteFile(registries, []byte(conf.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	pullAll(t, shell, hosts, registries, map[string]string{"gcr.io/ns/img:1.2": digest, "registry.k8s.io/pause:3.10": pause})
}

// TestConformance holds the front to the specification: the pulling part of its
// own conformance suite. What is read was pushed by go-containerregistry.
func TestConformance(t *testing.T) {
	parts.DockerHub(t, authority, owner)
	login := remote.WithAuth(&authn.Basic{Username: owner.Username, Password: owner.Password})
	digest := push(t, "docker.io/user/conformance.repo1:1", login)
	for mode, test := range map[string]struct{ places, repository string }{
		"mirror":   {"", "gcr.io/conformance/repo1"},
		"relay":    {"places: [{kind: mirror, blobs: relay}]\n", "gcr.io/conformance/repo1"},
		"redirect": {"places: [{kind: mirror, blobs: redirect}]\n", "gcr.io/conformance/repo1"},
		"upstream": {"places: [{kind: upstream}]\n", "docker.io/user/conformance.repo1"},
	} {
		t.Run(mode, func(t *testing.T) {
			config := filepath.Join(t.TempDir(), "serve.yaml")
			if err := os.WriteFile(config, []byte("targets: [{to: docker.io/user}]\n"+test.places), 0o644); err != nil {
				t.Fatal(err)
			}
			serve(t, "--config", config)
			conform(t, digest, "OCI_REGISTRY="+frontAddress, "OCI_TLS=disabled", "OCI_REPO1="+test.repository, "OCI_API_BLOBS_DIGEST_HEADER=true")
		})
	}
}

// reportsDir names the folder in which the reports of the conformance suite are left.
const reportsDir = "FERRY_REPORTS"

// conform runs the pulling part of the conformance suite, with further settings,
// on what docker.io/user/conformance.repo1:1 holds. With FERRY_REPORTS it leaves the
// report in that folder.
func conform(t *testing.T, digest v1.Hash, settings ...string) {
	t.Helper()
	index, err := remote.Index(parse(t, "docker.io/user/conformance.repo1:1"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	manifests, blobs := []string{digest.String()}, []string{}
	for _, m := range list.Manifests {
		manifests = append(manifests, m.Digest.String())
		image, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		content, err := image.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		blobs = append(blobs, content.Config.Digest.String())
		for _, layer := range content.Layers {
			blobs = append(blobs, layer.Digest.String())
		}
	}
	results := t.TempDir()
	suite := exec.Command(conformanceFile())
	suite.Dir = results
	suite.Env = append(append(os.Environ(),
		"OCI_RESULTS_DIR="+results,
		"OCI_API_PUSH=false", "OCI_API_BLOBS_DELETE=false", "OCI_API_MANIFESTS_DELETE=false", "OCI_API_TAGS_DELETE=false",
		"OCI_RO_DATA_TAGS=1", "OCI_RO_DATA_MANIFESTS="+strings.Join(manifests, " "), "OCI_RO_DATA_BLOBS="+strings.Join(blobs, " "),
		"OCI_RO_DATA_REFERRERS="+digest.String(),
	), settings...)
	// In its read-only mode the suite fails after its report, when it writes
	// the same to a file: a nil pointer of its own. The report counts.
	out, _ := suite.CombinedOutput()
	report := string(out)
	for _, api := range []string{
		"Blob get", "Blob head", "Manifest get by digest", "Manifest get by tag", "Manifest head by digest", "Manifest head by tag",
		"Tag listing", "Referrers", "Ping", "Read Only Inputs", "Invalid Manifest Digest",
	} {
		if !regexp.MustCompile(regexp.QuoteMeta(api) + `\.*: +Pass\n`).MatchString(report) {
			t.Errorf("%s does not pass", api)
		}
	}
	t.Log(report)
	if dir := os.Getenv(reportsDir); dir != "" {
		writeFile(t, filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "-")+".txt"), report)
	}
}

// TestServeRefuses asks for what no front may do, by hand.
func TestServeRefuses(t *testing.T) {
	parts.DockerHub(t, authority, owner)
	serve(t, "--target", "docker.io/user")
	for uri, status := range map[string]int{
		"/v2/a/b/manifests/1?ns=169.254.169.254":           http.StatusNotFound,
		"/v2/a/b/manifests/1?ns=api.github.com":            http.StatusNotFound,
		"/v2/api.github.com/a/b/manifests/1":               http.StatusNotFound,
		"/v2/a/b/manifests/1?ns=gcr.io":                    http.StatusNotFound,
		"/v2/a/b/manifests/1?ns=gcr.io&token=x":            http.StatusBadRequest,
		"/v2/a%2fb/c/manifests/1":                          http.StatusBadRequest,
		"/v2/library/../../x/manifests/1":                  http.StatusBadRequest,
		"/v2/" + strings.Repeat("a", 10000) + "/tags/list": http.StatusBadRequest,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+frontAddress, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.URL.Opaque = uri
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != status || !json.Valid(body) {
			t.Errorf("%.60s: status %d, want %d: %.300s", uri, resp.StatusCode, status, body)
		}
	}
}
