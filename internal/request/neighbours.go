package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// nearestPlatforms assigns to every image of a line the platforms directly
// after it, if several images have some.
func nearestPlatforms(finds []*candidate, toks []token, reads []reading) {
	if len(finds) < 2 {
		return
	}
	own := make([][]reference.Platform, len(finds))
	n := 0
	for i, r := range reads {
		for n < len(finds) && finds[n].at <= toks[i].at {
			n++
		}
		if n > 0 {
			own[n-1] = addPlatform(own[n-1], r.platforms...)
		}
	}
	if slices.ContainsFunc(own, func(p []reference.Platform) bool { return len(p) == 0 }) {
		return
	}
	for i := range finds {
		finds[i].image.Platforms = addPlatform(finds[i].image.Platforms, own[i]...)
	}
}

// moveTag assigns to the source in "SOURCE DESTINATION TAG" the tag after the
// destination.
func moveTag(source, target *candidate) {
	from, to := source.image.Reference.Repository(), target.image.Reference
	if !source.has(AssumedTag) || !target.has(RemovedSpace) || from == to.Repository() || !isSameName(to.Repository().Path(), from.Path()) {
		return
	}
	if ref, err := from.Tagged(to.Tag()); err == nil {
		source.complete(source.image.named(ref))
		target.judge(dropped, "destination")
	}
}

// raiseListed increases the strength of names of official images in a list with
// other images: "mirror nginx and redis:7".
func raiseListed(toks []token, reads []reading) {
	for i := 0; i+2 < len(toks); i++ {
		if isTagListMark(toks[i+1].text) && reads[i].strength >= official && reads[i+2].strength >= official {
			reads[i].strength = max(reads[i].strength, path)
			reads[i+2].strength = max(reads[i+2].strength, path)
		}
	}
}

// sharePrefix reads "k8s.gcr.io/kube-apiserver,kube-proxy:v1.20.1", several
// names with a common prefix and tag, like a brace expansion without the
// braces. It returns the index of the last token.
func sharePrefix(toks []token, r *reading, i int) int {
	if !r.untagged() {
		return i
	}
	prefix, first, ok := cutLast(trimWord(toks[i].text))
	names, tag, last := []string{first}, "", i
	for end := toks[i].at + len(toks[i].text); ok && tag == "" && last+2 < len(toks) && toks[last+1].text == "," && toks[last+2].at == end+1; end = toks[last].at + len(toks[last].text) {
		last += 2
		name := trimWord(toks[last].text)
		if name, tag = cutTag(name); known.IsOfficial(name) || strings.Contains(name, "/") || len(names) == maxUses {
			return i
		}
		names = append(names, name)
	}
	if tag == "" || len(names) < 2 {
		return i
	}
	shared := readWord(prefix + "/{" + strings.Join(names, ",") + "}:" + tag)
	if len(shared.images) != len(names) {
		return i
	}
	*r = shared
	return last
}

// joinDigests assigns to the images of a line the digests directly after them
// as separate words: "a/b:1.2, digest sha256:…", "a/b:1.2 (sha256:…)".
func joinDigests(toks []token, reads []reading, text string) {
	if !strings.Contains(text, "sha256:") {
		return
	}
	last := -1
	for i, t := range toks {
		if len(reads[i].images) == 1 && reads[i].strength >= official && !reads[i].images[0].Reference.HasDigest() {
			last = i
			continue
		}
		digest, err := reference.ParseDigest(trimWord(t.text))
		if err != nil || last < 0 {
			continue
		}
		image := reads[last].images[0]
		between := strings.Trim(lower(text[min(toks[last].at+len(toks[last].text), t.at):t.at]), " ,:;(`*_@'\"")
		if tag := image.Reference.Tag(); !image.has(AssumedTag) {
			between = strings.Trim(strings.TrimPrefix(between, tag), " ,:;(`*_@'\"")
		}
		if between == "" || between == "digest" || between == "摘要" || between == "digest is" || between == "with digest" || between == "at digest" {
			named := image.named(image.Reference.WithDigest(digest))
			if image.has(AssumedTag) {
				named = image.named(image.Reference.Untagged(digest))
			}
			named.Assumptions = append(named.Assumptions, RemovedSpace)
			reads[last].images[0], reads[last].strength = named, certain
			reads[i] = reading{}
		}
		last = -1
	}
}

