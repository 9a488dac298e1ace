package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// invocation is one pasted command line after the name of the program.
type invocation struct {
	*scan
	line     *line
	inProse  bool // stands inside a sentence
	question bool // and that sentence asks for something else

	images    []token // the arguments that are images
	platforms []reference.Platform
	settings  forest
	version   string // of an image that is a link
	allTags   bool
}

// readCommands reads pasted command lines: "docker pull", "ctr -n k8s.io images
// pull", "skopeo copy", "kubectl run --image=", "helm --set". Flags and their
// values, ports, volumes, prompts and commands inside the container are not
// images. A command without an image still claims its words.
func (s *scan) readCommands() {
	joined := 0 // last of the continued lines that have been joined
	s.rest(func(i int, l *line) {
		if !namesTool(l.text) {
			return
		}
		text, last := l.text, i
		if i >= joined {
			text, last = s.continued(i)
			joined = last
		}
		if s.readCommandLine(l, maskSubstitutions(resolveLinks(text))) {
			for ; i <= last; i++ {
				s.taken[i] = true
			}
		}
	})
}

// maskSubstitutions makes one word of what a shell replaces by the output of a
// command, "$(id -u)", unless it names an image.
func maskSubstitutions(text string) string {
	for from := 0; ; {
		at := strings.Index(text[from:], "$(")
		if at < 0 {
			return text
		}
		at += from
		size := strings.IndexByte(text[at:], ')')
		if size < 0 {
			return text
		}
		if from = at + size + 1; !strings.ContainsAny(text[at:from], "/:") {
			text = text[:at] + "$" + strings.Repeat("_", size) + text[from:]
		}
	}
}

// continued joins a line with those continued by a backslash, and returns the
// index of the last one.
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

// namesTool is a cheap check whether a line has the name of a program followed
// by something.
func namesTool(text string) bool {
	if !strings.Contains(text, " ") {
		return false
	}
	for end := 0; end < len(text); end++ {
		from := end
		for end < len(text) && wordBytes[text[end]] {
			end++
		}
		word := strings.TrimLeft(text[from:end], "$#>.@")
		if programOf(word) != "" || programOf(word[strings.LastIndexByte(word, '/')+1:]) != "" {
			return true
		}
	}
	return false
}

// maxCommand is the size limit of a command continued over many lines, in
// bytes.
const maxCommand = 1 << 14

// maxFailed is how many names of programs without a command are read on one line, which
// keeps the time linear.
const maxFailed = 64

// commandLine is a line with commands while it is read.
type commandLine struct {
	*scan
	line     *line
	toks     []token
	prompt   int     // how many words are the prompt
	end      int     // the index behind the words of the command
	failed   int     // how many words were no command, but the name of a program
	question bool    // it asks for something else than what the commands do
	found    bool    // a command
	loose    []token // the words outside of the commands
	others   []token // and the marks and words in other scripts
}

// readCommandLine reads all commands on one line, of which the text may be continued on
// the next ones, and reports whether there were any.
func (s *scan) readCommandLine(l *line, text string) bool {
	said := lower(l.text)
	doubt := isQuestion(said)
	c := commandLine{scan: s, line: l, toks: mergeQuoted(text, tokens(text)), question: doubt && !isPolite(said)}
	c.prompt = promptEnd(c.toks)
	for at := 0; at < len(c.toks); {
		at = c.readAt(at)
	}
	if !c.found {
		return false
	}
	c.note(said)
	if !doubt {
		for _, t := range c.loose {
			s.offer(l, t.at, s.readWord(t.text), besideOne)
		}
	}
	return true
}

// readAt reads the command that begins at an index, or the word there, and returns the
// index behind it.
func (c *commandLine) readAt(at int) (next int) {
	t := &c.toks[at]
	if t.kind != asciiWord {
		c.others = append(c.others, *t)
		return at + 1
	}
	program := programAt(c.toks, at)
	if program == "" || c.failed == maxFailed {
		c.loose = append(c.loose, *t)
		return at + 1
	}
	if c.end <= at {
		c.end = commandEnd(c.toks, at)
	}
	inProse := !c.found && at > c.prompt || startsUpper(t.text)
	one := invocation{scan: c.scan, line: c.line, question: c.question, inProse: inProse}
	if !one.read(program, c.toks[at+1:c.end]) {
		c.failed++
		return at + 1
	}
	c.found = true
	return c.end
}

