package wiring

import (
	"log/slog"
	"net/url"
	"strings"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/runner"
)

// Tell writes the result of an examination of the set-up to all its places.
func Tell(out *runner.Runner, c report.Checkup) error {
	e := report.Examine(c)
	out.Print(strings.TrimRight(e.Terminal, "\n"))
	if !out.InAction() {
		return nil
	}
	Annotate(out, e.Annotations)
	return out.Summary(e.Summary)
}

// Annotate adds annotations to the run.
func Annotate(out *runner.Runner, annotations []report.Annotation) {
	for _, a := range annotations {
		level := slog.LevelWarn
		if a.Error {
			level = slog.LevelError
		}
		out.Annotate(level, a.Title, a.Message)
	}
}

// Warn shows the notes of the configuration in a language. Call Hide first.
func Warn(out *runner.Runner, cfg *config.Config, language string) {
	for _, note := range cfg.Notes {
		out.Annotate(slog.LevelWarn, "", report.Terminal{Language: language}.Fault(note))
	}
}

// Hide masks all credentials in everything written from now on.
func Hide(out *runner.Runner, cfg *config.Config, env Env) {
	for _, t := range cfg.Targets {
		out.MaskLogin(t.Username, t.Password.Reveal())
	}
	for _, source := range cfg.Sources {
		out.MaskLogin(source.Username, source.Password.Reveal())
	}
	out.Mask(cfg.Token.Reveal())
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		proxy := env.Getenv(name)
		if !strings.Contains(proxy, "://") { // which is optional
			proxy = "http://" + proxy
		}
		if u, err := url.Parse(proxy); err == nil && u.User != nil {
			password, _ := u.User.Password()
			out.MaskLogin(u.User.Username(), password)
		}
	}
}
