package request

import (
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// unescape removes Markdown's backslashes from a word and replaces those used
// instead of slashes after a registry. Other backslashes mean a path of
// Windows; ok is then false.
func unescape(word string) (unescaped string, repaired, ok bool) {
	if !strings.Contains(word, `\`) {
		return word, false, true
	}
	var b strings.Builder
	for i := range len(word) {
		switch {
		case word[i] != '\\':
			b.WriteByte(word[i])
		case i+1 < len(word) && isAlnum(word[i+1]):
			b.WriteByte('/')
			repaired = true
		}
	}
	unescaped = b.String()
	host, _, _ := strings.Cut(unescaped, "/")
	return unescaped, repaired, !repaired || known.IsRegistry(host)
}

// substitute replaces the variables of a word of which the value is known or does not
// matter.
func substitute(word string) (string, []Assumption) {
	var assumed []Assumption
	word, defaulted := substituteDefaults(word)
	if defaulted {
		assumed = append(assumed, AssumedDefault)
	}
	word, copied := cutPlaceOfCopy(word)
	if copied {
		assumed = append(assumed, UndidMirror)
	}
	return word, assumed
}

// substituteDefaults replaces "${NAME:-default}" and "${NAME-default}" by the default.
func substituteDefaults(word string) (string, bool) {
	if !strings.Contains(word, "${") {
		return word, false
	}
	var b strings.Builder
	replaced := false
	for {
		before, after, ok := strings.Cut(word, "${")
		b.WriteString(before)
		if !ok {
			return b.String(), replaced
		}
		inside, rest, closed := strings.Cut(after, "}")
		value, hasDefault := defaultOf(inside)
		if !closed || !hasDefault {
			b.WriteString("${")
			word = after
			continue
		}
		b.WriteString(value)
		replaced = true
		word = rest
	}
}

// cutPlaceOfCopy removes a variable in front of a registry, which is the place of a copy:
// "${MIRROR}/quay.io/a/b:1".
func cutPlaceOfCopy(word string) (rest string, ok bool) {
	if !strings.HasPrefix(word, "$") {
		return word, false
	}
	variable, rest, _ := strings.Cut(word, "/")
	host, _, below := strings.Cut(rest, "/")
	if !below || strings.Contains(variable, ":") || !known.IsRegistry(host) {
		return word, false
	}
	return rest, true
}

// defaultOf returns the default inside a shell's "${…}".
func defaultOf(inside string) (string, bool) {
	end := 0
	for end < len(inside) && (isAlnum(inside[end]) || inside[end] == '_') {
		end++
	}
	if end == 0 {
		return "", false
	}
	for _, mark := range []string{":-", "-", ":="} {
		if value, ok := strings.CutPrefix(inside[end:], mark); ok {
			return value, value != ""
		}
	}
	return "", false
}

// cutAlias removes a custom name in the syntax of hub-mirror from the end of a
// word: "REF$name:tag".
func cutAlias(word string) (string, Alias, *Problem) {
	name, custom, ok := strings.Cut(word, "$")
	if !ok || name == "" || strings.IndexByte("/:-._", name[len(name)-1]) >= 0 || custom == "" || custom[0] == '{' || custom[0] == '(' || strings.ToUpper(custom) == custom && hasLetter(custom) {
		return word, Alias{}, nil
	}
	alias, problem := parseAlias(custom)
	return name, alias, problem
}

// parseAlias reads a custom name: "name", "name:tag" or "dir/name:tag".
func parseAlias(custom string) (Alias, *Problem) {
	path, tag, _ := strings.Cut(strings.Trim(custom, " /"), ":")
	repository, err := reference.NewRepository("mirror.invalid", strings.ToLower(path))
	if err != nil {
		return Alias{}, &Problem{Code: BadAlias, Written: clip(custom)}
	}
	if tag != "" {
		if _, err := repository.Tagged(tag); err != nil {
			return Alias{}, &Problem{Code: BadAlias, Written: clip(custom)}
		}
	}
	return Alias{Path: repository.Path(), Tag: tag}, nil
}

// placeholder returns the reading of a word that only its author can complete.
func placeholder(word string) reading {
	if hasFileExtension(word) || strings.Contains(strings.ReplaceAll(word, "://", ""), ":/") || strings.Contains(word, "</") { // "$HOME/a:/b", "Sudan.</body>"
		return reading{}
	}
	return reading{strength: path, problem: &Problem{Code: Placeholder, Written: clip(word)}}
}

// isLoneVariable reports whether a placeholder is nothing but variables, such as that
// of a loop over images, "{{ item }}" or "$name:$tag", or begins with that of a template.
func isLoneVariable(written string) bool {
	if strings.HasPrefix(written, "{{") {
		return true // "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
	}
	written = strings.TrimPrefix(written, "docker://")
	if host, name, ok := strings.Cut(written, "/"); ok && known.IsRegistry(host) {
		written = name // "docker.io/{image}"
	}
	for _, part := range strings.FieldsFunc(written, func(r rune) bool { return r == '/' || r == ':' }) {
		if part[0] != '{' && part[0] != '$' {
			return false // "{name}:1.2"
		}
	}
	return written != ""
}

// placeholderOrGlob returns the reading of a word with characters that
// references cannot have: a pattern of tags, a variable, or something other
// than an image.
func placeholderOrGlob(word, name, tag string) reading {
	if strings.ContainsAny(name, "$<%{}") || strings.ContainsAny(tag, "$<%{}") {
		if strings.ContainsAny(word, "/:") {
			return placeholder(word)
		}
		return reading{}
	}
	if !strings.Contains(word, "*") || strings.ContainsAny(strings.TrimRight(name, "*/"), "*?&#^>|\\") {
		return reading{}
	}
	if strings.HasSuffix(name, "/*") || strings.HasSuffix(name, "/**") {
		return reading{strength: tagged, problem: &Problem{Code: AllTags}}
	}
	name = strings.TrimRight(name, "*")
	r := readName(name)
	if len(r.images) != 1 || r.strength < official {
		return reading{}
	}
	return reading{strength: tagged, problem: allTags(r.images[0].Reference)}
}

// allTags returns the problem for a request for every tag of a repository.
func allTags(ref reference.Reference) *Problem {
	suggestion := ""
	if latest, err := ref.Repository().Tagged("latest"); err == nil {
		suggestion = latest.String()
	}
	return &Problem{Code: AllTags, Suggestion: suggestion}
}