// note notes what a line with commands says of the text.
func (c *commandLine) note(said string) {
	s := c.scan
	s.defect = s.defect || c.prompt == 0 && isDefect(said)
	s.told += wordsOf(c.line, append(c.others, c.loose...), nil)
	s.pulls = s.pulls || strings.Contains(said, "pull ")
	s.wanted = s.wanted || strings.Contains(said, "image mirror ") || wantsImage(said, c.line.number == 0, 1, len(c.loose))
}

// commandEnd returns the index behind the command that begins at another one: another
// command may follow without a mark, "docker pull a docker pull b".
func commandEnd(toks []token, at int) int {
	for end := at + 1; end < len(toks); end++ {
		another := end+1 < len(toks) && toks[end+1].text == "pull" && programAt(toks, end) != ""
		if another || endsCommand(toks[end]) {
			return end
		}
	}
	return len(toks)
}

// programAt returns the program with known commands at toks[at]; empty if there
// is none.
func programAt(toks []token, at int) string {
	name := strings.TrimLeft(toks[at].text, "$#>.@")
	if at+1 < len(toks) && (toks[at+1].text == "pull" || toks[at+1].text == "run") {
		// "docker.io/docker pull a/b": a command where a name was expected.
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	return programOf(name)
}

// mergeQuoted joins the text between a pair of quotes to one argument, unless
// the quotes contain a whole command.
func mergeQuoted(text string, toks []token) []token {
	commands := quotedCommands(toks)
	out := make([]token, 0, len(toks))
	var last *token // of the joined ones
	end := 0        // of the token in front
	for _, t := range toks {
		glued := end > 0 && end < t.at && !strings.Contains(text[end:t.at], " ")
		end = t.end()
		if !commands[t.group] {
			if last != nil && last.group == t.group {
				last.extend(t)
				continue
			}
			t.kind = asciiWord
		}
		if glued && t.kind == asciiWord && last.kind == asciiWord && len(last.text) < maxWord {
			last.text += t.text // `"$PWD":/src` is one argument
			continue
		}
		out = append(out, t)
		last = &out[len(out)-1]
	}
	return out
}

// quotedCommands returns the pairs of quotes that contain a command line, which begins
// with a program, and 0 for what is outside of quotes.
func quotedCommands(toks []token) map[int]bool {
	commands, last := map[int]bool{0: true}, 0
	for _, t := range toks {
		if t.group != last && t.kind == asciiWord && programOf(strings.TrimLeft(t.text, "$#>.")) != "" {
			commands[t.group] = true
		}
		last = t.group
	}
	return commands
}

// extend adds the next token between the same quotes to an argument.
func (t *token) extend(next token) {
	if len(t.text) >= maxWord {
		return
	}
	if next.kind != separator && !strings.HasSuffix(t.text, ",") {
		t.text += " "
	}
	t.text += next.text
}

// endsCommand reports whether a token ends a command: a pipe, a semicolon, a
// redirection, a word in another script.
func endsCommand(t token) bool {
	return t.kind == separator && t.text != "," || t.kind == otherWord || t.text == ">" || t.text == "2>&1"
}

// isPlaceInFile reports whether a word is the file and the number of a line that grep
// prints in front of it: "ci/test.yaml:12:".
func isPlaceInFile(word string) bool {
	place, closed := strings.CutSuffix(word, ":")
	file, number := cutTag(place)
	return closed && file != "" && isDigits(number)
}

// promptEnd returns the index behind the words before a command: a prompt, a bullet and
// words such as "sudo": "$", "#", "root@host:~#", "1.".
func promptEnd(toks []token) int {
	for i, t := range toks {
		switch {
		case t.kind == separator:
		case slices.Contains([]string{"sudo", "time", "k3s", "microk8s", "rke2", "run:", "exec", "-", "*", "-E"}, t.text):
		case strings.ContainsAny(t.text, "$#@~>%"), isVersion(strings.TrimRight(t.text, ".")), isPlaceInFile(t.text):
		default:
			return i
		}
	}
	return len(toks)
}

// read parses the arguments of a program by the grammar of its command and
// reports whether there is one.
func (c *invocation) read(program string, args []token) bool {
	g, args := grammarOf(program, args)
	switch {
	case g == nil:
		return false
	case c.inProse && len(args) > 0 && args[0].kind != asciiWord:
		return false // "docker, a/b:1"
	case c.inProse && g == grammars()[program] && g.arg(0) == anyValue:
		return false // "please go ahead with a/b:1"
	}
	c.readArguments(g, args)
	c.scan.models = c.scan.models || modelPrograms.has(program)
	switch {
	case c.namesNothing():
		return false // "docker run fails, please mirror a/b:1"
	case c.inProse && len(c.images) == 0 && len(args) > 1 && isLetters(args[0].text) && isLetters(args[1].text):
		return false // "the docker compose files are old"
	}
	for _, t := range c.images {
		c.image(t)
	}
	c.settings.flush(c.scan)
	return true
}

// readArguments reads arguments and flags, up to the command inside of the container.
func (c *invocation) readArguments(g *grammar, args []token) {
	n := 0           // arguments so far
	last := anyValue // the kind of the last one, or of the value of the last flag
	for i := 0; i < len(args); i++ {
		t := args[i]
		switch {
		case t.kind == separator && i+1 < len(args) && args[i+1].at == t.at+1:
			i++
			c.value(last, args[i]) // "a=b,c=d" is one argument
		case t.kind == separator:
		case strings.HasPrefix(t.text, "-") && t.text != "-":
			var taken int
			last, taken = c.flag(g, t, args[i+1:])
			i += taken
		case g.arg(n) == commandValue:
			return
		default:
			last = g.arg(n)
			if !c.argument(last, t, n) {
				return
			}
			n++
		}
	}
}

// modelPrograms run models, whose names look like images.
var modelPrograms = wordSet{list: "ollama|ramalama|lms|llm|huggingface-cli"}

// namesNothing reports whether the words in the place of images belong to a
// sentence.
func (c *invocation) namesNothing() bool {
	for _, t := range c.images {
		if r := c.scan.peek(t.text); !notGuesses.has(strings.Trim(t.text, ",.:")) || r.strength > bare {
			return false
		}
	}
	return len(c.images) > 0
}

// flag parses a flag and returns the kind of its value and its number of
// arguments.
func (c *invocation) flag(g *grammar, t token, rest []token) (k kind, taken int) {
	name, value, joined := strings.Cut(strings.TrimLeft(t.text, "-"), "=")
	long := strings.HasPrefix(t.text, "--")
	k = g.flag(name)
	switch {
	case joined && value == "" && len(rest) > 0 && rest[0].quoted:
		c.value(k, rest[0])
		return k, 1
	case joined:
		c.value(k, token{text: value, at: t.at + len(t.text) - len(value)})
	case k == everyTagFlag:
		c.allTags = true
	case k == loneFlag || !long && g.isCluster(name):
	case !long && len(name) > 1 && strings.ContainsAny(name, "0123456789:/."):
		// "-p8080:80": the value follows without a space.
	case len(rest) > 0:
		c.value(k, rest[0])
		return k, 1
	}
	return k, 0
}

// argument reads the n-th argument and reports whether the command continues
// after it. "docker pull a b" names several images and "docker pull a 1.2" a
// tag, which people write although docker does not accept it; words of a
// sentence after a command are neither.
func (c *invocation) argument(k kind, t token, n int) bool {
	if k == copyValue && len(c.images) == 0 {
		k = imageValue
	}
	if k == imageValue && n > 0 && len(c.images) > 0 {
		tag, first := strings.TrimLeft(t.text, ":"), &c.images[0]
		r := c.scan.peek(t.text)
		switch {
		case programOf(t.text) != "":
			return false
		case n == 1 && (isVersion(tag) || tag == "latest") && !strings.Contains(first.text, "@"):
			first.text = strings.TrimRight(first.text, ":") + ":" + tag
			return true
		case len(r.images) == 0 || r.strength < tagged && (c.inProse || r.strength < official):
			return true
		}
	}
	c.value(k, t)
	return true
}

// value reads an argument or the value of a flag by its kind.
func (c *invocation) value(k kind, t token) {
	switch k {
	case imageValue:
		if t.text = ofShifter(t.text); !hasTransport(t.text) {
			c.images = append(c.images, t)
		}
	case linkValue:
		if strings.Contains(t.text, "://") && !strings.HasPrefix(t.text, "http") {
			c.images = append(c.images, t)
		}
	case enrootValue:
		t.text = ofEnroot(t.text)
		c.images = append(c.images, t)
	case copyValue:
		if c.isOther(t) {
			c.images = append(c.images, t)
		}
	case everyTagFlag:
		c.images, c.allTags = append(c.images, t), true
	case pairValue:
		if _, name, ok := strings.Cut(t.text, "="); ok {
			c.images = append(c.images, token{text: name, at: t.end() - len(name)})
		}
	case settingValue:
		for _, one := range strings.Split(t.text, ",") {
			if key, value, ok := strings.Cut(one, "="); ok {
				c.settings.set(strings.TrimSpace(key), strings.Trim(value, `"' `), c.line)
			}
		}
	case versionValue:
		c.version = t.text
	case platformsValue:
		c.addPlatforms(t)
	case releaseValue:
		if isVersion(t.text) {
			c.scan.release(c.line, t.at, t.text)
		}
	case anyValue, targetValue, commandValue, loneFlag: // not an image
	}
}

// ofShifter returns the image of an argument of Shifter, "docker:ubuntu:22.04". Only in
// its commands the name needs no slash.
func ofShifter(text string) string {
	name, ok := strings.CutPrefix(text, "docker:")
	if !ok || strings.HasPrefix(name, "//") || !strings.ContainsAny(name, "/:") {
		return text
	}
	return name
}

// ofEnroot returns the image of an argument of enroot: "docker://ghcr.io#a/b:1".
func ofEnroot(text string) string {
	if _, name, linked := strings.Cut(text, "://"); linked {
		text = name
	}
	return strings.Replace(text, "#", "/", 1)
}

// isOther reports whether an argument is an image, and not the place to copy the first
// one to.
func (c *invocation) isOther(t token) bool {
	one, first := c.scan.peek(t.text), c.scan.peek(c.images[0].text)
	return len(one.images) == 1 && len(first.images) == 1 && !isTarget(one.images[0].Reference, first.images[0].Reference)
}

// addPlatforms adds the platforms of an argument to those of the images.
func (c *invocation) addPlatforms(t token) {
	platforms, problem := platformValue(t.text)
	c.platforms = addPlatform(c.platforms, platforms...)
	if problem != nil {
		c.scan.flaw(c.line, t.at, *problem)
	}
}

// transports are sources of images other than registries.
const transports = wordList("transports")

// hasTransport reports whether a tool would read an argument from another
// source than a registry.
func hasTransport(text string) bool {
	return !strings.HasPrefix(text, "oci://") && slices.ContainsFunc(transports.words(), func(t string) bool { return strings.HasPrefix(text, t) })
}

// image reads an argument that can only be an image.
func (c *invocation) image(t token) {
	t.text, _, _ = strings.Cut(t.text, "|") // a pipe
	if c.version != "" && strings.HasPrefix(t.text, "oci://") && !isComplete(t.text) {
		t.text += ":" + c.version
	}
	r := c.scan.readWord(t.text)
	switch {
	case c.question && r.strength == bare && c.inProse: // "does docker pull through a proxy"
		return
	case c.question && len(r.images) > 0:
		c.scan.question, c.scan.pulls = true, true
		c.scan.flaw(c.line, t.at, Problem{Code: Ambiguous, Written: clip(t.text), Suggestion: r.images[0].Reference.String()})
		return
	case r.strength == bare && (c.inProse || strings.HasSuffix(t.text, ":")): // "Docker Pull Spec: …"
		return
	case notGuesses.has(t.text) && !known.IsOfficial(t.text): // "docker pull timeout"
		return
	case c.allTags && len(r.images) == 1:
		p := allTags(r.images[0].Reference)
		p.Written = clip(t.text)
		c.scan.flaw(c.line, t.at, *p)
		return
	case r.strength == nothing && r.problem == nil && strings.ContainsAny(t.text, "$<{") && len(t.text) > 2:
		r = placeholder(t.text)
	}
	for i := range r.images {
		if len(r.images[i].Platforms) == 0 {
			r.images[i].Platforms = c.platforms
		}
	}
	where := inCommand
	if c.inProse {
		where = inSpoken
	}
	c.scan.offer(c.line, t.at, r, where)
}
