package runner

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/imageferry/ferry/internal/pattern"
)

// Limits of the runner's files, in bytes.
const (
	// maxSummary is the limit of a step's summary in bytes ("step isolation
	// and limits"): a larger file is not shown at all.
	maxSummary = 1 << 20
	// maxOutput is the limit of all outputs of a job together, in bytes.
	maxOutput = 1 << 20
)

var outputName = &pattern.Regexp{Text: `^[A-Za-z_][A-Za-z0-9_-]*$`}

// Output sets an output of the action. The value is written between random
// delimiters, so it cannot end itself (CVE-2022-35954 was a fixed delimiter).
// It is an error if the value contains a masked word, because the runner would
// drop it silently. Outside Actions it does nothing.
func (r *Runner) Output(name, value string) error {
	if r.action == nil {
		return nil
	}
	if !outputName.MatchString(name) {
		return fmt.Errorf("writing an output: %q is not a name", name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case len(value) > maxOutput:
		return fmt.Errorf("writing output %s: it has %d bytes; the limit is %d", name, len(value), maxOutput)
	case r.redact.Replace(value) != value:
		return fmt.Errorf("writing output %s: it holds a secret", name)
	}
	entry, err := heredoc(name, value, rand.Text())
	if err != nil {
		return fmt.Errorf("writing output %s: %w", name, err)
	}
	return r.appendTo("GITHUB_OUTPUT", entry, 0)
}

// heredoc returns an entry whose value may have several lines.
func heredoc(name, value, random string) (string, error) {
	delimiter := "ferry_" + random
	if strings.Contains(name, delimiter) || strings.Contains(value, delimiter) {
		return "", errors.New("its value holds the delimiter")
	}
	return name + "<<" + delimiter + "\n" + value + "\n" + delimiter + "\n", nil
}

// Summary adds Markdown to the page of the run. Text beyond the limit of the
// step is cut at the end of a line, and an error is returned. Outside Actions
// it does nothing.
func (r *Runner) Summary(markdown string) error {
	if r.action == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.appendTo("GITHUB_STEP_SUMMARY", r.redact.Replace(markdown)+"\n", maxSummary)
}

// appendTo appends text to the file that a variable of the runner names, up to
// a file size of limit bytes, unless limit is 0.
func (r *Runner) appendTo(variable, text string, limit int) (err error) {
	path := r.getenv(variable)
	if path == "" {
		return fmt.Errorf("writing to the runner: %s is not set", variable)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing to %s: %w", variable, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	var cutAt error
	if limit > 0 {
		size, err := file.Seek(0, io.SeekEnd)
		if err != nil {
			return fmt.Errorf("writing to %s: %w", variable, err)
		}
		if room := max(0, limit-int(size)); len(text) > room {
			cutAt = fmt.Errorf("writing to %s: %d bytes are over the limit of %d and were left out", variable, len(text)-room, limit)
			text = wholeLines(text[:room])
		}
	}
	if _, err := file.WriteString(text); err != nil {
		return fmt.Errorf("writing to %s: %w", variable, err)
	}
	return cutAt
}

// wholeLines returns text up to its last line end, or up to its last complete
// character if it is one long line.
func wholeLines(text string) string {
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		return text[:i+1]
	}
	return wholeRunes(text)
}
