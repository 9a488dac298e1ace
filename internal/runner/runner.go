// Package runner writes for GitHub's runner: log lines, groups, masks,
// annotations, outputs and the step summary. In an Action it is the only
// writer, because the runner executes commands that it finds in the log:
// commands in text are made harmless, and Ferry's own are written by
// go-githubactions, which escapes their text. GITHUB_ENV and GITHUB_PATH are
// never written.
//
// Outside Actions the same calls write plain text.
package runner

import (
	"encoding/base64"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/sethvargo/go-githubactions"
)

// Runner writes for one run. It is safe for concurrent use.
type Runner struct {
	getenv func(string) string
	action *githubactions.Action // nil outside Actions
	debug  bool

	mu     sync.Mutex // one line is one write; also guards the fields below
	w      io.Writer
	masks  []string
	redact *strings.Replacer

	annotated map[string]bool    // images that have their annotation
	used      map[slog.Level]int // annotations of this step
}

// New returns the Runner for the environment. In an Action (GITHUB_ACTIONS is
// "true") everything is written to stdout, which the runner reads in order: a
// mask on one stream may come too late for a line on the other. Elsewhere
// everything is written to stderr, and stdout is left for results.
func New(getenv func(string) string, stdout, stderr io.Writer) *Runner {
	r := &Runner{
		getenv:    getenv,
		w:         stderr,
		debug:     getenv("RUNNER_DEBUG") == "1",
		redact:    strings.NewReplacer(),
		annotated: map[string]bool{},
		used:      map[slog.Level]int{},
	}
	if getenv("GITHUB_ACTIONS") == "true" {
		r.w = stdout
		// The library panics when it cannot write; a closed log must not stop the run.
		r.action = githubactions.New(githubactions.WithWriter(bestEffortWriter{stdout}), githubactions.WithGetenv(getenv))
	}
	return r
}

// bestEffortWriter discards write errors.
type bestEffortWriter struct{ w io.Writer }

func (d bestEffortWriter) Write(p []byte) (int, error) {
	_, _ = d.w.Write(p)
	return len(p), nil
}

// InAction reports whether the program runs in an Action.
func (r *Runner) InAction() bool { return r.action != nil }

// minMask is the shortest value that is masked, in bytes. Masking a short or
// common word ruins the log and makes GitHub drop outputs.
const minMask = 4

// Mask hides secrets in everything written afterwards, here and by the runner.
// It must be called before anything can print them.
func (r *Runner) Mask(secrets ...string) {
	for _, secret := range secrets {
		r.hide(forms(secret))
	}
}

// MaskLogin hides a password and values derived from it, such as the value of
// the Authorization header.
func (r *Runner) MaskLogin(username, password string) {
	pair := []byte(username + ":" + password)
	if derived := forms(password); len(derived) > 0 {
		r.hide(append(derived,
			base64.StdEncoding.EncodeToString(pair), base64.RawStdEncoding.EncodeToString(pair),
			base64.URLEncoding.EncodeToString(pair), base64.RawURLEncoding.EncodeToString(pair)))
	}
}

// forms returns the forms of a secret: the secret, its lines (the log is masked
// line by line), and its forms in URLs and in base64.
func forms(secret string) []string {
	secret = strings.TrimSpace(secret)
	if len(secret) < minMask {
		return nil
	}
	all := []string{secret, url.QueryEscape(secret), url.PathEscape(secret),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawStdEncoding.EncodeToString([]byte(secret))}
	return append(all, strings.FieldsFunc(secret, func(c rune) bool { return c == '\n' || c == '\r' })...)
}

func (r *Runner) hide(words []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, word := range words {
		if len(word) < minMask || slices.Contains(r.masks, word) {
			continue
		}
		r.masks = append(r.masks, word)
		if r.action != nil {
			r.action.AddMask(word)
		}
	}
	// The longest first, because one may be part of another.
	sort.SliceStable(r.masks, func(i, j int) bool { return len(r.masks[i]) > len(r.masks[j]) })
	pairs := make([]string, 0, 2*len(r.masks))
	for _, mask := range r.masks {
		pairs = append(pairs, mask, "***")
	}
	r.redact = strings.NewReplacer(pairs...)
}

// Print writes free text with every line made harmless.
func (r *Runner) Print(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.print(text)
}

// print needs r.mu.
func (r *Runner) print(text string) {
	var b strings.Builder
	for _, line := range lines(r.redact.Replace(text)) {
		b.WriteString(line)
		b.WriteByte('\n')
	}
	_, _ = io.WriteString(r.w, b.String()) // there is no other place to report an error
}

// Group begins a fold of the log; the returned function ends it. Outside
// Actions only the title is written.
func (r *Runner) Group(title string) (end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.action == nil {
		r.print(title)
		return func() {}
	}
	r.action.Group(clean(r.redact.Replace(title)))
	return sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.action.EndGroup()
	})
}

// Annotate adds a warning or an error to the page of the run, with a title that
// may be empty. GitHub shows ten of each in a step ("limitations of
// annotations"); further ones become lines of the log.
func (r *Runner) Annotate(level slog.Level, title, message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.annotate(level, title, message)
}

const maxAnnotations = 10

// annotate needs r.mu.
func (r *Runner) annotate(level slog.Level, title, message string) {
	if level < slog.LevelError {
		level = slog.LevelWarn
	} else {
		level = slog.LevelError
	}
	if r.action == nil || r.used[level] >= maxAnnotations {
		line := message
		if title != "" {
			line = title + ": " + message
		}
		r.print(prefix(level) + line)
		return
	}
	r.used[level]++
	action := r.action
	if title != "" {
		action = action.WithFieldsMap(map[string]string{"title": clean(r.redact.Replace(title))})
	}
	// The text of a command may have several lines, which are escaped.
	message = strings.Join(lines(r.redact.Replace(message)), "\n")
	if level == slog.LevelError {
		action.Errorf("%s", message)
	} else {
		action.Warningf("%s", message)
	}
}

func prefix(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return "error: "
	case level >= slog.LevelWarn:
		return "warning: "
	case level < slog.LevelInfo:
		return "debug: "
	}
	return ""
}
