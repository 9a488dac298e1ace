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
		text = text[strings.LastIndex(text, ". ")+1:] // the last sentence
		if !strings.HasSuffix(text, ":") || !strings.ContainsAny(text, ". ") || len(text) > 200 {
			return // neither a host nor words for one
		}
		toks := tokens(text)
		space, tag := "", ""
		for n, t := range toks {
			if at, last := spaceAt(toks, n); space == "" && last > n && (n == 0 || fromMarks.has(lower(toks[n-1].text)) || articles.has(lower(toks[n-1].text))) {
				space = at
			}
			switch word := trimWord(t.text); {
			case space == "" && (isNamespaceWord(word) || n > 0 && fromMarks.has(lower(toks[n-1].text)) && known.IsRegistry(word) && !reference.IsDockerHub(word)):
				space = word
			case strings.Contains(word, "/"):
				if n == 0 || !destinationMarks.has(lower(toks[n-1].text)) {
					return // but "from docker.io/a to quay.io/a:"
				}
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
			r := s.inNamespace(space, nameAndTag(item), tag)
			if skip || len(r.images) == 0 {
				return
			}
			found = append(found, r)
		}
		for n, r := range found {
			item, _ := stripMarkers(s.lines[first+n].text)
			item = strings.TrimLeft(item, "`\"' ")
			s.offer(&s.lines[first+n], len(s.lines[first+n].text)-len(item), r, inNamespace)
			s.taken[first+n], s.taken[i] = true, true
		}
	})
}

// nameAndTag returns the name of an item of a list, joined with a tag that stands apart:
// "operator `v1.2`".
func nameAndTag(item string) string {
	item, _, _ = strings.Cut(item, " (")
	name, tag, _ := strings.Cut(strings.Trim(item, "`\"' "), " ")
	if tag = strings.Trim(tag, "`\"' :="); !looksLikeTag(tag) {
		return strings.Trim(item, "`\"' ")
	}
	return strings.TrimRight(name, "`\"' :=") + ":" + tag
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
	mark := i + 1
	if spaceNouns.has(spoken(toks[mark])) && mark+2 < len(toks) {
		mark++ // "the goharbor organisation on Docker Hub"
	}
	last = mark + 1
	if articles.has(toks[last].text) && last+1 < len(toks) {
		last++
	}
	host := spoken(toks[last])
	if last+1 < len(toks) && spoken(toks[last+1]) == "hub" {
		last++
		host += "hub" // "Docker Hub"
	}
	if host = cmp.Or(known.ByShortName(host), host); !hostMarks.has(spoken(toks[mark])) || !known.IsRegistry(host) {
		return "", i
	}
	return host + "/" + word, last
}

// statedSpace is a namespace, with its registry, that a line says names are in.
type statedSpace struct {
	space string // empty for none
	last  int    // the index of its last token
	sure  bool   // it is more than a word without a slash
	named bool   // a word such as "namespace" calls it so
}

// statedAt returns the namespace that a line says names are in, if it begins at a token:
// "from goharbor/", "longhornio 下", "all under quay.io/jetstack", "the openebs namespace".
func statedAt(toks []token, i int) statedSpace {
	t := &toks[i]
	none := statedSpace{last: i}
	if t.kind != asciiWord || spaceNouns.has(spoken(*t)) {
		return none
	}
	space, last := spaceAt(toks, i)
	before, behind := wordsBeside(toks, i, last)
	parent, open := openParent(t.text)
	lone := open && len(toks) == 1
	named := spaceNouns.has(before) || spaceNouns.has(strings.Trim(behind, " ,.:)")) || behind != "" && spaceEnds.starts(behind+" ")
	under := named || spaceMarks.has(before)
	from := under || lone || fromMarks.has(before)
	switch {
	case space != "":
		if !from && (i > 0 || last == i) {
			return none
		}
		return statedSpace{space, last, true, named}
	case open && isBelowRegistry(parent):
		if !named && (lone || !under) {
			return none
		}
		return statedSpace{parent, last, true, named}
	case open:
		return statedSpace{hubSpace(parent), i, from || ofNamespace.has(behind), named}
	case under:
		return statedSpace{hubSpace(trimWord(t.text)), i, false, named}
	}
	return none
}

// wordsBeside returns the words in front of a namespace and behind it, in lower case.
func wordsBeside(toks []token, first, last int) (before, behind string) {
	if n := first - 1; n > 0 && toks[n].text == ":" {
		before = toks[n-1].text // "命名空间：a"
	} else if n >= 0 {
		before = spoken(toks[n])
	}
	if last+1 < len(toks) {
		behind = lower(toks[last+1].text)
	}
	return before, behind
}