// hostMarks are words between an image and its registry.
var hostMarks = wordSet{list: "hostMarks"}

// placeMarks are hostMarks also in front of the registry to which an image is published,
// publishing the words of sentences that tell so.
var (
	placeMarks = wordSet{list: "on|at|in|via|auf|bei|na|en|em|su|在"}
	publishing = phrases{list: "publishing"}
)

// joinHost gives the only image of a sentence without a registry the registry
// that is named behind it: "a/b:1 (from quay.io)".
func joinHost(toks []token, reads []reading, text string) {
	for i, t := range toks {
		word := lower(strings.Trim(t.text, ".:*_"))
		if t.kind != asciiWord || strings.Contains(word, "/") || !strings.Contains(word, ".") || !known.IsRegistry(word) || reference.IsDockerHub(word) {
			continue
		}
		if i+1 < len(toks) && ofNamespace.has(toks[i+1].text) {
			moveAll(toks, reads, i+2, word)
			continue
		}
		image := -1
		for n, r := range reads {
			switch {
			case len(r.images) == 0 || r.strength < official:
			case n > i || image >= 0 || !r.images[0].has(AssumedHost):
				return
			default:
				image = n
			}
		}
		if mark := spoken(toks[max(0, i-1)]); placeMarks.has(mark) && publishing.in(lower(text)) {
			return // "publish a/b:1 on ghcr.io"
		}
		if image < 0 || i == 0 || !hostMarks.has(spoken(toks[i-1])) && !isBracketed(text, toks[i-1], t) {
			continue
		}
		if !reads[image].move(word) {
			return
		}
		reads[i] = reading{}
		return
	}
}

// moveAll moves the images of a list that begins at an index to a registry:
// "docker.elastic.co 的 a/b、a/c".
func moveAll(toks []token, reads []reading, i int, host string) {
	for ; i < len(toks) && (isTagListMark(lower(toks[i].text)) || len(reads[i].images) > 0 && reads[i].strength > bare && reads[i].images[0].has(AssumedHost)); i++ {
		reads[i].move(host)
	}
}

// move moves the images of a reading to a registry, and reports whether they are valid
// there.
func (r *reading) move(host string) bool {
	for n := range r.images {
		one := &r.images[n]
		moved, err := reference.Parse(at(host, one.Reference))
		if err != nil {
			return false
		}
		kept := []Assumption{RemovedSpace}
		if one.has(AssumedTag) {
			kept = append(kept, AssumedTag)
		}
		one.Reference, one.Assumptions, r.strength = moved, kept, certain
	}
	return true
}

// belowMarks are words between a namespace at a registry and a name in it.
var belowMarks = wordSet{list: "belowMarks"}

// joinBelow reads "registry.k8s.io/sig-storage 下的 csi-attacher:v4.8.1". It
// returns the index of the last token.
func joinBelow(toks []token, r *reading, i int) int {
	if i+2 >= len(toks) || !belowMarks.has(toks[i+1].text) || i+3 < len(toks) && isTagListMark(lower(toks[i+3].text)) && strings.HasSuffix(toks[i].text, "/") || toks[i+2].kind != asciiWord || !r.untagged() {
		return i
	}
	host, _, _ := strings.Cut(trimWord(toks[i].text), "/")
	joined := readWord(strings.TrimRight(trimWord(toks[i].text), "/") + "/" + trimWord(toks[i+2].text))
	if !known.IsRegistry(host) || len(joined.images) != 1 {
		return i
	}
	joined.images[0].Assumptions = append(joined.images[0].Assumptions, RemovedSpace)
	*r = joined
	return i + 2
}

// versionsOf returns the version numbers among the words of a line.
func versionsOf(toks []token) []string {
	var versions []string
	for _, t := range toks {
		if w := trimWord(t.text); t.kind == asciiWord && isVersion(w) && strings.Contains(w, ".") {
			versions = append(versions, w)
		}
	}
	return versions
}

// nextWord returns the index of the next word after toks[i], or of the last
// token.
func nextWord(toks []token, i int) int {
	for i++; i < len(toks); i++ {
		if toks[i].kind == asciiWord && trimWord(toks[i].text) != "" {
			return i
		}
	}
	return len(toks) - 1
}

