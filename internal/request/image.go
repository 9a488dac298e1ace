package request

import (
	"cmp"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// strength is how strong the evidence is that a word is an image. The required
// strength depends on the place: a bare word is enough after "docker pull", but
// in a sentence only an unmistakable name.
type strength int

const (
	nothing  strength = iota
	bare              // "immich"
	official          // "nginx": a bare word that is the name of an official image
	path              // "grafana/grafana"
	tagged            // "grafana/grafana:11", "nginx:1.25"
	certain           // "quay.io/a/b": nothing else looks like it
)

// reading is the result of reading one word: images, a platform or a problem.
type reading struct {
	strength  strength
	images    []Image
	platforms []reference.Platform
	problem   *Problem
}

// has reports whether an assumption was made for an image.
func (i *Image) has(a Assumption) bool { return slices.Contains(i.Assumptions, a) }

// name returns the last component of the image's path.
func (i *Image) name() string {
	_, name, _ := cutLast(i.Reference.Repository().Path())
	return name
}

// untagged reports whether a word is a single image without a tag.
func (r *reading) untagged() bool { return len(r.images) == 1 && r.images[0].has(AssumedTag) }

// isImage reports whether a word is an image with at least some strength.
func (r *reading) isImage(least strength) bool { return len(r.images) > 0 && r.strength >= least }

// isOpen reports whether a word is certainly an image, and has no tag.
func (r *reading) isOpen() bool { return r.strength >= official && r.untagged() }

// joined reports whether a reading is one image with a tag that stands apart.
func (r *reading) joined() bool {
	return len(r.images) == 1 && r.images[0].has(RemovedSpace) && !r.images[0].has(AssumedTag)
}

// repository returns the repository of the first image.
func (r *reading) repository() reference.Repository { return r.images[0].Reference.Repository() }

// give replaces the assumed tag of a reading by tags that stand apart.
func (r *reading) give(tags []string) {
	var all []Image
	for _, tag := range tags {
		if ref, err := r.repository().Tagged(tag); err == nil {
			image := r.images[0].named(ref)
			image.Assumptions = append(image.Assumptions, RemovedSpace)
			all = append(all, image)
		}
	}
	if len(all) > 0 {
		r.images, r.strength = all, max(r.strength, tagged)
	}
}

// mayBeNamespace reports whether a word is a name without a tag directly below
// Docker Hub that no official image has: "docker.io/bitnamilegacy".
func (r *reading) mayBeNamespace() bool {
	return r.strength == official && r.untagged() && !r.images[0].has(AssumedHost)
}

// named returns the image with a reference whose tag was given.
func (i *Image) named(ref reference.Reference) Image {
	image := *i
	image.Reference = ref
	image.Assumptions = i.without(AssumedTag)
	return image
}

// without returns the assumptions of an image other than some.
func (i *Image) without(some ...Assumption) (others []Assumption) {
	for _, a := range i.Assumptions {
		if !slices.Contains(some, a) {
			others = append(others, a)
		}
	}
	return others
}

// readWord reads one word of a request.
func readWord(written string) reading {
	if len(written) > maxWord {
		return reading{}
	}
	if strings.HasPrefix(written, "+") && isLetters(written[1:]) {
		return reading{} // a target of Earthly
	}
	word := pythonTag(trimWord(written))
	if isHandle(written, word) {
		return reading{}
	}
	word, other := readSetting(cutGlued(word))
	word = cutShifter(word)
	if word == "" {
		return other
	}
	if p, ok := platformWord(word); ok {
		return reading{platforms: []reference.Platform{p}}
	}
	if strings.HasPrefix(lower(word), "linux/") && !strings.ContainsAny(word, ":@.") {
		return reading{strength: path, problem: &Problem{Code: UnknownPlatform, Written: clip(word)}} // "linux/amd46"
	}
	r := readSpelling(word, written)
	if strings.HasPrefix(written, "...") && r.strength < certain {
		return reading{} // only the end of a name
	}
	if r.problem != nil && r.problem.Written == "" {
		r.problem.Written = clip(written)
	}
	return r
}

// cutShifter removes the mark of an image of Docker in Shifter and Slurm:
// "docker:a/b:1" (Shifter's documentation, "shifterimg").
func cutShifter(word string) string {
	if image, ok := strings.CutPrefix(word, "docker:"); ok && strings.IndexByte(image, '/') > 0 {
		return image
	}
	return word
}

// pythonTag replaces the mark between the name and the version of a Python package, if the
// name has a registry: "ghcr.io/a/b==1.2".
func pythonTag(word string) string {
	name, version, ok := strings.Cut(word, "==")
	if !ok || !isVersion(version) {
		return word
	}
	if host, _, _ := strings.Cut(name, "/"); !known.IsRegistry(host) {
		return word
	}
	return name + ":" + version
}

// readSetting returns the part of a word such as "image=a/b" that can be an image. If none
// can, word is empty and r is what the word is.
func readSetting(whole string) (word string, r reading) {
	key, value, ok := strings.Cut(whole, "=")
	if !ok || strings.Contains(whole, "://") {
		return whole, reading{}
	}
	switch {
	case strings.Contains(key, "/") && isVersion(value) && readName(key).strength >= path:
		word = trimWord(key) + ":" + trimWord(value) // "a/b=1.2"
	case strings.Contains(key, "/") && readName(key).strength >= tagged:
		word = trimWord(key) // "source=target"
	case isSettingOfOther(key):
		// "DB_HOST=redis", "TZ=Europe/Berlin": only unmistakable names count.
		if r = readWord(value); r.isImage(certain) && !r.untagged() {
			return "", r
		}
		return "", reading{}
	default:
		word = trimWord(value)
	}
	if side, _ := sideOf(strings.TrimLeft(key, "-")); side == targetSide {
		return "", reading{} // "--destination=me.io/b:1", "dest=me.io/b:1"
	}
	return word, reading{}
}

// readSpelling reads a word as a link, a brace expansion or a name, after what is spelled
// in other ways and the additions of programs are taken off. written is the whole word.
func readSpelling(word, written string) reading {
	word, unescaped, ok := unescape(word)
	if !ok {
		return reading{}
	}
	word, assumed := substitute(word)
	word, alias, problem := cutAlias(word)
	word, platforms, unknown := cutPlatforms(word)
	var r reading
	switch {
	case strings.Contains(word, "://"):
		r = readLink(word)
	case strings.ContainsAny(word, "{}"):
		r = readBraces(word)
	default:
		r = readName(word)
	}
	for i := range r.images {
		image := &r.images[i]
		image.Written = clip(trimWord(written))
		image.Platforms = slices.Clip(platforms)
		image.As = alias
		image.Assumptions = append(image.Assumptions, assumed...)
		if unescaped {
			image.Assumptions = append(image.Assumptions, FixedPunctuation)
		}
		image.Assumptions = slices.Clip(image.Assumptions)
	}
	if r.problem == nil && r.strength > nothing {
		r.problem = cmp.Or(problem, unknown)
	}
	return r
}

// isHandle reports whether a word is the name of a person, "@me", or of a channel
// of a chat, "#help".
func isHandle(written, word string) bool {
	first, _, _ := strings.Cut(word, "/")
	return strings.HasPrefix(strings.TrimLeft(written, "\"'`(*"), "@") && !strings.Contains(first, ".") ||
		strings.HasPrefix(written, "#") && !strings.ContainsAny(word, "/:")
}

// glued are words of a form's placeholder that users leave after the value.
const glued = wordList("glued")

// cutGlued removes the placeholder glued to a version: "a/b:v1.11.1Enter".
func cutGlued(word string) string {
	for _, text := range glued.words() {
		if before, ok := strings.CutSuffix(word, text); ok && before != "" && isDigit(before[len(before)-1]) && strings.Contains(before, ":") {
			return before
		}
	}
	return word
}

// isSettingOfOther reports whether the key of "key=value" is a variable or a
// setting that is not named like an image.
func isSettingOfOther(key string) bool {
	key = strings.TrimLeft(key, "-+>$ ")
	if key == "" || !isIdentifier(asIdentifier.Replace(key)) {
		return false
	}
	small := strings.ToLower(key)
	if strings.Contains(small, "image") || strings.Contains(small, "img") {
		return strings.Contains(small, "pull")
	}
	_, p := sideOf(key)
	return p != namePart && p != registryPart && p != platformPart
}

// asIdentifier turns the name of a setting into an identifier.
var asIdentifier = strings.NewReplacer("-", "_", ".", "_")

// readBraces reads a brace expansion, whose words must all be images.
func readBraces(word string) reading {
	if strings.Contains(word, "{{") || strings.Contains(word, "${") {
		return placeholder(word)
	}
	words := expandBraces(word)
	if words == nil {
		return reading{strength: tagged, problem: &Problem{Code: TooManyExpansions, Suggestion: limit(MaxExpansion)}}
	}
	r := reading{strength: certain}
	for _, w := range words {
		one := readName(trimWord(w))
		if one.problem != nil {
			return reading{strength: one.strength, problem: one.problem}
		}
		if len(one.images) == 0 || strings.ContainsAny(w, "{}") {
			return reading{}
		}
		r.strength = min(r.strength, one.strength)
		r.images = append(r.images, one.images...)
	}
	if len(words) > 1 {
		for i := range r.images {
			r.images[i].Assumptions = append(r.images[i].Assumptions, Expanded)
		}
	}
	return r
}

// named is a word being parsed as a reference: its parts, and the assumptions
// so far.
type named struct {
	host, path, tag, digest string
	capitals                bool // the path is in capital letters, or only the first letter of it is not
	keys                    bool // it is two words such as "newName", which no image has
	assumed                 []Assumption
}

func (n *named) assume(a Assumption) {
	if !slices.Contains(n.assumed, a) {
		n.assumed = append(n.assumed, a)
	}
}

// suffix returns the tag and the digest with their separators.
func (n *named) suffix() string {
	s := ""
	if n.tag != "" {
		s = ":" + n.tag
	}
	if n.digest != "" {
		s += "@" + n.digest
	}
	return s
}

// readName parses a word as a reference, with all unambiguous repairs.
func readName(word string) reading {
	word = cutLabel(word)
	if word == "" || strings.IndexByte("/.~-", word[0]) >= 0 {
		return reading{}
	}
	n, problem := cutReference(word)
	if strings.ContainsAny(word, "<>$*%?&#^\\{}|") {
		return placeholderOrGlob(word, n.path, n.tag)
	}
	if !hasLetter(n.path) {
		return reading{}
	}
	if r, settled := n.locate(); settled {
		return r
	}
	if isDocumentation(n.host) || strings.EqualFold(n.path, "image") && strings.EqualFold(n.tag, "tag") {
		return reading{}
	}
	if isPlaceholder(n.path, n.tag) {
		return placeholder(word)
	}
	if _, ok := platformWord(n.path); ok && reference.IsDockerHub(n.host) {
		return reading{strength: certain, problem: &Problem{Code: Ambiguous}} // "docker.io/linux/arm64:latest"
	}
	n.fill()
	return n.refer(problem)
}

// locate splits the host from the path and undoes mirrors and typing errors.
// settled reports whether the word is not a reference: a page, a host alone, or
// nothing.
func (n *named) locate() (r reading, settled bool) {
	n.cutHost()
	if n.host == "" {
		return n.locateHostless()
	}
	if page := n.pageAddress(); page != "" {
		return n.page(page), true
	}
	n.cutVersion()
	n.undoMirror()
	n.undoAPI()
	n.cutVersion() // now that the host is the original one
	switch {
	case n.path == "", n.path == "v1", n.path == "v2", n.path == "library" && reference.IsDockerHub(n.host),
		!strings.Contains(n.path, "/") && n.isNamespace():
		return reading{problem: hostOnly(n.host)}, true
	case !isDomain(n.host) && known.Lookalike(n.host) == "":
		return reading{}, true
	}
	return n.checkAlone()
}

// cutHost splits the host off the path, which gets small letters.
func (n *named) cutHost() {
	n.host, n.path = cutHost(n.path)
	if small := lower(n.path); small != n.path {
		n.capitals = strings.ToUpper(n.path) == n.path || n.path[:1] == small[:1] // "withName:KRAKEN2"
		n.keys = areKeys(n.path)
		n.path = small
		n.assume(Lowered)
	}
	if before, after, ok := strings.Cut(n.host, ":"); ok && !isDigits(after) && known.IsRegistry(before) {
		n.host, n.path = before, after+"/"+n.path // "docker.io:library/nginx"
		n.assume(FixedPunctuation)
	}
}

// locateHostless is locate for a word without a host.
func (n *named) locateHostless() (r reading, settled bool) {
	if strings.HasPrefix(n.path, "v1/") || strings.HasPrefix(n.path, "v2/") {
		return reading{}, true // the path of a registry's API
	}
	r, settled = n.checkAlone()
	if meant := flattenedHost(n.path); meant != "" && !settled {
		return reading{strength: tagged, problem: &Problem{Code: Malformed, Suggestion: canonical(meant + n.suffix())}}, true
	}
	return r, settled
}

// pageAddress returns the address of the page of a registry's website that a word without
// "https://" is; empty for none.
func (n *named) pageAddress() string {
	page := strings.HasPrefix(n.path, "r/")
	switch {
	case strings.HasPrefix(n.path, "hub.docker.com/"):
		return n.path
	case page && known.Lookalike(n.host) == reference.DockerHub:
		return "hub.docker.com/" + n.path
	case !known.IsSite(n.host):
		return ""
	case page, !known.IsRegistry(n.host) && (n.tag == "" || known.Lookalike(n.host) == ""):
		return n.host + "/" + n.path
	}
	return ""
}

// undoMirror replaces the place of another mirror by that of the original.
func (n *named) undoMirror() {
	host, path, undone := originalOf(n.host, n.path, n.suffix())
	n.host, n.path = host, path
	if undone == "" {
		return
	}
	n.assume(undone)
	if n.tag == "" {
		n.path, n.tag = cutTag(n.path) // undoing the mirror may have added it
	}
}

// undoAPI replaces paths of a registry's API by the image.
func (n *named) undoAPI() {
	for known.IsRegistry(n.host) && strings.HasPrefix(n.path, "v2/") {
		name, _ := readAPI(strings.TrimPrefix(n.path, "v2/"))
		inside, _ := cutReference(name + n.suffix())
		n.path, n.tag, n.digest = inside.path, inside.tag, inside.digest
		n.assume(FixedPunctuation)
	}
}

// areKeys reports whether a path is two keys of a file: "newName/newTag".
func areKeys(path string) bool {
	first, second, ok := strings.Cut(path, "/")
	return ok && path[0] >= 'a' && path[0] <= 'z' && len(keyWords(first)) > 1 && len(keyWords(second)) > 1 && !strings.ContainsAny(path, "-_.")
}

// page reads the address of a page with the name.
func (n *named) page(address string) reading {
	r, _ := readAddress(address + n.suffix())
	return r
}

// isNamespace reports whether a path of one component cannot be an image,
// because that registry has no images directly below the host.
func (n *named) isNamespace() bool {
	r := known.Of(n.host)
	return r.Names.Least > 1 && (n.suffix() == "" || r.Vendor == known.Alibaba || r.Vendor == known.Huawei)
}

// cutVersion reads a version after the last slash as the tag:
// "docker.io/arm64v8/mysql/5.7.37".
func (n *named) cutVersion() {
	name, version, ok := cutLast(n.path)
	if ok && n.suffix() == "" && known.IsRegistry(n.host) && isVersion(version) && strings.Contains(version, ".") {
		n.path, n.tag = name, version
		n.assume(FixedPunctuation)
	}
}

// checkAlone handles a path that is the name of a host.
func (n *named) checkAlone() (r reading, settled bool) {
	if label, _, _ := strings.Cut(n.path, "."); fileNames.has(label) {
		return reading{}, true // "Dockerfile.local:8"
	}
	if !strings.Contains(n.path, "/") && (known.IsRegistry(n.path) || isHostName(n.path) || isDomain(n.path) && isDigits(n.tag)) {
		return reading{problem: hostOnly(n.path)}, true
	}
	return reading{}, false
}

// fill records omitted parts. Only the host of a Kubernetes component is filled
// in here; reference.Parse fills in the others.
func (n *named) fill() {
	if n.host == "" && n.tag != "" && known.IsKubernetesComponent(n.path) {
		n.host = known.Kubernetes
		n.path, n.tag = cutTag(known.KubernetesPath(n.path + ":" + n.tag))
		n.assume(AssumedKubernetes)
	} else if n.host == "" {
		n.assume(AssumedHost)
	}
	if (n.host == "" || reference.IsDockerHub(n.host)) && !strings.Contains(n.path, "/") {
		n.assume(AssumedLibrary)
	}
	if n.tag == "" && n.digest == "" {
		n.assume(AssumedTag)
	}
	if n.tag != "" && n.digest != "" {
		n.assume(KeptTagAndDigest)
	}
}

// gluedAt returns the offset of a version glued to the end of a name:
// "a/controllerv1.8.1"; 0 if there is none.
func gluedAt(name string) int {
	at := strings.LastIndexByte(name, 'v')
	if at < 1 || name[at-1] < 'a' || name[at-1] > 'z' || !strings.Contains(name[at:], ".") || !isVersion(name[at:]) {
		return 0
	}
	return at
}

// refer determines the strength of the name and builds the reference, or a
// suggestion if the host is probably misspelt.
func (n *named) refer(problem *Problem) reading {
	hostless := n.host == ""
	if hostless {
		n.host = reference.DockerHub
	}
	meant := n.meantHost()
	w := n.weigh(hostless, meant != "")
	if w == nothing {
		return reading{}
	}
	if at := gluedAt(n.path); problem == nil && at > 0 && n.suffix() == "" && strings.Contains(n.path, "/") {
		problem = &Problem{Code: Ambiguous, Suggestion: canonical(n.host + "/" + n.path[:at] + ":" + n.path[at:])}
	}
	if problem != nil {
		return reading{strength: w, problem: problem}
	}
	ref, err := reference.Parse(n.host + "/" + n.path + n.suffix())
	switch {
	case err != nil && w == certain:
		return reading{strength: w, problem: &Problem{Code: Malformed}}
	case err != nil:
		return reading{}
	case meant != "":
		return reading{strength: w, problem: &Problem{Code: LookalikeHost, Suggestion: at(meant, ref)}}
	}
	return reading{strength: w, images: []Image{{Reference: ref, Assumptions: n.assumed}}}
}

// meantHost returns the registry that a host is a misspelling of; empty for none.
func (n *named) meantHost() string {
	if rest, ok := strings.CutPrefix(n.host, "pull"); ok && known.IsRegistry(rest) {
		return rest // "docker pullquay.io/a/b"
	}
	return known.Lookalike(n.host)
}

// weigh returns how likely the word is an image. misspelt is set if its host is like that
// of a registry.
func (n *named) weigh(hostless, misspelt bool) strength {
	switch {
	case misspelt && known.IsSite(n.host) && n.tag == "":
		return nothing
	case misspelt:
		return certain
	case !hostless:
		return weigh(n.host+"/"+n.path, n.tag, n.digest, false)
	case n.keys && n.suffix() == "":
		return nothing
	}
	w := weigh(n.path, n.tag, n.digest, true)
	if n.capitals && !strings.Contains(n.path, "/") && !known.IsOfficial(n.path) {
		w = min(w, bare) // "JOB:8ff2aee9", "ERROR:1"
	}
	return w
}

// anyReading reports whether one of some readings satisfies is.
func anyReading(reads []reading, is func(reading) bool) (found bool) {
	for i := range reads {
		found = found || is(reads[i])
	}
	return found
}
