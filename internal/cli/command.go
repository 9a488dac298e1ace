package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/suggest"
	"github.com/imageferry/ferry/internal/wiring"
)

// command is a command of the program. The help, the manual and the completions
// are made from its texts and those in the folder texts.
type command struct {
	name    string
	args    string   // those that are no flags: "SRC..."
	summary string   // one line, without a full stop
	words   []string // allowed values of the first argument; nil for any

	// declare adds the flags and returns the action to run once they are read.
	declare func(env wiring.Env, flags *flagSet) action
}

// action runs a command with the arguments that are not flags, and returns the
// exit status.
type action func(ctx context.Context, args []string) (int, error)

// usageError is a mistake in the command line, with a suggestion if there is
// one.
type usageError struct{ message string }

func (e usageError) Error() string { return e.message }

// flagSet is the flags of one command. A flag may have a one-letter form and a
// fixed set of values.
type flagSet struct {
	*flag.FlagSet
	letters map[string]string   // by the long name
	values  map[string][]string // the same
}

func newFlagSet(c *command) *flagSet {
	f := &flagSet{flag.NewFlagSet("ferry "+c.name, flag.ContinueOnError), map[string]string{}, map[string][]string{}}
	f.SetOutput(io.Discard) // Run prints mistakes
	return f
}

// letter adds a one-letter form to a flag.
func (f *flagSet) letter(long, letter string) {
	of := f.Lookup(long)
	f.Var(of.Value, letter, of.Usage)
	f.letters[long] = letter
}

// list returns the flags by their long names, in alphabetical order.
func (f *flagSet) list() []*flag.Flag {
	var all []*flag.Flag
	f.VisitAll(func(g *flag.Flag) {
		if len(g.Name) > 1 {
			all = append(all, g)
		}
	})
	return all
}

// spelled returns the forms of a flag: "-t", "--to".
func (f *flagSet) spelled(g *flag.Flag) []string {
	if letter := f.letters[g.Name]; letter != "" {
		return []string{"-" + letter, "--" + g.Name}
	}
	return []string{"--" + g.Name}
}

// parse reads flags anywhere among the arguments, and returns the arguments
// that are not flags. After "--" everything is an argument, and so is a pasted
// list item ("- nginx").
func (f *flagSet) parse(args []string) ([]string, error) {
	isItem := func(arg string) bool { return strings.HasPrefix(arg, "- ") }
	if i := slices.IndexFunc(args, isItem); i >= 0 && !slices.Contains(args[:i], "--") {
		before, err := f.parse(args[:i])
		if err != nil {
			return nil, err
		}
		after, err := f.parse(args[i+1:])
		return slices.Concat(before, args[i:i+1], after), err
	}
	if err := f.missing(args); err != nil {
		return nil, err
	}
	var rest []string
	for {
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, usageError{f.mistake(err)}
		}
		left := f.Args()
		if len(left) == 0 {
			return rest, nil
		}
		if parsed := len(args) - len(left); parsed > 0 && args[parsed-1] == "--" {
			return append(rest, left...), nil
		}
		rest, args = append(rest, left[0]), left[1:]
	}
}

// missing returns an error if a flag takes the place of another one's value:
// "--plain-http --to docker.io/me".
func (f *flagSet) missing(args []string) error {
	for i := 0; i+1 < len(args) && args[i] != "--"; i++ {
		name := strings.TrimLeft(args[i], "-")
		g := f.Lookup(name)
		if args[i] == name || g == nil {
			continue
		}
		if b, ok := g.Value.(interface{ IsBoolFlag() bool }); ok && b.IsBoolFlag() {
			continue
		}
		i++
		next := args[i]
		if len(next) > 2 && strings.HasPrefix(next, "--") || len(next) == 2 && next[0] == '-' && f.Lookup(next[1:]) != nil {
			value, _ := flag.UnquoteUsage(g)
			next, _, _ = strings.Cut(next, "=")
			return usageError{fmt.Sprintf("%s needs a value, but %s follows it; write %s=%s", dashed(name), next, dashed(name), strings.ToUpper(value))}
		}
	}
	return nil
}