// renames are words between an image and its custom name.
var renames = wordSet{list: "renames"}

// joinAlias reads "REF -> name:tag", also with words in another script in
// between. It returns the index of its last token.
func joinAlias(toks []token, r *reading, i int) int {
	if i+1 >= len(toks) || !renames.has(toks[i+1].text) || len(r.images) != 1 {
		return i
	}
	at := nextWord(toks, i+1)
	if toks[at].kind != asciiWord {
		return i
	}
	custom := trimWord(toks[at].text)
	if newer, ok := newerTag(r.images[0], custom); ok {
		r.images[0] = newer
		return at
	}
	if first, _, ok := strings.Cut(custom, "/"); ok && strings.Contains(first, ".") {
		return at // the destination of another tool
	}
	r.images[0].As, r.problem = parseAlias(custom)
	return at
}

// moreTags reads further tags of the same repository after the first: "a/b:v1,
// v2", "a/b 的 v1 和 v2". It returns the index of the last token.
func moreTags(toks []token, r *reading, i int, text string) int {
	if len(r.images) != 1 || r.images[0].Reference.Tag() == "" || r.images[0].Reference.HasDigest() {
		return i
	}
	first := r.images[0]
	if i+1 < len(toks) && latestMarks.has(toks[i+1].text) {
		first = first.named(first.Reference)
		r.images[0] = first
	}
	_, last, _ := cutLast(first.Reference.Repository().Path())
	if at := alsoAs(toks, i); at > 0 && isVersion(trimWord(toks[at].text)) {
		if ref, err := first.Reference.Repository().Tagged(trimWord(toks[at].text)); err == nil {
			image := first
			image.Reference, image.Written = ref, clip(first.Written+", "+toks[at].text)
			r.images, i = append(r.images, image), at
		}
	}
	for j := i + 1; j+1 < len(toks) && (isTagListMark(toks[j].text) || j == i+1 && latestMarks.has(toks[j].text)); j += 2 {
		tag := trimWord(toks[j+1].text)
		if hasOwner(toks, j+1) || isAmount(toks, j+1) {
			return i
		}
		if again, ok := strings.CutPrefix(tag, last+":"); ok {
			tag = again // "gcr.io/a/b:v1, b:v2"
		} else if toks[j+1].kind != asciiWord || (!isVersion(tag) || !strings.Contains(tag, ".")) && !(looksLikeTag(tag) && (isVersion(tag) || strings.Contains(tag, first.Reference.Tag()) || i > 0 && isTagNoun(toks[i-1]))) && !continuesMajors(toks, j+1, first.Reference.Tag()) && !(isSameForm(tag, first.Reference.Tag()) && isPlainTag(tag)) && !(isTag(tag) && (endsInTags(toks[j+2:]) || closesBracket(text, toks[i], toks[j+1]) || insideKey(toks[i:], j+1-i))) {
			return i
		}
		ref, err := first.Reference.Repository().Tagged(tag)
		if err != nil {
			return i
		}
		image := first
		image.Reference, image.Written = ref, clip(first.Written+", "+tag)
		r.images = append(r.images, image)
		i = j + 1
	}
	return i
}

// continuesMajors reports whether the word at an index continues a list of major
// versions, and does not count what follows: "redis 6, 7", not "redis:6, 2 nodes".
func continuesMajors(toks []token, i int, tag string) bool {
	return isDigits(tag) && isDigits(trimWord(toks[i].text)) && len(toks[i].text) <= len(tag)+1 && (toks[i-1].text != "," || toks[i].at > toks[i-1].at+1) &&
		(i+1 == len(toks) || toks[i+1].kind == separator || isTagListMark(toks[i+1].text) || isFiller(toks[i+1].text))
}

// calledTags are the words of a list that the word behind it calls tags: "latest
// 和 hostmode 两个标签".
func calledTags(toks []token) []string {
	var tags []string
	for i, t := range toks {
		word := trimWord(t.text)
		if t.kind != asciiWord || len(word) < 2 || strings.ContainsAny(word, "/:@") {
			continue
		}
		if n := len(tags); n > 0 && !isTagListMark(toks[i-1].text) {
			return nil
		}
		tags = append(tags, word)
		if i+1 == len(toks) || !isTagListMark(toks[i+1].text) {
			if len(tags) < 2 || len(tags) > maxUses || !endsInTags(toks[i+1:]) || !slices.ContainsFunc(tags, isTag) {
				return nil
			}
			return tags
		}
	}
	return nil
}

