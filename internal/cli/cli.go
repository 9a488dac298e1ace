// Package cli is the command line, with one file for each command. It reads
// flags, passes typed values from one room to the next, and returns the exit
// status.
package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/demo"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/suggest"
	"github.com/imageferry/ferry/internal/wiring"
)

// commands returns all commands in the order of "ferry help". It is a function
// because help, completion and manual list the commands, themselves included.
func commands() []*command {
	all := []*command{&copyCommand, &syncCommand, &pullCommand, &saveCommand, &verifyCommand, &serveCommand, &setupCommand, &parseCommand, &nameCommand, &doctorCommand}
	if demo.Included {
		all = append(all, &demoCommand)
	}
	return append(all, &catalogCommand, &keepCommand, &runCommand, &versionCommand, helpCommand(), completionCommand(), manualCommand())
}

func commandNames() []string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return names
}

// find returns the command of that name. The error says what to type instead.
func find(name string) (*command, error) {
	all := commands()
	if i := slices.IndexFunc(all, func(c *command) bool { return c.name == name }); i >= 0 {
		return all[i], nil
	}
	near := suggest.Nearest(name, commandNames())
	if near == "" {
		near = cmp.Or(otherWords[name], otherWords[suggest.Nearest(name, slices.Sorted(maps.Keys(otherWords)))])
	}
	switch {
	case name == demoCommand.name:
		return nil, usageError{"this build has no demo; it runs from the source: go run github.com/imageferry/ferry/cmd/ferry@latest demo"}
	case name == "login":
		return nil, usageError{`there is no command "login": Ferry uses the login of "docker login", or FERRY_USERNAME and FERRY_PASSWORD`}
	case slices.Contains([]string{"tags", "tag", "ls", "list", "list-tags"}, name):
		return nil, usageError{fmt.Sprintf(`there is no command %q: for the tags that a line such as "nginx:>=1.25" selects, write it to a file and use: ferry sync --check FILE --to TARGET`, name)}
	case near != "":
		return nil, usageError{fmt.Sprintf("unknown command %q; did you mean %q?", name, near)}
	case strings.ContainsAny(name, "/:."):
		return nil, usageError{fmt.Sprintf("unknown command %q; to mirror an image: ferry copy %s --to TARGET", name, name)}
	}
	return nil, usageError{fmt.Sprintf("unknown command %q; \"ferry help\" lists the commands", name)}
}

// otherWords are names of similar commands in other programs.
var otherWords = map[string]string{
	"cp": "copy", "mirror": "copy", "push": "copy",
	"check": "doctor", "diagnose": "doctor", "status": "doctor", "man": "manual", "completions": "completion", "rename": "name", "read": "parse",
}

// Run runs one command and returns the exit status. It has then written all
// errors to Stderr, each on one line that says what to do.
func Run(ctx context.Context, env wiring.Env) int {
	if len(env.Args) == 0 {
		printUsage(env.Stderr, language(env))
		return wiring.StatusUsage
	}
	verb, args := env.Args[0], env.Args[1:]
	switch verb {
	case "-h", "-help", "--help":
		verb = "help"
	case "-v", "-version", "--version":
		verb = "version"
	}
	in := report.Terminal{Language: language(env)}
	c, err := find(verb)
	if err != nil {
		fmt.Fprintf(env.Stderr, "ferry: %s\n", in.Message(err.Error()))
		return wiring.StatusUsage
	}
	if file := env.Getenv("FERRY_CA"); file != "" {
		if env, err = env.Trust(file); err != nil {
			fmt.Fprintf(env.Stderr, "ferry: FERRY_CA %s\n", in.Message(err.Error()))
			return wiring.StatusUsage
		}
	}
	if env.Getenv("GITHUB_ACTIONS") == "true" {
		// The runner executes commands on either stream. Commands that Ferry
		// means for the runner are written to standard output.
		defer harmless(env, &env.Stderr)()
		if !slices.Contains([]string{"run", "doctor", "sync"}, c.name) {
			defer harmless(env, &env.Stdout)()
		}
	}
	env.Stdin = input{ctx, env.Stdin}
	flags := newFlagSet(c)
	act := c.declare(env, flags)
	status := wiring.StatusUsage
	rest, err := flags.parse(args)
	if err == nil {
		status, err = act(ctx, rest)
	}
	var usage usageError
	var faults config.Faults
	switch {
	case errors.Is(err, flag.ErrHelp):
		printHelp(env.Stdout, language(env), c, flags)
		return wiring.StatusDone
	case errors.Is(err, errStopped):
		if isTerminal(env.Stdin) {
			fmt.Fprintln(env.Stderr) // the terminal has shown ^C
		}
		fmt.Fprintf(env.Stderr, "ferry %s: %s\n", c.name, in.Message(errStopped.Error()))
		return wiring.StatusInterrupted
	case errors.As(err, &usage):
		fmt.Fprintf(env.Stderr, "ferry %s: %s\n", c.name, in.Message(err.Error()))
		if !strings.HasSuffix(usage.message, "?") { // the message already says what to type
			fmt.Fprintln(env.Stderr, in.Message(fmt.Sprintf("\"ferry help %s\" explains the command", c.name)))
		}
		return wiring.StatusUsage
	case errors.As(err, &faults):
		for _, fault := range faults {
			fmt.Fprintf(env.Stderr, "ferry %s: %s\n", c.name, in.Fault(fault))
		}
	case err != nil:
		for _, line := range strings.Split(err.Error(), "\n") {
			fmt.Fprintf(env.Stderr, "ferry %s: %s\n", c.name, in.Message(line))
		}
	}
	return status
}
