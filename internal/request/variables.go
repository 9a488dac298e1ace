package request

import (
	"maps"
	"slices"
	"strings"
)

// Limits of variables, far above any real script.
const (
	maxWords       = MaxExpansion // of one list
	maxUses        = 16           // of variables on one line
	maxSubstituted = 1 << 16      // bytes of all lines after substitution
)

// expand writes out the variables of pasted files and scripts.
func expand(lines []line) {
	told := toldValues(lines)
	expandValues(lines, told)
	expandVariables(lines, told)
}

// variables are the variables that a pasted shell script sets.
type variables struct {
	words     map[string][]string
	used      map[string]bool
	setBy     []string // the variable that each line sets
	list, end string   // the variable whose list continues, and the end of the list
	bytes     int      // substituted so far
}

// expandVariables writes out what pasted scripts say with variables:
// "VERSION=v1.2", lists in "images=(a b c)" and loops over them, "for i in a b;
// do docker pull k8s.gcr.io/$i; done". A line with a list becomes one command
// for each of its words, and what set a variable that was used is no text any
// more. Variables that the text does not set stay as they are; a file of
// settings may follow what uses them.
func expandVariables(lines []line, told map[string]string) {
	if len(told) == 0 && !hasVariables(lines) {
		return
	}
	v := variables{words: map[string][]string{}, used: map[string]bool{}, setBy: make([]string, len(lines))}
	v.lookAhead(lines, told)
	for i := range lines {
		if !v.set(i, strings.TrimSpace(lines[i].text)) || strings.Contains(lines[i].text, "${var.") {
			v.use(&lines[i])
		}
	}
	for i, name := range v.setBy {
		if v.used[name] {
			lines[i].mask(isVariable)
		}
	}
}

// lookAhead sets the variables to the first value that a line gives them, because it may
// stand below their use.
func (v *variables) lookAhead(lines []line, told map[string]string) {
	block := "" // the variable of Terraform whose block is open
	for i := range lines {
		if name, ok := strings.CutPrefix(lines[i].text, "variable "); ok {
			name, _, _ = strings.Cut(name, " ")
			block = "var." + strings.Trim(name, `"`)
		} else if strings.HasPrefix(lines[i].text, "}") {
			block = ""
		}
		if _, after, ok := strings.Cut(lines[i].text, "default"); ok && block != "" {
			if value, set := strings.CutPrefix(strings.TrimSpace(after), "="); set && !strings.ContainsAny(value, "[{$") {
				v.addFirst(block, strings.TrimRight(value, " }"))
			}
		}
		if name, value, ok := cutAssignment(lines[i].text); ok && closing(value) == "" {
			v.addFirst(name, value)
		}
	}
	for i := range lines {
		for _, assigned := range spanAssignments(lines[i].text) {
			v.addFirst(assigned[0], assigned[1])
		}
	}
	for name, value := range told {
		v.addFirst(name, value)
	}
}

// addFirst sets a variable that has no value.
func (v *variables) addFirst(name, value string) {
	if v.words[name] == nil {
		v.add(name, value)
	}
}

// set sets the variable of a line, or continues its list, and reports whether the line has
// one.
func (v *variables) set(i int, text string) bool {
	if v.list != "" {
		inside, _, closed := strings.Cut(text, v.end)
		v.setBy[i] = v.list
		v.add(v.list, inside)
		if closed {
			v.list = ""
		}
		return true
	}
	name, value, ok := cutAssignment(text)
	if !ok {
		return false
	}
	if end := closing(value); end != "" {
		inside, _, closed := strings.Cut(value[1:], end)
		if value = inside; !closed {
			v.list, v.end = name, end
		}
	}
	v.setBy[i] = name
	v.reset(name, value)
	return true
}

// reset gives a variable another value.
func (v *variables) reset(name, value string) {
	delete(v.words, name)
	v.add(name, value)
}

// use writes out the variables of a line, and sets that of a loop.
func (v *variables) use(l *line) {
	text := strings.TrimRight(l.text, " ") // with the indent, which a document needs
	if name, words, rest, ok := cutLoop(strings.TrimSpace(l.text)); ok {
		v.reset(name, words)
		text = rest
		l.text, l.pieces = rest, []piece{{from: max(0, strings.Index(l.text, rest))}}
	}
	if strings.Contains(text, "$") {
		l.text, l.pieces = v.substitute(text, max(0, strings.Index(l.text, text)))
	}
}

// toldValues returns the versions that sentences give for variables of the text: "our
// IMMICH_VERSION is v1.98.2".
func toldValues(lines []line) map[string]string {
	told := map[string]string{}
	for i := range lines {
		for _, mark := range []string{"${", "{{"} {
			noteUsed(told, lines[i].text, mark)
		}
	}
	if len(told) == 0 {
		return nil
	}
	for i := range lines {
		l := &lines[i]
		if !l.fenced && len(l.text) < maxCommand && strings.Contains(l.text, "_") && !strings.ContainsAny(l.text, "${") {
			noteTold(told, l.text)
		}
	}
	maps.DeleteFunc(told, func(_, value string) bool { return value == "" })
	return told
}

