package cli

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/catalog"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/wiring"
)

// checkup returns a world for the doctor; the test changes github and target.
func checkup(t *testing.T, github func(*fakegithub.Config), target fakeregistry.Options) *world {
	t.Helper()
	w := newWorld(t)
	config := fakegithub.Config{
		Repository: event.Repository{Owner: harbour.Login, Name: "ferry", OwnerID: harbour.ID, Fork: true},
		Tokens:     map[string]event.User{"token-of-github": fakegithub.Bot()},
		Workflows:  map[string]string{".github/workflows/mirror.yml": "active", ".github/workflows/sweep.yml": "active"},
	}
	if github != nil {
		github(&config)
	}
	w.github = fakegithub.New(config)
	w.Environ["GITHUB_API_URL"] = "http://" + w.Serve(w.github)
	target.Username, target.Password, target.Tokens = "mate", "sesame-of-the-target", true
	w.Target = fakeregistry.New(target)
	w.At["registry.example.com:80"] = w.Serve(w.Target)
	// Docker Hub, which the policy does not mention, is redirected into the
	// test.
	w.At["registry-1.docker.io:443"], w.At["auth.docker.io:443"] = w.At["gcr.io:80"], w.At["gcr.io:80"]
	return w
}

func TestDoctor(t *testing.T) {
	for _, test := range []struct {
		name    string
		github  func(*fakegithub.Config)
		target  fakeregistry.Options
		prepare func(*world)
		status  int
		summary []string
	}{{
		name: "everything fine", status: wiring.StatusDone,
		summary: []string{"Ferry is ready.", "Only the owner and collaborators may ask", "Issues are on", "accepts the login", "test image was deleted"},
	}, {
		name: "in Chinese", status: wiring.StatusDone, prepare: func(w *world) { w.Environ["FERRY_LANGUAGE"] = "zh" },
		summary: []string{"设置完成", "Issues 已开启"},
	}, {
		name: "a list", status: wiring.StatusFailed, prepare: func(w *world) {
			w.Environ["FERRY_LISTS"] = w.list("images.txt", "gcr.io/ns/img:1\ngcr.io/ns/img:>=1 newst 2\n")
		},
		summary: []string{"images.txt#L2", "did you mean"},
	}, {
		name: "Issues off", github: func(c *fakegithub.Config) { c.NoIssues = true }, status: wiring.StatusFailed,
		summary: []string{"One problem to fix", "https://github.com/octo-harbour/ferry/settings#features"},
	}, {
		name: "a token for reading", github: func(c *fakegithub.Config) { c.ReadOnly = true }, status: wiring.StatusFailed,
		summary: []string{"may not write to issues", "`issues: write`"},
	}, {
		name: "the sweep is off", github: func(c *fakegithub.Config) { c.Workflows[".github/workflows/sweep.yml"] = "disabled_fork" }, status: wiring.StatusDone,
		summary: []string{"⚠️", "https://github.com/octo-harbour/ferry/actions/workflows/sweep.yml"},
	}, {
		name: "a wrong password", prepare: func(w *world) { w.Environ["FERRY_PASSWORD"] = "not-the-sesame" }, status: wiring.StatusFailed,
		summary: []string{"refuses the user name and password", "https://github.com/octo-harbour/ferry/settings/secrets/actions"},
	}, {
		name: "a login for reading", target: fakeregistry.Options{ReadOnly: true}, status: wiring.StatusFailed,
		summary: []string{"is valid, but may not push there"},
	}, {
		name: "a registry for a few", target: fakeregistry.Options{Private: true}, status: wiring.StatusDone,
		prepare: func(w *world) { w.Environ["FERRY_REQUESTS"] = "anyone" },
		summary: []string{"requires a login"},
	}, {
		name: "the user name is a secret", status: wiring.StatusDone, prepare: func(w *world) { w.Environ["FERRY_USERNAME_MASKED"] = "true" },
		summary: []string{"with one warning.**\n\n- ⚠️ `FERRY_USERNAME` is a secret", "add it as a variable"},
	}, {
		name: "a missing secret", prepare: (*world).ForgetPassword, status: wiring.StatusFailed,
		summary: []string{"`FERRY_PASSWORD`", "https://github.com/octo-harbour/ferry/settings/secrets/actions"},
	}, {
		name: "a fault in the policy", prepare: func(w *world) { w.SetPolicy(strings.Replace(fakeworld.Policy, "sources:", "souces:", 1)) }, status: wiring.StatusFailed,
		summary: []string{"souces", "#L"},
	}} {
		t.Run(test.name, func(t *testing.T) {
			w := checkup(t, test.github, test.target)
			if test.prepare != nil {
				test.prepare(w)
			}
			status, log := w.run(t.Context(), "doctor")
			w.WantStatus(status, test.status, log)
			summary, err := os.ReadFile(filepath.Join(w.Dir, "summary"))
			if err != nil {
				t.Fatal(err)
			}
			fakeworld.WantText(t, "the summary", string(summary), test.summary...)
			for _, secret := range []string{"sesame-of-the-target", "token-of-github", "not-the-sesame"} {
				if strings.Contains(string(summary), secret) {
					t.Errorf("the summary shows %q", secret)
				}
				for line := range strings.Lines(log) {
					if strings.Contains(line, secret) && !strings.HasPrefix(line, "::add-mask::") {
						t.Errorf("the log shows %q: %s", secret, line)
					}
				}
			}
			if annotated := strings.Contains(log, "::error title=set-up::"); annotated != (test.status == wiring.StatusFailed) {
				t.Errorf("an annotation: %v; the log:\n%s", annotated, log)
			}
		})
	}
}

