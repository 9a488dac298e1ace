package publish

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-github/v62/github"

	"github.com/imageferry/ferry/internal/ledger"
)

// ensureLabels creates the labels that the repository lacks. It keeps the
// owner's changes to the others.
func (c *Client) ensureLabels(ctx context.Context, labels []ledger.Label) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.labels == nil {
		known, err := c.listLabels(ctx)
		if err != nil {
			return err
		}
		c.labels = known
	}
	for _, l := range labels {
		if c.labels[strings.ToLower(l.Name)] {
			continue
		}
		_, _, err := c.api.Issues.CreateLabel(ctx, c.owner, c.name, &github.Label{Name: &l.Name, Color: &l.Color, Description: &l.Description})
		if err != nil && !alreadyExists(err) {
			return classify("creating a label", err)
		}
		c.labels[strings.ToLower(l.Name)] = true
	}
	return nil
}

func (c *Client) listLabels(ctx context.Context) (map[string]bool, error) {
	known := map[string]bool{}
	for o := (&github.ListOptions{PerPage: 100}); ; {
		page, answer, err := c.api.Issues.ListLabels(ctx, c.owner, c.name, o)
		if err != nil {
			return nil, classify("listing labels", err)
		}
		for _, l := range page {
			known[strings.ToLower(l.GetName())] = true
		}
		if answer.NextPage == 0 {
			return known, nil
		}
		o.Page = answer.NextPage
	}
}

func alreadyExists(err error) bool {
	var answer *github.ErrorResponse
	return errors.As(err, &answer) && slices.ContainsFunc(answer.Errors, func(e github.Error) bool { return e.Code == "already_exists" })
}

// label adds the labels of add that the issue lacks, and removes those of
// remove that it has. A refusal does not stop the rest; an error that may be
// temporary does.
func (c *Client) label(ctx context.Context, i Issue, add []ledger.Label, remove []string) error {
	has := func(name string) bool {
		return slices.ContainsFunc(i.Labels, func(l string) bool { return strings.EqualFold(l, name) })
	}
	var names []string
	var refused error
	for i, l := range add {
		if has(l.Name) {
			continue
		}
		// GitHub would create it in grey and without a description.
		if err := c.ensureLabels(ctx, add[i:i+1]); err != nil {
			refused = err
		} else {
			names = append(names, l.Name)
		}
	}
	if len(names) > 0 {
		if _, _, err := c.api.Issues.AddLabelsToIssue(ctx, c.owner, c.name, i.Number, names); err != nil {
			refused = classify("adding labels", err)
		}
	}
	for _, name := range remove {
		if transient(refused) {
			break
		}
		if !has(name) {
			continue
		}
		_, err := c.api.Issues.RemoveLabelForIssue(ctx, c.owner, c.name, i.Number, url.PathEscape(name))
		if err != nil && !isStatus(err, http.StatusNotFound) { // already removed
			refused = classify("removing a label", err)
		}
	}
	return refused
}