// mistake rewords an error of the flag package.
func (f *flagSet) mistake(err error) string {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		var long []string
		for _, g := range f.list() {
			long = append(long, g.Name)
		}
		near := suggest.Nearest(name, long)
		for _, other := range otherFlags[name] {
			if near == "" && slices.Contains(long, other) {
				near = other
			}
		}
		if near != "" {
			return fmt.Sprintf("unknown flag %s; did you mean --%s?", dashed(name), near)
		}
		if hint := hints[strings.TrimSuffix(name, "-stdin")]; hint.text != "" && (hint.flag == "" || slices.Contains(long, hint.flag)) {
			return fmt.Sprintf("unknown flag %s; %s", dashed(name), hint.text)
		}
		return "unknown flag " + dashed(name)
	}
	if rest, ok := strings.CutPrefix(text, "invalid boolean value "); ok {
		value, rest, _ := strings.Cut(rest, " for -")
		name, _, _ := strings.Cut(rest, ":")
		return fmt.Sprintf("%s is %s; write true or false, or the flag alone", dashed(name), value)
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return dashed(name) + " needs a value"
	}
	return text
}

// otherFlags are names of similar flags in other programs.
var otherFlags = map[string][]string{
	"target": {"to", "from"}, "targets": {"to", "from"}, "dry-run": {"check"}, "dryrun": {"check"}, "dest": {"to"}, "destination": {"to"}, "source": {"from"}, "mirror": {"from"},
	"output": {"json"}, "format": {"json"}, "arch": {"platform"}, "list": {"file"},
}

// hints are what to use instead of flags of other programs, in commands that
// have the flag, if it is not empty.
var hints = map[string]struct{ flag, text string }{
	"insecure": {"plain-http", noTLS}, "tls-verify": {"plain-http", noTLS}, "src-tls-verify": {"plain-http", noTLS}, "dest-tls-verify": {"plain-http", noTLS},
	"username": {"", login}, "user": {"", login}, "password": {"", login}, "creds": {"", login}, "dest-creds": {"", login},
	"dry-run": {"to", parseFirst}, "dryrun": {"to", parseFirst},
}

const (
	noTLS      = "a host without TLS is named by --plain-http HOST, and your certificate authority by --ca FILE or FERRY_CA"
	login      = `Ferry uses the login of "docker login", or FERRY_USERNAME and FERRY_PASSWORD`
	parseFirst = "\"ferry parse\" shows which images a text names, without copying them"
)

// wordAmong returns the mistake that an argument is none of words; what says
// which are possible.
func wordAmong(written string, words []string, what string) usageError {
	if near := suggest.Nearest(written, words); near != "" {
		return usageError{fmt.Sprintf("unknown word %q; did you mean %q?", written, near)}
	}
	return usageError{what + strings.Join(words, ", ")}
}

// dashed returns a flag with two dashes, or with one if it is a letter.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// list is a flag that may be repeated.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

// hosts are the flags that make exceptions for hosts.
type hosts struct{ private, plain list }

func (h *hosts) declare(flags *flagSet) {
	flags.Var(&h.private, "private", "`host` that may be on a loopback or private address; may be repeated")
	flags.Var(&h.plain, "plain-http", "`host` to connect to without TLS; may be repeated")
}

// declareCA adds the flag --ca, whose value trust takes.
func declareCA(flags *flagSet, ca *string) {
	flags.StringVar(ca, "ca", "", "`file` with certificate authorities to trust besides the system's, in PEM (or FERRY_CA)")
}

// trust adds the authorities of --ca to those that env trusts.
func trust(env wiring.Env, ca string) (wiring.Env, error) {
	if ca == "" {
		return env, nil
	}
	env, err := env.Trust(ca)
	if err != nil {
		return env, fmt.Errorf("--ca %w", err)
	}
	return env, nil
}

// noArguments returns an error if a command without arguments is given some.
func noArguments(args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageError{fmt.Sprintf("the command takes no arguments, but got %q", args[0])}
}
