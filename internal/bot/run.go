// Package bot serves one event of GitHub: it reads what an issue asks for, has
// it mirrored and answers on the issue, or finishes what was left open. It
// decides nothing about images.
package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/doctor"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/runner"
	"github.com/imageferry/ferry/internal/wiring"
)

// Run handles the event that env describes and returns the exit status. A dry
// run prints the plan and the comment, and changes nothing. The error is what
// has not been said yet.
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
		// The whole chain is for the log; who asked has been told, or can't be.
		log.Error(err.Error())
		return max(status, wiring.StatusFailed), s.diagnose(err)
	}
	if ctx.Err() != nil { // told to stop
		status = max(status, wiring.StatusFailed)
	}
	return status, nil
}

// diagnose tells the owner what to do where GitHub refuses what every run needs.
func (s *actionRun) diagnose(err error) error {
	e, ok := errors.AsType[*publish.Error](err)
	f := doctor.Finding{Level: doctor.Fault}
	switch {
	case ok && e.Code == publish.Token:
		f.Kind = doctor.HubToken
	case ok && e.Code == publish.Permission && e.Write:
		f.Kind = doctor.MayNotAnswer
	default:
		return nil
	}
	return wiring.Tell(s.out, report.Checkup{Language: s.cfg.OwnersLanguage(), Repository: s.page(""), Findings: []doctor.Finding{f}})
}

// actionRun is one run of the Action: who called, what the owner decided, and the
// line to GitHub.
type actionRun struct {
	env   wiring.Env
	out   *runner.Runner
	log   *slog.Logger
	dry   bool
	event event.Event
	cfg   *config.Config
	// faults keep every request from being served until the owner cures them.
	faults config.Faults
	hub    *publish.Client // nil if no issue is involved
	key    ledger.Key
	engine *wiring.Engine // nil until there is something to copy
}

