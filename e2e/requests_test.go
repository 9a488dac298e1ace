package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/imageferry/ferry/e2e/parts"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
)

// TestMissingImage pulls an image that nobody has mirrored, with two clients at
// once, through a front, and through the Worker, that cannot reach its source.
// The workflow that ships is started once, and both pulls succeed.
func TestMissingImage(t *testing.T) {
	const personal = "github_pat_e2eTokenThatMustNotShow"
	t.Run("front", func(t *testing.T) {
		t.Setenv("FERRY_GITHUB_TOKEN", personal)
		missingImage(t, personal, "http://"+frontAddress+"/v2", func(repository string) {
			config := filepath.Join(t.TempDir(), "serve.yaml")
			text := "targets: [{to: docker.io/user}]\nworkflow: {repository: " + repository + ", wait: 3m}\n"
			if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			serve(t, "--config", config)
		})
	})
	t.Run("Worker", func(t *testing.T) {
		missingImage(t, personal, "https://"+edgeHost+"/v2/"+edgeToken, func(repository string) {
			serveEdge(t, "FERRY_WORKFLOW="+repository, "FERRY_GITHUB_TOKEN="+personal)
		})
	})
}

// missingImage pulls an image through the front at an address, which start starts
// with the repository that has the workflow.
func missingImage(t *testing.T, personal, front string, start func(repository string)) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHubWithStorage(t, authority, owner, "storage.example.com")
	shell := parts.NewShell(t)
	digest := push(t, "gcr.io/ns/img:1").String()
	dispatch := example(t, "workflow_dispatch", "")
	repository, _ := dispatch.object("repository")["full_name"].(string)
	dispatched := make(chan map[string]string, 10)
	newBot(t, dispatch, func(c *fakegithub.Config) {
		c.Tokens[personal] = event.User{ID: 77, Login: "octocat"}
		c.Workflows = map[string]string{".github/workflows/mirror.yml": "active"}
		c.Notify = func(e fakegithub.Event) {
			if e.Kind == fakegithub.Dispatched {
				dispatched <- e.Inputs
			}
		}
	})
	runner := newWorkspace(t, dispatch)

	hosts, registries := askOnly(t, front)
	start(repository)

	pulls := []string{
		"ctr -n e2e images pull --all-platforms --hosts-dir " + hosts + " gcr.io/ns/img:1",
		"CONTAINERS_REGISTRIES_CONF=" + registries + " podman pull -q gcr.io/ns/img:1",
	}
	done := make(chan error, len(pulls))
	for _, pull := range pulls {
		go func() {
			_, err := shell.Try(t, pull)
			done <- err
		}()
	}
	inputs := <-dispatched
	if inputs["images"] != "gcr.io/ns/img:1" || inputs["first"] != "linux/amd64" {
		t.Errorf("a run was started with %q", inputs)
	}
	dispatch["inputs"] = inputs
	status, log := runner.act(t, "mirror.yml", "workflow_dispatch", dispatch)
	if status != 0 || strings.Contains(log, personal) {
		t.Errorf("the workflow ended with status %d", status)
	}
	for range pulls {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if out := shell.Run(t, "ctr -n e2e images ls 'name==gcr.io/ns/img:1'"); !strings.Contains(out, digest) {
		t.Errorf("ctr has:\n%s", out)
	}
	if out := shell.Run(t, "podman image inspect --format '{{.Digest}}' gcr.io/ns/img:1"); !strings.Contains(out, digest) {
		t.Errorf("podman has: %s", out)
	}
	if len(dispatched) > 0 {
		t.Errorf("a second run was started, with %q", <-dispatched)
	}
}