// TestDoctorCatalog: the doctor names the one step by hand that publishes the catalog.
func TestDoctorCatalog(t *testing.T) {
	for published, want := range map[bool][]string{
		false: {"its page is not published", "https://github.com/octo-harbour/ferry/settings/pages", "`/docs`"},
		true:  {"The page of the catalog is published."},
	} {
		w := checkup(t, func(c *fakegithub.Config) { c.Pages = published }, fakeregistry.Options{})
		hub, err := wiring.NewGitHub(wiring.Env{Getenv: func(key string) string { return w.Environ[key] }, At: w.At})
		if err != nil {
			t.Fatal(err)
		}
		if err := hub.Commit(t.Context(), catalog.Branch, "catalog", map[string]string{catalog.HoldingsFile: `{"version":1,"repositories":{}}`}); err != nil {
			t.Fatal(err)
		}
		status, log := w.run(t.Context(), "doctor")
		w.WantStatus(status, wiring.StatusDone, log)
		summary, err := os.ReadFile(filepath.Join(w.Dir, "summary"))
		if err != nil {
			t.Fatal(err)
		}
		fakeworld.WantText(t, "the summary", string(summary), want...)
	}
}

// TestDoctorAtATerminal checks that the findings go to standard output at a
// terminal, without commands to the runner.
func TestDoctorAtATerminal(t *testing.T) {
	w := checkup(t, nil, fakeregistry.Options{})
	delete(w.Environ, "GITHUB_ACTIONS")
	status, log := w.run(t.Context(), "doctor")
	w.WantStatus(status, wiring.StatusDone, log)
	fakeworld.WantText(t, "the output", log, "ok       Issues are on.\n", "note     ", "\nThe set-up is complete", "checking GitHub…\nchecking registry.example.com/mirror…\n")
	if strings.Contains(log, "::") {
		t.Errorf("the runner's commands at a terminal:\n%s", log)
	}
	if got, want := len(w.github.Labels()), len(ledger.Labels()); got != want {
		t.Errorf("%d labels were created, want %d", got, want)
	}
}

