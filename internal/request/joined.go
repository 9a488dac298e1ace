package request

import (
	"strings"

	"github.com/imageferry/ferry/internal/known"
)

// joinBroken joins references that an editor or a terminal broke over two
// lines, and returns the numbers of these lines.
func joinBroken(lines []line) map[int]bool {
	joined := map[int]bool{}
	for i := 0; i+1 < len(lines); i++ {
		first, second := strings.TrimRight(lines[i].text, " \\"), strings.TrimSpace(lines[i+1].text)
		if first == "" || second == "" || strings.ContainsAny(second, " ,") || len(second) > maxWord || len(first) > maxWord {
			continue
		}
		last := first[strings.LastIndexAny(first, " \"'`(")+1:]
		if !goesOn(last, second) {
			continue
		}
		lines[i].text = first + second
		lines[i+1].text = ""
		joined[lines[i].number] = true
	}
	return joined
}

// closeGaps moves the spaces in "gcr.io / ns / image : tag" behind the name, if
// the text before a gap is the beginning of a reference.
func closeGaps(text string) string {
	if !strings.Contains(text, " /") && !strings.Contains(text, "/ ") && !strings.Contains(text, " :") && !strings.Contains(text, ". ") {
		return text
	}
	var out []byte    // nil as long as there is no gap
	last, at := "", 0 // the word before, and the end of it in the result
	spaced := false   // it had a gap, too
	for from := 0; from < len(text); {
		end := from
		for end < len(text) && text[end] != ' ' {
			end++
		}
		word := text[from:end]
		switch {
		case word == "":
			from++
			continue
		case last != "" && len(last)+len(word) < maxWord && hasGap(last, word, spaced || continues(text[end:])):
			if out == nil {
				out = []byte(text)
			}
			copy(out[at:], word)
			for i := max(from, at+len(word)); i < end; i++ {
				out[i] = ' '
			}
			last, at, spaced = last+word, at+len(word), true
		default:
			last, at, spaced = word, end, false
		}
		from = end
	}
	if out == nil {
		return text
	}
	return string(out)
}

// continues reports whether the text behind a word goes on with more of a reference.
// "to registry.example.org/team/ for us" does not.
func continues(text string) bool {
	text = strings.TrimLeft(text, " ")
	return text != "" && strings.IndexByte("/:@", text[0]) >= 0
}

// hasGap reports whether a word and the next one are pieces of a reference. more tells
// that others are: the word behind a slash alone may be that of a sentence, as may one
// behind a colon that is no tag, or the second one: "net/http: TLS handshake timeout".
func hasGap(last, next string, more bool) bool {
	if first, _, _ := strings.Cut(last+next, "/"); strings.HasSuffix(last, ".") && known.IsRegistry(first) && !strings.Contains(last, "/") {
		return true // "docker. io/library/nginx"
	}
	name := strings.TrimRight(last, "/:")
	gap := false
	switch {
	case next[0] == '/':
		gap = !strings.ContainsAny(last, ":@")
	case next[0] == ':':
		gap = strings.Contains(last, "/") && !isComplete(name)
	case !isAlnum(next[0]):
	case strings.HasSuffix(last, "/"):
		gap = more || strings.ContainsAny(next, "/:")
	case strings.HasSuffix(last, ":"):
		gap = strings.Contains(last, "/") && !strings.ContainsAny(next, "/:") && !isComplete(name) && isTag(trimWord(next))
	}
	return gap && !strings.Contains(last, "//") && isReferenceStart(name)
}

// goesOn reports whether word, at the end of a line, continues with next, the
// whole line below.
func goesOn(word, next string) bool {
	if at := strings.Index(word, "@sha256:"); at > 0 {
		rest := strings.TrimRight(next, "\"'`,.")
		return len(word)-at-len("@sha256:")+len(rest) == 64 && strings.Trim(rest, "0123456789abcdefABCDEF") == ""
	}
	first, _, _ := strings.Cut(next, "/")
	switch {
	case strings.Contains(word, "://") || strings.Contains(next, "://") || !isAlnum(next[len(next)-1]):
		return false
	case strings.HasPrefix(next, "@sha256:"):
		return isReferenceStart(word)
	case next[0] == '/' || next[0] == ':':
		return len(next) > 1 && isReferenceStart(word) && strings.Count(next, "/") <= 4
	case !isAlnum(next[0]) || known.IsRegistry(first):
		return false
	case strings.HasSuffix(word, "/"), strings.HasSuffix(word, "-") && strings.Contains(word, "/"):
		return isReferenceStart(strings.TrimRight(word, "/-"))
	case strings.HasSuffix(word, ":") || strings.HasSuffix(word, "@sha256:"):
		return strings.Contains(word, "/") && isReferenceStart(strings.TrimRight(word, ":")) && !strings.ContainsAny(next, "/:")
	}
	return false
}

// isReferenceStart reports whether word is certainly the beginning of a
// reference: a registry, alone or with a path, or a name with a slash.
func isReferenceStart(word string) bool {
	word = strings.TrimLeft(word, "-*#")
	first, rest, ok := strings.Cut(word, "/")
	return known.IsRegistry(first) || ok && rest != "" && isAlnum(word[0]) && !known.IsSite(first) && !strings.ContainsAny(word, "<>{}=")
}