// TestFirstPlatform pulls an image that nobody has mirrored, for one platform, while the
// source holds back a layer of the other: the pull succeeds by the digest of the source
// before the image is complete, and another client gets the other platform when it has
// come. With -v it prints where the time goes, on a runner that has Ferry in its cache.
func TestFirstPlatform(t *testing.T) {
	const personal = "github_pat_e2eTokenThatMustNotShow"
	hold := parts.HeldRegistry(t, authority, "ns/img", "gcr.io")
	registry := parts.Memory(t)
	var sent atomic.Pointer[time.Time] // the first byte of an image
	parts.Serve(t, authority, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if now := time.Now(); r.Method == http.MethodPut || r.Method == http.MethodPatch {
			sent.CompareAndSwap(nil, &now)
		}
		registry.ServeHTTP(w, r)
	}), "registry.example.com")
	shell := parts.NewShell(t)
	push(t, "gcr.io/ns/other:1")
	digest := push(t, "gcr.io/ns/img:1")
	hold.Only(layerOf(t, "gcr.io/ns/img:1", 1))

	dispatch := example(t, "workflow_dispatch", "")
	repository, _ := dispatch.object("repository")["full_name"].(string)
	type dispatched struct {
		fakegithub.Event
		at time.Time
	}
	events := make(chan dispatched, 10)
	newBot(t, dispatch, func(c *fakegithub.Config) {
		c.Tokens[personal] = event.User{ID: 77, Login: "octocat"}
		c.Workflows = map[string]string{".github/workflows/mirror.yml": "active"}
		c.Notify = func(e fakegithub.Event) {
			if e.Kind == fakegithub.Dispatched {
				events <- dispatched{e, time.Now()}
			}
		}
	})
	runner, target := newWorkspace(t, dispatch), []string{"--var", "FERRY_TARGET=registry.example.com/user"}
	dispatch["inputs"] = map[string]string{"images": "gcr.io/ns/other:1"}
	if status, _ := runner.act(t, "mirror.yml", "workflow_dispatch", dispatch, target...); status != 0 {
		t.Fatalf("the run that fills the cache ended with status %d", status)
	}
	sent.Store(nil)

	t.Setenv("FERRY_GITHUB_TOKEN", personal)
	config := filepath.Join(t.TempDir(), "serve.yaml")
	text := "targets: [{to: registry.example.com/user}]\nworkflow: {repository: " + repository + ", first: linux/" + runtime.GOARCH + ", wait: 3m}\n"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	serve(t, "--config", config)
	hosts, registries := askOnly(t, "http://"+frontAddress+"/v2")
	pulled := make(chan error, 2)
	go func() {
		_, err := shell.Try(t, "ctr -n e2e images pull --hosts-dir "+hosts+" gcr.io/ns/img:1")
		pulled <- err
	}()
	e := <-events
	dispatch["inputs"] = e.Inputs
	job := runner.start(t, "mirror.yml", "workflow_dispatch", dispatch, append(target, "--env", fmt.Sprintf("GITHUB_RUN_ID=%d", e.Run))...)
	if err := <-pulled; err != nil {
		t.Fatal(err)
	}
	t.Logf("after the run was started: first byte at the target %s, pulled %s", sent.Load().Sub(e.at), time.Since(e.at))
	<-hold.Begun()
	if out := shell.Run(t, "ctr -n e2e images ls 'name==gcr.io/ns/img:1'"); !strings.Contains(out, digest.String()) {
		t.Errorf("ctr has:\n%s", out)
	}
	if _, err := remote.Head(parse(t, "registry.example.com/user/ns.img:1")); err == nil {
		t.Error("the target has the tag already")
	}
	go func() {
		_, err := shell.Try(t, "CONTAINERS_REGISTRIES_CONF="+registries+" podman pull -q --platform linux/s390x gcr.io/ns/img:1")
		pulled <- err
	}()
	hold.Release()
	if status, _ := job.wait(t); status != 0 {
		t.Errorf("the workflow ended with status %d", status)
	}
	if err := <-pulled; err != nil {
		t.Error(err)
	}
	mustHold(t, "registry.example.com/user/ns.img:1", digest)
	if len(events) > 0 {
		t.Error("a second run was started")
	}
}

// annotation matches an error in the log of act.
var annotation = regexp.MustCompile(`::error title=([^:]*?(?::[^:]+)*?)::(.*)`)

// TestImageThatIsNowhere pulls an image that its source does not have: the client gets
// what Ferry says in the run that has failed.
func TestImageThatIsNowhere(t *testing.T) {
	const personal = "github_pat_e2eTokenThatMustNotShow"
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	dispatch := example(t, "workflow_dispatch", "")
	repository, _ := dispatch.object("repository")["full_name"].(string)
	events := make(chan fakegithub.Event, 10)
	ferry := newBot(t, dispatch, func(c *fakegithub.Config) {
		c.Tokens[personal] = event.User{ID: 77, Login: "octocat"}
		c.Workflows = map[string]string{".github/workflows/mirror.yml": "active"}
		c.Notify = func(e fakegithub.Event) {
			if e.Kind == fakegithub.Dispatched {
				events <- e
			}
		}
	})
	runner := newWorkspace(t, dispatch)
	t.Setenv("FERRY_GITHUB_TOKEN", personal)
	config := filepath.Join(t.TempDir(), "serve.yaml")
	if err := os.WriteFile(config, []byte("targets: [{to: docker.io/user}]\nworkflow: {repository: "+repository+", wait: 3m}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	serve(t, "--config", config)
	answered := make(chan string)
	go func() {
		defer close(answered)
		resp, err := http.Get("http://" + frontAddress + "/v2/gcr.io/ns/none/manifests/1")
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Error(err)
		}
		answered <- resp.Status + " " + string(body)
	}()
	e := <-events
	dispatch["inputs"] = e.Inputs
	status, log := runner.act(t, "mirror.yml", "workflow_dispatch", dispatch)
	if status == 0 {
		t.Error("the workflow has succeeded")
	}
	var annotations []fakegithub.Annotation
	for _, match := range annotation.FindAllStringSubmatch(log, -1) {
		annotations = append(annotations, fakegithub.Annotation{Title: strings.ReplaceAll(match[1], "%3A", ":"), Message: match[2]})
	}
	ferry.repository.EndRun("gcr.io/ns/none:1", "failure", annotations...)
	if got := <-answered; !strings.HasPrefix(got, "404 ") || !strings.Contains(got, "the run for it has ended with failure, see https://github.com/") || !strings.Contains(got, ": not found: ") {
		t.Errorf("annotations %q, the client got %s", annotations, got)
	}
	if len(events) > 0 {
		t.Error("a second run was started")
	}
}

// layerOf is a layer that only one platform of an image has.
func layerOf(t *testing.T, reference string, platform int) string {
	t.Helper()
	index, err := remote.Index(parse(t, reference))
	if err != nil {
		t.Fatal(err)
	}
	list, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	image, err := index.Image(list.Manifests[platform].Digest)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	return manifest.Layers[0].Digest.String()
}
