package request

import (
	"cmp"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// readNamespaces reads lists of names with a common namespace: "From
// docker.io/goharbor, all v2.11.0:" above "harbor-core" and "harbor-portal".
func (s *scan) readNamespaces() {
	s.rest(func(i int, l *line) {
		text := strings.TrimRight(l.text, " *_")
		if !strings.HasSuffix(text, ":") || !strings.Contains(text, ".") && !strings.Contains(lower(text), "hub") || len(text) > 200 {
			return // neither a host nor "Docker Hub"
		}
		toks := tokens(text)
		space, tag := "", ""
		for n, t := range toks {
			if at, last := spaceAt(toks, n); space == "" && last > n && (n == 0 || fromMarks.has(lower(toks[n-1].text))) {
				space = at
			}
			switch word := trimWord(t.text); {
			case space == "" && (isNamespaceWord(word) || n > 0 && fromMarks.has(lower(toks[n-1].text)) && known.IsRegistry(word) && !reference.IsDockerHub(word)):
				space = word
			case strings.Contains(word, "/"):
				return
			case n > 0 && isVersion(word) && (strings.Contains(word, ".") || word[0] == 'v') && !owners.has(lower(toks[n-1].text)):
				tag = word
			}
		}
		if space == "" {
			return
		}
		first := i + 1
		if first < len(s.lines) && s.lines[first].text == "" {
			first++
		}
		last := first
		var found []reading
		for ; last < len(s.lines) && s.lines[last].text != "" && !s.taken[last]; last++ {
			item, skip := stripMarkers(s.lines[last].text)
			r := s.inNamespace(space, strings.Trim(item, "`\"' "), tag)
			if skip || len(r.images) == 0 {
				return
			}
			found = append(found, r)
		}
		for n, r := range found {
			item, _ := stripMarkers(s.lines[first+n].text)
			s.offer(&s.lines[first+n], len(s.lines[first+n].text)-len(item), r, inNamespace)
			s.taken[first+n], s.taken[i] = true, true
		}
	})
}

// spaceAt returns the namespace that begins at a token, with its registry, and the index
// of its last token: "docker.io/goharbor", "goharbor on Docker Hub",
// "docker.io/goharbor/...". It is empty for another word.
func spaceAt(toks []token, i int) (space string, last int) {
	word := trimWord(toks[i].text)
	if toks[i].kind != asciiWord || isNamespaceWord(word) {
		return word, i
	}
	if parent, name, _ := cutLast(word); (name == "" || name == "*" || name == "...") && isNamespaceWord(parent) {
		return parent, i
	}
	if i+2 >= len(toks) || strings.ContainsAny(word, "/.:") || !hasLetter(word) || sentenceWords.has(word) || known.IsOfficial(word) {
		return "", i
	}
	last = i + 2
	if articles.has(toks[last].text) && last+1 < len(toks) {
		last++
	}
	host := spoken(toks[last])
	if last+1 < len(toks) && spoken(toks[last+1]) == "hub" {
		last++
		host += "hub" // "Docker Hub"
	}
	if host = cmp.Or(known.ByShortName(host), host); !hostMarks.has(spoken(toks[i+1])) || !known.IsRegistry(host) {
		return "", i
	}
	return host + "/" + word, last
}

// statedSpace returns the namespace that a line says names are in, with its registry, if
// it begins at a token, and the index of its last token: "from goharbor/", "longhornio
// 下", "all under quay.io/jetstack", "the openebs namespace". It is not sure if it is a
// word without a slash, and named if a word such as "namespace" calls it so.
func statedSpace(toks []token, i int) (space string, last int, sure, named bool) {
	t := toks[i]
	if t.kind != asciiWord || spaceNouns.has(spoken(t)) {
		return "", i, false, false
	}
	before, behind := "", ""
	if n := i - 1; n > 0 && toks[n].text == ":" {
		before = toks[n-1].text // "命名空间：a"
	} else if n >= 0 {
		before = spoken(toks[n])
	}
	space, last = spaceAt(toks, i)
	if last+1 < len(toks) {
		behind = lower(toks[last+1].text) + " "
	}
	word, name, open := cutLast(strings.Trim(t.text, "`*_:,."))
	open = open && (name == "" || name == "*")
	lone := open && len(toks) == 1
	from := lone || spaceMarks.has(before)
	named = spaceNouns.has(before) || spaceNouns.has(strings.Trim(behind, " ,.:)")) || spaceEnds.starts(behind)
	switch {
	case space != "":
		sure = named || from || fromMarks.has(before) || i == 0 && last > i
	case open && isBelowRegistry(word):
		space, sure = word, named || from && !lone
	case open:
		sure = named || from || fromMarks.has(before) || ofNamespace.has(strings.TrimSpace(behind))
		return hubSpace(word), i, sure, named
	case named || from:
		return hubSpace(trimWord(t.text)), i, false, named
	}
	if !sure {
		return "", i, false, false
	}
	return space, last, true, named
}

// alludes reports whether a namespace contains the first word of a name, and more:
// "goharbor" and "harbor-core".
func alludes(space, name string) bool {
	const least = 4
	_, word, _ := cutLast(space)
	project, _, ok := strings.Cut(name, "-")
	return ok && len(project) >= least && len(word) > len(project) && strings.Contains(word, project)
}

// hubSpace returns a word as a namespace on Docker Hub; empty if it is more likely
// something else.
func hubSpace(word string) string {
	if len(word) < 2 || word != lower(word) || strings.ContainsAny(word, "/.:@") || !hasLetter(word) || isVersion(word) || known.IsOfficial(word) || known.ByShortName(word) != "" ||
		sentenceWords.has(word) || notGuesses.has(word) || owners.has(word) || environments.has(word) || notSpaces.has(word) || isFiller(word) || len(readWord(word+"/x").images) != 1 {
		return ""
	}
	return reference.DockerHub + "/" + word
}

// The words that say that a word is a namespace: those in front of it, those on either
// side, and beginnings of those behind it. notSpaces are words that are none.
var (
	spaceMarks = wordSet{list: "spaceMarks"}
	spaceNouns = wordSet{list: "spaceNouns"}
	spaceEnds  = phrases{list: "spaceEnds"}
	notSpaces  = wordSet{list: "notSpaces"}
)

// noteSpaces notes the namespaces that a line states for a list.
func (s *scan) noteSpaces(u *spokenLine) {
	stated := false
	for i, t := range u.toks {
		if len(s.spaces) == maxUses {
			return
		}
		space, _, sure, named := statedSpace(u.toks, i)
		if word := trimWord(t.text); space == "" && stated && isTagListMark(spoken(u.toks[i-1])) && isNamespaceWord(word) {
			space, sure, named = word, true, true // "from docker.io/a and quay.io/b"
		}
		if space != "" {
			s.spaces, stated = append(s.spaces, statedIn{u.number, t.at, space, sure, named}), true
		}
	}
}

// isBelowRegistry reports whether a word is a path at a registry other than Docker Hub.
func isBelowRegistry(word string) bool {
	host, rest, ok := strings.Cut(word, "/")
	return ok && known.IsRegistry(host) && !reference.IsDockerHub(host) && rest != "" && !strings.ContainsAny(rest, ":@")
}

// inNamespace reads a name, with or without a tag, as an image in a namespace, or a path
// as one at a registry, with as many components as that requires. Invalid names and
// filler words give nothing.
func (s *scan) inNamespace(space, name, tag string) reading {
	first, _, deeper := strings.Cut(name, "/")
	if name == "" || len(name) > 100 || strings.ContainsAny(name, " @") || deeper && (strings.Contains(space, "/") || strings.Contains(first, ".")) || !deeper && !strings.Contains(space, "/") && known.Of(space).Names.Least > 1 || !hasLetter(name) || isFiller(name) {
		return reading{}
	}
	if !strings.Contains(name, ":") && tag != "" {
		name += ":" + tag
	}
	r := s.readWord(space + "/" + name)
	if len(r.images) != 1 || r.problem != nil {
		return reading{}
	}
	r.images[0].Assumptions = append(r.images[0].Assumptions, Expanded)
	return r
}

// fromMarks are words between names and their namespace.
var fromMarks = wordSet{list: "fromMarks"}

// shareNamespace reads "node, cni and typha from docker.io/calico" and
// "docker.io/calico 的 node 和 cni" as images in the namespace, if there are
// several names or one that cannot be an ordinary word.
func (s *scan) shareNamespace(w *sentence) {
	toks, reads := w.toks, w.reads
	for i, t := range toks {
		if i+1 < len(toks) && ofNamespace.has(toks[i+1].text) && reads[i].strength == bare && !strings.HasSuffix(t.text, "/") {
			s.askNamespace(toks, reads, i)
			continue
		}
		if !strings.Contains(t.text, "/") && reads[i].strength != bare {
			continue
		}
		space, end := spaceAt(toks, i)
		tag := ""
		if space == "" && strings.IndexByte(t.text, '.') > 0 {
			space, tag = cutTag(trimWord(t.text))
		}
		open := strings.HasSuffix(t.text, "/") && isBelowRegistry(space) // "registry.k8s.io/csi/release/"
		if space == "" {
			if space, end = s.spaceOfNames(toks, i); space == "" {
				continue
			}
		}
		if t.kind != asciiWord || !isNamespaceWord(space) && !open {
			continue
		}
		names := s.namesNear(toks, i, end, space)
		if strings.HasSuffix(t.text, "/...") {
			reads[i] = reading{}
		}
		if len(names) == 0 || len(names) == 1 && !strings.ContainsAny(toks[names[0]].text, "-:0123456789") {
			continue
		}
		last := max(end, names[0], names[len(names)-1])
		if last == end {
			last = names[0] // "b and c v1.2, all from quay.io/a"
		}
		if tag == "" {
			tag = versionBehind(toks, last)
		}
		for _, n := range names {
			reads[n] = s.inNamespace(space, trimWord(toks[n].text), tag)
			reads[n].images[0].Written = clip(toks[n].text)
		}
		clear(reads[i : end+1])
	}
}

// spaceOfNames returns the namespace that a word says to be that of the names beside it,
// and its last token; empty if these can be other words.
func (s *scan) spaceOfNames(toks []token, i int) (space string, end int) {
	space, end, sure, _ := statedSpace(toks, i)
	if space == "" {
		return "", end
	}
	names := s.namesNear(toks, i, end, space)
	if len(names) < 2 || slices.ContainsFunc(names, func(n int) bool { return known.IsOfficial(trimWord(toks[n].text)) }) ||
		!sure && !slices.ContainsFunc(names, func(n int) bool { return alludes(space, trimWord(toks[n].text)) }) {
		return "", end
	}
	return space, end
}

// versionBehind returns the first version among the words behind a token.
func versionBehind(toks []token, last int) string {
	const most = 16 // words
	for n := last + 1; n < min(last+most, len(toks)); n++ {
		if word := trimWord(toks[n].text); toks[n].kind == asciiWord && isVersion(word) && strings.ContainsAny(word, ".v") {
			return word
		}
	}
	return ""
}

// askNamespace asks about names of a list behind a word that may be their namespace
// on Docker Hub: "goharbor 的 harbor-core、harbor-db".
func (s *scan) askNamespace(toks []token, reads []reading, i int) {
	space := reference.DockerHub + "/" + trimWord(toks[i].text)
	names := s.namesBehind(toks, i, space)
	if len(names) < 2 || slices.ContainsFunc(names, func(n int) bool { return !strings.Contains(toks[n].text, "-") }) {
		return
	}
	for _, n := range names {
		r := s.inNamespace(space, trimWord(toks[n].text), "")
		reads[n] = reading{strength: certain, problem: &Problem{Code: Ambiguous, Written: clip(toks[n].text), Suggestion: r.images[0].Reference.String()}}
	}
}

// namesNear returns the words of a list in front of the namespace at a token or behind
// its last token.
func (s *scan) namesNear(toks []token, i, end int, space string) []int {
	if names := s.namesBefore(toks, i, space); names != nil {
		return names
	}
	return s.namesBehind(toks, end, space)
}

// namesBefore returns the words that a word such as "from" puts into the
// namespace at a token, the last one first.
func (s *scan) namesBefore(toks []token, i int, space string) (names []int) {
	n := i - 1
	if strings.HasSuffix(toks[i].text, "/...") {
		n++ // "b and c (quay.io/a/...)"
	} else if n < 0 || !fromMarks.has(lower(toks[n].text)) {
		return nil
	}
	for n--; n >= 0 && (toks[n].text == "," || distributives.in(spoken(toks[n])+" ") || toks[n].kind == asciiWord && (isFiller(toks[n].text) || sentenceWords.has(spoken(toks[n])) || functionWords.has(spoken(toks[n])) || isVersion(trimWord(toks[n].text)))); n-- {
	}
	for n >= 0 && s.isNameIn(space, toks[n]) && len(names) < maxUses {
		names = append(names, n)
		for n--; n >= 0 && (isTagListMark(lower(toks[n].text))); n-- {
		}
		if n == names[len(names)-1]-1 {
			break // no separator
		}
	}
	return names
}

// ofNamespace are words between a namespace and names in it.
var ofNamespace = wordSet{list: "ofNamespace"}

// namesBehind returns the words of a list after the namespace at a token.
func (s *scan) namesBehind(toks []token, i int, space string) (names []int) {
	n := i
	if !strings.HasSuffix(toks[i].text, ":") { // "all from quay.io/a: b, c"
		if n++; n >= len(toks) || !ofNamespace.has(toks[n].text) {
			return nil
		}
	}
	for n++; n < len(toks) && s.isNameIn(space, toks[n]) && len(names) < maxUses; n++ {
		names = append(names, n)
		for n++; n < len(toks) && isTagListMark(lower(toks[n].text)); n++ {
		}
		if n == names[len(names)-1]+1 {
			break
		}
		n--
	}
	return names
}

// isNameIn reports whether a word can be the name of an image in a namespace.
func (s *scan) isNameIn(space string, t token) bool {
	word := trimWord(t.text)
	return t.kind == asciiWord && !notGuesses.has(word) && !isVersion(word) && len(s.inNamespace(space, word, "").images) > 0
}

// shareParent reads "me/app-api and app-web" as two images of one namespace,
// because the names begin in the same way.
func (s *scan) shareParent(w *sentence) {
	toks, reads := w.toks, w.reads
	shared := "" // by the image in front
	for i := 0; i+2 < len(toks); i++ {
		inherited := shared
		if shared = ""; i > 0 && toks[i].kind == separator {
			shared = inherited
			continue
		}
		if len(reads[i].images) != 1 || reads[i].strength < path || !isTagListMark(lower(toks[i+1].text)) || toks[i+2].kind != asciiWord {
			continue
		}
		name := trimWord(toks[i+2].text)
		written, _ := cutTag(trimWord(toks[i].text))
		parent, first, ok := cutLast(written)
		if !ok && inherited != "" {
			parent, ok = inherited, true
		}
		part, _, dashed := strings.Cut(first, "-")
		hosted := strings.Contains(parent, ".")
		if !ok || !dashed && !hosted || len(part) < 2 || strings.ContainsAny(name, "/@") || !strings.HasPrefix(name, part+"-") || known.IsOfficial(name) {
			continue
		}
		r := s.readWord(parent + "/" + name)
		if len(r.images) != 1 || r.problem != nil {
			continue
		}
		r.images[0].Assumptions = append(r.images[0].Assumptions, Expanded)
		r.images[0].Written = clip(toks[i+2].text)
		reads[i+2], shared = r, parent
	}
}
