package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/wiring"
)

// completers write the completion script of each shell.
var completers = []struct {
	shell string
	write func(io.Writer, []completion)
}{
	{"bash", completeBash}, {"zsh", completeZsh}, {"fish", completeFish}, {"powershell", completePowerShell},
}

func completionCommand() *command {
	var shells []string
	for _, c := range completers {
		shells = append(shells, c.shell)
	}
	return &command{
		name:    "completion",
		args:    strings.Join(shells, "|") + "|images",
		summary: "print the completion script of a shell",
		words:   append(slices.Clone(shells), "images"),
		declare: func(env wiring.Env, flags *flagSet) action {
			site := flags.String("catalog", "", "`address` of a catalog, such as https://alice.github.io/ferry: read the images that it has")
			return func(ctx context.Context, args []string) (int, error) {
				if len(args) > 0 && args[0] == "images" {
					if *site == "" {
						return wiring.StatusDone, printSeen(env, strings.Join(args[1:], ""))
					}
					n, err := seeImages(ctx, env, *site)
					if err != nil {
						return wiring.StatusFailed, err
					}
					say(env, env.Stdout, "%d images\n", n)
					return wiring.StatusDone, nil
				}
				if len(args) == 1 {
					for _, c := range completers {
						if c.shell == args[0] {
							c.write(env.Stdout, completions(env))
							return wiring.StatusDone, nil
						}
					}
				}
				return wiring.StatusUsage, wordAmong(strings.Join(args, " "), shells, "give the name of one shell: ")
			}
		},
	}
}

// completion has the flags and words that can follow one command.
type completion struct {
	name, summary string
	words         []string
	images        bool // its arguments are images
	flags         []flagCompletion
}

type flagCompletion struct {
	spelled []string // "-t", "--to"
	usage   string
	takes   bool     // it needs a value
	values  []string // allowed values; nil for any
	file    bool     // the value is the name of a file
}

func completions(env wiring.Env) []completion {
	var all []completion
	for _, c := range commands() {
		flags := newFlagSet(c)
		c.declare(env, flags)
		done := completion{name: c.name, summary: c.summary, words: c.words, images: strings.HasPrefix(c.args, "IMAGE") || strings.HasPrefix(c.args, "REF")}
		if c.name == "help" {
			done.words = commandNames()
		}
		for _, g := range flags.list() {
			value, usage := flag.UnquoteUsage(g)
			done.flags = append(done.flags, flagCompletion{
				spelled: flags.spelled(g), usage: usage, takes: value != "", values: flags.values[g.Name], file: value == "file",
			})
		}
		all = append(all, done)
	}
	return all
}

// all returns the words that can follow the command.
func (c completion) all() string {
	words := append([]string{}, c.words...)
	for _, f := range c.flags {
		words = append(words, f.spelled...)
	}
	return strings.Join(append(words, "--help"), " ")
}

func completeBash(w io.Writer, all []completion) {
	var names []string
	for _, c := range all {
		names = append(names, c.name)
	}
	fmt.Fprintf(w, `# bash completion for ferry
# mapfile came with bash 4, macOS has bash 3.2.
_ferry_reply() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("$line"); done
}
# To bash, a colon ends a word.
_ferry_images() {
  local typed=${COMP_LINE:0:COMP_POINT} line
  typed=${typed##* }
  [[ $typed == -* ]] && return
  while IFS= read -r line; do printf '%%s\n' "${line#"${typed%%"${typed##*:}"}"}"; done < <(ferry completion images "$typed" 2>/dev/null)
}
_ferry() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _ferry_reply < <(compgen -W %q -- "$word")
    return
  fi
  case ${COMP_WORDS[1]}$'\t'$before in
`, strings.Join(names, " "))
	for _, c := range all {
		for _, f := range c.flags {
			if !f.takes {
				continue
			}
			var patterns []string
			for _, s := range f.spelled {
				patterns = append(patterns, c.name+"$'\\t'"+s)
			}
			with := fmt.Sprintf("-W %q", strings.Join(f.values, " "))
			if f.file {
				with = "-f"
			}
			fmt.Fprintf(w, "    %s) _ferry_reply < <(compgen %s -- \"$word\"); return ;;\n", strings.Join(patterns, "|"), with)
		}
	}
	fmt.Fprint(w, "  esac\n  case ${COMP_WORDS[1]} in\n")
	for _, c := range all {
		more := ""
		if c.images {
			more = "; _ferry_images"
		}
		fmt.Fprintf(w, "    %s) _ferry_reply < <(compgen -W %q -- \"$word\"%s) ;;\n", c.name, c.all(), more)
	}
	fmt.Fprint(w, "  esac\n}\ncomplete -F _ferry ferry\n")
}

// quoted returns text in single quotes. Single quotes inside it are replaced.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "’") + "'" }

