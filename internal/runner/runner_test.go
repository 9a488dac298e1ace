package runner

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// inAction is a Runner in an Action, with the runner's files and the output.
type inAction struct {
	*Runner
	out, err        bytes.Buffer
	summary, output string
}

func newInAction(t *testing.T, env ...string) *inAction {
	t.Helper()
	dir := t.TempDir()
	a := &inAction{summary: filepath.Join(dir, "summary"), output: filepath.Join(dir, "output")}
	vars := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": a.summary, "GITHUB_OUTPUT": a.output,
		"GITHUB_ENV": filepath.Join(dir, "env"), "GITHUB_PATH": filepath.Join(dir, "path")}
	for i := 0; i < len(env); i += 2 {
		vars[env[i]] = env[i+1]
	}
	a.Runner = New(func(k string) string { return vars[k] }, &a.out, &a.err)
	t.Cleanup(func() {
		for _, never := range []string{"env", "path"} {
			if _, err := os.Stat(filepath.Join(dir, never)); err == nil {
				t.Errorf("GITHUB_%s was written", strings.ToUpper(never))
			}
		}
		if a.err.Len() > 0 {
			t.Errorf("in an Action stderr got %q", a.err.String())
		}
	})
	return a
}

// read parses the log like the runner: commands as "name|data", and lines of
// text unchanged.
func (a *inAction) read() []string {
	var all []string
	for _, line := range runnerLines(strings.TrimSuffix(a.out.String(), "\n")) {
		if name, data, ok := executed(line); ok {
			line = name + "|" + data
		}
		all = append(all, line)
	}
	return all
}

func (a *inAction) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := a.read(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the runner reads\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	a.out.Reset()
}

const hostile = "x\n::add-mask::a\r##[stop-commands]t\r\n  ::error::forged\x1b[2K"

func TestForeignTextIsNeverExecuted(t *testing.T) {
	a := newInAction(t, "RUNNER_DEBUG", "1")
	log := slog.New(a.Handler())

	a.Print(hostile)
	a.expect(t, "x", "· ::add-mask::a", "## [stop-commands]t", "·   ::error::forged")

	a.Group(hostile)()
	a.expect(t, "group|x ::add-mask::a ## [stop-commands]t    ::error::forged", "endgroup|")

	a.Annotate(slog.LevelError, hostile, hostile)
	a.expect(t, "error|x\n· ::add-mask::a\n## [stop-commands]t\n·   ::error::forged")

	log.Info(hostile, hostile, hostile)
	for _, line := range a.read() {
		if name, _, ok := executed(line); ok {
			t.Errorf("a log line was taken for %s: %q", name, line)
		}
	}
	a.out.Reset()

	log.Debug(hostile)
	a.expect(t, "debug|x ::add-mask::a ## [stop-commands]t    ::error::forged")
}

func TestLog(t *testing.T) {
	a := newInAction(t)
	log := slog.New(a.Handler())
	log.Debug("not asked for")
	log.Info("copying", ImageKey, "gcr.io/a/b:1", "bytes", 12, "note", "two words")
	log.Warn("slow", "host", "gcr.io")
	log.With(ImageKey, "gcr.io/a/b:1").Error("copying failed", "err", errors.New("no such tag"))
	log.Error("again", ImageKey, "gcr.io/a/b:1")
	log.Error("another", ImageKey, "gcr.io/a/b:2")
	log.WithGroup("source").Warn("groups", ImageKey, "gcr.io/a/b:2")
	a.expect(t,
		`copying image=gcr.io/a/b:1 bytes=12 note="two words"`,
		"warning|slow host=gcr.io",
		`error|copying failed image=gcr.io/a/b:1 err="no such tag"`,
		"error: again image=gcr.io/a/b:1",
		"error|another image=gcr.io/a/b:2",
		"warning|groups source.image=gcr.io/a/b:2",
	)
}

