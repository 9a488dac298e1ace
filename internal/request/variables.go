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

// variables are the variables that a pasted shell script sets.
type variables struct {
	words map[string][]string
	used  map[string]bool
	bytes int // substituted so far
}

// expandVariables writes out what pasted scripts say with variables:
// "VERSION=v1.2", lists in "images=(a b c)" and loops over them, "for i in a b;
// do docker pull k8s.gcr.io/$i; done". A line with a list becomes one command
// for each of its words, and what set a variable that was used is no text any
// more. Variables that the text does not set stay as they are; a file of
// settings may follow what uses them.
func expandVariables(lines []line) {
	told := toldValues(lines)
	if len(told) == 0 && !hasVariables(lines) {
		return
	}
	v := variables{words: map[string][]string{}, used: map[string]bool{}}
	for i := range lines {
		if name, value, ok := cutAssignment(lines[i].text); ok && v.words[name] == nil && closing(value) == "" {
			v.add(name, value)
		}
	}
	for i := range lines {
		for _, assigned := range spanAssignments(lines[i].text) {
			name, value := assigned[0], assigned[1]
			if v.words[name] == nil {
				v.add(name, value)
			}
		}
	}
	for name, value := range told {
		if v.words[name] == nil {
			v.add(name, value)
		}
	}
	setBy := make([]string, len(lines)) // the variable that a line sets
	list, end := "", ""                 // the variable whose list continues, and the end of the list
	for i := range lines {
		l := &lines[i]
		text := strings.TrimSpace(l.text)
		if list != "" {
			inside, _, closed := strings.Cut(text, end)
			setBy[i] = list
			v.add(list, inside)
			if closed {
				list = ""
			}
			continue
		}
		if name, value, ok := cutAssignment(text); ok {
			if end = closing(value); end != "" {
				if value, _, ok = strings.Cut(value[1:], end); !ok {
					list = name
				}
			}
			setBy[i] = name
			delete(v.words, name)
			v.add(name, value)
			continue
		}
		if name, words, rest, ok := cutLoop(text); ok {
			delete(v.words, name)
			v.add(name, words)
			text = rest
			lines[i].text, lines[i].pieces = rest, []piece{{from: max(0, strings.Index(l.text, rest))}}
		} else {
			text = strings.TrimRight(l.text, " ") // with the indent, which a document needs
		}
		if strings.Contains(text, "$") {
			lines[i].text, lines[i].pieces = v.substitute(text, max(0, strings.Index(l.text, text)))
		}
	}
	for i, name := range setBy {
		if v.used[name] {
			lines[i].mask(isVariable)
		}
	}
}

// toldValues returns the versions that sentences give for variables of the text: "our
// IMMICH_VERSION is v1.98.2".
func toldValues(lines []line) map[string]string {
	told := map[string]string{}
	for i := range lines {
		for _, mark := range []string{"${", "{{"} {
			for _, after, ok := strings.Cut(lines[i].text, mark); ok && len(told) < maxWords; _, after, ok = strings.Cut(after, mark) {
				after = strings.TrimLeft(after, " ")
				if name := after[:identifierEnd(after)]; strings.Contains(name, "_") {
					told[name] = ""
				}
			}
		}
	}
	for i := range lines {
		if l := &lines[i]; len(told) > 0 && !l.fenced && len(l.text) < maxCommand && strings.Contains(l.text, "_") && !strings.ContainsAny(l.text, "${") {
			noteTold(told, l.text)
		}
	}
	maps.DeleteFunc(told, func(_, value string) bool { return value == "" })
	return told
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
		rest = ""
		if found {
			name, length := cutVariable(after)
			if words = v.words[name]; len(words) == 0 {
				words = []string{"$" + after[:length]}
			} else {
				v.used[name] = true
			}
			rest = after[length:]
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
func expandValues(lines []line) {
	if !slices.ContainsFunc(lines, func(l line) bool { return strings.Contains(l.text, "{{") }) {
		return
	}
	values := toldValues(lines)
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
		if keys, indents = append(keys, key), append(indents, l.indent()); value != "" && len(keys) <= maxNesting {
			values[".Values."+strings.Join(keys, ".")] = value
			if strings.Contains(key, "_") {
				values[key] = value
			}
		}
	}
	for i := range lines {
		l := &lines[i]
		if strings.Contains(l.text, "{{") && len(l.text) < maxCommand {
			lines[i].text, lines[i].pieces = substituteValues(l.text, values)
		}
	}
}

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
