package publish_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
)

func TestProveLabels(t *testing.T) {
	labels := []ledger.Label{
		{Name: "ferry/done", Color: "0e8a16", Description: "mirrored"},
		{Name: "ferry/retry", Color: "d4c5f9", Description: "tried again later"},
	}
	names := []string{"ferry/done", "ferry/retry"}
	for _, test := range []struct {
		name   string
		change func(*fakegithub.Config)
		want   publish.Code
		labels []string
	}{
		{"allowed", func(*fakegithub.Config) {}, "", names},
		{"Issues off", func(c *fakegithub.Config) { c.NoIssues = true }, "", names},
		{"token for reading", func(c *fakegithub.Config) { c.ReadOnly = true }, publish.Permission, nil},
		{"archived", func(c *fakegithub.Config) { c.Archived = true }, publish.Archived, nil},
		{"bad token", func(c *fakegithub.Config) { c.Tokens = nil }, publish.Token, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.change)
			for range 2 { // the second time all labels exist
				err := w.client(nil).ProveLabels(t.Context(), labels)
				if code(err) != string(test.want) {
					t.Errorf("%v, want %q", err, test.want)
				}
				var got []string
				for _, l := range w.github.Labels() {
					got = append(got, l.Name)
				}
				slices.Sort(got)
				if diff := cmp.Diff(test.labels, got); diff != "" {
					t.Errorf("labels (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestProveLabelsThatAreThere checks that a read-only token is detected even if
// no label is missing.
func TestProveLabelsThatAreThere(t *testing.T) {
	var c *fakegithub.Config
	w := newWorld(t, func(config *fakegithub.Config) { c = config })
	label := ledger.Label{Name: "ferry/done", Color: "0e8a16"}
	if err := w.client(nil).ProveLabels(t.Context(), []ledger.Label{label}); err != nil {
		t.Fatal(err)
	}
	readOnly := *c
	readOnly.ReadOnly = true
	w.github = fakegithub.New(readOnly)
	w.github.Open(fakegithub.Draft{Author: requester, Labels: []string{label.Name}})
	err := w.client(nil).ProveLabels(t.Context(), []ledger.Label{label})
	if code(err) != string(publish.Permission) {
		t.Errorf("%v, want %s", err, publish.Permission)
	}
}

func TestWorkflows(t *testing.T) {
	w := newWorld(t, func(c *fakegithub.Config) {
		c.Workflows = map[string]string{".github/workflows/mirror.yml": "active", ".github/workflows/sweep.yml": "disabled_fork"}
	})
	got, err := w.client(nil).Workflows(t.Context())
	want := []publish.Workflow{{Path: ".github/workflows/mirror.yml", State: "active"}, {Path: ".github/workflows/sweep.yml", State: "disabled_fork"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

func TestStartWorkflow(t *testing.T) {
	var started []string
	w := newWorld(t, func(c *fakegithub.Config) {
		c.Workflows = map[string]string{".github/workflows/mirror.yml": "active", ".github/workflows/sweep.yml": "disabled_fork"}
		c.Tokens["of a person"] = event.User{ID: 5, Login: "person"}
		c.Notify = func(e fakegithub.Event) { started = append(started, string(e.Kind)+" "+e.Text) }
	})
	inputs := map[string]any{"images": "gcr.io/ns/img:1"}
	for _, test := range []struct {
		token, file, ref string
		want             publish.Code
	}{
		{"of a person", "mirror.yml", "main", ""},
		{"of a person", "mirror.yml", "other", publish.Rejected},
		{"of a person", "sweep.yml", "main", publish.Rejected},
		{"of a person", "none.yml", "main", publish.Gone},
		{"of nobody", "mirror.yml", "main", publish.Token},
		{token, "mirror.yml", "main", publish.Permission},
	} {
		c := w.client(func(o *publish.Options) { o.Token = config.NewSecret(test.token) })
		if err := c.StartWorkflow(t.Context(), test.file, test.ref, inputs); code(err) != string(test.want) {
			t.Errorf("%s on %s as %s: %v, want %q", test.file, test.ref, test.token, err, test.want)
		}
	}
	if diff := cmp.Diff([]string{"dispatched gcr.io/ns/img:1"}, started); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLastRun(t *testing.T) {
	w := newWorld(t, func(c *fakegithub.Config) {
		c.Workflows = map[string]string{".github/workflows/mirror.yml": "active"}
		c.Tokens["of a person"] = event.User{ID: 5, Login: "person"}
	})
	c := w.client(func(o *publish.Options) { o.Token = config.NewSecret("of a person") })
	start := func(images string) {
		t.Helper()
		if err := c.StartWorkflow(t.Context(), "mirror.yml", "main", map[string]any{"images": images}); err != nil {
			t.Fatal(err)
		}
	}
	last := func(title string) publish.Run {
		t.Helper()
		r, err := c.LastRun(t.Context(), "mirror.yml", title)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	start("gcr.io/ns/img:1")
	w.github.EndRun("gcr.io/ns/img:1", "failure")
	first := last("gcr.io/ns/img:1")
	start("gcr.io/ns/img:1")
	start("gcr.io/ns/img:2")
	second := last("gcr.io/ns/img:1")
	if first.Conclusion != "failure" || second.Conclusion != "" || second.ID <= first.ID || !strings.HasPrefix(first.Page, "https://github.com/") {
		t.Errorf("the first run is %+v, the second %+v", first, second)
	}
	if none := last("gcr.io/ns/img"); none != (publish.Run{}) {
		t.Errorf("the run of nothing is %+v", none)
	}
	c = w.client(func(o *publish.Options) { o.Token = config.NewSecret("of nobody") })
	if _, err := c.LastRun(t.Context(), "mirror.yml", "x"); code(err) != string(publish.Token) {
		t.Errorf("with a token of nobody: %v", err)
	}
}

func TestRunError(t *testing.T) {
	w := newWorld(t, func(c *fakegithub.Config) {
		c.Workflows = map[string]string{".github/workflows/mirror.yml": "active"}
		c.Tokens["of a person"] = event.User{ID: 5, Login: "person"}
	})
	c := w.client(func(o *publish.Options) { o.Token = config.NewSecret("of a person") })
	const image = "gcr.io/ns/img:1"
	for _, test := range []struct {
		annotations []fakegithub.Annotation
		want        string
	}{
		{nil, ""},
		{[]fakegithub.Annotation{{Title: "Node.js is deprecated", Message: "x"}, {Title: image + "0 → docker.io/user", Message: "another image"}}, ""},
		{[]fakegithub.Annotation{{Title: "gcr.io/ns/img:2", Message: "no"}, {Title: image + " → docker.io/user", Message: "not found: check the name"}}, "not found: check the name"},
		{[]fakegithub.Annotation{{Title: image, Message: "private"}}, "private"},
		{[]fakegithub.Annotation{{Title: "set-up", Message: "no login"}}, "no login"},
		{[]fakegithub.Annotation{{Title: "request refused", Message: "too many"}}, "too many"},
	} {
		if err := c.StartWorkflow(t.Context(), "mirror.yml", "main", map[string]any{"images": image}); err != nil {
			t.Fatal(err)
		}
		w.github.EndRun(image, "failure", test.annotations...)
		r, err := c.LastRun(t.Context(), "mirror.yml", image)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.RunError(t.Context(), r.ID, image); got != test.want || err != nil {
			t.Errorf("%v: %q, %v, want %q", test.annotations, got, err, test.want)
		}
	}
	if _, err := c.RunError(t.Context(), 4711, image); code(err) != string(publish.Gone) {
		t.Errorf("of no run: %v", err)
	}
}
