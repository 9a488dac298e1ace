package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/imageferry/ferry/internal/wiring"
)

func manualCommand() *command {
	return &command{
		name:    "manual",
		summary: "print the manual page",
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

// Texts of the manual that the help does not have.
const (
	manualTitle = "mirror container images to registries that people can reach"
	allDone     = "everything is done"
	someFailed  = "something failed; the output says what"
	wrongUsage  = "the command line or the configuration is wrong; nothing was done"
	nothingToDo = "nothing to do"
	interrupted = "interrupted"
	variables   = "The variables are described in docs/configuration.md:"
)

// printManual writes the page in the macros of man(7).
func printManual(w io.Writer, env wiring.Env) {
	in := translator(language(env))
	section := func(name string) { fmt.Fprintf(w, ".SH %s\n", in(name)) }
	fmt.Fprintf(w, ".TH FERRY 1 \"\" \"ferry %s\" \"User Commands\"\n", roff(wiring.ReadBuild().Version))
	if language(env) == "zh" {
		fmt.Fprint(w, ".ad l\n") // spaces between words of Chinese text are not stretched
	}
	section("NAME")
	fmt.Fprintf(w, "ferry \\- %s\n", roff(in(manualTitle)))
	section("SYNOPSIS")
	fmt.Fprint(w, ".B ferry\n.I COMMAND\n[FLAGS] [ARGUMENTS]\n")
	section("DESCRIPTION")
	fmt.Fprintf(w, "%s\n", roff(in(about)))
	section("COMMANDS")
	for _, c := range commands() {
		flags := newFlagSet(c)
		c.declare(env, flags)
		fmt.Fprintf(w, ".SS %s\n", roff(synopsis(c, flags)))
		fmt.Fprintf(w, "%s\n", paragraphs(c.help(language(env)), language(env) == "zh"))
		for _, g := range flags.list() {
			value, usage := unquoted(g, in)
			fmt.Fprintf(w, ".TP\n.B %s\n%s\n", roff(strings.Join(flags.spelled(g), ", ")+value), roff(usage))
		}
	}
	section("EXIT STATUS")
	for _, s := range [][2]string{{"0", allDone}, {"1", someFailed}, {"2", wrongUsage}, {"3", nothingToDo}, {"130", interrupted}} {
		fmt.Fprintf(w, ".TP\n.B %s\n%s\n", s[0], in(s[1]))
	}
	section("ENVIRONMENT")
	fmt.Fprintf(w, "%s FERRY_TARGET, FERRY_USERNAME,\nFERRY_PASSWORD, FERRY_CONFIG, FERRY_LANGUAGE, HTTPS_PROXY, NO_PROXY, NO_COLOR.\n", in(variables))
	section("SEE ALSO")
	fmt.Fprintf(w, "%s\n", roff(wiring.Homepage))
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

// paragraphs keeps indented lines as they are, and all lines if asIs is set: troff
// joins lines by spaces, which Chinese text does not have.
func paragraphs(text string, asIs bool) string {
	var b strings.Builder
	for i, p := range strings.Split(text, "\n\n") {
		if i > 0 {
			b.WriteString("\n.PP\n")
		}
		if asIs || strings.HasPrefix(p, "  ") {
			b.WriteString(".nf\n" + roff(p) + "\n.fi")
		} else {
			b.WriteString(roff(p))
		}
	}
	return b.String()
}
