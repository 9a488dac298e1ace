package bot

import (
	"net/http"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/doctor"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeregistry"
)

// TestDisabledSweepIsSaid checks that the answer does not promise a retry if
// the sweep is disabled, and that GitHub's disabling is undone if the token
// permits it.
func TestDisabledSweepIsSaid(t *testing.T) {
	app := event.User{ID: 77, Login: "harbour-app"}
	for _, test := range []struct {
		name, state string
		app         bool
		off         bool
		after       string
	}{
		{"enabled", "active", false, false, "active"},
		{"by a person", "disabled_manually", false, true, "disabled_manually"},
		{"by a person, with a token that may", "disabled_manually", true, true, "disabled_manually"},
		{"by GitHub", "disabled_inactivity", false, true, "disabled_inactivity"},
		{"by GitHub, with a token that may", "disabled_inactivity", true, false, "active"},
	} {
		t.Run(test.name, func(t *testing.T) {
			workflows := map[string]string{doctor.SweepFile: test.state}
			w := newWorld(t, func(c *fakegithub.Config) {
				c.Workflows = workflows
				if test.app {
					c.Tokens = map[string]event.User{"token-of-github": app}
				}
			})
			w.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/down", Times: -1, Status: http.StatusServiceUnavailable})
			n := w.open(stranger, "please mirror this", "gcr.io/ns/down:1.0")
			_, log := w.happens("issues", "opened", n, nil)
			said := w.github.Issue(n).Comments[0].Body
			if off := strings.Contains(said, "switched off"); off != test.off || off == strings.Contains(said, "scheduled run") {
				t.Errorf("the answer is %q", said)
			}
			if warned := strings.Contains(log, "workflow"); warned != (test.state != "active") {
				t.Errorf("the log is %q", log)
			}
			if got := workflows[doctor.SweepFile]; got != test.after {
				t.Errorf("the workflow is %q afterwards, want %q", got, test.after)
			}
		})
	}
}

// TestSweepOfAPrivateRepository checks that the log names the permission without
// which a private repository's workflows cannot be seen.
func TestSweepOfAPrivateRepository(t *testing.T) {
	w := newWorld(t)
	w.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/down", Times: -1, Status: http.StatusServiceUnavailable})
	n := w.open(stranger, "please mirror this", "gcr.io/ns/down:1.0")
	w.refuse = "/actions/workflows"
	_, log := w.happens("issues", "opened", n, nil)
	if !strings.Contains(log, "actions: read") {
		t.Errorf("the log is %q", log)
	}
	if said := w.comment(n); !strings.Contains(said, "scheduled run") {
		t.Errorf("the answer is %q", said)
	}
}
