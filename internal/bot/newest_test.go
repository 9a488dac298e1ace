package bot

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/imageferry/ferry/internal/fakeregistry"
)

// wantServed checks that the answer concerns one tag of ns/img and not the
// other.
func (w *world) wantServed(number int, tag, not string) {
	w.T.Helper()
	w.wantIssue(number, false, "completed", "ferry/done")
	if c := w.comment(number); !strings.Contains(c, "ns/img:"+tag) || strings.Contains(c, "ns/img:"+not) {
		w.T.Errorf("the answer is not about %s: %s", tag, c)
	}
}

// whileCopying runs do once, while bytes are read from the source.
func (w *world) whileCopying(do func()) {
	var done atomic.Bool // do may copy as well
	w.Source.Inject(fakeregistry.Fault{Match: "^GET .*/blobs/", Times: -1, Do: func(http.ResponseWriter, *http.Request) bool {
		if done.CompareAndSwap(false, true) {
			do()
		}
		return false
	}})
}

// payload returns the current issue, for a later event.
func (w *world) payload(number int) map[string]any {
	issue := w.github.Issue(number)
	return map[string]any{"issue": map[string]any{
		"number": number, "title": issue.Title, "body": issue.Body, "state": "open",
		"user": map[string]any{"login": issue.Author.Login, "id": issue.Author.ID, "type": "User"},
	}}
}

func TestNewestTextWins(t *testing.T) {
	world := func(t *testing.T) (*world, int) {
		w := newWorld(t)
		w.Publish("ns/img", "1.0", 1)
		w.Publish("ns/img", "2.0", 2)
		return w, w.open(stranger, "please", "gcr.io/ns/img:1.0")
	}
	t.Run("the sweep has listed the issue before its edit", func(t *testing.T) {
		w, n := world(t)
		later := w.open(sailor, "please", "quay.io/ns/img:1.0")
		w.whileCopying(func() {
			w.github.Edit(later, "please", "quay.io/ns/img:2.0")
			w.happens("issues", "edited", later, nil)
		})
		w.happens("schedule", "", 0, nil)
		w.wantServed(n, "1.0", "2.0")
		w.wantServed(later, "2.0", "1.0")
	})
	t.Run("a command waits for a runner while the text is edited", func(t *testing.T) {
		w, n := world(t)
		old := w.payload(n)
		id := w.github.Comment(n, stranger, "/ferry retry")
		w.github.Edit(n, "please", "gcr.io/ns/img:2.0")
		w.happens("issues", "edited", n, nil)
		w.later()
		old["comment"] = commented(stranger, id, "/ferry retry")
		w.happens("issue_comment", "created", n, old)
		w.wantServed(n, "2.0", "1.0")
	})
	t.Run("an old run is run again", func(t *testing.T) {
		w, n := world(t)
		old := w.payload(n)
		w.happens("issues", "opened", n, nil)
		w.github.Edit(n, "please", "gcr.io/ns/img:2.0")
		w.happens("issues", "edited", n, nil)
		w.later()
		w.Environ["GITHUB_RUN_ID"] = "1"
		w.happens("issues", "opened", n, old)
		w.wantServed(n, "2.0", "1.0")
	})
	t.Run("edited during the run, and the edit's own run is lost", func(t *testing.T) {
		w, n := world(t)
		w.whileCopying(func() { w.github.Edit(n, "please", "gcr.io/ns/img:2.0") })
		w.happens("issues", "opened", n, nil)
		w.wantServed(n, "2.0", "1.0")
	})
	t.Run("edited after the answer, and the edit's own run is lost", func(t *testing.T) {
		w, n := world(t)
		w.happens("issues", "opened", n, nil)
		w.later()
		w.github.Edit(n, "please", "gcr.io/ns/img:2.0")
		w.later()
		w.happens("schedule", "", 0, nil)
		w.wantServed(n, "2.0", "1.0")
	})
	t.Run("what it asks for stays the same", func(t *testing.T) {
		w, n := world(t)
		w.whileCopying(func() { w.github.Edit(n, "thank you", "gcr.io/ns/img:1.0 please") })
		w.happens("issues", "opened", n, nil)
		w.wantServed(n, "1.0", "2.0")
		if got := w.Target.Count("^PUT .*/manifests/1.0"); got != 1 {
			t.Errorf("it was pushed %d times", got)
		}
	})
	t.Run("a command has made something else of it, and somebody says thanks", func(t *testing.T) {
		w, n := world(t)
		w.happens("issues", "opened", n, nil)
		w.says(stranger, n, "/ferry platform linux/arm64")
		answer := w.comment(n)
		w.later()
		w.github.Comment(n, stranger, "thanks")
		w.happens("schedule", "", 0, nil)
		if w.comment(n) != answer {
			t.Errorf("the answer has become %s", w.comment(n))
		}
	})
}