// noteUsed notes the variables that a line uses behind a mark, if their names have a "_",
// which words of sentences have not.
func noteUsed(told map[string]string, text, mark string) {
	for len(told) < maxWords {
		_, after, ok := strings.Cut(text, mark)
		if !ok {
			return
		}
		text = strings.TrimLeft(after, " ")
		if name := text[:identifierEnd(text)]; strings.Contains(name, "_") {
			told[name] = ""
		}
	}
}

// noteTold sets the variables that a line names in front of a single version.
func noteTold(told map[string]string, text string) {
	name, versions := "", 0
	for _, t := range tokens(text) {
		word, value, set := strings.Cut(trimWord(t.text), "=")
		if _, ok := told[word]; ok {
			name, versions = word, 0
			if word = value; !set {
				continue
			}
		}
		if name == "" || !looksLikeTag(word) {
			continue
		}
		if versions++; versions == 1 {
			told[name] = word
		} else {
			told[name] = "" // "was v1.1, is v1.2"
		}
	}
}

// closing returns the bracket or quote that closes a value; empty if none was
// opened.
func closing(value string) string {
	switch value[0] {
	case '(':
		return ")"
	case '"', '\'':
		return value[:1]
	}
	return ""
}

// hasVariables reports whether lines set a variable or run a loop, and use a
// variable.
func hasVariables(lines []line) bool {
	used, set := false, false
	for i := range lines {
		l := &lines[i]
		used = used || strings.Contains(l.text, "$")
		if !set {
			_, _, _, loop := cutLoop(strings.TrimSpace(l.text))
			_, _, assigned := cutAssignment(l.text)
			set = loop || assigned || spanAssignments(l.text) != nil
		}
		if used && set {
			return true
		}
	}
	return false
}

// cutAssignment splits "NAME=value", also after "export".
func cutAssignment(text string) (name, value string, ok bool) {
	text = strings.TrimSpace(text)
	for _, word := range []string{"export ", "set ", "- "} {
		text = strings.TrimPrefix(text, word)
	}
	name, value, ok = strings.Cut(text, "=")
	if plain := strings.TrimRight(name, "?:+ "); plain != name {
		name, value = plain, strings.TrimSpace(value) // of make: "A ?= b"
	}
	if !ok || value == "" || !isIdentifier(name) {
		return "", "", false
	}
	return name, value, closing(value) != "" || !strings.ContainsAny(value, " (")
}

// spanAssignments returns the names and values of the assignments in code spans
// of a line: "with `TAG=v1.2`".
func spanAssignments(text string) (all [][2]string) {
	if strings.IndexByte(text, '=') < 0 {
		return nil
	}
	for {
		_, after, opened := strings.Cut(text, "`")
		span, rest, closed := strings.Cut(after, "`")
		if !opened || !closed {
			return all
		}
		if name, value, ok := cutAssignment(span); ok && closing(value) == "" && strings.ToUpper(name) == name {
			all = append(all, [2]string{name, value})
		}
		text = rest
	}
}

// cutLoop splits "for NAME in WORDS; do REST"; "do" may be on the next line.
func cutLoop(text string) (name, words, rest string, ok bool) {
	text, ok = strings.CutPrefix(text, "for ")
	if !ok {
		return "", "", "", false
	}
	name, text, ok = strings.Cut(text, " in ")
	if !ok || !isIdentifier(name) {
		return "", "", "", false
	}
	words, rest, _ = strings.Cut(text, ";")
	return name, words, strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(rest), "do")), true
}

// add appends the words of text to the value of a variable.
func (v *variables) add(name, text string) {
	text, _, _ = strings.Cut(text, " #")
	for _, field := range strings.Fields(v.value(text)) {
		field = strings.Trim(field, "\"'`,;\\")
		if field != "" && len(v.words[name]) < maxWords {
			v.words[name] = append(v.words[name], field)
		}
	}
}

// value returns text with its variables replaced.
func (v *variables) value(text string) string {
	text, _ = v.substitute(text, 0)
	return text
}

// sourced is a text with its origin.
type sourced struct {
	text   string
	pieces []piece
}

// plus returns the text with more behind it.
func (t sourced) plus(more string, from int, fixed bool) sourced {
	if more == "" {
		return t
	}
	return sourced{t.text + more, append(slices.Clip(t.pieces), piece{len(t.text), from, fixed})}
}

