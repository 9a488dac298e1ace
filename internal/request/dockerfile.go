package request

import "strings"

// instructions are those of a Dockerfile besides FROM.
var instructions = wordSet{list: "instructions"} // those of an Earthfile; "SAVE IMAGE" names a target

// readDockerfiles reads "FROM [--platform=…] image [AS stage]" with the
// defaults of "ARG", and "COPY --from=image". Stages are not images.
func (s *scan) readDockerfiles() {
	args, stages := map[string]string{}, map[string]bool{"scratch": true}
	inside, continued := false, false
	for i := range s.lines {
		l := &s.lines[i]
		text := withoutStep(l.text)
		if s.readSyntax(i) || s.taken[i] || len(text) > maxWord || !inside && !startsDockerfile(text) {
			continue
		}
		fields := strings.Fields(text)
		if len(fields) == 0 {
			continue
		}
		wasContinued := continued
		continued = inside && strings.HasSuffix(l.text, "\\")
		if wasContinued {
			s.taken[i] = true
			continue
		}
		word := strings.ToUpper(fields[0])
		switch {
		case word == "ARG" && len(fields) == 2:
			if name, value, ok := strings.Cut(fields[1], "="); ok {
				args[name] = strings.Trim(value, `"'`)
				s.taken[i] = true
			}
		case word == "FROM" && s.readFrom(l, fields[1:], args, stages):
			inside = true
			s.taken[i] = true
		case inside && instructions.has(word):
			for _, f := range fields {
				image, ok := strings.CutPrefix(f, "--from=")
				if mount, isMount := strings.CutPrefix(f, "--mount="); isMount {
					_, image, ok = strings.Cut(","+mount, ",from=")
					image, _, _ = strings.Cut(image, ",")
				}
				if ok && !stages[image] && !isDigits(image) {
					s.offer(l, strings.Index(l.text, f), s.readWord(substituteArgs(image, args)), inCopyFrom)
				}
			}
			s.taken[i] = true
		default:
			continued = false
		}
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
func (s *scan) readFrom(l *line, fields []string, args map[string]string, stages map[string]bool) bool {
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
	name := substituteArgs(fields[0], args)
	if len(fields) == 3 {
		defer func() { stages[fields[2]] = true }()
	}
	if stages[name] {
		return true
	}
	r := s.readWord(name)
	platforms, problem := platformValue(platform)
	for i := range r.images {
		r.images[i].Platforms = platforms
		if name != fields[0] {
			r.images[i].Assumptions = append(r.images[i].Assumptions, AssumedDefault)
			r.images[i].Written = clip(fields[0])
		}
	}
	if problem != nil {
		s.flaw(l, 0, *problem)
	}
	if r.strength == nothing && strings.Contains(name, "$") {
		r = placeholder(name)
	}
	if r.strength == bare && strings.HasPrefix(strings.TrimLeft(l.text, " "), "From") {
		return false // a sentence
	}
	s.offer(l, strings.Index(l.text, fields[0]), r, inFrom)
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
