package bot

import (
	"cmp"
	"context"
	"time"

	"github.com/imageferry/ferry/internal/request"
)

// The requests that tell the language of a repository: so many of the last ones.
const (
	tongueOf   = 30
	tongueBack = 90 * 24 * time.Hour
)

// learnTongue finds the language of the repository, for the first request of the
// run that does not tell its own, such as one of names alone. Neither the
// configuration nor the place of the target tells it: it is that of most recent
// requests.
func (s *actionRun) learnTongue(ctx context.Context, r request.Request) {
	if r.Chinese || r.English || s.tongue != "" || s.hub == nil || s.cfg.Language != "auto" || s.cfg.OwnersLanguage() != "en" {
		return
	}
	s.tongue = s.cfg.OwnersLanguage()
	recent, err := s.hub.ClosedIssues(ctx, s.now().Add(-tongueBack), tongueOf)
	if err != nil {
		s.log.Info("the language of the repository is unknown: " + err.Error())
		return
	}
	more := 0 // Chinese requests than English ones
	for _, i := range recent {
		switch r := s.read(i.Issue); {
		case r.Chinese:
			more++
		case r.English:
			more--
		}
	}
	if more > 0 {
		s.tongue = "zh"
	}
}

// owners returns the language of the owner and of requests that do not tell their
// own.
func (s *actionRun) owners() string { return cmp.Or(s.tongue, s.cfg.OwnersLanguage()) }
