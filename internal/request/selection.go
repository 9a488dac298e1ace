package request

import "strings"

// selectedTags returns the problem of a line that asks for tags by a range, by a
// regular expression or for the newest ones, as lists of "ferry sync" and of
// other copiers do: "redis:>=7.0 <8", "quay.io/a/b:/^v1/", "nginx newest 3".
func (s *scan) selectedTags(text string) (p Problem, ok bool) {
	text = strings.Trim(text, " ,`\"'")
	name := selectedName(text)
	if name == "" {
		return Problem{}, false
	}
	r := s.peek(strings.Trim(name, "`\"'"))
	if len(r.images) != 1 || r.strength < official || !r.untagged() {
		return Problem{}, false
	}
	p = *allTags(r.images[0].Reference)
	p.Written = clip(text)
	return p, true
}

// selectedName returns the name before a selection of tags; empty if there is no
// selection.
func selectedName(text string) string {
	if name, pattern, ok := strings.Cut(text, ":/"); ok && strings.IndexByte(pattern, '/') > 0 {
		return name
	}
	words := strings.Fields(text)
	if len(words) == 0 {
		return ""
	}
	if at := strings.LastIndexByte(words[0], ':'); at >= 0 && isRange(strings.Join(words, " ")[at+1:]) {
		return words[0][:at]
	}
	if len(words) > 2 && (words[1] == "newest" || words[1] == "newest-patch-of") && isDigits(words[2]) {
		return words[0]
	}
	return ""
}

// wantsSeries reports whether a sentence with one image, in lower case, asks for all
// tags that begin with a version: "all 3.12 tags", "1.26 整个系列".
func wantsSeries(toks []token, said string) bool {
	if series.in(said) {
		return true
	}
	if !wholes.in(said) {
		return false
	}
	for i := 1; i < len(toks); i++ {
		if isVersion(trimWord(toks[i-1].text)) && plurals.has(spoken(toks[i])) && (i < 2 || !isTagListMark(lower(toks[i-2].text))) {
			return true
		}
	}
	return false
}

// series are words for all versions of a series, wholes words for all of something,
// and plurals what stands behind the version then.
var (
	series  = phrases{list: "series"}
	wholes  = phrases{list: "wholes"}
	plurals = wordSet{list: "plurals"}
)

// isRange reports whether a text begins like a range of versions: ">=1.2",
// "~ v1", "^3".
func isRange(text string) bool {
	version := strings.TrimLeft(text, "<>=~^!")
	if version == text {
		return false
	}
	version = strings.TrimPrefix(strings.TrimLeft(version, " "), "v")
	return version != "" && '0' <= version[0] && version[0] <= '9'
}
