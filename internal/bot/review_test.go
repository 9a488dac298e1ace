package bot

import (
	"testing"

	"github.com/imageferry/ferry/internal/fakeworld"
)

// TestReview: an image that is not on the owner's list is let in by one command of
// a collaborator, who is shown it.
func TestReview(t *testing.T) {
	w, n := askedOf(t, "gcr.io/ns/*", "gcr.io/ns/img:1.0\ngcr.io/other/img:1.0", "ns/img", "other/img")
	w.wantIssue(n, false, "completed", "ferry/partial")
	fakeworld.WantText(t, "the answer", w.comment(n), "not on the list", "- `gcr.io/other/img:1.0`\n")
	w.says(stranger, n, w.approval(n))
	if w.Mirrored("other.img", "1.0") != "" {
		t.Error("a stranger lets himself in")
	}
	w.says(sailor, n, w.approval(n))
	w.wantIssue(n, false, "completed", "ferry/done")
	if w.Mirrored("other.img", "1.0") == "" {
		t.Error("a collaborator does not let it in")
	}
}
