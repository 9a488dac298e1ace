package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// invocation is one pasted command line behind the name of its tool.
type invocation struct {
	*scan
	line     line
	args     []token
	inProse  bool // stands inside a sentence
	question bool // and that sentence asks for something else

	positional []token
	flags      []flagValue
	platforms  []reference.Platform
	allTags    bool
}

// flagValue is a flag with its value.
type flagValue struct {
	name  string // without dashes
	value token
}

// readCommands reads pasted command lines: "docker pull", "ctr -n k8s.io
// images pull", "skopeo copy", "kubectl run --image=", "helm --set". Flags and
// their values, ports, volumes, prompts and what runs inside the container are
// no images; a command that names none takes its words all the same.
func (s *scan) readCommands() {
	joined := 0 // the line up to which continued lines were already put together
	s.rest(func(i int, l line) {
		if !namesTool(l.text) {
			return
		}
		text, last := l.text, i
		if i >= joined {
			text, last = s.continued(i)
			joined = last
		}
		if text = resolveLinks(text); s.readCommandLine(l, text, tokens(text)) {
			for ; i <= last; i++ {
				s.taken[i] = true
			}
		}
	})
}

// continued puts a line together with those that go on behind a backslash, and
// returns the index of the last.
func (s *scan) continued(i int) (text string, last int) {
	var b strings.Builder
	for last = i; ; last++ {
		line := s.lines[last].text
		if last > i {
			line = " " + strings.TrimSpace(line)
		}
		head, more := strings.CutSuffix(line, "\\")
		b.WriteString(head)
		if !more || last+1 == len(s.lines) || b.Len() > maxCommand {
			return b.String(), last
		}
	}
}

// namesTool tells cheaply whether a line has the name of a program and something behind it.
func namesTool(text string) bool {
	if !strings.Contains(text, " ") {
		return false
	}
	for end := 0; end < len(text); end++ {
		from := end
		for end < len(text) && wordBytes[text[end]] {
			end++
		}
		if word := text[from:end]; word != "" && toolOf(strings.TrimLeft(word[strings.LastIndexByte(word, '/')+1:], "$#>.")) != nil {
			return true
		}
	}
	return false
}

// maxCommand bounds a command that is continued over many lines, in bytes.
const maxCommand = 1 << 14

// readCommandLine reads all commands on one line and reports whether there were any.
func (s *scan) readCommandLine(l line, text string, toks []token) bool {
	said := lower(l.text)
	found, doubt := false, isQuestion(said)
	question := doubt && !isPolite(said)
	var loose []token
	toks = mergeQuoted(text, toks)
	for at := 0; at < len(toks); at++ {
		if toks[at].kind != asciiWord {
			continue
		}
		run := toolAt(toks, at)
		if run == nil {
			loose = append(loose, toks[at])
			continue
		}
		end := at + 1
		for end < len(toks) && !endsCommand(toks[end]) && (end+1 == len(toks) || toks[end+1].text != "pull" || toolAt(toks, end) == nil) {
			end++
		}
		c := invocation{scan: s, line: l, args: toks[at+1 : end]}
		c.inProse = !isPrompt(toks[:at]) && !found
		c.question = question
		if run(&c) {
			found = true
			at = end - 1
		}
	}
	for _, t := range loose {
		if found && !doubt {
			s.take(l, t.at, s.readWord(t.text), certain, embedded)
		}
	}
	return found
}