func TestLogKeepsTheRecordsOwnAttributes(t *testing.T) {
	a := newInAction(t)
	slog.New(a.Handler()).Info("text", "msg", "mine", "level", "high", "time", "noon")
	a.expect(t, "text msg=mine level=high time=noon")
}

func TestAnnotationsStopAtGitHubsLimit(t *testing.T) {
	a := newInAction(t)
	for i := range maxAnnotations + 2 {
		a.Annotate(slog.LevelError, "", fmt.Sprint("e", i))
		a.Annotate(slog.LevelWarn, "t", fmt.Sprint("w", i))
	}
	got := a.read()
	if n := strings.Count(strings.Join(got, "\n"), "error|"); n != maxAnnotations {
		t.Errorf("%d errors, want %d", n, maxAnnotations)
	}
	if want := []string{"error: e11", "warning: t: w11"}; strings.Join(got[len(got)-2:], "\n") != strings.Join(want, "\n") {
		t.Errorf("the last lines are %q, want %q", got[len(got)-2:], want)
	}
}

func TestMasks(t *testing.T) {
	a := newInAction(t)
	const user, password = "alice", "p@ss/w%rd+1"
	a.MaskLogin(user, password)
	a.Mask("abc", "", "line one\nline two")

	masked := map[string]bool{}
	for _, line := range a.read() {
		name, value, _ := strings.Cut(line, "|")
		if name != "add-mask" {
			t.Errorf("masking wrote %q", line)
		}
		masked[value] = true
	}
	header := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	for _, want := range []string{password, header, "p%40ss%2Fw%25rd%2B1", "line one", "line two"} {
		if !masked[want] {
			t.Errorf("%q is not masked", want)
		}
	}
	for _, never := range []string{"", "abc", "YWJj", user} {
		if masked[never] {
			t.Errorf("%q is masked, which would ruin the log", never)
		}
	}

	a.out.Reset()
	a.Print("password " + password + ", header Basic " + header + ", word abc")
	a.Annotate(slog.LevelWarn, password, password)
	a.Group(header)
	slog.New(a.Handler()).Info(password, password, password)
	if got := a.out.String(); strings.Contains(got, password) || strings.Contains(got, header) {
		t.Errorf("a secret was written:\n%s", got)
	}
	if err := a.Output("images", "x"+header); err == nil || strings.Contains(err.Error(), header) {
		t.Errorf("an output with a secret gave %v", err)
	}
	if err := a.Summary("# " + password); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(a.summary); string(data) != "# ***\n" {
		t.Errorf("the summary is %q", data)
	}
}

// outputs parses the file like the runner (FileCommandManager.cs).
func outputs(t *testing.T, file string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	for len(lines) > 0 {
		name, delimiter, ok := strings.Cut(lines[0], "<<")
		if !ok || strings.Contains(name, "=") {
			t.Fatalf("line %q is no entry with a delimiter", lines[0])
		}
		end := 1
		for end < len(lines) && lines[end] != delimiter {
			end++
		}
		if end == len(lines) {
			t.Fatalf("%q has no end", lines[0])
		}
		all[name] = strings.Join(lines[1:end], "\n")
		lines = lines[end+1:]
	}
	return all
}

func TestOutputs(t *testing.T) {
	a := newInAction(t)
	want := map[string]string{
		"images":    `[{"reference":"gcr.io/a/b:1"}]`,
		"succeeded": "1",
		"empty":     "",
		// The delimiter of go-githubactions, with which a value could set another output.
		"hostile": "x\n_GitHubActionsFileCommandDelimeter_\ntarget=evil.example\nferry_\nfailed<<EOF\n0\nEOF\r",
	}
	for name, value := range want {
		if err := a.Output(name, value); err != nil {
			t.Fatal(err)
		}
	}
	got := outputs(t, a.output)
	for name, value := range want {
		if got[name] != value {
			t.Errorf("output %s is %q, want %q", name, got[name], value)
		}
	}
	if len(got) != len(want) {
		t.Errorf("the file has %d outputs, want %d", len(got), len(want))
	}
	if a.out.Len() > 0 {
		t.Errorf("the log got %q", a.out.String())
	}
}

