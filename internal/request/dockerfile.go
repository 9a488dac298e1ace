package request

import "strings"

// instructions are those of a Dockerfile besides FROM.
var instructions = wordSet{list: "instructions"} // those of an Earthfile; "SAVE IMAGE" names a target

// dockerfile is what the lines of a Dockerfile have said so far.
type dockerfile struct {
	*scan
	args      map[string]string // the default values of arguments
	stages    map[string]bool   // the names of stages, which are no images
	inside    bool              // behind the first FROM
	continued bool              // the next line continues the instruction
}

// readDockerfiles reads "FROM [--platform=…] image [AS stage]" with the
// defaults of "ARG", and "COPY --from=image". Stages are not images.
func (s *scan) readDockerfiles() {
	d := dockerfile{scan: s, args: map[string]string{}, stages: map[string]bool{"scratch": true}}
	for i := range s.lines {
		l := &s.lines[i]
		text := withoutStep(l.text)
		if s.readSyntax(i) || s.taken[i] || len(text) > maxWord || !d.inside && !startsDockerfile(text) {
			continue
		}
		if fields := strings.Fields(text); len(fields) > 0 {
			s.taken[i] = d.read(l, fields)
		}
	}
}

// read reads the words of a line and reports whether it belongs to the file.
func (d *dockerfile) read(l *line, fields []string) bool {
	continues := d.continued
	d.continued = d.inside && strings.HasSuffix(l.text, "\\")
	if continues {
		return true
	}
	switch word := strings.ToUpper(fields[0]); {
	case word == "ARG" && len(fields) == 2:
		name, value, ok := strings.Cut(fields[1], "=")
		if ok {
			d.args[name] = strings.Trim(value, `"'`)
		}
		return ok
	case word == "FROM" && d.readFrom(l, fields[1:]):
		d.inside = true
		return true
	case d.inside && instructions.has(word):
		for _, f := range fields {
			d.readCopy(l, f)
		}
		return true
	}
	d.continued = false
	return false
}

// readCopy reads the image of an option of COPY or RUN: "--from=a/b:1",
// "--mount=type=bind,from=a/b:1".
func (d *dockerfile) readCopy(l *line, option string) {
	image, ok := strings.CutPrefix(option, "--from=")
	if mount, isMount := strings.CutPrefix(option, "--mount="); isMount {
		_, image, ok = strings.Cut(","+mount, ",from=")
		image, _, _ = strings.Cut(image, ",")
	}
	if ok && !d.stages[image] && !isDigits(image) {
		d.scan.offer(l, strings.Index(l.text, option), d.scan.readWord(substituteArgs(image, d.args)), inCopyFrom)
	}
}

// readSyntax reads "# syntax=docker/dockerfile:1" at the beginning of a
// Dockerfile.
func (s *scan) readSyntax(i int) bool {
	l := &s.lines[i]
	text, ok := strings.CutPrefix(strings.TrimLeft(l.text, "# "), "syntax")
	if !strings.HasPrefix(strings.TrimLeft(l.text, " "), "#") || !ok {
		return false
	}
	if _, name, ok := strings.Cut(text, "="); ok {
		name = strings.TrimSpace(name)
		s.taken[i] = s.offer(l, strings.Index(l.text, name), s.readWord(name), inFrom)
	}
	return s.taken[i]
}

// withoutStep removes the number of an instruction in the log of a build: "Step 1/26 : ".
func withoutStep(text string) string {
	if step, instruction, ok := strings.Cut(text, " : "); ok && strings.HasPrefix(step, "Step ") && isDigits(strings.Replace(step[len("Step "):], "/", "", 1)) {
		return instruction
	}
	return text
}

// startsDockerfile is a cheap check whether a line could be the first of a
// Dockerfile.
func startsDockerfile(text string) bool {
	text = strings.TrimLeft(text, " ")
	return len(text) > 4 && (strings.EqualFold(text[:4], "from") || strings.EqualFold(text[:4], "arg "))
}

// readFrom reads the arguments of FROM and reports whether they are those of a
// Dockerfile.
func (d *dockerfile) readFrom(l *line, fields []string) bool {
	platform := ""
	for len(fields) > 0 && strings.HasPrefix(fields[0], "--") {
		if value, ok := strings.CutPrefix(fields[0], "--platform="); ok && !strings.Contains(value, "$") {
			platform = value
		}
		fields = fields[1:]
	}
	if len(fields) != 1 && (len(fields) != 3 || !strings.EqualFold(fields[1], "as")) {
		return false
	}
	name := substituteArgs(fields[0], d.args)
	isStage := d.stages[name]
	if len(fields) == 3 {
		d.stages[fields[2]] = true
	}
	if isStage {
		return true
	}
	r := d.scan.readWord(name)
	platforms, problem := platformValue(platform)
	for i := range r.images {
		r.images[i].Platforms = platforms
		if name != fields[0] {
			r.images[i].Assumptions = append(r.images[i].Assumptions, AssumedDefault)
			r.images[i].Written = clip(fields[0])
		}
	}
	if problem != nil {
		d.scan.flaw(l, 0, *problem)
	}
	if r.strength == nothing && strings.Contains(name, "$") {
		r = placeholder(name)
	}
	if r.strength == bare && strings.HasPrefix(strings.TrimLeft(l.text, " "), "From") {
		return false // a sentence
	}
	d.scan.offer(l, strings.Index(l.text, fields[0]), r, inFrom)
	return true
}

// substituteArgs replaces $NAME and ${NAME} by their ARG defaults.
func substituteArgs(word string, args map[string]string) string {
	if !strings.Contains(word, "$") {
		return word
	}
	var b strings.Builder
	for i := 0; i < len(word); {
		if word[i] != '$' {
			b.WriteByte(word[i])
			i++
			continue
		}
		from, braced := i+1, strings.HasPrefix(word[i+1:], "{")
		if braced {
			from++
		}
		to := from
		for to < len(word) && (isAlnum(word[to]) || word[to] == '_') {
			to++
		}
		value, known := args[word[from:to]]
		if braced {
			if to == len(word) || word[to] != '}' {
				known = false
			}
			to++
		}
		if !known {
			b.WriteByte('$')
			i++
			continue
		}
		b.WriteString(value)
		i = min(to, len(word))
	}
	return b.String()
}
