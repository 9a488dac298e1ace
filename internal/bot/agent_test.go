package bot

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/imageferry/ferry/internal/wiring"
)

// TestEverybodyIsToldWhoAsks checks the User-Agent of every request to GitHub
// and to both registries.
func TestEverybodyIsToldWhoAsks(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	agents := map[string]map[string]bool{}
	noting := func(who string, next http.Handler) string {
		return w.Serve(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
			mu.Lock()
			if agents[who] == nil {
				agents[who] = map[string]bool{}
			}
			agents[who][in.UserAgent()] = true
			mu.Unlock()
			next.ServeHTTP(out, in)
		}))
	}
	w.Environ["GITHUB_API_URL"] = "http://" + noting("GitHub", w.github)
	w.At["gcr.io:80"] = noting("the source", w.Source)
	w.At["registry.example.com:80"] = noting("the target", w.Target)

	w.Publish("ns/img", "1.0", 1)
	n := w.open(stranger, "gcr.io/ns/img:1.0", "")
	status, log := w.happens("issues", "opened", n, nil)
	w.WantStatus(status, wiring.StatusDone, log)
	for _, who := range []string{"GitHub", "the source", "the target"} {
		if len(agents[who]) != 1 || !agents[who][wiring.UserAgent()] {
			t.Errorf("%s saw the agents %v, want %q alone", who, agents[who], wiring.UserAgent())
		}
	}
	if !strings.HasPrefix(wiring.UserAgent(), "ferry/") || !strings.HasSuffix(wiring.UserAgent(), " (+"+wiring.Homepage+")") {
		t.Errorf("the agent %q does not tell name, version and home", wiring.UserAgent())
	}
}
