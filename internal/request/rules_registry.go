package request

import (
	"cmp"
	"strings"
)

// statedRegistry: "keycloak from quay" above "keycloak/keycloak 24.0.2", "all from quay"
// below a list.
func statedRegistry(e *evidence) {
	host, line := e.onlyRegistry()
	if host == "" {
		return
	}
	for i := range e.body.candidates {
		c := &e.body.candidates[i]
		counts := c.verdict == taken || c.verdict == asked || c.isMentioned()
		if !counts || !c.lacksHost() || c.has(AssumedLibrary) || c.isPasted() || line > 0 && line != c.line {
			continue
		}
		if r := (reading{images: []Image{*c.image}}); r.move(host) {
			c.complete(r.images[0], Expanded)
			c.judge(c.verdict, "stated-registry")
		}
	}
}

// onlyRegistry returns the only registry that a title, or a short text, names apart from
// images, if it says that they come from there; empty otherwise. In longer texts that is
// mostly said of something else. If it says so of the images of one line, it returns that
// as well.
func (e *evidence) onlyRegistry() (only string, line int) {
	text, short := e.short()
	short = short && !publishing.in(text) && !otherSources.in(text) &&
		!e.body.any(func(c *candidate) bool { return c.isPasted() || strings.Contains(lower(c.image.Written), c.host()) })
	stated := false
	for n, l := range strings.Split(text, "\n") {
		if n > 0 && !short {
			break
		}
		toks := tokens(l)
		for i := range toks {
			word := spoken(toks[i])
			host := cmp.Or(registryIn(word), shortHost(word))
			if host == "" {
				continue
			}
			from, source, ofImages := sourceAt(l, toks, i)
			switch {
			case from && n == 0:
				return host, 0
			case !short:
			case only != "" && host != only, !source && isDestination(l[:toks[i].at]):
				return "", 0
			case source && !ofImages:
				stated, line = true, 0
			case source && !stated:
				stated, line = true, n
			}
			only = host
		}
	}
	if !stated {
		return "", 0
	}
	return only, line
}

// short returns the title and the body, and reports whether they are short.
func (e *evidence) short() (text string, is bool) {
	const longest = 600 // bytes
	text = e.title.said + e.body.said
	return text, len(text) <= longest
}

// sourceAt reports whether the words in front of a registry say that something comes from
// it, and is not missing there; whether those beside it say that images do; and whether
// they say so only of those in front of them: "a/b from quay". Of all say it "from quay",
// "quay 的", "all on quay", "(quay.io)" and "quay:". "Please copy a/b on quay" may say where
// it shall be.
func sourceAt(line string, toks []token, i int) (from, source, ofImages bool) {
	const most = 5 // spaces between words
	before, behind := strings.TrimRight(line[:toks[i].at], " (`*"), strings.TrimLeft(line[toks[i].end():], " )`*")+" "
	rest, from := originEnds.cut(before)
	to := isDestination(before) && (from || !spaceMarks.has(spoken(toks[max(0, i-1)]))) // but "all under quay"
	from = from && !to
	source = from || strings.Trim(before+behind, " :[]") == "" || before == "" && toks[i].at > 0 || hostSides.starts(behind)
	first := hasSlash(toks[0].text)
	if i > 1 && !from && first && hostMarks.has(spoken(toks[i-1])) {
		rest, source = line[:toks[i-1].at], true
	}
	if names := namesAtEnd(toks[:i], len(rest)); names != 0 {
		return from, names > 0 && (source || first && strings.HasSuffix(line[:toks[i].at], "(")), true
	}
	clause := before[strings.LastIndexAny(before, ",;:")+1:]
	clause = clause[strings.LastIndex(clause, ". ")+1:] + " " + behind[:strings.IndexAny(behind+".", ".,;:")]
	return from, source || !to && strings.Count(clause, " ") <= most && distributives.in(clause), false
}

// isDestination reports whether text ends with words that say that images go to what is
// behind them.
func isDestination(text string) bool {
	_, is := destinationMarks.cut(strings.TrimRight(text, " "))
	return is
}

// hasSlash reports whether a word has a slash.
func hasSlash(word string) bool { return strings.Contains(word, "/") }

// namesAtEnd returns how many names with a path, and versions and commas between them, are
// the last words in front of a place; -1 if there are others before that.
func namesAtEnd(toks []token, end int) (n int) {
	for i := len(toks) - 1; i >= 0; i-- {
		t := &toks[i]
		switch {
		case t.at >= end, isTagListMark(t.text), isVersion(t.text):
		case hasSlash(t.text):
			n++
		case n > 0 && anyToken(toks[:i], func(t token) bool { return hasSlash(t.text) }):
			return -1
		default:
			return n
		}
	}
	return n
}

// The words that say that images come from a registry: those in front of it, beginnings of
// those behind it; and of texts that name other sources.
var (
	originEnds   = endings{list: "origins"}
	hostSides    = phrases{list: "hostSides"}
	otherSources = phrases{list: "otherSources"}
)
