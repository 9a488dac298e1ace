package publish

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sort"

	"github.com/google/go-github/v62/github"
)

// maxCommits is how often a commit is tried: each time another run has changed the
// branch in the meantime.
const maxCommits = 8

// Commit adds files to a branch, by their paths, in one commit on top of the
// branch's newest one. Other files stay. A branch that does not exist is created
// without a history. If the branch has the files already, nothing happens, so the
// call can be repeated. It needs the permission to write contents.
//
// It uses the Git database API (docs.github.com/rest/git): nothing is checked out,
// and the branch only moves forward, so that no commit of another run is lost.
func (c *Client) Commit(ctx context.Context, branch, message string, files map[string]string) error {
	entries := make([]*github.TreeEntry, 0, len(files))
	for path, text := range files {
		entries = append(entries, &github.TreeEntry{Path: &path, Mode: new("100644"), Type: new("blob"), Content: &text})
	}
	sort.SliceStable(entries, func(i, j int) bool { return entries[i].GetPath() < entries[j].GetPath() })
	var err error
	for try := 1; try <= maxCommits; try++ {
		var again bool
		if again, err = c.commit(ctx, "heads/"+branch, message, entries); !again {
			return err
		}
		if err := c.transport.sleep(ctx, backoff.Delay(min(try, tries))); err != nil {
			return classify("updating the branch", err)
		}
	}
	return err
}

// commit makes one attempt. It reports whether another one may succeed.
func (c *Client) commit(ctx context.Context, ref, message string, entries []*github.TreeEntry) (again bool, err error) {
	fail := func(step string, err error) (bool, error) {
		// 409 is the answer while the branch is being changed or the repository
		// is empty, 422 if it would not move forward.
		again := isStatus(err, http.StatusConflict) || isStatus(err, http.StatusUnprocessableEntity)
		err = classify(step, err)
		return again || transient(err) && ctx.Err() == nil, err
	}
	var parents []*github.Commit
	base := ""
	head, _, err := c.api.Git.GetRef(ctx, c.owner, c.name, ref)
	switch {
	case isStatus(err, http.StatusNotFound):
	case err != nil:
		return fail("reading the branch", err)
	default:
		parent, _, err := c.api.Git.GetCommit(ctx, c.owner, c.name, head.GetObject().GetSHA())
		if err != nil {
			return fail("reading the commit", err)
		}
		parents, base = []*github.Commit{parent}, parent.GetTree().GetSHA()
	}
	tree, _, err := c.api.Git.CreateTree(ctx, c.owner, c.name, base, slices.Clone(entries))
	if err != nil {
		return fail("creating the tree", err)
	}
	if tree.GetSHA() == base {
		return false, nil
	}
	made, _, err := c.api.Git.CreateCommit(ctx, c.owner, c.name, &github.Commit{Message: &message, Tree: tree, Parents: parents}, nil)
	if err != nil {
		return fail("creating the commit", err)
	}
	next := &github.Reference{Ref: new("refs/" + ref), Object: &github.GitObject{SHA: made.SHA}}
	if base == "" {
		_, _, err = c.api.Git.CreateRef(ctx, c.owner, c.name, next)
	} else {
		_, _, err = c.api.Git.UpdateRef(ctx, c.owner, c.name, next, false)
	}
	if err != nil {
		return fail(fmt.Sprintf("moving the branch to %.7s", made.GetSHA()), err)
	}
	return false, nil
}
