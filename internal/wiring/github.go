package wiring

import (
	"strings"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
)

// NewGitHub returns a client of the repository in the environment, or nil if
// there is no repository or no token.
func NewGitHub(env Env) (*publish.Client, error) {
	owner, name, ok := strings.Cut(env.Getenv("GITHUB_REPOSITORY"), "/")
	token := config.NewSecret(strings.TrimSpace(env.Getenv("GITHUB_TOKEN")))
	if !ok || token.IsZero() {
		return nil, nil
	}
	return newGitHub(env, event.Repository{Owner: owner, Name: name}, token)
}

func newGitHub(env Env, repository event.Repository, token config.Secret) (*publish.Client, error) {
	return publish.New(publish.Options{
		Transport: env.Transport(),
		APIURL:    env.API(), Token: token, Repository: repository, UserAgent: UserAgent(),
		Marked: func(body string) bool { _, ok := ledger.ParseMarker(body); return ok },
		Sleep:  env.Wait,
	})
}
