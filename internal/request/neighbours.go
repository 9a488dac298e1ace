package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// complete completes the image at an index by the words behind it, and returns the
// index of the last of these.
func (s *sentence) complete(i int) (last int) {
	r := &s.reads[i]
	if meant := decimalComma(s.toks, i); meant != "" {
		written := s.written[s.toks[i].at:s.toks[i+2].end()]
		*r = reading{strength: certain, problem: &Problem{Code: Ambiguous, Written: clip(written), Suggestion: meant}}
		return i + 2
	}
	last = s.sharePrefix(r, i)
	last = s.joinBelow(r, last)
	last = s.joinTag(r, last)
	last = s.moreTags(r, last)
	last = pastTarget(s.toks, last)
	return s.joinAlias(r, last)
}

// decimalComma returns the image that a word with a comma inside its version may
// mean: "nginx:1,21"; empty if it is another word.
func decimalComma(toks []token, i int) string {
	if i+2 >= len(toks) || toks[i+1].text != "," || toks[i+2].at != toks[i].end()+1 {
		return ""
	}
	_, tag := cutTag(toks[i].text)
	decimals := toks[i+2].text
	if !isDigits(tag) || !isVersion(decimals) || !isDigit(decimals[0]) {
		return ""
	}
	return canonical(toks[i].text + "." + decimals)
}

