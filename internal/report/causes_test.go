package report

import (
	"regexp"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/request"
)

// TestCauses checks that the words for a failure name its cause and no other
// one.
func TestCauses(t *testing.T) {
	for _, c := range []struct {
		about     string
		f         failure.Error
		says, not string
	}{
		{"a missing tag", failure.Error{Code: failure.NotFound, Side: failure.Source}, "no such image or tag", "layer|namespace"},
		{"a missing tag with a similar one", failure.Error{Code: failure.NotFound, Side: failure.Source, Hints: []string{"1.2"}}, "^Did you mean \"1.2\"", "Check the name"},
		{"a missing layer", failure.Error{Code: failure.NotFound, Side: failure.Source, Step: failure.ReadingBlob}, "layer", "no such image|Check the name"},
		{"a namespace", failure.Error{Code: failure.NotFound, Side: failure.Target}, "namespace", "Check the name|tag"},
		{"a refusal of unknown kind", failure.Error{Code: failure.TargetRefused, Side: failure.Target}, "response from the registry", "one platform"},
		{"damage at the source", failure.Error{Code: failure.Corrupt, Side: failure.Source}, "does not match its digest", "publisher|arrived"},
		{"damage on the way", failure.Error{Code: failure.Corrupt, Side: failure.Target}, "arrived damaged", "publisher|sent content"},
		{"a login that is refused", failure.Error{Code: failure.TargetLogin, Side: failure.Target}, "owner must renew", "public image"},
		{"a tag that may not change", failure.Error{Code: failure.TagImmutable, Side: failure.Target}, "immutable", "one platform"},
		{"a platform", failure.Error{Code: failure.NoPlatform, Side: failure.Source, Hints: []string{"linux/amd64"}}, "Available platforms: \"linux/amd64\"", "Check the name"},
		{"an outage", failure.Error{Code: failure.Unavailable, Side: failure.Source}, "server error", "Check|owner"},
	} {
		text := string(english.explain(outcome{failure: &c.f, target: "registry.example.com/user", image: image(t, "gcr.io/a/b:1")}, plain))
		if !regexp.MustCompile(c.says).MatchString(text) || regexp.MustCompile(c.not).MatchString(text) {
			t.Errorf("%s: %q", c.about, text)
		}
	}
}

// TestTotalLeavesOutCancelled: an image that was interrupted has not failed.
func TestTotalLeavesOutCancelled(t *testing.T) {
	results := []mirror.Result{{Failure: &failure.Error{Code: failure.Cancelled}}, {Failure: &failure.Error{Code: failure.Quota}}}
	if got, want := (Terminal{}).Total(results, 0), "0 images mirrored, 1 failed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestTerminalSaysWhatWasLowered: somebody who looks for the name as written
// would not find the mirror.
func TestTerminalSaysWhatWasLowered(t *testing.T) {
	image := request.Image{Reference: ref(t, "ghcr.io/org/img:1"), Assumptions: []request.Assumption{request.Lowered}}
	p := plan.Plan{Steps: []plan.Step{{Image: image, Destinations: []plan.Destination{{Mirror: ref(t, "docker.io/me/ghcr.org.img:1")}}}}}
	if text := (Terminal{}).Copies(p, nil); !strings.Contains(text, "no capital letters") {
		t.Errorf("it says:\n%s", text)
	}
}

// TestTerminalSaysOnceThatDNSBlocks: the cause and the cure for whoever runs the
// command say so, and the hint for requesters refers to the owner.
func TestTerminalSaysOnceThatDNSBlocks(t *testing.T) {
	f := &failure.Error{Code: failure.HostForbidden, Side: failure.Source, Hints: []string{"0.0.0.0"}}
	for _, l := range languages() {
		for _, cause := range []Cause{Blocked, ""} {
			text := string(Terminal{Cause: func(*failure.Error) Cause { return cause }}.explain(l, outcome{failure: f, image: image(t, "quay.io/a/b:1")}))
			if !strings.Contains(text, "0.0.0.0") || regexp.MustCompile("owner|所有者|blocks it|屏蔽了").MatchString(text) {
				t.Errorf("%s, cause %q: %s", l.tag, cause, text)
			}
		}
	}
}
