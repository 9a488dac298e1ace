package bot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/wiring"
)

// TestQuotaOfTarget checks that a request is served as far as the target's quota
// allows, waits for the owner, and goes on when there is room.
func TestQuotaOfTarget(t *testing.T) {
	w := newWorld(t)
	policy := func(repositories string) {
		w.SetPolicy(strings.Replace(fakeworld.Policy, "private: true", "private: true, quota: {repositories: "+repositories+"}", 1))
	}
	policy("1")
	w.Publish("ns/one", "1", 1)
	w.Publish("ns/two", "1", 2)
	n := w.open(stranger, "please", "gcr.io/ns/one:1\ngcr.io/ns/two:1")
	status, log := w.happens("issues", "opened", n, nil)
	w.WantStatus(status, wiring.StatusFailed, log)
	fakeworld.WantText(t, "the comment", w.comment(n), "quota used up", "The limit is `1`.", "Mirrored 1 of 2 images")
	if m, _ := ledger.ParseMarker(w.comment(n)); m.State != ledger.SetUp || w.Mirrored("ns.one", "1") == "" || w.Mirrored("ns.two", "1") != "" {
		t.Errorf("the state is %s; mirrored: %q, %q", m.State, w.Mirrored("ns.one", "1"), w.Mirrored("ns.two", "1"))
	}
	summary := func() string {
		text, err := os.ReadFile(filepath.Join(w.Dir, "summary"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	fakeworld.WantText(t, "the summary", summary(), "`registry.example.com/mirror` has 1 of 1 repositories.")
	if strings.Contains(w.comment(n), "1 of 1 repositories") {
		t.Error("the comment has the owner's count")
	}
	policy("2")
	w.later()
	w.happens("schedule", "", 0, nil)
	if w.Mirrored("ns.two", "1") == "" {
		t.Errorf("the request does not go on: %s", w.comment(n))
	}
}
