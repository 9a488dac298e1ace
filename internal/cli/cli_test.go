package cli

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/demo"
	"github.com/imageferry/ferry/internal/texts"
	"github.com/imageferry/ferry/internal/wiring"
)

// ferry runs a command line and returns the status and the output.
func ferry(t *testing.T, stdin string, environ map[string]string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = Run(t.Context(), wiring.Env{
		Args:   args,
		Stdin:  strings.NewReader(stdin),
		Stdout: &out,
		Stderr: &errs,
		Getenv: func(key string) string { return environ[key] },
	})
	return status, out.String(), errs.String()
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		name   string
		args   []string
		status int
		stdout string
		stderr string
	}{
		{"no command", nil, wiring.StatusUsage, "", "usage: ferry COMMAND"},
		{"help", []string{"help"}, wiring.StatusDone, "usage: ferry COMMAND", ""},
		{"unknown command", []string{"cpy"}, wiring.StatusUsage, "", `unknown command "cpy"; did you mean "copy"?`},
		{"a command for tags", []string{"ls", "nginx"}, wiring.StatusUsage, "", `there is no command "ls": for the tags`},
		{"a flag of others", []string{"copy", "--target", "docker.io/me", "nginx"}, wiring.StatusUsage, "", "unknown flag --target; did you mean --to?"},
		{"a flag of others for mirrors", []string{"pull", "--target", "docker.io/me", "nginx"}, wiring.StatusUsage, "", "unknown flag --target; did you mean --from?"},
		{"a flag instead of a value", []string{"copy", "nginx:1", "--plain-http", "--to", "docker.io/me"}, wiring.StatusUsage, "", "--plain-http needs a value, but --to follows it; write --plain-http=HOST"},
		{"a letter instead of a value", []string{"copy", "nginx:1", "--private", "-t", "docker.io/me"}, wiring.StatusUsage, "", "--private needs a value, but -t follows it; write --private=HOST"},
		{"a format", []string{"name", "--output", "json", "nginx"}, wiring.StatusUsage, "", "unknown flag --output; did you mean --json?"},
		{"a list that is missing", []string{"sync", "nofile"}, wiring.StatusUsage, "", "there is no file nofile"},
		{"an archive that is missing", []string{"verify", "nofile"}, wiring.StatusFailed, "", "ferry verify: there is no file nofile\n"},
		{"help of a command", []string{"version", "--help"}, wiring.StatusDone, "usage: ferry version", ""},
		{"unknown flag", []string{"version", "--loud"}, wiring.StatusUsage, "", `"ferry help version" explains the command`},
		{"version", []string{"--version"}, wiring.StatusDone, "ferry ", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, stdout, stderr := ferry(t, "", nil, test.args...)
			if status != test.status {
				t.Errorf("status %d, want %d", status, test.status)
			}
			if !strings.Contains(stdout, test.stdout) || test.stdout == "" && stdout != "" {
				t.Errorf("stdout %q, want %q", stdout, test.stdout)
			}
			if !strings.Contains(stderr, test.stderr) || test.stderr == "" && stderr != "" {
				t.Errorf("stderr %q, want %q", stderr, test.stderr)
			}
		})
	}
}

// TestLanguage: a locale is a language, too.
func TestLanguage(t *testing.T) {
	for _, text := range []string{"zh", "zh_CN", "zh-CN", "ZH", "zh_CN.UTF-8"} {
		if _, out, _ := ferry(t, "", map[string]string{"FERRY_LANGUAGE": text}, "help", "copy"); !strings.Contains(out, "用法：") {
			t.Errorf("%s gives %q", text, out)
		}
		if _, _, said := ferry(t, "", map[string]string{"FERRY_LANGUAGE": text}, "verify", "nofile"); !strings.Contains(said, "没有文件 nofile") {
			t.Errorf("%s gives %q", text, said)
		}
	}
}

