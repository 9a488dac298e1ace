package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"runtime"
	"strings"

	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/wiring"
)

// asking requests images that are not mirrored yet, in an issue of a repository.
type asking struct {
	env  wiring.Env
	page string          // address of the repository
	form string          // the same of its form, to which the names of images are appended
	hub  *publish.Client // nil without a token
	// issue is the number of the issue, 0 until there is one.
	issue int
	run   int64 // whose address was printed
}

// newAsking returns nil if repository is empty.
func newAsking(env wiring.Env, repository string) (*asking, error) {
	if repository == "" {
		return nil, nil
	}
	form, ok := requestForm(env, repository)
	if !ok {
		return nil, usageError{fmt.Sprintf("--request is %q; write the owner and the name of a repository, such as alice/ferry", repository)}
	}
	hub, err := wiring.GitHubAt(env, repository, cmp.Or(env.Getenv("GITHUB_TOKEN"), env.Getenv("GH_TOKEN")))
	return &asking{env: env, page: env.Site() + "/" + repository, form: form, hub: hub}, err
}

// ask opens an issue for the images, or shows the form if it cannot.
func (a *asking) ask(ctx context.Context, images []string) {
	names := strings.Join(images, "\n")
	if a.hub != nil {
		err := a.open(ctx, images[0], "### 镜像 / Images\n\n"+names+"\n\n### 平台 / Platforms\n\n_No response_")
		if err == nil {
			say(a.env, a.env.Stderr, "requested: %s\n", a.issuePage())
			return
		}
		if refused, ok := errors.AsType[*publish.Error](err); ok {
			err = errors.New(refused.Said)
		}
		say(a.env, a.env.Stderr, "ferry pull: no issue was opened: %v\n", err)
	}
	form := a.form + url.QueryEscape(names)
	say(a.env, a.env.Stderr, "To ask for them, open: %s\n", form)
	browse(ctx, a.env, form)
}

// open opens an issue with the text of the form, unless one with this text is open.
func (a *asking) open(ctx context.Context, title, text string) error {
	open, err := a.hub.OpenIssues(ctx, "", 100)
	for _, i := range open {
		if strings.TrimSpace(strings.ReplaceAll(i.Body, "\r", "")) == text {
			a.issue = i.Number
			return nil
		}
	}
	if err == nil {
		a.issue, err = a.hub.Create(ctx, title, text)
	}
	return err
}

func (a *asking) issuePage() string { return fmt.Sprintf("%s/issues/%d", a.page, a.issue) }

// answered shows the address of the run that handles the issue, and reports whether
// the issue is answered. A false answer of somebody else only ends the wait.
func (a *asking) answered(ctx context.Context) bool {
	if a == nil || a.issue == 0 {
		return false
	}
	text, err := a.hub.Reply(ctx, a.issue)
	m, ok := ledger.ParseMarker(text)
	if err != nil || !ok {
		return false // the mirrors are asked all the same
	}
	if m.Run != 0 && m.Run != a.run {
		a.run = m.Run
		say(a.env, a.env.Stderr, "its run: %s/actions/runs/%d\n", a.page, m.Run)
	}
	return !m.State.Open()
}

// browse opens an address in the browser of the desktop that the terminal is on.
func browse(ctx context.Context, env wiring.Env, address string) {
	if _, _, ok := terminalSize(env, env.Stderr)(); !ok {
		return
	}
	command := []string{"xdg-open", address}
	switch runtime.GOOS {
	case "windows":
		command = []string{"rundll32", "url.dll,FileProtocolHandler", address}
	case "darwin":
		command[0] = "open"
	default:
		if env.Getenv("DISPLAY")+env.Getenv("WAYLAND_DISPLAY") == "" {
			return
		}
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), command[0], command[1:]...) //nolint:gosec // an address that begins with that of the site
	if cmd.Start() == nil {
		go func() { _ = cmd.Wait() }() // the address is on the terminal, too
	}
}
