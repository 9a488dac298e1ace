package cli

import (
	"io"
	"strings"

	"golang.org/x/term"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/runner"
	"github.com/imageferry/ferry/internal/wiring"
)

// terminalSize returns a function that returns the size of the terminal that w
// writes to; ok is false if w is not a terminal or cannot move the cursor.
func terminalSize(env wiring.Env, w io.Writer) func() (width, height int, ok bool) {
	file, isFile := w.(interface{ Fd() uintptr })
	if !isFile || env.Getenv("TERM") == "dumb" || !term.IsTerminal(int(file.Fd())) {
		return func() (int, int, bool) { return 0, 0, false }
	}
	if !movesCursor(file.Fd()) {
		return func() (int, int, bool) { return 0, 0, false }
	}
	return func() (int, int, bool) {
		width, height, err := term.GetSize(int(file.Fd()))
		return width, height, err == nil && width > 0 && height > 0
	}
}

// registries returns the options of the clients of a command that somebody may wait
// for at a terminal.
func registries(env wiring.Env) registry.Options {
	opts := env.Registries(nil)
	_, _, opts.Attended = terminalSize(env, env.Stderr)()
	return opts
}

// language returns the language of the output: FERRY_LANGUAGE, else that of the
// system.
func language(env wiring.Env) string {
	if l := config.LanguageTag(strings.TrimSpace(env.Getenv("FERRY_LANGUAGE"))); l == "zh" || l == "en" {
		return l
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := env.Getenv(name); value != "" {
			if strings.HasPrefix(value, "zh") {
				return "zh"
			}
			return "en"
		}
	}
	return "en"
}

// harmless wraps a stream so that it contains no commands to GitHub's runner,
// unless it is a terminal. The returned function flushes it.
func harmless(env wiring.Env, w *io.Writer) (end func()) {
	if _, _, ok := terminalSize(env, *w)(); ok {
		return func() {}
	}
	stream := runner.NewStream(*w)
	*w = stream
	return func() { stream.Close() }
}
