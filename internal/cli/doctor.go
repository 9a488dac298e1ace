package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/doctor"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/runner"
)

var doctorCommand = command{
	name:    "doctor",
	args:    "[--read-only]",
	summary: "check the set-up of a repository and say what to click",
	help: `Checks everything that Ferry needs: the configuration, the repository on GitHub
(Issues, workflows, what the token may do), and each target: the login, whether
an image can be pushed and read back, whether people can pull it without a
login. Says for each fault what to do and where.

It creates Ferry's labels where they are missing, and pushes an image of a few
hundred bytes to the repository ferry-doctor of each target, which it deletes
again where the registry can. With --read-only it changes nothing.

GITHUB_REPOSITORY and GITHUB_TOKEN tell which repository to look at; in a
workflow they are there. Exit status: 1 if something must be set right.`,
	run: runDoctor,
}

func runDoctor(ctx context.Context, env Env, flags *flag.FlagSet) (int, error) {
	readOnly := flags.Bool("read-only", false, "change nothing: create no labels, push no image")
	rest, err := parseFlags(flags, env.Args)
	if err != nil {
		return StatusUsage, err
	}
	if len(rest) > 0 {
		return StatusUsage, usageError{fmt.Sprintf("it takes no arguments, but got %q", rest[0])}
	}
	// What the doctor says is its result and no log: outside of Actions it
	// goes to standard output.
	out := runner.New(env.Getenv, env.Stdout, env.Stdout)
	p := doctor.Patient{ReadOnly: *readOnly, Now: time.Now()}
	fork := false
	client, err := newHub(env)
	if err != nil {
		return StatusUsage, err
	}
	if client != nil {
		p.Hub = hub{client}
		settings, err := client.Settings(ctx)
		fork = err == nil && settings.Fork // what went wrong is found again
	}
	p.Config, err = config.Load(config.Options{
		Getenv: env.Getenv, ReadFile: os.ReadFile, Fork: fork, Copies: true, Answers: out.InAction(),
	})
	if err != nil && !errors.As(err, &p.Faults) {
		return StatusUsage, err
	}
	hide(out, p.Config, env)
	opts := env.registries(out)
	p.Sources = registry.NewSources(p.Config.Sources, opts)
	p.Targets = registry.NewTargets(p.Config.Targets, p.Config.Sources, opts)
	p.Visitors = registry.NewSources(visited(p.Config), opts)
	for _, clients := range []*registry.Clients{p.Sources, p.Targets, p.Visitors} {
		defer clients.Close()
	}
	findings := doctor.Examine(ctx, p)
	status := StatusDone
	if doctor.Worst(findings) == doctor.Fault {
		status = StatusFailed
	}
	return status, tell(out, report.Checkup{Language: p.Config.Language, Repository: repositoryPage(env), Findings: findings})
}

// tell says what the doctor has found, everywhere it is shown.
func tell(out *runner.Runner, c report.Checkup) error {
	e := report.Examine(c)
	out.Print(strings.TrimRight(e.Terminal, "\n"))
	if !out.InAction() {
		return nil
	}
	annotate(out, e.Annotations)
	return out.Summary(e.Summary)
}

func annotate(out *runner.Runner, annotations []report.Annotation) {
	for _, a := range annotations {
		level := slog.LevelWarn
		if a.Error {
			level = slog.LevelError
		}
		out.Annotate(level, a.Title, a.Message)
	}
}

// hide keeps all credentials out of what is written from now on.
func hide(out *runner.Runner, cfg *config.Config, env Env) {
	for _, t := range cfg.Targets {
		out.MaskLogin(t.Username, t.Password.Reveal())
	}
	for _, source := range cfg.Sources {
		out.MaskLogin(source.Username, source.Password.Reveal())
	}
	out.Mask(cfg.Token.Reveal())
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		proxy := env.Getenv(name)
		if !strings.Contains(proxy, "://") { // which may be left out
			proxy = "http://" + proxy
		}
		if u, err := url.Parse(proxy); err == nil && u.User != nil {
			password, _ := u.User.Password()
			out.MaskLogin(u.User.Username(), password)
		}
	}
}

// visited are the targets as sources, and what they may send a client on to,
// all without credentials: the registries as everybody sees them.
func visited(cfg *config.Config) []config.Source {
	var all []config.Source
	for _, t := range cfg.Targets {
		all = append(all, config.Source{Host: t.Host, Private: t.Private, PlainHTTP: t.PlainHTTP, TokenServer: t.TokenServer})
	}
	for _, s := range cfg.Sources {
		if !slices.ContainsFunc(all, func(known config.Source) bool { return known.Host == s.Host }) {
			all = append(all, config.Source{Host: s.Host, Private: s.Private, PlainHTTP: s.PlainHTTP, TokenServer: s.TokenServer})
		}
	}
	return all
}

// repositoryPage is the address of the repository, empty if none is known.
func repositoryPage(env Env) string {
	repository, server := env.Getenv("GITHUB_REPOSITORY"), env.Getenv("GITHUB_SERVER_URL")
	if repository == "" {
		return ""
	}
	if server == "" {
		server = "https://github.com"
	}
	return server + "/" + repository
}

// newHub is a client of the repository that the environment names, nil if it
// names none or has no token.
func newHub(env Env) (*publish.Client, error) {
	owner, name, ok := strings.Cut(env.Getenv("GITHUB_REPOSITORY"), "/")
	token := config.NewSecret(strings.TrimSpace(env.Getenv("GITHUB_TOKEN")))
	if !ok || token.IsZero() {
		return nil, nil
	}
	api := env.Getenv("GITHUB_API_URL")
	if api == "" {
		api = "https://api.github.com"
	}
	return publish.New(publish.Options{
		APIURL: api, Token: token, Repository: event.Repository{Owner: owner, Name: name}, UserAgent: userAgent(),
		Marked: func(string) bool { return false }, // no comment is looked at
		Sleep:  env.Wait,
	})
}

// hub is GitHub in the doctor's terms.
type hub struct{ *publish.Client }

func (h hub) Settings(ctx context.Context) (doctor.Settings, error) {
	s, err := h.Client.Settings(ctx)
	return doctor.Settings{Issues: s.Issues, Private: s.Private, Archived: s.Archived}, diagnosed(err)
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
	var labels []publish.Label
	for _, l := range report.Labels() {
		labels = append(labels, publish.Label(l))
	}
	return diagnosed(h.ProveLabels(ctx, labels))
}

// diagnosed gives an error of GitHub's the doctor's name.
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
	}
	return err
}
