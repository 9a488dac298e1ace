package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/imageferry/ferry/internal/wiring"
)

const (
	about    = "Ferry mirrors container images to registries that people can reach."
	statuses = "Exit status: 0 all done, 1 something failed, 2 wrong usage or configuration,\n3 nothing was asked for, 130 interrupted."
)

func helpCommand() command {
	return command{
		name:    "help",
		args:    "[COMMAND]",
		summary: "list the commands, or explain one",
		help:    "Lists the commands, or explains the one that is named.",
		declare: func(env wiring.Env, _ *flagSet) action {
			return func(_ context.Context, args []string) (int, error) {
				if len(args) == 0 {
					printUsage(env.Stdout)
					return wiring.StatusDone, nil
				}
				c, err := find(args[0])
				if err != nil {
					fmt.Fprintf(env.Stderr, "ferry: %v\n", err)
					return wiring.StatusUsage, nil
				}
				flags := newFlagSet(c)
				c.declare(env, flags)
				printHelp(env.Stdout, c, flags)
				return wiring.StatusDone, nil
			}
		},
	}
}

func printUsage(w io.Writer) {
	fmt.Fprintf(w, "%s\n\nusage: ferry COMMAND [FLAGS] [ARGUMENTS]\n\n", about)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-10s  %s\n", c.name, c.summary)
	}
	fmt.Fprintf(w, "\n\"ferry help COMMAND\" explains a command. To begin with:\n\n"+
		"  ferry demo\n  ferry copy registry.k8s.io/pause:3.9 --to docker.io/USER\n\n%s\n", statuses)
}

func printHelp(w io.Writer, c command, flags *flagSet) {
	fmt.Fprintf(w, "usage: %s\n\n%s\n", synopsis(c, flags), c.help)
	all := flags.list()
	if len(all) == 0 {
		return
	}
	fmt.Fprint(w, "\nFlags:\n")
	for _, g := range all {
		value, usage := unquoted(g)
		letter := "    "
		if l := flags.letters[g.Name]; l != "" {
			letter = "-" + l + ", "
		}
		fmt.Fprintf(w, "  %s--%s%s\n", letter, g.Name, value)
		fmt.Fprintf(w, "          %s\n", usage)
	}
}

// synopsis is the form of a command's use.
func synopsis(c command, flags *flagSet) string {
	parts := []string{"ferry", c.name}
	if len(flags.list()) > 0 {
		parts = append(parts, "[FLAGS]")
	}
	if c.args != "" {
		parts = append(parts, c.args)
	}
	return strings.Join(parts, " ")
}

// unquoted gives the name of a flag's value, with a space before it, and the
// usage with its default.
func unquoted(g *flag.Flag) (value, usage string) {
	value, usage = flag.UnquoteUsage(g)
	if value != "" {
		value = " " + strings.ToUpper(value)
	}
	if g.DefValue != "" && g.DefValue != "false" {
		usage += " (default " + g.DefValue + ")"
	}
	return value, usage
}