// openParent returns a path that a slash or a star ends: "goharbor/", "goharbor/*".
func openParent(text string) (parent string, ok bool) {
	parent, name, ok := cutLast(strings.Trim(text, "`*_:,."))
	return parent, ok && (name == "" || name == "*")
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
	for i := range u.toks {
		if len(s.spaces) == maxUses {
			return
		}
		one := statedAt(u.toks, i)
		if one.space == "" && stated && isTagListMark(spoken(u.toks[i-1])) && isNamespaceWord(u.word(i)) {
			one = statedSpace{space: u.word(i), sure: true, named: true} // "from docker.io/a and quay.io/b"
		}
		if one.space != "" {
			s.spaces, stated = append(s.spaces, statedIn{u.number, u.toks[i].at, one.space, one.sure, one.named}), true
		}
	}
}

// inNamespace reads a name, with or without a tag, as an image in a namespace, or a path
// as one at a registry, with as many components as that requires. Invalid names and
// filler words give nothing.
func (s *scan) inNamespace(space, name, tag string) reading {
	if !fitsNamespace(space, name) || isFiller(name) {
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

// fitsNamespace reports whether a name or path has the form of one below a namespace, or
// below a registry.
func fitsNamespace(space, name string) bool {
	const most = 100 // bytes
	if len(name) > most || strings.ContainsAny(name, " @") || !hasLetter(name) {
		return false
	}
	first, _, deeper := strings.Cut(name, "/")
	registry := !strings.Contains(space, "/")
	if deeper {
		return registry && !strings.Contains(first, ".")
	}
	return !registry || known.Of(space).Names.Least <= 1
}

// fromMarks are words between names and their namespace.
var fromMarks = wordSet{list: "fromMarks"}

// destinationMarks are words directly before the place to which images are copied.
var destinationMarks = endings{list: "destinationMarks"}

// shareNamespace reads "node, cni and typha from docker.io/calico" and
// "docker.io/calico 的 node 和 cni" as images in the namespace, if there are
// several names or one that cannot be an ordinary word.
func (s *scan) shareNamespace(w *sentence) {
	for i := range w.toks {
		t := &w.toks[i]
		if i+1 < len(w.toks) && ofNamespace.has(w.toks[i+1].text) && w.reads[i].strength == bare && !strings.HasSuffix(t.text, "/") {
			s.askNamespace(w.toks, w.reads, i)
			continue
		}
		space, tag, end := s.spaceOf(w, i)
		if space == "" {
			continue
		}
		names := s.namesNear(w.toks, i, end, space)
		if strings.HasSuffix(t.text, "/...") {
			w.reads[i] = reading{}
		}
		if len(names) == 0 || len(names) == 1 && !strings.ContainsAny(w.toks[names[0]].text, "-:0123456789") {
			continue
		}
		if tag == "" {
			tag = versionBehind(w.toks, lastOf(names, end))
		}
		for _, n := range names {
			w.reads[n] = s.inNamespace(space, w.word(n), tag)
			w.reads[n].images[0].Written = clip(w.toks[n].text)
		}
		clear(w.reads[i : end+1])
	}
}

// lastOf returns the index of the last of the names beside a namespace and of its last
// token; that of the first name if the names are in front of it: "b and c v1.2, all from
// quay.io/a". These are the last one first.
func lastOf(names []int, end int) int {
	if last := max(names[0], names[len(names)-1]); last > end {
		return last
	}
	return names[0]
}

// spaceOf returns the namespace that begins at the word at an index, the tag behind it,
// and its last token.
func (s *scan) spaceOf(w *sentence, i int) (space, tag string, end int) {
	t := &w.toks[i]
	if t.kind != asciiWord || !strings.Contains(t.text, "/") && w.reads[i].strength != bare {
		return "", "", i
	}
	space, end = spaceAt(w.toks, i)
	if space == "" && strings.IndexByte(t.text, '.') > 0 {
		space, tag = cutTag(w.word(i))
	}
	open := strings.HasSuffix(t.text, "/") && isBelowRegistry(space) // "registry.k8s.io/csi/release/"
	if space == "" {
		space, end = s.spaceOfNames(w.toks, i)
	}
	if !open && !isNamespaceWord(space) {
		return "", "", end
	}
	return space, tag, end
}

// spaceOfNames returns the namespace that a word says to be that of the names beside it,
// and its last token; empty if these can be other words.
func (s *scan) spaceOfNames(toks []token, i int) (space string, end int) {
	stated := statedAt(toks, i)
	if stated.space == "" {
		return "", stated.last
	}
	names := s.namesNear(toks, i, stated.last, stated.space)
	if len(names) < 2 {
		return "", stated.last
	}
	alluding := stated.sure
	for _, n := range names {
		name := trimWord(toks[n].text)
		if known.IsOfficial(name) {
			return "", stated.last
		}
		alluding = alluding || alludes(stated.space, name)
	}
	if !alluding {
		return "", stated.last
	}
	return stated.space, stated.last
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
	names := s.namesBehind(toks, end, space)
	if names == nil || toks[end+1].text != "as" { // "gate and door, in quay.io/me as me-gate and me-door"
		if before := s.namesBefore(toks, i, space); before != nil {
			return before
		}
	}
	return names
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
	for n--; n >= 0 && isBehindNames(toks[n]); n-- {
	}
	for n >= 0 && s.isNameIn(space, toks[n]) && len(names) < maxUses {
		names = append(names, n)
		for n--; n >= 0 && isTagListMark(lower(toks[n].text)); n-- {
		}
		if n == names[len(names)-1]-1 {
			break // no separator
		}
	}
	return names
}

// isBehindNames reports whether a word can stand between a list of names and "from": "all",
// a version, a word of a sentence.
func isBehindNames(t token) bool {
	word := spoken(t)
	if t.text == "," || distributives.in(word+" ") {
		return true
	}
	return t.kind == asciiWord && (isFiller(t.text) || sentenceWords.has(word) || functionWords.has(word) || isVersion(trimWord(t.text)))
}

// ofNamespace are words between a namespace and names in it.
var ofNamespace = wordSet{list: "ofNamespace"}

// namesBehind returns the words of a list after the namespace at a token.
func (s *scan) namesBehind(toks []token, i int, space string) (names []int) {
	n := i
	if !strings.HasSuffix(toks[i].text, ":") { // "all from quay.io/a: b, c"
		if n++; n >= len(toks) || !ofNamespace.has(toks[n].text) && (toks[n].text != "as" || !strings.HasSuffix(toks[i].text, "/")) {
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
	name, _ := cutTag(word)
	return t.kind == asciiWord && !notGuesses.has(word) && !isVersion(word) && !tagNouns.has(lower(name)) && len(s.inNamespace(space, word, "").images) > 0
}

// shareParent reads "me/app-api and app-web" as two images of one namespace, because the
// names begin in the same way, and other names of the list if the line says that they are
// from the same place.
func (s *scan) shareParent(w *sentence) {
	same := samePlaces.in(w.said)
	chinese := same && isChinese(w.said)
	shared := "" // by the image in front
	for i := 0; i+2 < len(w.toks); i++ {
		written, _ := cutTag(w.word(i))
		parent, first, ok := cutLast(written)
		if !ok {
			parent, first, ok = shared, written, shared != ""
		}
		shared = ""
		if !ok || len(w.reads[i].images) != 1 || w.reads[i].strength < path {
			continue
		}
		n := i + 1
		for end := w.joinedEnd(i); n < len(w.toks) && w.toks[n].at < end; n++ {
		}
		mark := n
		for n < len(w.toks) && (isTagListMark(lower(w.toks[n].text)) || isJoiner(w.toks[n])) {
			n++
		}
		if n == mark || n == len(w.toks) || w.toks[n].kind != asciiWord {
			continue
		}
		if word := w.word(n); !isSibling(parent, first, word) {
			named := chinese || strings.ContainsAny(word, "-:0123456789")
			if !same || !named || w.reads[n].strength > official || !s.isNameIn(parent, w.toks[n]) {
				continue
			}
		}
		r := s.readWord(parent + "/" + w.word(n))
		if len(r.images) != 1 || r.problem != nil {
			continue
		}
		w.joinTag(&r, n)
		if len(r.images) != 1 {
			continue
		}
		r.images[0].Assumptions = append(r.images[0].Assumptions, Expanded)
		r.images[0].Written = clip(w.toks[n].text)
		w.reads[n], shared = r, parent
		i = n - 1
	}
}

// samePlaces are words for the registry or namespace of the image in front.
var samePlaces = phrases{list: "samePlaces"}

// isSibling reports whether a word begins like the name of an image in a namespace, up to
// the first hyphen. A name without one needs a registry.
func isSibling(parent, first, word string) bool {
	part, _, dashed := strings.Cut(first, "-")
	if !dashed && !strings.Contains(parent, ".") || len(part) < 2 {
		return false
	}
	return strings.HasPrefix(word, part+"-") && !strings.ContainsAny(word, "/@") && !known.IsOfficial(word)
}