func TestOutputsThatAreRefused(t *testing.T) {
	a := newInAction(t)
	for name, value := range map[string]string{
		"":             "x",
		"a b":          "x",
		"a=b\ntarget":  "x",
		"a<<EOF\nb":    "x",
		"too-long":     strings.Repeat("x", maxOutput+1),
		"target<<EOF ": "x",
	} {
		if err := a.Output(name, value); err == nil {
			t.Errorf("output %q was accepted", name)
		}
	}
	if _, err := heredoc("a", "x\nferry_guessed\ny", "guessed"); err == nil {
		t.Error("a value that holds its delimiter was accepted")
	}
	if _, err := os.Stat(a.output); err == nil {
		t.Error("the file was written")
	}
	if err := newInAction(t, "GITHUB_OUTPUT", "").Output("a", "x"); err == nil {
		t.Error("a missing file is no error")
	}
}

func TestSummaryIsCutAtTheLimit(t *testing.T) {
	a := newInAction(t)
	line := strings.Repeat("é", 499) + "\n"
	for i := range 2 {
		err := a.Summary(strings.Repeat(line, 600))
		if (err != nil) != (i == 1) {
			t.Errorf("writing %d: %v", i, err)
		}
	}
	data, err := os.ReadFile(a.summary)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > maxSummary || len(data) < maxSummary-len(line) || !strings.HasSuffix(string(data), line) {
		t.Errorf("the summary has %d bytes and ends in %q", len(data), data[len(data)-10:])
	}
	if err := a.Summary(line + line); err == nil {
		t.Error("a summary over the limit is no error")
	}
	if got := wholeLines("aé"[:2]); got != "a" {
		t.Errorf("half a character is left: %q", got)
	}
}

func TestOutsideActions(t *testing.T) {
	var out, err bytes.Buffer
	r := New(func(string) string { return "" }, &out, &err)
	log := slog.New(r.Handler())
	r.Mask("hunter22")
	end := r.Group("images")
	log.Debug("hidden")
	log.Info("copying", "password", "hunter22")
	log.Error(hostile)
	r.Annotate(slog.LevelWarn, "gcr.io/a/b:1", "no such tag")
	end()
	if e := r.Output("images", "[]"); e != nil {
		t.Error(e)
	}
	if e := r.Summary("# text"); e != nil {
		t.Error(e)
	}
	want := "images\ncopying password=***\nerror: x\n· ::add-mask::a\n## [stop-commands]t\n·   ::error::forged\nwarning: gcr.io/a/b:1: no such tag\n"
	if err.String() != want || out.Len() > 0 || r.InAction() {
		t.Errorf("stderr has\n%s\nwant\n%s\nstdout has %q", err.String(), want, out.String())
	}
}

// broken is a stream that always fails.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestABrokenStreamStopsNothing(t *testing.T) {
	r := New(func(k string) string { return map[string]string{"GITHUB_ACTIONS": "true"}[k] }, broken{}, broken{})
	r.Mask("hunter22")
	r.Group("g")()
	r.Print("x")
	r.Annotate(slog.LevelError, "t", "m")
	if err := slog.New(r.Handler()).Handler().Handle(t.Context(), slog.Record{Level: slog.LevelWarn, Message: "m"}); err != nil {
		t.Error(err)
	}
}

func TestLinesOfManyWritersStayWhole(t *testing.T) {
	a := newInAction(t)
	log := slog.New(a.Handler())
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			for range 50 {
				log.With("writer", i).Info("line", "end", true)
			}
		})
	}
	writers.Wait()
	got := a.read()
	if len(got) != 400 {
		t.Fatalf("%d lines, want 400", len(got))
	}
	for _, line := range got {
		if !strings.HasPrefix(line, "line writer=") || !strings.HasSuffix(line, " end=true") {
			t.Fatalf("a line is %q", line)
		}
	}
}
