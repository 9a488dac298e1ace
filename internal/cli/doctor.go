package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/doctor"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/runner"
	"github.com/imageferry/ferry/internal/wiring"
)

var doctorCommand = command{
	name:    "doctor",
	summary: "check the set-up of a repository and say what to fix",
	declare: func(env wiring.Env, flags *flagSet) action {
		readOnly := flags.Bool("read-only", false, "make no changes: create no labels, push no image")
		mirrors := flags.Bool("mirrors", false, "also try the public mirrors")
		return func(ctx context.Context, args []string) (int, error) {
			if err := noArguments(args); err != nil {
				return wiring.StatusUsage, err
			}
			return runDoctor(ctx, env, doctor.Patient{ReadOnly: *readOnly, Mirrors: *mirrors, Now: time.Now()})
		}
	},
}

func runDoctor(ctx context.Context, env wiring.Env, p doctor.Patient) (int, error) {
	// The findings are the result, not a log: outside Actions they go to
	// standard output.
	out := runner.New(env.Getenv, env.Stdout, env.Stdout)
	fork := false
	client, err := wiring.NewGitHub(env)
	if err != nil {
		return wiring.StatusUsage, err
	}
	if client != nil {
		p.Hub = hub{client}
		settings, err := client.Settings(ctx)
		fork = err == nil && settings.Fork // the doctor reports the error itself
	}
	read, unread := readLists(env, listFiles(env, nil))
	p.Config, err = config.Load(config.Options{
		Getenv: env.Getenv, ReadFile: os.ReadFile, Helper: env.CredentialHelper(true), Fork: fork, Copies: true, Answers: out.InAction(),
		ListTargets: targetsOf(read.entries),
	})
	if err != nil && !errors.As(err, &p.Faults) {
		return wiring.StatusUsage, err
	}
	if unread != nil {
		read.faults = append(read.faults, config.Fault{Name: "FERRY_LISTS", Place: config.Variables, Reason: "names a list that cannot be read: " + unread.Error()})
	}
	p.Faults = append(p.Faults, read.faults...)
	p.Config.Notes = append(p.Config.Notes, read.notes...)
	wiring.Hide(out, p.Config, env)
	wiring.Warn(out, p.Config, terminalLanguage(env, out.InAction()))
	opts := env.Registries(out)
	p.Sources = registry.NewSources(p.Config.Sources, opts)
	p.Targets = registry.NewTargets(p.Config.Targets, p.Config.Sources, opts)
	p.Visitors = registry.NewSources(wiring.Visited(p.Config), opts)
	for _, clients := range []*registry.Clients{p.Sources, p.Targets, p.Visitors} {
		defer clients.Close()
	}
	p.Count = counter(p, client)
	p.NameMasked = env.Getenv("FERRY_USERNAME_MASKED") == "true"
	if !out.InAction() {
		p.Watch = func(place string) { say(env, env.Stderr, "checking %s…\n", place) }
	}
	findings := doctor.Examine(ctx, p)
	status := wiring.StatusDone
	if doctor.Worst(findings) == doctor.Fault {
		status = wiring.StatusFailed
	}
	return status, wiring.Tell(out, report.Checkup{Language: p.Config.OwnersLanguage(), Terminal: terminalLanguage(env, out.InAction()), Repository: repositoryPage(env), Findings: findings})
}

// counter returns what counts the repositories and tags of a target.
func counter(p doctor.Patient, client *publish.Client) func(context.Context, string) (plan.Stock, bool) {
	m := mirror.New(mirror.Options{Targets: p.Targets})
	held := wiring.Held(client)
	return func(ctx context.Context, target string) (stock plan.Stock, known bool) {
		for _, t := range p.Config.Targets {
			if t.String() == target {
				stock = m.Stocks(ctx, []mirror.Quota{{Target: target, Repositories: t.Quota.Repositories, Tags: t.Quota.Tags}}, held(ctx))[0]
			}
		}
		return stock, len(stock.Held) > 0
	}
}

// terminalLanguage returns the language of the findings outside the summary:
// English in the log of a workflow, which requesters do not read.
func terminalLanguage(env wiring.Env, inAction bool) string {
	if inAction {
		return "en"
	}
	return language(env)
}

// repositoryPage returns the address of the repository; empty if unknown.
func repositoryPage(env wiring.Env) string {
	repository := env.Getenv("GITHUB_REPOSITORY")
	if repository == "" {
		return ""
	}
	return env.Site() + "/" + repository
}

// hub adapts the client of GitHub to the doctor.
type hub struct{ *publish.Client }

func (h hub) Settings(ctx context.Context) (doctor.Settings, error) {
	s, err := h.Client.Settings(ctx)
	catalog := err == nil && wiring.Held(h.Client)(ctx) != nil
	return doctor.Settings{Issues: s.Issues, Private: s.Private, Archived: s.Archived, Catalog: catalog, Pages: s.Pages}, diagnosed(err)
}

func (h hub) Workflows(ctx context.Context) (map[string]string, error) {
	workflows, err := h.Client.Workflows(ctx)
	states := map[string]string{}
	for _, w := range workflows {
		states[w.Path] = w.State
	}
	return states, diagnosed(err)
}

func (h hub) Label(ctx context.Context) error {
	return diagnosed(h.ProveLabels(ctx, ledger.Labels()))
}

// diagnosed converts an error of GitHub to the doctor's.
func diagnosed(err error) error {
	var e *publish.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case publish.Token:
		return fmt.Errorf("%w: %w", doctor.ErrToken, err)
	case publish.Permission:
		return fmt.Errorf("%w: %w", doctor.ErrPermission, err)
	case publish.Gone:
		return fmt.Errorf("%w: %w", doctor.ErrGone, err)
	case publish.Archived, publish.Refused:
		return &doctor.RefusedError{Said: e.Said, Err: err}
	case publish.Mute, publish.Rejected: // the doctor does not comment, and sends nothing of anybody's
	}
	return err
}