// TestDoctorTriesPublicMirrors asks a mirror that is as it should be, an empty one, a
// stale one, and those that give unusable answers or lie.
func TestDoctorTriesPublicMirrors(t *testing.T) {
	w := checkup(t, nil, fakeregistry.Options{})
	image := func(seed uint64) *fakeregistry.Image {
		return fakeregistry.Generate(fakeregistry.Spec{Seed: seed, Platforms: []string{"linux/amd64"}, Layers: []int{100}})
	}
	w.Source.Add("pause", "3.10", image(1))
	w.Source.Add("own/tool", "latest", image(3))
	holding := func(seed uint64, paths ...string) *fakeregistry.Registry {
		r := fakeregistry.New(fakeregistry.Options{})
		for _, path := range append(paths, "registry.k8s.io/pause") {
			r.Add(path, "3.10", image(seed))
			r.Add(path, "latest", image(3))
		}
		return r
	}
	page := func(to http.ResponseWriter, _ *http.Request) {
		to.Header().Set("Content-Type", "text/html")
		_, _ = to.Write([]byte("<!doctype html><html>welcome</html>"))
	}
	digest := "sha256:" + strings.Repeat("a", 64)
	good := holding(1, "gcr.io/own/tool")
	policy := fakeworld.Policy
	rows := "public-mirrors:\n"
	var wants []string
	for _, m := range []struct {
		host, image string
		serve       http.HandlerFunc
		want        string
	}{
		{"good", "registry.k8s.io/*", good.ServeHTTP, `"good.example.com/registry.k8s.io/pause:3.10" with the digest of "registry.k8s.io/pause:3.10".`},
		{"narrow", "gcr.io/own/tool", good.ServeHTTP, `"narrow.example.com/gcr.io/own/tool:latest" with the digest of "gcr.io/own/tool:latest".`},
		{"stale", "registry.k8s.io/*", holding(2).ServeHTTP, `"stale.example.com/registry.k8s.io/pause:3.10" with another digest`},
		{"empty", "registry.k8s.io/*", fakeregistry.New(fakeregistry.Options{}).ServeHTTP, `"empty.example.com" does not have`},
		{"page", "registry.k8s.io/*", page, `"page.example.com" gave no usable answer here`},
		{"login", "registry.k8s.io/*", func(to http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/login") {
				page(to, r)
				return
			}
			http.Redirect(to, r, "/login?to="+r.URL.Path, http.StatusFound)
		}, `"login.example.com" gave no usable answer here`},
		{"guarded", "registry.k8s.io/*", func(to http.ResponseWriter, _ *http.Request) {
			to.Header().Set("WWW-Authenticate", `Bearer realm="http://169.254.169.254/token",service="x"`)
			to.WriteHeader(http.StatusUnauthorized)
		}, `"guarded.example.com" gave no usable answer here`},
		{"liar", "registry.k8s.io/*", func(to http.ResponseWriter, _ *http.Request) { to.Header().Set("Docker-Content-Digest", digest) },
			`"liar.example.com" claims to have an image that does not exist`},
		{"forger", "registry.k8s.io/*", func(to http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead && strings.HasSuffix(r.URL.Path, "/3.10") {
				to.Header().Set("Docker-Content-Digest", digest)
				return
			}
			r.URL.Path = strings.Replace(r.URL.Path, digest, "3.10", 1)
			good.ServeHTTP(to, r)
		}, `"forger.example.com" claims to have an image that does not exist, or sends content with another digest`},
		{"unknown", "docker.io/some/*", good.ServeHTTP, `"unknown.example.com" could not be compared`},
	} {
		host := m.host + ".example.com"
		w.At[host+":80"] = w.Serve(m.serve)
		policy += "  - {host: " + host + ", private: true, plain-http: true}\n"
		rows += "  - {at: " + host + ", images: [" + m.image + "]}\n"
		wants = append(wants, m.want)
	}
	w.SetPolicy(policy + rows)
	status, log := w.run(t.Context(), "doctor", "--mirrors", "--read-only")
	w.WantStatus(status, wiring.StatusDone, log)
	fakeworld.WantText(t, "the log", log, wants...)
	if _, log := w.run(t.Context(), "doctor", "--read-only"); strings.Contains(log, "public mirror") {
		t.Error("public mirrors are tried without the flag")
	}
}

func TestDoctorReadOnly(t *testing.T) {
	w := checkup(t, nil, fakeregistry.Options{})
	status, log := w.run(t.Context(), "doctor", "--read-only")
	w.WantStatus(status, wiring.StatusDone, log)
	if len(w.github.Labels()) != 0 || w.Target.Count("^(POST|PUT|PATCH|DELETE) ") != 0 {
		t.Error("something was changed")
	}
	status, log = w.run(t.Context(), "doctor", "now")
	w.WantStatus(status, wiring.StatusUsage, log)
}
