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

// What is not known is closed: a repository of which nothing is known is a
// fork, a policy that can't be read serves nobody, and whoever may have caused
// an event has a stranger's rights.

// learnRepository asks GitHub for the facts that the event does not tell.
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
		s.log.Warn("the event does not tell whether the repository is a fork, and GitHub does not either: it is taken for one", "error", err)
		return
	}
	r.Fork, r.Private, r.OwnerID, r.Unknown = settings.Fork, settings.Private, settings.OwnerID, false
}

// policyReader reads files from the disk, and from the default branch what the
// workflow has not checked out.
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

// starter is the asker of what the input "images" names. Who may start a
// workflow, push, or release may write to the repository; other events may be a
// stranger's, and so may what they hand on.
func (s *actionRun) starter() plan.Asker {
	switch event.Kind(s.env.Getenv("GITHUB_EVENT_NAME")) {
	case "", event.Dispatch, event.Schedule, event.Push, "release", "repository_dispatch":
		return plan.Asker{Role: plan.Owner}
	default: // any other event that GitHub has or will have
		return plan.Asker{}
	}
}
