package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// namesInSpace: "from quay.io/acme" above "acme-gate v1.2, acme-door v1.3", "gate + door,
// v1.2" below the title "quay.io/acme".
func namesInSpace(e *evidence) {
	text, short := e.short()
	if !short || strings.ContainsAny(text, "|*") || e.score() <= hopeless {
		return
	}
	lines := strings.Split(text, "\n")
	in, prefix := spaceOfAll(lines)
	if in.space == "" {
		return
	}
	lists := nameLists{space: in.space + "/" + prefix}
	lists.read(lines)
	at := map[[2]int]bool{}
	for i := range lists.found {
		c := &lists.found[i]
		if !in.sure && !strings.Contains(c.image.Written, "-") {
			return
		}
		at[[2]int{c.line, c.at}] = true
		if c.lacksTag() && lists.tag != "" {
			c.giveTag(lists.tag)
		}
	}
	request, before := e.isRequest(), 0
	all := slices.Concat(e.with(taken), e.with(guessed), e.with(asked), e.with(dropped))
	for _, c := range all {
		is := at[[2]int{c.line, c.from}]
		switch {
		case is && c.strength >= tagged && (!in.sure || !request), !is && c.strength >= path && !c.isShort() && c.repository().String() != in.space, c.isPasted() && c.place != inFrom:
			return
		case is && !c.isShort():
			before++
		}
	}
	if before > 1 || len(lists.found) == before {
		return // a list that was read
	}
	for _, c := range all {
		if !c.isShort() || c.verdict != taken || at[[2]int{c.line, c.from}] {
			c.judge(dropped, "names-in-space")
			c.strength = bare // it is the namespace, or a name in it
		}
	}
	e.add(lists.found)
}

// spaceOfAll returns the only namespace that lines state, and the beginning of the names in
// it, if one stands alone: "the prefix is gate-".
func spaceOfAll(lines []string) (in statedIn, prefix string) {
	in.sure = true
	for _, l := range lines {
		toks := tokens(l)
		for i := range toks {
			space, sure := onlySpaceAt(toks, i)
			switch {
			case strings.HasSuffix(toks[i].text, "-") && len(toks[i].text) > 2:
				prefix = toks[i].text
			case space == "":
			case in.space != "" && in.space != space:
				return statedIn{}, ""
			default:
				in.space, in.sure = space, in.sure && sure
			}
		}
	}
	return in, prefix
}

// nameLists are the names in the lists of a text, as images in a namespace.
type nameLists struct {
	space string // with a slash
	found []candidate
	tag   string // the only version apart from them
}

// read reads the lines of a text. The title, its first line, counts only for what the
// body has none of.
func (n *nameLists) read(lines []string) {
	others := false
	for i := len(lines) - 1; i >= 0; i-- {
		toks := tokens(lines[i])
		for at := 0; at < len(toks); at++ {
			if i > 0 || len(n.found) == 0 || n.found[0].line == 0 {
				if last := n.readList(toks, at, i); last > at {
					at = last - 1
					continue
				}
			}
			word := trimWord(toks[at].text)
			if dot := strings.LastIndexByte(word, '.'); dot > 0 && isLetters(word[dot+1:]) {
				word = word[:dot] // "v1.2。server"
			}
			if isVersion(word) && strings.ContainsAny(word, ".v") && word != n.tag && (i > 0 || n.tag == "") {
				others = others || n.tag != ""
				n.tag = word
			}
		}
	}
	if others {
		n.tag = ""
	}
}

// readList reads a list of names that begins at a token, and returns the index behind it;
// that of the token if there is none. A name alone needs a version.
func (n *nameLists) readList(toks []token, at, line int) int {
	before, i, own := len(n.found), at, false
	dashed, separated, loose := true, true, false
	spaced := line == 0 && at == 0 || at > 1 && toks[at-1].text[0] >= 0xE3 && strings.Contains(toks[at-2].text, "/") // "quay.io/acme 下的 gate door"
	for i < len(toks) {
		t := &toks[i]
		dash := strings.Contains(t.text, "-")
		if !separated && !spaced && !(dash && dashed) || !n.addName(t, line) {
			break
		}
		c := &n.found[len(n.found)-1]
		dashed, loose, separated = dashed && dash, loose || !separated, false
		if i++; i < len(toks) && c.lacksTag() && isVersion(trimWord(toks[i].text)) {
			c.giveTag(trimWord(toks[i].text))
			i++
		}
		own = !c.lacksTag()
		if strings.HasSuffix(t.text, ".") {
			break
		}
		for ; i < len(toks) && isTagListMark(spoken(toks[i])); i++ {
			separated = true
		}
	}
	whole := at == 0 && i == len(toks)
	switch names := len(n.found) - before; {
	case names == 1 && (line == 0 || !own || !dashed && (!whole || known.IsOfficial(n.found[before].image.name()))), line == 0 && loose && (!whole || names < 3):
		n.found = n.found[:before]
		return at
	}
	return i
}

// addName adds the image that a word names, and reports whether there is one.
func (n *nameLists) addName(t *token, line int) bool {
	word := trimWord(t.text)
	name, _ := cutTag(word)
	if t.kind != asciiWord || len(name) < 2 || strings.ContainsAny(name, "./") || isVersion(name) || isFiller(name) {
		return false
	}
	for _, words := range notInLists {
		if words.has(name) {
			return false
		}
	}
	r := readWord(n.space + word)
	if len(r.images) != 1 || r.problem != nil {
		return false
	}
	image := &r.images[0]
	image.Written = clip(t.text)
	n.found = append(n.found, candidate{line: line, at: t.at, from: t.at, strength: certain, place: inNamespace, image: image, reasons: []string{"names-in-space"}})
	return true
}

// notInLists are words that are no names in lists.
var notInLists = []*wordSet{&sentenceWords, &notGuesses, &courtesies, &tagNouns, &tagWords, &functionWords, &eachOnes, &fromMarks, &spaceMarks}

// onlySpaceAt returns the namespace with its registry, or the registry that has images
// without one, of which the token at an index says that names are in it.
func onlySpaceAt(toks []token, i int) (space string, registered bool) {
	word := trimWord(toks[i].text)
	parent, open := openParent(toks[i].text)
	before, behind := wordsBeside(toks, i, i)
	marked := len(toks) == 1 || fromMarks.has(before) || spaceMarks.has(before) || origins.has(before) || hostSides.starts(behind+" ") || spaceEnds.starts(behind+" ")
	switch {
	case open && (isNamespaceWord(parent) || isBelowRegistry(parent)):
		return parent, true
	case marked && (isNamespaceWord(word) || known.IsRegistry(word) && !reference.IsDockerHub(word) && known.Of(word).Names.Least <= 1):
		return word, true
	}
	if one := statedAt(toks, i); one.named {
		return one.space, one.sure
	}
	return "", false
}
