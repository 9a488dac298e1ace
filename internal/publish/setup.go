package publish

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"path"

	"github.com/google/go-github/v62/github"

	"github.com/imageferry/ferry/internal/ledger"
)

// Settings are the repository's, as far as they decide whether Ferry works.
type Settings struct {
	Issues, Private, Fork, Archived bool
	OwnerID                         int64
}

// Settings asks for the repository's settings.
func (c *Client) Settings(ctx context.Context) (Settings, error) {
	r, _, err := c.api.Repositories.Get(ctx, c.owner, c.name)
	if err != nil {
		return Settings{}, classify("reading the repository's settings", err)
	}
	return Settings{Issues: r.GetHasIssues(), Private: r.GetPrivate(), Fork: r.GetFork(), Archived: r.GetArchived(), OwnerID: r.GetOwner().GetID()}, nil
}

// File is a file of the repository as it stands at the head of the default
// branch. The error is fs.ErrNotExist if there is none.
func (c *Client) File(ctx context.Context, path string) ([]byte, error) {
	file, _, _, err := c.api.Repositories.GetContents(ctx, c.owner, c.name, path, nil)
	switch {
	case isStatus(err, http.StatusNotFound):
		return nil, fs.ErrNotExist
	case err != nil:
		return nil, classify("reading a file of the repository", err)
	case file == nil:
		return nil, fmt.Errorf("reading a file of the repository: %s is a folder", path)
	}
	content, err := file.GetContent()
	if err != nil {
		return nil, fmt.Errorf("reading a file of the repository: %w", err)
	}
	return []byte(content), nil
}

// Workflow is a workflow of the repository.
type Workflow struct {
	Path  string // of its file, ".github/workflows/mirror.yml"
	State string // "active", or why not: "disabled_manually", "disabled_fork", "disabled_inactivity"
}

// Workflows lists the repository's workflows, at most 100. GITHUB_TOKEN may
// ask for those of a public repository; elsewhere it would need the permission
// "actions: read", without which the error's code is Permission.
func (c *Client) Workflows(ctx context.Context) ([]Workflow, error) {
	list, _, err := c.api.Actions.ListWorkflows(ctx, c.owner, c.name, &github.ListOptions{PerPage: 100})
	if err != nil {
		return nil, classify("listing the workflows", err)
	}
	workflows := make([]Workflow, 0, len(list.Workflows))
	for _, w := range list.Workflows {
		workflows = append(workflows, Workflow{w.GetPath(), w.GetState()})
	}
	return workflows, nil
}

// EnableWorkflow enables a workflow by the path of its file. It needs a token
// with the permission "actions: write"; the error's code is Permission without.
func (c *Client) EnableWorkflow(ctx context.Context, file string) error {
	if _, err := c.api.Actions.EnableWorkflowByFileName(ctx, c.owner, c.name, path.Base(file)); err != nil {
		return classify("enabling a workflow", err)
	}
	return nil
}

// ProveLabels creates the labels that the repository hasn't got, and proves
// that the token may, even if it has them all: to create one again is refused
// by the name, which GitHub looks at after the permission. So it has no effect
// but the one that everybody waits for.
func (c *Client) ProveLabels(ctx context.Context, labels []ledger.Label) error {
	if err := c.EnsureLabels(ctx, labels); err != nil {
		return err
	}
	for _, l := range labels[:min(len(labels), 1)] {
		_, _, err := c.api.Issues.CreateLabel(ctx, c.owner, c.name, &github.Label{Name: &l.Name, Color: &l.Color, Description: &l.Description})
		if err != nil && !alreadyExists(err) {
			return classify("creating a label", err)
		}
	}
	return nil
}
