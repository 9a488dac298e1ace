package publish

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/google/go-github/v62/github"

	"github.com/imageferry/ferry/internal/ledger"
)

// Settings are the settings of the repository that Ferry depends on.
type Settings struct {
	Issues, Private, Fork, Archived bool
	Pages                           bool // GitHub Pages publishes a site of it
	OwnerID                         int64
}

// Settings reads the repository's settings.
func (c *Client) Settings(ctx context.Context) (Settings, error) {
	r, _, err := c.api.Repositories.Get(ctx, c.owner, c.name)
	if err != nil {
		return Settings{}, classify("reading the repository's settings", err)
	}
	return Settings{Issues: r.GetHasIssues(), Private: r.GetPrivate(), Fork: r.GetFork(), Archived: r.GetArchived(), Pages: r.GetHasPages(), OwnerID: r.GetOwner().GetID()}, nil
}

// File reads a file from the default branch of the repository. The error is
// fs.ErrNotExist if it does not exist.
func (c *Client) File(ctx context.Context, path string) ([]byte, error) {
	return c.BranchFile(ctx, "", path)
}

// BranchFile reads a file like File, but from a branch. The file has at most 1 MiB.
func (c *Client) BranchFile(ctx context.Context, branch, path string) ([]byte, error) {
	file, _, _, err := c.api.Repositories.GetContents(ctx, c.owner, c.name, path, &github.RepositoryContentGetOptions{Ref: branch})
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
// list those of a public repository; in other repositories it needs the
// permission "actions: read", without which the error's code is Permission.
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

// EnableWorkflow enables the workflow in a file. The token needs the permission
// "actions: write", without which the error's code is Permission.
func (c *Client) EnableWorkflow(ctx context.Context, file string) error {
	if _, err := c.api.Actions.EnableWorkflowByFileName(ctx, c.owner, c.name, path.Base(file)); err != nil {
		return classify("enabling a workflow", err)
	}
	return nil
}

// StartWorkflow starts a run of the workflow in a file on a branch. The token
// needs the permission "actions: write", without which the error's code is
// Permission.
func (c *Client) StartWorkflow(ctx context.Context, file, ref string, inputs map[string]any) error {
	_, err := c.api.Actions.CreateWorkflowDispatchEventByFileName(ctx, c.owner, c.name, file, github.CreateWorkflowDispatchEventRequest{Ref: ref, Inputs: inputs})
	if err != nil {
		return classify("starting a workflow", err)
	}
	return nil
}

// Run is a run of a workflow.
type Run struct {
	ID         int64  // a later run has a larger one
	Title      string `json:"display_title"` // the workflow's "run-name"
	Conclusion string // "success", "failure", "cancelled" and others; empty until it ends
	Page       string `json:"html_url"`
}

// LastRun returns the last run of the workflow in a file with a title that was started
// by hand. It returns the zero Run if none of the last 50 runs has it. The token needs
// the permission "actions: read".
func (c *Client) LastRun(ctx context.Context, file, title string) (Run, error) {
	var list struct {
		Runs []Run `json:"workflow_runs"`
	}
	// ListWorkflowRunsByFileName would decode the whole repository for each run.
	if err := c.get(ctx, "actions/workflows/"+file+"/runs?event=workflow_dispatch&per_page=50", &list); err != nil {
		return Run{}, classify("listing the runs of a workflow", err)
	}
	for _, r := range list.Runs {
		if r.Title == title {
			return r, nil
		}
	}
	return Run{}, nil
}

// get reads an address below that of the repository.
func (c *Client) get(ctx context.Context, at string, into any) error {
	req, err := c.api.NewRequest(http.MethodGet, "repos/"+c.owner+"/"+c.name+"/"+at, nil)
	if err == nil {
		_, err = c.api.Do(ctx, req, into)
	}
	return err
}

// RunError returns what Ferry's first annotation in a run says of an image, or of the
// whole run: foreign text. It is empty if there is none. The token needs the
// permission "actions: read" and, for a private repository, "checks: read".
func (c *Client) RunError(ctx context.Context, run int64, image string) (string, error) {
	var list struct {
		Jobs []struct {
			ID         int64 // also of its check run
			Conclusion string
		}
	}
	if err := c.get(ctx, "actions/runs/"+strconv.FormatInt(run, 10)+"/jobs", &list); err != nil {
		return "", classify("listing the jobs of a run", err)
	}
	asked := 0
	for _, job := range list.Jobs {
		if job.Conclusion == "skipped" { // it has said nothing
			continue
		}
		if asked++; asked > 3 {
			break
		}
		var all []struct{ Title, Message string }
		if err := c.get(ctx, "check-runs/"+strconv.FormatInt(job.ID, 10)+"/annotations", &all); err != nil {
			return "", classify("listing the annotations of a run", err)
		}
		for _, a := range all {
			if title, _, _ := strings.Cut(a.Title, " "); title == image || title == "set-up" || title == "request" {
				return a.Message, nil
			}
		}
	}
	return "", nil
}

// ProveLabels creates the labels that the repository lacks, and checks that the
// token may create labels even if none is missing: creating one again is
// refused because of the name, which GitHub checks after the permission. It has
// no other effects.
func (c *Client) ProveLabels(ctx context.Context, labels []ledger.Label) error {
	if err := c.ensureLabels(ctx, labels); err != nil {
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