// toolAt is the reader for the program that toks[at] names.
func toolAt(toks []token, at int) func(*invocation) bool {
	name := strings.TrimLeft(toks[at].text, "$#>.")
	if at+1 < len(toks) && (toks[at+1].text == "pull" || toks[at+1].text == "run") {
		// "docker.io/docker pull a/b": a command where a name was asked for.
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	return toolOf(name)
}

// mergeQuoted makes one argument of what stands between one pair of quotes,
// but for quotes that whole commands stand in.
func mergeQuoted(text string, toks []token) []token {
	commands, last := map[int]bool{0: true}, 0
	for _, t := range toks {
		// A command line in quotes begins with its program.
		if t.group != 0 && t.group != last && t.kind == asciiWord && toolOf(strings.TrimLeft(t.text, "$#>.")) != nil {
			commands[t.group] = true
		}
		last = t.group
	}
	end := 0
	out := make([]token, 0, len(toks))
	for _, t := range toks {
		if n := len(out); n > 0 && !commands[t.group] && out[n-1].group == t.group {
			if last := &out[n-1]; len(last.text) < maxWord {
				if t.kind != separator && !strings.HasSuffix(last.text, ",") {
					last.text += " "
				}
				last.text += t.text
			}
			end = t.at + len(t.text)
			continue
		}
		if !commands[t.group] {
			t.kind = asciiWord
		}
		glued := end > 0 && end < t.at && !strings.Contains(text[end:t.at], " ")
		end = t.at + len(t.text)
		if n := len(out); n > 0 && glued && t.kind == asciiWord && out[n-1].kind == asciiWord && len(out[n-1].text) < maxWord {
			out[n-1].text += t.text // `"$PWD":/src` is one argument
			continue
		}
		out = append(out, t)
	}
	return out
}

// endsCommand reports whether a token ends a command: a pipe, a semicolon, a
// redirection, the word of a sentence in another script.
func endsCommand(t token) bool {
	return t.kind == separator && t.text != "," || t.kind == otherWord || t.text == ">" || t.text == "2>&1"
}

// isPrompt reports whether nothing but a prompt, a bullet and words such as
// "sudo" stand in front of a command: "$", "#", "root@host:~#", "1.".
func isPrompt(before []token) bool {
	for _, t := range before {
		switch {
		case t.kind == separator:
		case slices.Contains([]string{"sudo", "time", "k3s", "microk8s", "rke2", "run:", "exec", "-", "*", "-E"}, t.text):
		case strings.ContainsAny(t.text, "$#@~>%"), isVersion(strings.TrimRight(t.text, ".")):
		default:
			return false
		}
	}
	return true
}

// parse sorts the arguments into flags and positional ones and stops at the
// most-th positional; a negative most is all. Flags in lone take no value.
func (c *invocation) parse(lone map[string]bool, most int) {
	for i := 0; i < len(c.args); i++ {
		t := c.args[i]
		if t.kind == separator {
			continue
		}
		if !strings.HasPrefix(t.text, "-") || t.text == "-" {
			if c.positional = append(c.positional, t); len(c.positional) == most {
				c.args = c.args[i+1:]
				return
			}
			continue
		}
		long := strings.HasPrefix(t.text, "--")
		name, value, joined := strings.Cut(strings.TrimLeft(t.text, "-"), "=")
		switch {
		case joined && value == "" && i+1 < len(c.args) && c.args[i+1].quoted:
			i++
			c.flag(name, c.args[i])
		case joined:
			c.flag(name, token{text: value, at: t.at})
		case lone[name] || !long && isCluster(name, lone):
			c.allTags = c.allTags || name == "a" || name == "all-tags"
		case !long && len(name) > 1 && strings.ContainsAny(name, "0123456789:/."):
			// "-p8080:80": the value is glued on.
		case i+1 < len(c.args):
			i++
			c.flag(name, c.args[i])
		}
	}
	c.args = nil
}

// source sorts the arguments of a command that moves one image. Its first one
// is that image; the others are returned. Flags may stand behind it.
func (c *invocation) source() (others []token) {
	c.parse(loneMove, -1)
	if len(c.positional) > 1 {
		others = c.positional[1:]
		c.positional = c.positional[:1:1]
	}
	return others
}

// isCluster reports whether a short flag is several lone ones: "-itd".
func isCluster(name string, lone map[string]bool) bool {
	for i := range len(name) {
		if !lone[name[i:i+1]] {
			return false
		}
	}
	return name != ""
}

func (c *invocation) flag(name string, value token) {
	if name == "platform" || name == "arch" || name == "override-arch" {
		platforms, problem := platformValue(value.text)
		c.platforms = addPlatform(c.platforms, platforms...)
		if problem != nil {
			c.scan.flaw(c.line, value.at, *problem, tagged)
		}
	}
	c.flags = append(c.flags, flagValue{name, value})
}

// verb takes the sub-command off, behind global flags and groups.
func (c *invocation) verb(groups ...string) string {
	for i := 0; i < len(c.args); i++ {
		text := c.args[i].text
		switch {
		case strings.HasPrefix(text, "-"):
			if !strings.Contains(text, "=") && !loneMove[strings.TrimLeft(text, "-")] {
				i++
			}
		case slices.Contains(groups, text):
		default:
			c.args = c.args[i+1:]
			return strings.ToLower(text)
		}
	}
	return ""
}

// images takes every positional argument, each of which can only be an image.
func (c *invocation) images() bool {
	for _, t := range c.positional {
		c.image(t)
	}
	return true
}

// image takes an argument that can only be an image.
func (c *invocation) image(t token) {
	r := c.scan.readWord(t.text)
	switch {
	case c.question && len(r.images) > 0:
		c.scan.question = true
		c.scan.flaw(c.line, t.at, Problem{Code: Ambiguous, Written: clip(t.text), Suggestion: r.images[0].Reference.String()}, r.weight)
		return
	case r.weight == bare && (c.inProse || strings.HasSuffix(t.text, ":")): // "Docker Pull Spec: …"
		return
	case notGuesses[t.text] && !officialImages[t.text]: // "docker pull timeout"
		return
	case c.allTags && len(r.images) == 1:
		p := allTags(r.images[0].Reference)
		p.Written = clip(t.text)
		c.scan.flaw(c.line, t.at, *p, r.weight)
		return
	case r.weight == nothing && r.problem == nil && strings.ContainsAny(t.text, "$<{") && len(t.text) > 2:
		r = placeholder(t.text)
	}
	for i := range r.images {
		if len(r.images[i].Platforms) == 0 {
			r.images[i].Platforms = c.platforms
		}
	}
	how := pasted
	if c.inProse {
		how = embedded
	}
	c.scan.take(c.line, t.at, r, bare, how)
}
