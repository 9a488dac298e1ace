// Package cli is the command line: one file for each command. It reads flags,
// moves typed values from one room to the next, and turns the end into an exit
// status.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/wiring"
)

// command is one verb of the command line. run gets a flag set that is named
// and prints to Stderr, with usage in place.
type command struct {
	name, args, summary, help string
	run                       func(ctx context.Context, env wiring.Env, flags *flag.FlagSet) (int, error)
}

func commands() []command {
	return []command{runCommand, parseCommand, nameCommand, copyCommand, doctorCommand, demoCommand, versionCommand}
}

// usageError is a mistake in the command line: the message, then how to see the usage.
type usageError struct{ message string }

func (e usageError) Error() string { return e.message }

// Run carries out one command and returns the exit status. Whatever goes wrong
// has been said on Stderr by then, each in one line that says what to do instead.
func Run(ctx context.Context, env wiring.Env) int {
	if len(env.Args) == 0 {
		printUsage(env.Stderr)
		return wiring.StatusUsage
	}
	verb := env.Args[0]
	env.Args = env.Args[1:]
	switch verb {
	case "help", "-h", "-help", "--help":
		printUsage(env.Stdout)
		return wiring.StatusDone
	case "-version", "--version":
		verb = "version"
	}
	all := commands()
	i := slices.IndexFunc(all, func(c command) bool { return c.name == verb })
	if i < 0 {
		fmt.Fprintf(env.Stderr, "ferry: there is no command %q; \"ferry help\" lists them\n", verb)
		return wiring.StatusUsage
	}
	c := all[i]
	flags := flag.NewFlagSet("ferry "+c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // mistakes are said once, below
	status, err := c.run(ctx, env, flags)
	var usage usageError
	switch {
	case errors.Is(err, flag.ErrHelp):
		printHelp(env.Stdout, c, flags)
		return wiring.StatusDone
	case errors.As(err, &usage):
		fmt.Fprintf(env.Stderr, "ferry %s: %v; \"ferry %s --help\" shows its use\n", c.name, err, c.name)
		return wiring.StatusUsage
	case err != nil:
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintf(env.Stderr, "ferry %s: %s\n", c.name, line)
		}
	}
	return status
}

// parseFlags reads flags wherever they stand among the arguments, as people
// type them, and returns the arguments that are none. After "--" everything is
// an argument, and so is the item of a list ("- nginx"), which people paste.
func parseFlags(flags *flag.FlagSet, args []string) ([]string, error) {
	isItem := func(arg string) bool { return strings.HasPrefix(arg, "- ") }
	if i := slices.IndexFunc(args, isItem); i >= 0 && !slices.Contains(args[:i], "--") {
		before, err := parseFlags(flags, args[:i])
		if err != nil {
			return nil, err
		}
		after, err := parseFlags(flags, args[i+1:])
		return slices.Concat(before, args[i:i+1], after), err
	}
	var rest []string
	for {
		if err := flags.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, usageError{err.Error()}
		}
		left := flags.Args()
		if len(left) == 0 {
			return rest, nil
		}
		if parsed := len(args) - len(left); parsed > 0 && args[parsed-1] == "--" {
			return append(rest, left...), nil
		}
		rest, args = append(rest, left[0]), left[1:]
	}
}

// list is a flag that may be given many times.
type list []string

func (l *list) String() string { return fmt.Sprint([]string(*l)) }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

func printUsage(w io.Writer) {
	fmt.Fprint(w, "Ferry carries container images to registries that people can reach.\n\nusage: ferry COMMAND [ARGUMENTS]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-8s %s\n", c.name, c.summary)
	}
	fmt.Fprint(w, "\n\"ferry COMMAND --help\" shows the use of a command.\n"+
		"Exit status: 0 all done, 1 something failed, 2 wrong usage or configuration, 3 nothing was asked for.\n")
}

func printHelp(w io.Writer, c command, flags *flag.FlagSet) {
	fmt.Fprintf(w, "usage: %s\n\n%s\n", strings.TrimSpace("ferry "+c.name+" "+c.args), c.help)
	flags.SetOutput(w)
	n := 0
	flags.VisitAll(func(*flag.Flag) { n++ })
	if n > 0 {
		fmt.Fprintln(w)
		flags.PrintDefaults()
	}
}
