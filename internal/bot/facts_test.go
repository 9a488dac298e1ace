package bot

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/wiring"
)

// TestUnknownRepositoryIsAskedFor checks events of a schedule, which may not
// name the repository: a fork stays closed, another repository stays open.
func TestUnknownRepositoryIsAskedFor(t *testing.T) {
	for name, test := range map[string]struct {
		fork   bool
		status int // of the response about the repository; 0 for success
		label  string
	}{
		"a fork":               {true, 0, "ferry/refused"},
		"no fork":              {false, 0, "ferry/done"},
		"GitHub does not tell": {false, http.StatusForbidden, "ferry/refused"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(c *fakegithub.Config) {
				c.Repository.Fork = test.fork
				c.Fault = func(_ int, r *http.Request) fakegithub.Fault {
					if r.URL.Path == "/repos/"+harbour.Login+"/ferry" {
						return fakegithub.Fault{Status: test.status}
					}
					return fakegithub.Fault{}
				}
			})
			w.Publish("ns/img", "1.0", 1)
			n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
			w.happens("schedule", "", 0, map[string]any{"repository": nil})
			if got := w.github.Issue(n).Labels; len(got) != 1 || got[0] != test.label {
				t.Errorf("it bears %q, want %s", got, test.label)
			}
		})
	}
}

// TestPolicyWithoutACheckout checks that the policy is read from the default
// branch, and that nobody is served if that fails.
func TestPolicyWithoutACheckout(t *testing.T) {
	for name, test := range map[string]struct {
		files  map[string]string
		status int
		label  string
	}{
		"a policy":               {map[string]string{".github/ferry.yaml": fakeworld.Policy + "denied: [gcr.io/ns/*]\n"}, 0, "ferry/refused"},
		"GitHub refuses to tell": {nil, http.StatusForbidden, "ferry/set-up"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(c *fakegithub.Config) {
				c.Files = test.files
				c.Fault = func(_ int, r *http.Request) fakegithub.Fault {
					if test.status != 0 && filepath.Base(r.URL.Path) == "ferry.yaml" {
						return fakegithub.Fault{Status: test.status}
					}
					return fakegithub.Fault{}
				}
			})
			delete(w.Environ, "FERRY_CONFIG")
			w.Environ["GITHUB_WORKSPACE"] = t.TempDir()
			w.Publish("ns/img", "1.0", 1)
			n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
			w.happens("issues", "opened", n, nil)
			if got := w.github.Issue(n).Labels; len(got) != 1 || got[0] != test.label {
				t.Errorf("it bears %q, want %s: %s", got, test.label, w.comment(n))
			}
		})
	}
}

// TestInputOfAStranger checks that inputs of a stranger's event have a
// stranger's rights.
func TestInputOfAStranger(t *testing.T) {
	w := newWorld(t)
	w.SetPolicy(fakeworld.Policy + "requests: collaborators\n")
	w.Publish("ns/img", "1.0", 1)
	w.Environ["FERRY_IMAGES"] = "gcr.io/ns/img:1.0"
	for _, kind := range []string{"discussion", "pull_request_target", "issue_comment_edited", "workflow_run", "watch"} {
		status, log := w.happens(kind, "", 0, nil)
		w.WantStatus(status, wiring.StatusFailed, log)
		if got := w.Mirrored("ns.img", "1.0"); got != "" {
			t.Errorf("%s: it was mirrored", kind)
		}
	}
}
