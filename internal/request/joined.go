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

// closeGaps removes the spaces in "gcr.io / ns / image : tag", if the text
// before the gap is the beginning of a reference.
func closeGaps(text string) string {
	if !strings.Contains(text, " /") && !strings.Contains(text, "/ ") && !strings.Contains(text, " :") && !strings.Contains(text, ". ") {
		return text
	}
	fields := strings.Fields(text)
	all, out := len(fields), fields[:0]
	for _, f := range fields {
		if n := len(out); n > 0 && len(out[n-1])+len(f) < maxWord {
			last := out[n-1]
			open := strings.HasSuffix(last, "/") && isAlnum(f[0]) || strings.HasSuffix(last, ":") && strings.Contains(last, "/") && isAlnum(f[0]) && !strings.ContainsAny(f, "/:")
			behind := f[0] == '/' && !strings.ContainsAny(last, ":@") || f[0] == ':' && strings.Contains(last, "/")
			if first, _, _ := strings.Cut(last+f, "/"); strings.HasSuffix(last, ".") && known.IsRegistry(first) && !strings.Contains(last, "/") {
				out[n-1] = last + f // "docker. io/library/nginx"
				continue
			}
			if (open || behind) && !strings.Contains(last, "//") && isReferenceStart(strings.TrimRight(last, "/:")) {
				out[n-1] = last + f
				continue
			}
		}
		out = append(out, f)
	}
	if len(out) == all {
		return text
	}
	return strings.Join(out, " ")
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
