package bot

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/wiring"
)

// Unknown facts have safe defaults: an unknown repository is a fork, an
// unreadable policy serves nobody, and an unknown sender has the rights of a
// stranger.

// learnRepository asks GitHub for facts that the event lacks.
func (s *actionRun) learnRepository(ctx context.Context) {
	r := &s.event.Repository
	if !r.Unknown || s.dry || !s.out.InAction() {
		return
	}
	r.Fork = true
	client, err := wiring.NewGitHub(s.env)
	if err != nil || client == nil {
		return
	}
	settings, err := client.Settings(ctx)
	if err != nil {
		s.log.Warn("neither the event nor GitHub tells whether the repository is a fork: it is treated as one", "error", err)
		return
	}
	r.Fork, r.Private, r.OwnerID, r.Unknown = settings.Fork, settings.Private, settings.OwnerID, false
}

// policyReader reads files from the checkout or, without one, from the default
// branch.
func (s *actionRun) policyReader(ctx context.Context) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		data, err := os.ReadFile(path)
		workspace := s.env.Getenv("GITHUB_WORKSPACE")
		if !errors.Is(err, fs.ErrNotExist) || s.dry || !s.out.InAction() || workspace == "" || isCheckout(workspace) {
			return data, err
		}
		inside, notInside := filepath.Rel(workspace, path)
		if notInside != nil || !filepath.IsLocal(inside) {
			return data, err
		}
		client, failed := wiring.NewGitHub(s.env)
		if failed != nil || client == nil {
			return data, errors.Join(err, failed)
		}
		return client.File(ctx, filepath.ToSlash(inside))
	}
}

// isCheckout reports whether a folder holds a checkout of a repository.
func isCheckout(folder string) bool {
	for _, name := range []string{".git", ".github"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			return true
		}
	}
	return false
}

// starter returns who asks for the images of the input "images". People who can
// start a workflow, push, or release have write access; other events may be
// caused by strangers, and so may their inputs.
func (s *actionRun) starter() plan.Asker {
	switch event.Kind(s.env.Getenv("GITHUB_EVENT_NAME")) {
	case "", event.Dispatch, event.Schedule, event.Push, "release", "repository_dispatch":
		return plan.Asker{Role: plan.Owner}
	default: // any other event
		return plan.Asker{}
	}
}
