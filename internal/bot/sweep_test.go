package bot

import (
	"fmt"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/wiring"
)

// TestSweepLooksUpNobody checks that a sweep does not ask about the author of a
// request that has been answered.
func TestSweepLooksUpNobody(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.happens("issues", "opened", n, nil)
	w.later()
	w.github.Comment(n, stranger, "thank you")
	before := len(w.github.Requests())
	w.happens("schedule", "", 0, nil)
	read := false
	for _, r := range w.github.Requests()[before:] {
		read = read || strings.HasSuffix(r.Path, fmt.Sprintf("/issues/%d", n))
		if strings.HasSuffix(r.Path, "/permission") {
			t.Errorf("%s, for a request that was answered", r)
		}
	}
	if !read {
		t.Error("the sweep has not looked at the issue")
	}
}

func TestContained(t *testing.T) {
	status, err := contained(func() (int, error) { return []int{}[len(t.Name())], nil })
	if status != wiring.StatusFailed || err == nil || !strings.Contains(err.Error(), "out of range") || !strings.Contains(err.Error(), "TestContained") {
		t.Errorf("status %d, %v", status, err)
	}
	if status, err := contained(func() (int, error) { return wiring.StatusNothing, nil }); status != wiring.StatusNothing || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
}