// substitute returns text, which begins at an offset of the written line, with
// its variables replaced, once for each word if they are lists, and its origin.
func (v *variables) substitute(text string, base int) (string, []piece) {
	as := []piece{{from: base}}
	if n := strings.Count(text, "$"); n == 0 || n > maxUses || len(text) > maxCommand {
		return text, as
	}
	copies := []sourced{{}}
	size := 0
	for rest := text; rest != ""; {
		from := base + len(text) - len(rest)
		before, after, found := strings.Cut(rest, "$")
		words := []string{""}
		if rest = ""; found {
			words, rest = v.wordsOf(after)
		}
		// Several lists on one line are combined element by element.
		grown := make([]sourced, max(len(copies), len(words)))
		for n := range grown {
			grown[n] = copies[min(n, len(copies)-1)].plus(before, from, false).plus(words[min(n, len(words)-1)], from+len(before), true)
			size += len(grown[n].text)
		}
		if v.bytes+size > maxSubstituted {
			return text, as
		}
		copies = grown
	}
	v.bytes += size
	return joinCopies(copies)
}

// wordsOf returns the words of the variable whose name stands behind a "$", which is one
// of them if it has none, and the text behind it.
func (v *variables) wordsOf(after string) (words []string, rest string) {
	name, length := cutVariable(after)
	if words = v.words[name]; len(words) == 0 {
		return []string{"$" + after[:length]}, after[length:]
	}
	v.used[name] = true
	return words, after[length:]
}

// joinCopies returns the copies of a line as commands on one.
func joinCopies(copies []sourced) (string, []piece) {
	var b strings.Builder
	var pieces []piece
	for n, one := range copies {
		if n > 0 {
			b.WriteString(" ; ")
		}
		for _, p := range one.pieces {
			pieces = append(pieces, piece{b.Len() + p.at, p.from, p.fixed})
		}
		b.WriteString(one.text)
	}
	return b.String(), pieces
}

// cutVariable cuts a name off what stands behind a "$" ("NAME", "{NAME}",
// "{NAME[@]}") and says how long that was.
func cutVariable(text string) (name string, length int) {
	inside, braced := strings.CutPrefix(text, "{")
	if made, ok := strings.CutPrefix(text, "("); ok {
		if end := identifierEnd(made); end > 0 && strings.HasPrefix(made[end:], ")") {
			return made[:end], end + 2 // of make
		}
	}
	end := identifierEnd(inside)
	if rest, ok := strings.CutPrefix(inside, "var."); ok {
		end = len(inside) - len(rest) + identifierEnd(rest) // of Terraform
	}
	name = inside[:end]
	if !braced {
		return name, end
	}
	tail := inside[end:]
	for _, mark := range []string{":-", ":=", ":?", "-", "?"} {
		if rest, ok := strings.CutPrefix(tail, mark); ok { // a default, which counts if the variable is not set
			if inner, _, closed := strings.Cut(rest, "}"); closed && !strings.Contains(inner, "$") {
				return name, 1 + end + len(mark) + len(inner) + 1
			}
		}
	}
	for _, close := range []string{"}", "[@]}", "[*]}"} {
		if strings.HasPrefix(tail, close) {
			return name, 1 + end + len(close)
		}
	}
	return "", 0
}

// expandValues writes out what templates of Helm charts and Ansible take from
// values that stand in the text as well: "{{ .Values.image.tag }}", "{{ version }}".
func expandValues(lines []line, told map[string]string) {
	if !anyLine(lines, func(l line) bool { return strings.Contains(l.text, "{{") }) {
		return
	}
	values := chartValues(lines)
	for name, value := range told {
		if values[name] == "" {
			values[name] = value
		}
	}
	for i := range lines {
		if l := &lines[i]; strings.Contains(l.text, "{{") && len(l.text) < maxCommand {
			l.text, l.pieces = substituteValues(l.text, values)
		}
	}
}

// chartValues returns the values of the keys of YAML in lines by the names that templates give
// them.
func chartValues(lines []line) map[string]string {
	values := map[string]string{}
	var keys []string
	var indents []int
	for i := range lines {
		l := &lines[i]
		text := strings.TrimLeft(l.text, " -")
		key, value, ok := cutKey(text)
		if !ok || strings.Contains(text, "{{") {
			continue
		}
		for len(indents) > 0 && indents[len(indents)-1] >= l.indent() {
			keys, indents = keys[:len(keys)-1], indents[:len(indents)-1]
		}
		keys, indents = append(keys, key), append(indents, l.indent())
		if value == "" || len(keys) > maxNesting {
			continue
		}
		values[".Values."+strings.Join(keys, ".")] = value
		if strings.Contains(key, "_") {
			values[key] = value
		}
	}
	return values
}

// substituteValues returns a text with the values of its templates that are known, and its
// origin.
func substituteValues(text string, values map[string]string) (string, []piece) {
	var out sourced
	for rest := text; ; {
		from := len(text) - len(rest)
		before, after, ok := strings.Cut(rest, "{{")
		inside, behind, closed := strings.Cut(after, "}}")
		if !ok || !closed {
			out = out.plus(rest, from, false)
			return out.text, out.pieces
		}
		name, _, _ := strings.Cut(strings.Trim(inside, "- "), " ")
		value := values[name]
		out = out.plus(before, from, false)
		if value == "" || len(out.text) > maxSubstituted {
			out = out.plus("{{"+inside+"}}", from+len(before), false)
		} else {
			out = out.plus(value, from+len(before), true)
		}
		rest = behind
	}
}
