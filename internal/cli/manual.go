package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/imageferry/ferry/internal/wiring"
)

func manualCommand() command {
	return command{
		name:    "manual",
		summary: "print the manual page",
		help: `Prints the manual page ferry(1) in English, made from the same text as "ferry help".
To read it: ferry manual | man -l -`,
		declare: func(env wiring.Env, _ *flagSet) action {
			return func(_ context.Context, args []string) (int, error) {
				if err := noArguments(args); err != nil {
					return wiring.StatusUsage, err
				}
				printManual(env.Stdout, env)
				return wiring.StatusDone, nil
			}
		},
	}
}

// printManual writes the page in the macros of man(7).
func printManual(w io.Writer, env wiring.Env) {
	fmt.Fprintf(w, ".TH FERRY 1 \"\" \"ferry %s\" \"User Commands\"\n", roff(wiring.ReadBuild().Version))
	fmt.Fprintf(w, ".SH NAME\nferry \\- mirror container images to registries that people can reach\n")
	fmt.Fprintf(w, ".SH SYNOPSIS\n.B ferry\n.I COMMAND\n[FLAGS] [ARGUMENTS]\n")
	fmt.Fprintf(w, ".SH DESCRIPTION\n%s\n", roff(about))
	fmt.Fprint(w, ".SH COMMANDS\n")
	for _, c := range commands() {
		flags := newFlagSet(c)
		c.declare(env, flags)
		fmt.Fprintf(w, ".SS %s\n", roff(synopsis(c, flags)))
		fmt.Fprintf(w, "%s\n", paragraphs(c.help))
		for _, g := range flags.list() {
			value, usage := unquoted(g, translator("en"))
			fmt.Fprintf(w, ".TP\n.B %s\n%s\n", roff(strings.Join(flags.spelled(g), ", ")+value), roff(usage))
		}
	}
	fmt.Fprintf(w, ".SH EXIT STATUS\n")
	for _, s := range [][2]string{
		{"0", "everything is done"}, {"1", "something failed; the output says what"},
		{"2", "the command line or the configuration is wrong; nothing was done"},
		{"3", "nothing to do"}, {"130", "interrupted"},
	} {
		fmt.Fprintf(w, ".TP\n.B %s\n%s\n", s[0], s[1])
	}
	fmt.Fprint(w, ".SH ENVIRONMENT\nThe variables are described in docs/configuration.md: FERRY_TARGET, FERRY_USERNAME,\nFERRY_PASSWORD, FERRY_CONFIG, FERRY_LANGUAGE, HTTPS_PROXY, NO_PROXY, NO_COLOR.\n")
	fmt.Fprintf(w, ".SH SEE ALSO\n%s\n", roff(wiring.Homepage))
}

// roff escapes text for troff: lines do not begin with a control character, and
// hyphens are minus signs, so that they can be copied.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// paragraphs keeps indented lines as they are.
func paragraphs(text string) string {
	var b strings.Builder
	for i, p := range strings.Split(text, "\n\n") {
		if i > 0 {
			b.WriteString("\n.PP\n")
		}
		if strings.HasPrefix(p, "  ") {
			b.WriteString(".nf\n" + roff(p) + "\n.fi")
		} else {
			b.WriteString(roff(p))
		}
	}
	return b.String()
}
