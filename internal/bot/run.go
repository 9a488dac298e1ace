// Package bot handles one event of GitHub: it reads a request from an issue,
// has the images mirrored and answers in the issue, or continues unfinished
// requests. It makes no decisions about images.
package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/doctor"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/runner"
	"github.com/imageferry/ferry/internal/wiring"
)

// Run handles the event that env describes and returns the exit status. A dry
// run prints the plan and the comment, and changes nothing. The error has not
// been reported yet.
func Run(ctx context.Context, env wiring.Env, dry bool) (int, error) {
	out := runner.New(env.Getenv, env.Stdout, env.Stderr)
	log := slog.New(out.Handler())
	s, err := newActionRun(ctx, env, out, log, dry)
	if err != nil {
		log.Error(err.Error())
		return wiring.StatusUsage, nil
	}
	defer s.close()
	status, err := s.handle(ctx)
	if err != nil {
		// The wrapped errors are for the log; the requester has been answered,
		// or cannot be.
		log.Error(err.Error())
		return max(status, wiring.StatusFailed), s.diagnose(err)
	}
	if ctx.Err() != nil { // stopped
		status = max(status, wiring.StatusFailed)
	}
	return status, nil
}

// diagnose tells the owner what to do if GitHub refuses something that every
// run needs.
func (s *actionRun) diagnose(err error) error {
	e, ok := errors.AsType[*publish.Error](err)
	f := doctor.Finding{Level: doctor.Fault}
	switch {
	case ok && e.Code == publish.Token:
		f.Kind = doctor.HubToken
	case ok && e.Code == publish.Permission && e.Write:
		f.Kind = doctor.MayNotAnswer
	case ok && e.Code == publish.Archived:
		f.Kind = doctor.Archived
	case ok && e.Code == publish.Refused:
		f.Kind, f.Said = doctor.HubRefuses, e.Said
	default:
		return nil
	}
	return wiring.Tell(s.out, report.Checkup{Language: s.cfg.OwnersLanguage(), Repository: s.page(""), Findings: []*doctor.Finding{&f}})
}

// newActionRun reads the event and the configuration. Faults of the
// configuration are not an error here, because the requester is told about
// them.
func newActionRun(ctx context.Context, env wiring.Env, out *runner.Runner, log *slog.Logger, dry bool) (*actionRun, error) {
	s := &actionRun{env: env, out: out, log: log, dry: dry, manifests: map[v1.Hash]*registry.Manifest{}}
	var unhandled *event.UnhandledError
	var err error
	s.event, err = event.Read(env.Getenv, os.ReadFile)
	if errors.As(err, &unhandled) && env.Getenv("FERRY_IMAGES") != "" {
		err = nil // a workflow that uses the action, started by any event: only the input counts
	}
	if err != nil {
		return nil, err
	}
	s.learnRepository(ctx)
	answers := s.event.Issue != nil || s.input("FERRY_ISSUE") != "" || s.sweeps()
	s.cfg, err = config.Load(config.Options{
		Getenv: s.input, ReadFile: s.policyReader(ctx), Helper: env.CredentialHelper(false),
		Fork: s.event.Repository.Fork, Copies: true, Answers: answers && !dry,
	})
	if err != nil && !errors.As(err, &s.faults) {
		return nil, err
	}
	wiring.Hide(out, s.cfg, env)
	s.key = ledger.NewKey(s.event.Repository.Owner+"/"+s.event.Repository.Name, secrets(s.cfg)...)
	wiring.Warn(out, s.cfg, "en")
	if answers && !s.cfg.Token.IsZero() {
		budget := 0 // the usual one
		if s.sweeps() {
			budget = sweepBudget
		}
		s.hub, err = publish.New(publish.Options{
			APIURL: env.Getenv("GITHUB_API_URL"), Token: s.cfg.Token, Repository: s.event.Repository,
			UserAgent: wiring.UserAgent(),
			Marked:    func(body string) bool { _, ok := ledger.ParseMarker(body); return ok },
			Transport: env.Transport(),
			Signed:    func(body string) bool { m, _ := ledger.ParseMarker(body); return m.SignedBy(s.key, m.Issue) },
			Answers:   func(body string) bool { m, _ := ledger.ParseMarker(body); return m.State != ledger.Working },
			Budget:    budget,
			Sleep:     env.Wait,
			Now:       env.Now,
		})
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// secrets returns the values that only the owner and Ferry's runs know, and that
// all runs have: not the token of the job.
func secrets(cfg *config.Config) []string {
	var all []string
	for _, t := range cfg.Targets {
		if secret := t.Password.Reveal(); secret != cfg.Token.Reveal() {
			all = append(all, secret)
		}
	}
	return all
}

func (s *actionRun) close() {
	if s.engine != nil {
		s.engine.Close()
	}
}

// handle handles the event.
func (s *actionRun) handle(ctx context.Context) (int, error) {
	artifact := s.env.Getenv("FERRY_ARCHIVE")
	switch e := s.event; {
	case artifact != "":
		return s.tellArchive(ctx, artifact)
	case s.env.Getenv("FERRY_RECEIPTS") != "":
		return s.join(ctx)
	case e.Kind == event.Issues:
		return s.issueEvent(ctx)
	case e.Kind == event.Comment:
		return s.commentEvent(ctx)
	case s.cfg.Issue != 0 && s.hub != nil:
		issue, err := s.hub.Issue(ctx, s.cfg.Issue)
		if err != nil {
			return wiring.StatusFailed, err
		}
		if issue.PullRequest {
			return wiring.StatusUsage, fmt.Errorf("reading the input issue: #%d is a pull request", s.cfg.Issue)
		}
		return s.serve(ctx, issue.Issue, ledger.Asked)
	case s.cfg.Images != "":
		return s.serveInput(ctx, s.cfg.Images)
	case s.sweeps():
		return s.sweep(ctx)
	}
	return s.checkSetUp()
}

// issueEvent serves the issue, unless it is not a request.
func (s *actionRun) issueEvent(ctx context.Context) (int, error) {
	e := s.event
	switch e.Action {
	case "opened", "edited", "reopened", "labeled":
	default:
		s.log.Info("nothing to do: the issue was " + e.Action)
		return wiring.StatusDone, nil
	}
	if reason := notOurs(*e.Issue, e.Sender); reason != "" {
		s.log.Info("nothing to do: " + reason)
		return wiring.StatusDone, nil
	}
	if !e.Issue.Open && e.Action == "labeled" {
		s.log.Info("nothing to do: the issue is closed")
		return wiring.StatusDone, nil
	}
	occasion := ledger.Changed
	if e.Action == "reopened" {
		occasion = ledger.Asked
	}
	status, err := s.serve(ctx, *e.Issue, occasion)
	s.finishLeftover(ctx)
	return status, err
}
