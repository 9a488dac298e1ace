package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

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
