package cli

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/imageferry/ferry/internal/demo"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/texts"
	"github.com/imageferry/ferry/internal/wiring"
)

const (
	about    = "Ferry mirrors container images to registries that people can reach."
	statuses = "Exit status: 0 all done, 1 something failed, 2 wrong usage or configuration,\n3 nothing to do, 130 interrupted."
	begin    = "\"ferry help COMMAND\" explains a command. Examples:"

	usageIs, flagsAre, defaultIs = "usage: ", "Flags:", " (default %s)"
)

func helpCommand() *command {
	return &command{
		name:    "help",
		args:    "[COMMAND]",
		summary: "list the commands, or explain one",
		declare: func(env wiring.Env, _ *flagSet) action {
			return func(_ context.Context, args []string) (int, error) {
				if len(args) == 0 {
					printUsage(env.Stdout, language(env))
					return wiring.StatusDone, nil
				}
				c, err := find(args[0])
				if err != nil {
					fmt.Fprintf(env.Stderr, "ferry: %s\n", report.Terminal{Language: language(env)}.Message(err.Error()))
					return wiring.StatusUsage, nil
				}
				flags := newFlagSet(c)
				c.declare(env, flags)
				printHelp(env.Stdout, language(env), c, flags)
				return wiring.StatusDone, nil
			}
		},
	}
}

func printUsage(w io.Writer, language string) {
	in := translator(language)
	fmt.Fprintf(w, "%s\n\n%sferry COMMAND [FLAGS] [ARGUMENTS]\n\n", in(about), in(usageIs))
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-10s  %s\n", c.name, in(c.summary))
	}
	fmt.Fprintf(w, "\n%s\n\n", in(begin))
	if demo.Included {
		fmt.Fprintln(w, "  ferry demo")
	}
	fmt.Fprintf(w, "  ferry copy registry.k8s.io/pause:3.9 --to docker.io/USER\n\n%s\n", in(statuses))
}

func printHelp(w io.Writer, language string, c *command, flags *flagSet) {
	in := translator(language)
	fmt.Fprintf(w, "%s%s\n\n%s\n", in(usageIs), synopsis(c, flags), c.help(language))
	all := flags.list()
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", in(flagsAre))
	for _, g := range all {
		value, usage := unquoted(g, in)
		letter := "    "
		if l := flags.letters[g.Name]; l != "" {
			letter = "-" + l + ", "
		}
		fmt.Fprintf(w, "  %s--%s%s\n", letter, g.Name, value)
		fmt.Fprintf(w, "          %s\n", usage)
	}
}

var (
	//go:embed texts/help.txt
	helpInEnglish string
	//go:embed texts/help.zh.txt
	helpInChinese string
)

// help returns what the command does in a language, "zh" or "en": the lines below
// "=== NAME", of at most 84 columns, in Chinese 110.
func (c *command) help(language string) string {
	all := helpInEnglish
	if language == "zh" {
		all = helpInChinese
	}
	_, text, _ := strings.Cut(texts.Unpack(all), "=== "+c.name+"\n")
	text, _, _ = strings.Cut(text, "\n=== ")
	return strings.TrimSpace(text)
}

// synopsis returns the usage line of a command.
func synopsis(c *command, flags *flagSet) string {
	parts := []string{"ferry", c.name}
	if len(flags.list()) > 0 {
		parts = append(parts, "[FLAGS]")
	}
	if c.args != "" {
		parts = append(parts, c.args)
	}
	return strings.Join(parts, " ")
}

// unquoted returns the name of a flag's value, with a space before it, and its
// usage with the default, translated by in.
func unquoted(g *flag.Flag, in func(string) string) (value, usage string) {
	translated := *g
	translated.Usage = in(g.Usage)
	value, usage = flag.UnquoteUsage(&translated)
	if upper := strings.ToUpper(value); value != "" {
		if translated.Usage != g.Usage { // an English word in Chinese is no part of the sentence
			usage = strings.Replace(usage, value, upper, 1)
		}
		value = " " + upper
	}
	if g.DefValue != "" && g.DefValue != "false" {
		usage += fmt.Sprintf(in(defaultIs), g.DefValue)
	}
	return value, usage
}