// nearestPlatforms assigns to every image of a line the platforms directly
// after it, if all of several images have some.
func (s *sentence) nearestPlatforms(finds []*candidate) {
	if len(finds) < 2 {
		return
	}
	own := make([][]reference.Platform, len(finds))
	n := 0
	for i := range s.reads {
		for n < len(finds) && finds[n].at <= s.toks[i].at {
			n++
		}
		if n > 0 {
			own[n-1] = addPlatform(own[n-1], s.reads[i].platforms...)
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
	if !source.has(AssumedTag) || !target.has(RemovedSpace) {
		return
	}
	from, to := source.image.Reference.Repository(), target.image.Reference
	if from == to.Repository() || !isSameName(to.Repository().Path(), from.Path()) {
		return
	}
	if ref, err := from.Tagged(to.Tag()); err == nil {
		source.complete(source.image.named(ref))
		target.judge(dropped, "destination")
	}
}

// raiseListed increases the strength of names of official images in a list with
// other images: "mirror nginx and redis:7".
func (s *sentence) raiseListed() {
	for i := 0; i+2 < len(s.toks); i++ {
		first, second := &s.reads[i], &s.reads[i+2]
		if isTagListMark(s.toks[i+1].text) && first.strength >= official && second.strength >= official {
			first.strength = max(first.strength, path)
			second.strength = max(second.strength, path)
		}
	}
}

// sharePrefix reads "k8s.gcr.io/kube-apiserver,kube-proxy:v1.20.1", several
// names with a common prefix and tag, like a brace expansion without the
// braces. It returns the index of the last token.
func (s *sentence) sharePrefix(r *reading, i int) (last int) {
	if !r.untagged() {
		return i
	}
	prefix, first, ok := cutLast(s.word(i))
	if !ok || !s.isGlued(i) {
		return i
	}
	names, tag := []string{first}, ""
	for last = i; tag == "" && s.isGlued(last); {
		last += 2
		name := s.word(last)
		if name, tag = cutTag(name); known.IsOfficial(name) || tagNouns.has(lower(name)) || strings.Contains(name, "/") || len(names) == maxUses {
			return i
		}
		names = append(names, name)
	}
	if tag == "" {
		return i
	}
	shared := readWord(prefix + "/{" + strings.Join(names, ",") + "}:" + tag)
	if len(shared.images) != len(names) {
		return i
	}
	*r = shared
	return last
}

// isGlued reports whether a comma without spaces joins the word at an index to the next.
func (s *sentence) isGlued(i int) bool {
	return i+2 < len(s.toks) && s.toks[i+1].text == "," && s.toks[i+2].at == s.toks[i].end()+1
}

// joinDigests assigns to the images of a line the digests directly after them
// as separate words: "a/b:1.2, digest sha256:…", "a/b:1.2 (sha256:…)".
func (s *sentence) joinDigests() {
	if !strings.Contains(s.written, "sha256:") {
		return
	}
	last := -1
	for i := range s.toks {
		if r := &s.reads[i]; len(r.images) == 1 && r.isImage(official) && !r.images[0].Reference.HasDigest() {
			last = i
			continue
		}
		digest, err := reference.ParseDigest(s.word(i))
		if err != nil || last < 0 {
			continue
		}
		if s.isDigestOf(last, i) {
			image := s.reads[last].images[0]
			named := image.named(image.Reference.WithDigest(digest))
			if image.has(AssumedTag) {
				named = image.named(image.Reference.Untagged(digest))
			}
			named.Assumptions = append(named.Assumptions, RemovedSpace)
			s.reads[last].images[0], s.reads[last].strength = named, certain
			s.reads[i] = reading{}
		}
		last = -1
	}
}

// isDigestOf reports whether only the tag and words for digests are between an image and
// a digest.
func (s *sentence) isDigestOf(image, digest int) bool {
	const marks = " ,:;(`*_@'\""
	at := s.toks[digest].at
	between := strings.Trim(s.said[min(s.toks[image].end(), at):at], marks)
	if one := &s.reads[image].images[0]; !one.has(AssumedTag) {
		between = strings.Trim(strings.TrimPrefix(between, one.Reference.Tag()), marks)
	}
	switch between {
	case "", "digest", "摘要", "digest is", "with digest", "at digest":
		return true
	}
	return false
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
// that is named behind it: "a/b:1 (from quay.io)". More registries than maxUses are not
// read: for each the whole sentence is.
func (s *sentence) joinHost() {
	hosts := 0
	for i := range s.toks {
		host := s.hostAt(i)
		names := s.namesOf(i)
		if host == "" && (names > 0 || s.isOrigin(i)) {
			host = shortHost(s.word(i))
		}
		if host == "" {
			continue
		}
		if hosts++; hosts > maxUses {
			return
		}
		if names > 0 {
			s.moveAll(names, host)
			continue
		}
		image, ok := s.onlyHostless(i)
		if !ok || placeMarks.has(spoken(s.toks[max(0, i-1)])) && publishing.in(s.said) {
			return // "publish a/b:1 on ghcr.io"
		}
		if image < 0 || !s.isPlace(i) {
			continue
		}
		if s.reads[image].move(host) {
			s.reads[i] = reading{}
		}
		return
	}
}

// isPlace reports whether the word at an index may be the registry of the image in front of
// it: "a/b on quay.io", "a/b (quay.io)".
func (s *sentence) isPlace(i int) bool {
	return i > 0 && (hostMarks.has(spoken(s.toks[i-1])) || isBracketed(s.written, s.toks[i-1], s.toks[i]))
}

// isOrigin reports whether the words beside the one at an index say that the image in front
// of it comes from there. "On ghcr" is mostly where it shall be.
func (s *sentence) isOrigin(i int) bool {
	if i < 2 || !s.isImage(i-2) && !isVersion(s.word(i-2)) {
		return false
	}
	return origins.has(spoken(s.toks[i-1])) || isBracketed(s.written, s.toks[i-1], s.toks[i])
}

// namesOf returns the index of the first of the names that the words beside a registry say
// to be there: "quay.io 上的 a/b", "from quay.io, a/b"; 0 if they don't.
func (s *sentence) namesOf(i int) int {
	switch {
	case i+1 == len(s.toks):
	case ofNamespace.has(s.toks[i+1].text), ofHost.has(s.toks[i+1].text):
		return i + 2
	case i == 0 || !origins.has(spoken(s.toks[i-1])) || strings.HasSuffix(s.toks[i].text, "."):
	case s.isPathWithoutHost(i + 1):
		return i + 1
	case s.isPathWithoutHost(i+2) && !destinationMarks.has(spoken(s.toks[i+1])):
		return i + 2
	}
	return 0
}

// isPathWithoutHost reports whether the word at an index is an image in a namespace,
// without a registry.
func (s *sentence) isPathWithoutHost(i int) bool {
	return i < len(s.toks) && s.reads[i].isImage(path) && s.reads[i].images[0].has(AssumedHost) && !s.reads[i].images[0].has(AssumedLibrary)
}

// ofHost are words between a registry and names there, besides ofNamespace; origins are
// words in front of one that they come from.
var (
	ofHost  = wordSet{list: "ofHost"}
	origins = wordSet{list: "origins"}
)

// shortHost returns the registry that people call by a short name such as "ghcr"; empty
// for other words.
func shortHost(word string) string {
	if word = lower(word); word == "quay" || strings.HasSuffix(word, "cr") {
		return known.ByShortName(word)
	}
	return ""
}

// hostAt returns the word at an index if it is a registry other than Docker Hub.
func (s *sentence) hostAt(i int) string {
	t := &s.toks[i]
	if t.kind != asciiWord || strings.Contains(t.text, "/") {
		return ""
	}
	return registryIn(strings.Trim(t.text, ".:*_"))
}

// registryIn returns the registry that a word names, in lower case; empty for Docker Hub
// and for other words.
func registryIn(word string) string {
	host := lower(word)
	if !strings.Contains(host, ".") || !known.IsRegistry(host) || reference.IsDockerHub(host) {
		return ""
	}
	return host
}

// onlyHostless returns the index of the only image of a sentence, -1 if there is none;
// ok is false if there are others, or if it has a registry or is behind an index.
func (s *sentence) onlyHostless(end int) (image int, ok bool) {
	image = -1
	for n := range s.reads {
		if !s.isImage(n) {
			continue
		}
		if image >= 0 || n > end || !s.reads[n].images[0].has(AssumedHost) {
			return -1, false
		}
		image = n
	}
	return image, true
}

// moveAll moves the images of a list that begins at an index to a registry:
// "docker.elastic.co 的 a/b、a/c".
func (s *sentence) moveAll(i int, host string) {
	for ; i < len(s.toks); i++ {
		hostless := s.isImage(i) && s.reads[i].images[0].has(AssumedHost)
		if !hostless && !isTagListMark(lower(s.toks[i].text)) {
			return
		}
		s.reads[i].move(host)
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
func (s *sentence) joinBelow(r *reading, i int) (last int) {
	if i+2 >= len(s.toks) || s.toks[i+2].kind != asciiWord || !r.untagged() || !belowMarks.has(s.toks[i+1].text) {
		return i
	}
	if i+3 < len(s.toks) && isTagListMark(lower(s.toks[i+3].text)) && strings.HasSuffix(s.toks[i].text, "/") {
		return i // a list, which shareNamespace reads
	}
	space := s.word(i)
	host, _, _ := strings.Cut(space, "/")
	joined := readWord(strings.TrimRight(space, "/") + "/" + s.word(i+2))
	if !known.IsRegistry(host) || len(joined.images) != 1 {
		return i
	}
	joined.images[0].Assumptions = append(joined.images[0].Assumptions, RemovedSpace)
	*r = joined
	return i + 2
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
func (s *sentence) joinAlias(r *reading, i int) (last int) {
	if i+1 >= len(s.toks) || len(r.images) != 1 || !renames.has(s.toks[i+1].text) {
		return i
	}
	at := nextWord(s.toks, i+1)
	if s.toks[at].kind != asciiWord {
		return i
	}
	custom := s.word(at)
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

// pastTarget returns the index of the target after a quoted key, "a/b:v1,v2":
// "target", or i if the token is not a key.
func pastTarget(toks []token, i int) int {
	if toks[i].key {
		return nextWord(toks, i)
	}
	return i
}
