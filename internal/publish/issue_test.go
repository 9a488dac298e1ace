package publish_test

import (
	"net/http"
	"testing"

	"github.com/imageferry/ferry/internal/fakegithub"
)

// TestCreate opens one issue, whatever becomes of the request, and finds the last
// comment with a marker.
func TestCreate(t *testing.T) {
	for name, fault := range map[string]fakegithub.Fault{
		"none":        {},
		"cut":         {Cut: true, Effect: true},
		"unavailable": {Status: http.StatusBadGateway, Effect: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.disturb(func(int, *http.Request) fakegithub.Fault { return fault })
			c := w.client(nil)
			number, err := c.Create(t.Context(), "gcr.io/a/b:1", "gcr.io/a/b:1\n")
			if (err == nil) != (name == "none") || len(w.github.Requests()) != 1 {
				t.Errorf("got %d, %v after %v", number, err, w.github.Requests())
			}
			w.disturb(nil)
			if open, err := c.OpenIssues(t.Context(), "", 10); err != nil || len(open) != 1 || open[0].Title != "gcr.io/a/b:1" || open[0].Body != "gcr.io/a/b:1\n" {
				t.Errorf("issues %+v, %v", open, err)
			}
			if reply, err := c.Reply(t.Context(), 1); reply != "" || err != nil {
				t.Errorf("a reply before there is one: %q, %v", reply, err)
			}
			for _, body := range []string{marker + "1", marker + "2", "thanks"} {
				w.github.Comment(1, requester, body)
			}
			if reply, err := c.Reply(t.Context(), 1); reply != marker+"2" || err != nil {
				t.Errorf("reply %q, %v", reply, err)
			}
		})
	}
}