// TestChineseHelpHasTheExamples: both languages of a help show the same examples,
// without what is said about them.
func TestChineseHelpHasTheExamples(t *testing.T) {
	said := regexp.MustCompile(`  +\S.*`)
	examples := func(help string) (all []string) {
		for line := range strings.SplitSeq(help, "\n") {
			if example, ok := strings.CutPrefix(line, "    "); ok {
				all = append(all, said.ReplaceAllString(strings.TrimSpace(example), ""))
			}
		}
		return all
	}
	left := texts.Unpack(helpInEnglish) + texts.Unpack(helpInChinese)
	for _, c := range commands() {
		if !strings.Contains(c.help("zh"), "。") {
			t.Errorf("ferry help %s: no Chinese", c.name)
		}
		left = strings.Replace(left, "=== "+c.name+"\n", "", 2)
		if diff := cmp.Diff(examples(c.help("en")), examples(c.help("zh"))); diff != "" {
			t.Errorf("ferry help %s: -English +Chinese\n%s", c.name, diff)
		}
	}
	if _, left, found := strings.Cut(left, "=== "); found && demo.Included {
		t.Errorf("the help of what is no command, or of one twice: %s", left)
	}
}

// TestEveryCommandHasHelp checks that every command has a help text, that its lines
// are short, and that the list of commands fits a terminal.
func TestEveryCommandHasHelp(t *testing.T) {
	for _, c := range commands() {
		status, stdout, stderr := ferry(t, "", nil, c.name, "--help")
		if status != wiring.StatusDone || stderr != "" || !strings.Contains(stdout, c.help("en")) || c.help("en") == "" {
			t.Errorf("ferry %s --help: status %d, stderr %q", c.name, status, stderr)
		}
		for line := range strings.SplitSeq(c.help("en"), "\n") {
			if columns(line) > 84 {
				t.Errorf("a line of the help of %s has %d columns: %s", c.name, columns(line), line)
			}
		}
		for line := range strings.SplitSeq(c.help("zh"), "\n") {
			if columns(line) > 110 {
				t.Errorf("a line of the Chinese help of %s has %d columns: %s", c.name, columns(line), line)
			}
		}
		if len(c.summary) > 64 {
			t.Errorf("the summary of %s has %d characters, 64 fit on a line", c.name, len(c.summary))
		}
	}
}

func TestParseFlags(t *testing.T) {
	for _, test := range []struct {
		args string
		rest []string
		to   string
		json bool
	}{
		{"a b", []string{"a", "b"}, "", false},
		{"a --to x b --json c", []string{"a", "b", "c"}, "x", true},
		{"--json a --to=x", []string{"a"}, "x", true},
		{"a -- --json", []string{"a", "--json"}, "", false},
		{"--to x -- --json", []string{"--json"}, "x", false},
		{"", nil, "", false},
	} {
		t.Run(test.args, func(t *testing.T) {
			flags := newFlagSet(&command{name: "test"})
			to := flags.String("to", "", "")
			asJSON := flags.Bool("json", false, "")
			rest, err := flags.parse(strings.Fields(test.args))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(rest, test.rest) || *to != test.to || *asJSON != test.json {
				t.Errorf("got %q, to %q, json %v", rest, *to, *asJSON)
			}
		})
	}
}

// TestInterruptedInput: an interrupt ends a command that waits for its input.
func TestInterruptedInput(t *testing.T) {
	for _, args := range []string{"parse", "parse --body -", "copy -f -", "pull -f -", "save -f - -o x.tar", "sync --check -"} {
		t.Run(args, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stdin, keyboard := io.Pipe()
				defer keyboard.Close()
				ctx, interrupt := context.WithCancel(t.Context())
				go func() {
					synctest.Wait()
					interrupt()
				}()
				var out, errs bytes.Buffer
				status := Run(ctx, wiring.Env{
					Args: strings.Fields(args), Stdin: stdin, Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" },
				})
				verb, _, _ := strings.Cut(args, " ")
				if want := "ferry " + verb + ": stopped\n"; status != wiring.StatusInterrupted || out.Len() > 0 || errs.String() != want {
					t.Errorf("status %d, stdout %q, stderr %q, want %q", status, out.String(), errs.String(), want)
				}
			})
		})
	}
}
