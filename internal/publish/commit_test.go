package publish_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/imageferry/ferry/internal/fakegithub"
)

// TestCommit checks that files are added to a branch, which is created if it does
// not exist, and that repeating it changes nothing.
func TestCommit(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client(nil)
	commit := func(path, text string) {
		t.Helper()
		if err := c.Commit(t.Context(), "catalog", "one more", map[string]string{path: text}); err != nil {
			t.Fatal(err)
		}
	}
	commit("v1/log/a.jsonl", "a\n")
	commit("v1/log/b.jsonl", "b\n")
	commit("v1/log/b.jsonl", "b\n")
	commit("v1/log/a.jsonl", "c\n")
	files, commits := w.github.Branch("catalog")
	if len(files) != 2 || files["v1/log/a.jsonl"] != "c\n" || files["v1/log/b.jsonl"] != "b\n" || commits != 3 {
		t.Errorf("the branch has %d commits and %v", commits, files)
	}
}

// TestCommitsAtOnce checks that of runs at the same time none loses the commit of
// another one.
func TestCommitsAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	var all sync.WaitGroup
	const runs = 4
	for i := range runs {
		c := w.client(nil)
		all.Go(func() {
			if err := c.Commit(t.Context(), "catalog", "run", map[string]string{fmt.Sprint("v1/log/", i): "x"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if files, commits := w.github.Branch("catalog"); len(files) != runs || commits != runs {
		t.Errorf("the branch has %d commits and %v", commits, files)
	}
}

// TestCommitUnderFaults breaks each request of a commit once, in each way: the
// files arrive once, or the error is returned.
func TestCommitUnderFaults(t *testing.T) {
	for _, fault := range []fakegithub.Fault{
		{Status: http.StatusConflict}, {Status: http.StatusUnprocessableEntity}, {Status: http.StatusBadGateway}, {Cut: true}, {Cut: true, Effect: true}, {Status: http.StatusBadGateway, Effect: true},
	} {
		for broken := 1; broken <= 6; broken++ {
			w := newWorld(t, nil)
			c := w.client(nil)
			if err := c.Commit(t.Context(), "catalog", "first", map[string]string{"a": "a"}); err != nil {
				t.Fatal(err)
			}
			from := 0
			w.disturb(func(n int, _ *http.Request) fakegithub.Fault {
				if from == 0 {
					from = n
				}
				if n-from+1 == broken {
					return fault
				}
				return fakegithub.Fault{}
			})
			err := c.Commit(t.Context(), "catalog", "second", map[string]string{"b": "b"})
			if files, commits := w.github.Branch("catalog"); err != nil || len(files) != 2 || commits != 2 {
				t.Errorf("%+v at request %d: %v; %d commits, %v", fault, broken, err, commits, files)
			}
		}
	}
}

// TestCommitRefused checks that a missing permission is not tried again.
func TestCommitRefused(t *testing.T) {
	w := newWorld(t, func(c *fakegithub.Config) { c.ReadOnly = true })
	err := w.client(nil).Commit(t.Context(), "catalog", "x", map[string]string{"a": "a"})
	if err == nil || !strings.Contains(err.Error(), "github-permission") {
		t.Errorf("%v", err)
	}
	if n := len(w.github.Requests()); n > 3 {
		t.Errorf("%d requests", n)
	}
}
