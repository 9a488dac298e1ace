//go:build unix

package cli

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/wiring"
)

// fakePodman puts a podman in front of the programs, which has each image with the
// digest by which it was pulled.
func fakePodman(t *testing.T) {
	t.Helper()
	bin := t.TempDir()
	script := "#!/bin/sh\necho \"$@\" >>" + bin + "/ran\ncase $1 in image) echo x@$(sed 's/.*@//;s/ .*//;q' " + bin + "/ran) ;; esac\n"
	if err := os.WriteFile(filepath.Join(bin, "podman"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// TestPullRequests requests an image that is not mirrored yet in an issue, and follows
// the answer.
func TestPullRequests(t *testing.T) {
	const image = "gcr.io/ns/img:2"
	requester := event.User{ID: 9, Login: "somebody"}
	marker := func(state, run string) string {
		return "<!-- ferry:v2 issue=1 request=- state=" + state + " tries=1 since=- run=" + run + " -->\n"
	}
	for _, test := range []struct {
		name   string
		token  string
		before []string          // bodies of open issues
		bot    map[int]string    // its comments, by the seconds after which it writes them
		copied int               // seconds after which the mirror has the image; 0 for never
		client bool              // that pulls
		wait   string            // --wait
		status int               // of the command
		slept  int               // seconds
		issues int               // afterwards
		says   []string          // the output
		never  []string          // in the output
		fault  *fakegithub.Fault // of each request that changes something
	}{
		{
			name: "answered", token: "good", client: true, bot: map[int]string{20: marker("working", "42"), 50: marker("done", "42")}, copied: 50,
			slept: 50, issues: 1, says: []string{"requested: https://github.com/harbour/ferry/issues/1\n", "waiting at most 15m0s", "its run: https://github.com/harbour/ferry/actions/runs/42\n", image + ": sha256:"},
			never: []string{"not mirrored yet", "issues/new"},
		},
		{
			name: "refused", token: "good", client: true, bot: map[int]string{10: marker("refused", "0")}, status: wiring.StatusFailed,
			slept: 30, issues: 1, says: []string{image + ": not mirrored yet", "the answer says why: https://github.com/harbour/ferry/issues/1"}, never: []string{"its run"},
		},
		{
			name: "tried again later", token: "good", client: true, bot: map[int]string{10: marker("retry", "42")}, status: wiring.StatusFailed,
			slept: 900, issues: 1, says: []string{image + ": not mirrored yet"}, never: []string{"the answer says why"},
		},
		{
			name: "requested before", token: "good", client: true, wait: "5s", status: wiring.StatusFailed,
			before: []string{"thanks", "### 镜像 / Images\r\n\r\n" + image + "\r\n\r\n### 平台 / Platforms\r\n\r\n_No response_"},
			slept:  5, issues: 2, says: []string{"requested: https://github.com/harbour/ferry/issues/2\n", "waiting at most 5s"},
		},
		{
			name: "bad token", token: "bad", client: true, status: wiring.StatusFailed,
			slept: 2, // a token may be new
			says:  []string{"no issue was opened: Bad credentials", "To ask for them, open: https://github.com/harbour/ferry/issues/new?template=mirror.yml&images=gcr.io%2Fns%2Fimg%3A2"}, never: []string{"waiting"},
		},
		{
			name: "GitHub fails", token: "good", client: true, status: wiring.StatusFailed, fault: &fakegithub.Fault{Status: 502, Effect: true},
			issues: 1, says: []string{"no issue was opened", "To ask for them, open:"},
		},
		{name: "no client", token: "good", bot: map[int]string{10: marker("done", "42")}, copied: 20, slept: 20, issues: 1, says: []string{"its run", "saving to images.tar", "docker load -i images.tar"}},
		{name: "no token", client: true, status: wiring.StatusFailed, says: []string{"To ask for them, open:"}, never: []string{"waiting", "requested:"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var with []string
			if test.client {
				fakePodman(t)
				with = []string{"--with", "podman"}
			} else {
				t.Setenv("PATH", t.TempDir())
				t.Chdir(t.TempDir())
			}
			w := newWorld(t)
			w.Publish("ns/img", "2", 2)
			config := fakegithub.Config{
				Repository: event.Repository{Owner: "harbour", Name: "ferry", OwnerID: harbour.ID},
				Tokens:     map[string]event.User{"good": requester},
				Fault: func(_ int, r *http.Request) fakegithub.Fault {
					if test.fault == nil || r.Method == http.MethodGet {
						return fakegithub.Fault{}
					}
					return *test.fault
				},
			}
			w.github = fakegithub.New(config)
			for _, body := range test.before {
				w.github.Open(fakegithub.Draft{Author: requester, Title: "x", Body: body})
			}
			environ := maps.Clone(w.Environ)
			delete(environ, "FERRY_CONFIG") // which would name another mirror
			delete(environ, "GITHUB_TOKEN")
			environ["GITHUB_API_URL"], environ["GH_TOKEN"] = "http://"+w.Serve(w.github), test.token
			args := []string{
				"pull", image, "--from", "registry.example.com/mirror", "--platform", "linux/amd64", "--request", "harbour/ferry",
				"--private", "registry.example.com", "--plain-http", "registry.example.com",
			}
			args = append(args, with...)
			if test.wait != "" {
				args = append(args, "--wait", test.wait)
			}
			var out fakeworld.Output
			slept := 0
			status := Run(t.Context(), wiring.Env{
				Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Getenv: func(key string) string { return environ[key] }, At: w.At,
				Wait: func(ctx context.Context, d time.Duration) error {
					for range int(d / time.Second) {
						slept++
						if body := test.bot[slept]; body != "" {
							w.github.Comment(1, fakegithub.Bot(), body)
						}
						if slept == test.copied {
							copied, said := w.run(ctx, "copy", image, "--to", "registry.example.com/mirror")
							w.WantStatus(copied, wiring.StatusDone, said)
						}
					}
					return ctx.Err()
				},
			})
			w.WantStatus(status, test.status, out.String())
			fakeworld.WantText(t, "the output", out.String(), test.says...)
			for _, never := range test.never {
				if strings.Contains(out.String(), never) {
					t.Errorf("the output has %q:\n%s", never, out.String())
				}
			}
			created := 0
			for _, r := range w.github.Requests() {
				if r.Method == http.MethodPost && r.Path == "/repos/harbour/ferry/issues" && r.Status != http.StatusUnauthorized {
					created++
				}
			}
			if slept != test.slept || created+len(test.before) != max(test.issues, len(test.before)) {
				t.Errorf("waited %d s, want %d; opened %d issues, want %d\n%s", slept, test.slept, created, test.issues-len(test.before), out.String())
			}
			if created == 0 {
				return
			}
			got := w.github.Issue(1)
			asked := request.Parse(request.Input{Title: got.Title, Body: got.Body})
			if len(asked.Images) != 1 || asked.Images[0].Reference.String() != image || len(asked.Problems) > 0 || got.Title != image {
				t.Errorf("the issue %+v asks for %+v", got, asked)
			}
		})
	}
}

func TestPullRequestUsage(t *testing.T) {
	status, _, said := ferry(t, "", nil, "pull", "gcr.io/ns/img:1", "--from", "docker.io/u", "--request", "alice")
	if status != wiring.StatusUsage || !strings.Contains(said, `--request is "alice"; write the owner and the name of a repository`) {
		t.Errorf("status %d: %s", status, said)
	}
}

// TestPullFromFrontsAndCatalogs pulls under the names that a front and a catalog have.
func TestPullFromFrontsAndCatalogs(t *testing.T) {
	fakePodman(t)
	registry := fakeregistry.New(fakeregistry.Options{})
	image := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{100}})
	registry.Add("docker.io/library/nginx", "1", image) // of a front
	registry.Add("other/nginx", "1", image)             // that a catalog names
	server := httptest.NewServer(registry)
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ferry/api/v1/images/docker.io/library/nginx.json" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, `{"version": 1, "images": [{"source": "docker.io/library/nginx:1", "mirror": "%s/other/nginx:1", "digest": "sha256:%064d"}]}`, address, 0)
	}))
	t.Cleanup(site.Close)
	for name, test := range map[string]struct {
		args   []string
		status int
		says   string
	}{
		"front":         {[]string{"nginx:1", "--from", server.URL}, wiring.StatusDone, " from " + address + "/docker.io/library/nginx:1\n"},
		"front, lacks":  {[]string{"redis:1", "--from", server.URL}, wiring.StatusFailed, "not mirrored yet"},
		"catalog":       {[]string{"nginx:1", "--from", site.URL + "/ferry", "--private", address, "--plain-http", address}, wiring.StatusDone, " from " + address + "/other/nginx:1\n"},
		"catalog lacks": {[]string{"nginx:2", "--from", site.URL + "/ferry"}, wiring.StatusFailed, "not mirrored yet"},
		// A catalog cannot make Ferry look inside of a network.
		"private":    {[]string{"nginx:1", "--from", site.URL + "/ferry"}, wiring.StatusFailed, address},
		"no catalog": {[]string{"nginx:1", "--from", server.URL + "/v2/"}, wiring.StatusFailed, "not mirrored yet"},
	} {
		status, stdout, stderr := ferry(t, "", nil, append([]string{"pull", "--with", "podman"}, test.args...)...)
		if said := stdout + stderr; status != test.status || !strings.Contains(said, test.says) {
			t.Errorf("%s: status %d, want %q: %s", name, status, test.says, said)
		}
	}
	for _, r := range registry.Requests() {
		if strings.Contains(r.Path, "nginx/manifests/2") {
			t.Errorf("asked for %s", r.Path)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if status, _, said := ferry(t, "", nil, "pull", "nginx:1", "--from", server.URL); status != wiring.StatusUsage || !strings.Contains(said, "only images of a target are saved without one") {
		t.Errorf("without a client: status %d: %s", status, said)
	}
}