func completeZsh(w io.Writer, all []completion) {
	// Brackets and colons are special in the specifications of _arguments.
	plain := strings.NewReplacer("[", "(", "]", ")", ":", ",")
	fmt.Fprint(w, "#compdef ferry\n_ferry_images() { compadd -- ${(f)\"$(ferry completion images $PREFIX 2>/dev/null)\"} }\n_ferry() {\n  if ((CURRENT == 2)); then\n    local -a commands=(\n")
	for _, c := range all {
		fmt.Fprintf(w, "      %s\n", quoted(c.name+":"+plain.Replace(c.summary)))
	}
	fmt.Fprint(w, "    )\n    _describe command commands\n    return\n  fi\n  local command=$words[2]\n  shift words\n  ((CURRENT--))\n  case $command in\n")
	for _, c := range all {
		fmt.Fprintf(w, "    %s) _arguments", c.name)
		for _, f := range c.flags {
			for _, s := range f.spelled {
				spec := s + "[" + plain.Replace(f.usage) + "]"
				switch {
				case f.file:
					spec += ":file:_files"
				case len(f.values) > 0:
					spec += ":value:(" + strings.Join(f.values, " ") + ")"
				case f.takes:
					spec += ":value: "
				}
				fmt.Fprintf(w, " %s", quoted(spec))
			}
		}
		if len(c.words) > 0 {
			fmt.Fprintf(w, " %s", quoted("1:word:("+strings.Join(c.words, " ")+")"))
		}
		if c.images {
			fmt.Fprint(w, " '*:image:_ferry_images'")
		}
		fmt.Fprint(w, " '--help[explain the command]' ;;\n")
	}
	fmt.Fprint(w, "  esac\n}\nif [[ $funcstack[1] == _ferry ]]; then _ferry; else compdef _ferry ferry; fi\n")
}

func completeFish(w io.Writer, all []completion) {
	fmt.Fprint(w, "# fish completion for ferry\ncomplete -c ferry -f\n")
	for _, c := range all {
		fmt.Fprintf(w, "complete -c ferry -n __fish_use_subcommand -a %s -d %s\n", c.name, quoted(c.summary))
		when := quoted("__fish_seen_subcommand_from " + c.name)
		if len(c.words) > 0 {
			fmt.Fprintf(w, "complete -c ferry -n %s -a %s\n", when, quoted(strings.Join(c.words, " ")))
		}
		if c.images {
			fmt.Fprintf(w, "complete -c ferry -n %s -a '(ferry completion images (commandline -ct) 2>/dev/null)'\n", when)
		}
		for _, f := range c.flags {
			fmt.Fprintf(w, "complete -c ferry -n %s", when)
			for _, s := range f.spelled {
				if name, ok := strings.CutPrefix(s, "--"); ok {
					fmt.Fprintf(w, " -l %s", name)
				} else {
					fmt.Fprintf(w, " -s %s", s[1:])
				}
			}
			switch {
			case f.file:
				fmt.Fprint(w, " -r -F")
			case len(f.values) > 0:
				fmt.Fprintf(w, " -x -a %s", quoted(strings.Join(f.values, " ")))
			case f.takes:
				fmt.Fprint(w, " -x")
			}
			fmt.Fprintf(w, " -d %s\n", quoted(f.usage))
		}
	}
}

func completePowerShell(w io.Writer, all []completion) {
	fmt.Fprint(w, `# PowerShell completion for ferry
Register-ArgumentCompleter -Native -CommandName ferry -ScriptBlock {
  param($word, $ast, $cursor)
  $words = @($ast.CommandElements | ForEach-Object { $_.ToString() })
  $before = if ($word) { $words.Count - 1 } else { $words.Count }
  $found = if ($before -le 1) {
`)
	var names []string
	for _, c := range all {
		names = append(names, quoted(c.name))
	}
	fmt.Fprintf(w, "    @(%s)\n  } else {\n    switch ($words[1]) {\n", strings.Join(names, ", "))
	for _, c := range all {
		var options []string
		for _, word := range strings.Fields(c.all()) {
			options = append(options, quoted(word))
		}
		fmt.Fprintf(w, "      %s {\n", quoted(c.name))
		for _, f := range c.flags {
			if len(f.values) == 0 {
				continue
			}
			var flags, values []string
			for _, s := range f.spelled {
				flags = append(flags, quoted(s))
			}
			for _, v := range f.values {
				values = append(values, quoted(v))
			}
			fmt.Fprintf(w, "        if ($words[$before - 1] -in @(%s)) { @(%s); break }\n", strings.Join(flags, ", "), strings.Join(values, ", "))
		}
		fmt.Fprintf(w, "        @(%s)\n", strings.Join(options, ", "))
		if c.images {
			fmt.Fprint(w, "        if ($word -notlike '-*') { ferry completion images $word }\n")
		}
		fmt.Fprint(w, "      }\n")
	}
	fmt.Fprint(w, `    }
  }
  $found | Where-Object { $_ -like "$word*" } | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
}
`)
}