// formTags are the words of the first list of words that differ only by their numbers, and
// have a mark that names of hosts and programs rarely have: "java_8 and java_17".
func formTags(toks []token) []string {
	for i, t := range toks {
		first := trimWord(t.text)
		if !strings.Contains(first, "_") || !isTag(first) {
			continue
		}
		tags := []string{first}
		for _, next := range toks[i+1 : min(len(toks), i+maxUses)] {
			if word := trimWord(next.text); isSameForm(word, first) {
				tags = append(tags, word)
			} else if !isTagListMark(lower(next.text)) {
				break
			}
		}
		if len(tags) > 1 {
			return tags
		}
	}
	return nil
}

// alsoAs is the index of the word behind "also" or "also as", if that stands right
// behind toks[i]; 0 for none.
func alsoAs(toks []token, i int) int {
	at := i + 1
	if at+1 >= len(toks) || toks[at].text != "also" && toks[at].text != "plus" {
		return 0
	}
	if at++; toks[at].text == "as" && at+1 < len(toks) {
		at++
	}
	return at
}

// pastTarget returns the index of the target after a quoted key, "a/b:v1,v2":
// "target", or i if the token is not a key.
func pastTarget(toks []token, i int) int {
	if toks[i].key {
		return nextWord(toks, i)
	}
	return i
}

// insideKey reports whether the words from the first one to n are in one quoted
// key: "a/b:v1,latest": "target".
func insideKey(toks []token, n int) bool {
	group := toks[0].group
	if group == 0 || toks[n].group != group {
		return false
	}
	for n+1 < len(toks) && toks[n+1].group == group {
		n++
	}
	return toks[n].key
}

// closesBracket reports whether the first of two words opens a bracket that the second
// one closes.
func closesBracket(text string, first, second token) bool {
	end := second.at + len(second.text)
	return first.at > 0 && end < len(text) && strings.HasSuffix(strings.TrimRight(text[:first.at], "`"), "(") && strings.HasPrefix(strings.TrimLeft(text[end:], "`"), ")")
}

// endsInTags reports whether the text after a word calls it a tag: "v1、beta 三个
// tag".
func endsInTags(toks []token) bool {
	for _, t := range toks[:min(len(toks), 3)] {
		if word := lower(t.text); strings.Contains(word, "tag") || strings.Contains(word, "标签") || strings.Contains(word, "版本") || strings.Contains(word, "version") {
			return true
		}
	}
	return false
}

// tagListMarks are separators between tags of one repository, beside "|".
var tagListMarks = wordSet{list: "tagListMarks"}

func isTagListMark(word string) bool { return word == "|" || tagListMarks.has(word) }

// latestMarks are tagListMarks after the word for the latest tag.
var latestMarks = wordSet{list: "latestMarks"}

// tagWordsBetween are words between a repository and its tag.
var tagWordsBetween = wordSet{list: "tagWordsBetween"}

// tagNouns are words that only announce a tag.
var tagNouns = wordSet{list: "tagNouns"}

// tagNames are words after a tag in a sentence: "的 bookworm 标签".
var tagNames = wordSet{list: "tagNames"}

// httpErrors are numbers behind an image that registries answer.
var httpErrors = wordSet{list: "401|403|404|429|500|502|503|504"}

// isPlainTag reports whether a word could be a tag and is not the name of an
// image.
func isPlainTag(word string) bool {
	return len(word) > 1 && !strings.ContainsAny(word, "/:@") && hasLetter(word)
}

// isBracketed reports whether the second of two words is alone in brackets
// behind the first.
func isBracketed(text string, first, second token) bool {
	from, end := min(first.at+len(first.text), second.at), second.at+len(second.text)
	return strings.TrimLeft(text[from:second.at], " `*") == "(" && end < len(text) && text[end] == ')'
}

