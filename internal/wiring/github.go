package wiring

import (
	"context"
	"strings"

	"github.com/imageferry/ferry/internal/catalog"
	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
)

// NewGitHub returns a client of the repository in the environment, or nil if
// there is no repository or no token.
func NewGitHub(env Env) (*publish.Client, error) {
	return GitHubAt(env, env.Getenv("GITHUB_REPOSITORY"), env.Getenv("GITHUB_TOKEN"))
}

// GitHubAt returns a client of a repository, as OWNER/REPO, or nil if it or the token
// is missing.
func GitHubAt(env Env, repository, secret string) (*publish.Client, error) {
	owner, name, ok := strings.Cut(repository, "/")
	token := config.NewSecret(strings.TrimSpace(secret))
	if !ok || token.IsZero() {
		return nil, nil
	}
	return newGitHub(env, event.Repository{Owner: owner, Name: name}, token)
}

// Holdings returns what the catalog in the repository says about the targets; the zero
// value if there is no catalog. hub may be nil.
func Holdings(ctx context.Context, hub *publish.Client) catalog.Holdings {
	if hub == nil {
		return catalog.Holdings{}
	}
	text, err := hub.BranchFile(ctx, catalog.Branch, catalog.HoldingsFile)
	if err != nil {
		return catalog.Holdings{}
	}
	h, _ := catalog.ReadHoldings(text)
	return h
}

// Held returns what gives the number of tags of the repositories at targets, for
// quotas. hub may be nil.
func Held(hub *publish.Client) func(context.Context) map[string]int {
	return func(ctx context.Context) map[string]int { return Holdings(ctx, hub).Repositories }
}

func newGitHub(env Env, repository event.Repository, token config.Secret) (*publish.Client, error) {
	return publish.New(publish.Options{
		Transport: env.Transport(),
		APIURL:    env.API(), Token: token, Repository: repository, UserAgent: UserAgent(),
		Marked: func(body string) bool { _, ok := ledger.ParseMarker(body); return ok },
		Sleep:  env.Wait,
	})
}