// newActionRun reads the event and the configuration. Faults of the configuration
// are no error here: whoever asked is to be told of them.
func newActionRun(ctx context.Context, env wiring.Env, out *runner.Runner, log *slog.Logger, dry bool) (*actionRun, error) {
	s := &actionRun{env: env, out: out, log: log, dry: dry}
	var unhandled *event.UnhandledError
	var err error
	s.event, err = event.Read(env.Getenv, os.ReadFile)
	if errors.As(err, &unhandled) && env.Getenv("FERRY_IMAGES") != "" {
		err = nil // a workflow of somebody's own, started by whatever: the input says it all
	}
	if err != nil {
		return nil, err
	}
	s.learnRepository(ctx)
	answers := s.event.Issue != nil || s.input("FERRY_ISSUE") != "" || s.sweeps()
	s.cfg, err = config.Load(config.Options{
		Getenv: s.input, ReadFile: s.policyReader(ctx), Helper: env.CredentialHelper(),
		Fork: s.event.Repository.Fork, Copies: true, Answers: answers && !dry,
	})
	if err != nil && !errors.As(err, &s.faults) {
		return nil, err
	}
	wiring.Hide(out, s.cfg, env)
	s.key = ledger.NewKey(s.event.Repository.Owner+"/"+s.event.Repository.Name, secrets(s.cfg)...)
	if answers && !s.cfg.Token.IsZero() {
		s.hub, err = publish.New(publish.Options{
			APIURL: env.Getenv("GITHUB_API_URL"), Token: s.cfg.Token, Repository: s.event.Repository,
			UserAgent: wiring.UserAgent(),
			Marked:    func(body string) bool { _, ok := ledger.ParseMarker(body); return ok },
			Transport: env.Transport(),
			Signed:    func(body string) bool { m, _ := ledger.ParseMarker(body); return m.SignedBy(s.key, m.Issue) },
			Answers:   func(body string) bool { m, _ := ledger.ParseMarker(body); return m.State != ledger.Working },
			Sleep:     env.Wait,
			Now:       env.Now,
		})
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// secrets are what only the owner and Ferry's runs know.
func secrets(cfg *config.Config) []string {
	var all []string
	for _, t := range cfg.Targets {
		all = append(all, t.Password.Reveal())
	}
	return all
}

// input is the environment, in which the inputs of a workflow_dispatch stand in
// for variables that the workflow does not hand on itself.
func (s *actionRun) input(variable string) string {
	if value := s.env.Getenv(variable); value != "" {
		return value
	}
	if name, ok := strings.CutPrefix(variable, "FERRY_"); ok {
		switch name {
		case "IMAGES", "PLATFORMS", "ISSUE":
			return s.event.Inputs[strings.ToLower(name)]
		case "ELSEWHERE":
			if s.env.Getenv("FERRY_TARGET") == "" {
				return s.event.Inputs["target"]
			}
		}
	}
	return ""
}

func (s *actionRun) close() {
	if s.engine != nil {
		s.engine.Close()
	}
}

// handle handles the event.
func (s *actionRun) handle(ctx context.Context) (int, error) {
	switch e := s.event; {
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

// sweeps reports whether this run is to look for what was left open: a schedule,
// or a start by hand of a workflow without inputs, as the sweep's is.
func (s *actionRun) sweeps() bool {
	if s.input("FERRY_IMAGES") != "" || s.input("FERRY_ISSUE") != "" {
		return false
	}
	return s.event.Kind == event.Schedule || s.event.Kind == event.Dispatch && len(s.event.Inputs) == 0
}

// issueEvent serves the issue, unless it is none of Ferry's.
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

// otherPurposes are labels that every new repository on GitHub has: an issue
// that bears one of them is about something else than images.
var otherPurposes = map[string]bool{"bug": true, "documentation": true, "enhancement": true, "question": true}

// otherForms are the first lines of issues that were written with a form of
// .github/ISSUE_TEMPLATE that asks for no images.
var otherForms = []string{"### 发生了什么 / What happened", "### 想法或问题 / Idea or question"}

// notOurs tells why an issue is no request, or nothing.
func notOurs(issue event.Issue, sender event.User) string {
	if sender.Bot {
		return "a bot did it"
	}
	if issue.PullRequest {
		return "it is a pull request"
	}
	for _, label := range issue.Labels {
		if otherPurposes[label] {
			return fmt.Sprintf("the label %q says that the issue is no request", label)
		}
	}
	// The label is lost where the repository has none of that name.
	for _, heading := range otherForms {
		if strings.HasPrefix(strings.TrimSpace(issue.Body), heading) {
			return "it was written with a form that asks for no images"
		}
	}
	return ""
}

// checkSetUp is for events that ask for nothing, a push above all: it says in
// the summary what a fresh fork still has to set up, as far as that shows
// without asking anybody. "ferry doctor" asks.
func (s *actionRun) checkSetUp() (int, error) {
	if s.event.Kind == event.Dispatch {
		s.log.Warn(`nothing was asked for: fill in the input "images" or "issue"; the workflow "doctor" checks the set-up`)
		return wiring.StatusNothing, nil
	}
	return wiring.StatusDone, wiring.Tell(s.out, report.Checkup{
		Language: s.cfg.OwnersLanguage(), Repository: s.page(""), Findings: doctor.Configuration(s.cfg, s.faults),
	})
}

// blank is what all answers of this run have in common.
func (s *actionRun) blank() report.Input {
	in := report.Input{
		Language:   s.cfg.Language,
		Owners:     s.cfg.OwnersLanguage(),
		Repository: s.page(""),
		Version:    wiring.ReadBuild().Version,
		Key:        s.key,
	}
	if id := s.env.Getenv("GITHUB_RUN_ID"); id != "" {
		if run, err := strconv.ParseInt(id, 10, 64); err == nil {
			in.Run, in.RunURL = run, s.page("/actions/runs/"+id)
		}
	}
	in.SetUp = s.faults
	return in
}

// now is the time, by GitHub's clock if it has told it.
func (s *actionRun) now() time.Time {
	if s.hub != nil {
		return s.hub.Now()
	}
	return s.env.Time()
}

// page is the address of a page of the repository on GitHub's site.
func (s *actionRun) page(path string) string {
	r := s.event.Repository
	if r.Name == "" {
		return ""
	}
	return s.env.Site() + "/" + r.Owner + "/" + r.Name + path
}

// templates are the texts of the repository's own issue templates: what stands
// in them is nobody's wish. The checkout has them; without one there are none.
func (s *actionRun) templates() []string {
	const most = 20 // files, of at most 64 KiB each
	root := s.env.Getenv("GITHUB_WORKSPACE")
	if root == "" {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(root, ".github", "ISSUE_TEMPLATE", "*"))
	if err != nil {
		return nil
	}
	var texts []string
	for _, file := range files[:min(len(files), most)] {
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() || info.Size() > 64<<10 {
			continue
		}
		if data, err := os.ReadFile(file); err == nil {
			texts = append(texts, string(data))
		}
	}
	return texts
}