// nounBehind returns the index of a word for tags that stands behind the name at
// toks[i], with a few words in between that are no names: "a/b in der Version 1.2".
func nounBehind(toks []token, i int) int {
	const most = 3 // words in between
	for n := i + 1; n < min(len(toks)-1, i+2+most); n++ {
		switch t := toks[n]; {
		case tagNouns.has(spoken(t)):
			return n
		case t.kind == asciiWord && (len(t.text) > 4 || !isLetters(t.text) || known.IsOfficial(t.text)), t.kind == separator && t.text != ",":
			return 0
		}
	}
	return 0
}

// joinTag reads "REPOSITORY TAG", "REPOSITORY : TAG" and "REPOSITORY (TAG)", as
// in tables and with typing errors, as one reference. It returns the index of
// its last token.
func joinTag(toks []token, r *reading, i int, text string) int {
	if i+1 >= len(toks) || !r.untagged() {
		return i
	}
	start, announced := i, false
	if at := nounBehind(toks, i); at > i+1 {
		i, announced = at, true
	}
	if i+3 < len(toks) && toks[i+1].kind == otherWord && looksLikeTag(trimWord(toks[i+2].text)) && isTagNoun(toks[i+3]) {
		i++ // "b imajının 1.2 sürümünü"
	}
	for skipped := 0; skipped < 3 && i+2 < len(toks) && (tagWordsBetween.has(toks[i+1].text) || tagNouns.has(lower(strings.TrimRight(toks[i+1].text, ":")))); skipped++ {
		i++
		announced = announced || tagNouns.has(lower(strings.Trim(toks[i].text, ":.")))
	}
	next := toks[i+1]
	if strings.Trim(next.text, ":@") == "" && i+2 < len(toks) {
		if i++; tagNouns.has(lower(toks[i+1].text)) {
			if isNamespaceWord(trimWord(toks[start].text)) {
				*r = reading{} // "Quay (quay.io/me): tag 1.2"
			}
			return start
		}
		next = toks[i+1]
		next.text = ":" + next.text
	}
	for _, name := range []string{"tag=", "version=", "ver=", "tag:", "version:"} {
		if value, ok := strings.CutPrefix(lower(next.text), name); ok && value != "" {
			next.text = ":" + next.text[len(name):]
		}
	}
	tag := strings.TrimLeft(next.text, ":")
	if before := spoken(toks[max(0, start-1)]); start > 0 && before == "chart" && r.images[0].has(AssumedHost) && isVersion(tag) {
		*r = reading{strength: certain, problem: &Problem{Code: Ambiguous, Written: clip(toks[start].text), Suggestion: r.images[0].Reference.String()}}
		return i + 1 // the version of a Helm chart
	}
	if next.faulty || httpErrors.has(tag) || hasOwner(toks, i+1) || tag != next.text && startsUpper(tag) && !strings.ContainsAny(tag, "0123456789") {
		return start // "TASK [a/b : Install]"
	}
	called := i+2 < len(toks) && tagNames.has(lower(toks[i+2].text)) && toks[i].text == "的" && isPlainTag(tag) ||
		isBracketed(text, toks[i], next) && isTag(tag) && isPlainTag(tag) && strings.ContainsAny(tag, "0123456789")
	if next.kind != asciiWord || tag == "" || tag == next.text && !isVersion(tag) && tag != "latest" && !called && !(announced && isTag(tag) && isPlainTag(tag)) && !(i > start && looksLikeTag(tag)) {
		return start
	}
	name := strings.TrimRight(r.images[0].Written, ":")
	link := strings.Contains(name, "://")
	if link {
		name = r.images[0].Reference.Repository().String()
	}
	joined := readWord(name + ":" + tag)
	if len(joined.images) != 1 || joined.images[0].Reference.Repository() != r.images[0].Reference.Repository() {
		return start
	}
	if link {
		joined.images[0].Written = clip(r.images[0].Written + " " + tag)
	}
	joined.images[0].Assumptions = append(joined.images[0].Assumptions, RemovedSpace)
	joined.images[0].Platforms = r.images[0].Platforms
	if r.strength < path && tag == next.text && start == i {
		joined.strength = path // "centos 8" in a story is what somebody's machine runs
	}
	*r = joined
	return i + 1
}
