package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// weight is how sure a word by itself is to be an image. How much is enough
// depends on where it stands: behind "docker pull" a bare word will do, in the
// middle of a sentence only what can be nothing else.
type weight int

const (
	nothing  weight = iota
	bare            // "immich"
	official        // "nginx": a bare word that is the name of an official image
	path            // "grafana/grafana"
	tagged          // "grafana/grafana:11", "nginx:1.25"
	certain         // "quay.io/a/b": nothing else looks like it
)

// reading is what one word was understood as: images, a platform or a problem.
type reading struct {
	weight    weight
	images    []Image
	platforms []reference.Platform
	problem   *Problem
}

// maxWord is the longest word that is read. No address of a web page that
// names an image comes near.
const maxWord = 2048

// readWord reads one word of a request.
func readWord(written string) reading {
	if len(written) > maxWord {
		return reading{}
	}
	word := trimWord(written)
	if key, value, ok := strings.Cut(word, "="); ok && !strings.Contains(word, "://") {
		if word = trimWord(value); strings.Contains(key, "/") && readName(key).weight >= tagged {
			word = trimWord(key) // "source=target"
		}
	}
	if word == "" {
		return reading{}
	}
	if p, ok := platformWord(word); ok {
		return reading{platforms: []reference.Platform{p}}
	}
	word, unescaped, ok := unescape(word)
	if !ok {
		return reading{}
	}
	word, defaulted := substituteDefaults(word)
	word, alias, problem := cutAlias(word)
	word, platforms, unknown := cutPlatforms(word)
	if problem == nil {
		problem = unknown
	}
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
		image.Platforms = platforms
		image.As = alias
		if defaulted {
			image.Assumptions = append(image.Assumptions, AssumedDefault)
		}
		if unescaped {
			image.Assumptions = append(image.Assumptions, FixedPunctuation)
		}
		image.Assumptions = slices.Clip(image.Assumptions)
		image.Platforms = slices.Clip(image.Platforms)
	}
	if r.problem == nil && r.weight > nothing {
		r.problem = problem
	}
	if r.problem != nil && r.problem.Written == "" {
		r.problem.Written = clip(written)
	}
	return r
}

// readBraces reads a brace expansion, all of whose words must be images.
func readBraces(word string) reading {
	if strings.Contains(word, "{{") || strings.Contains(word, "${") {
		return placeholder(word)
	}
	words := expandBraces(word)
	if words == nil {
		return reading{weight: tagged, problem: &Problem{Code: TooManyExpansions, Suggestion: limit(MaxExpansion)}}
	}
	r := reading{weight: certain}
	for _, w := range words {
		one := readName(trimWord(w))
		if one.problem != nil {
			return reading{weight: one.weight, problem: one.problem}
		}
		if len(one.images) == 0 || strings.ContainsAny(w, "{}") {
			return reading{}
		}
		r.weight = min(r.weight, one.weight)
		r.images = append(r.images, one.images...)
	}
	if len(words) > 1 {
		for i := range r.images {
			r.images[i].Assumptions = append(r.images[i].Assumptions, Expanded)
		}
	}
	return r
}

// readName reads a word that should be a reference, with all the repairs that
// leave no doubt about what was meant.
func readName(word string) reading {
	word = cutLabel(word)
	if word == "" || strings.IndexByte("/.~-", word[0]) >= 0 {
		return reading{}
	}
	var assumed []Assumption
	assume := func(a Assumption) {
		if !slices.Contains(assumed, a) {
			assumed = append(assumed, a)
		}
	}
	name, tag, digest, repairs, problem := cutReference(word)
	for _, a := range repairs {
		assume(a)
	}
	if strings.ContainsAny(word, "<>$*%?&#^\\{}|") {
		return placeholderOrGlob(word, name, tag)
	}
	if name == "" || !hasLetter(name) {
		return reading{}
	}

	host, rest := cutHost(name)
	if before, after, ok := strings.Cut(host, ":"); ok && !isDigits(after) && isRegistry(before) {
		// "docker.io:library/nginx"
		host, rest = before, after+"/"+rest
		assume(FixedPunctuation)
	}
	if first, _, ok := strings.Cut(rest, "/"); ok && host != "" && first == "hub.docker.com" {
		return readLink("https://" + rest + suffix(tag, digest))
	}
	if host != "" {
		if strings.HasPrefix(rest, "r/") && lookalike(host) == reference.DockerHub {
			return readLink("https://hub.docker.com/" + rest + suffix(tag, digest))
		}
		if isSite(host) && !isRegistry(host) && (tag == "" || lookalike(host) == "") || strings.EqualFold(host, "registry.hub.docker.com") && strings.HasPrefix(rest, "r/") {
			return readLink("https://" + name + suffix(tag, digest))
		}
		var undone Assumption
		if host, rest, undone = originalOf(host, rest, suffix(tag, digest)); undone != "" {
			assume(undone)
			rest, tag = retag(rest, tag)
		}
		if after, ok := strings.CutPrefix(rest, "v2/"); ok && after != "" && isRegistry(host) {
			rest = after // the path of the registry's own API
			assume(FixedPunctuation)
		}
		if rest == "" || rest == "v1" || rest == "v2" || rest == "library" && reference.IsDockerHub(host) ||
			tag == "" && digest == "" && needsNamespace[strings.ToLower(host)] && !strings.Contains(rest, "/") {
			return reading{problem: hostOnly(host)}
		}
		if !isDomain(host) && lookalike(host) == "" {
			return reading{}
		}
	}
	if alone := rest; !strings.Contains(alone, "/") && (isRegistry(alone) || isHostName(alone) || isDomain(alone) && isDigits(tag)) {
		return reading{problem: hostOnly(alone)}
	}

	if host == "" {
		if meant := flattenedHost(rest); meant != "" {
			return reading{weight: tagged, problem: &Problem{Code: Malformed, Suggestion: canonical(meant + suffix(tag, digest))}}
		}
	}
	if lower := strings.ToLower(rest); lower != rest {
		rest = lower
		assume(Lowered)
	}
	if isPlaceholder(rest, tag) {
		return placeholder(word)
	}
	if host == "" && tag != "" && isComponentOfKubernetes(rest) {
		host = "registry.k8s.io"
		rest, tag = cutTag(unflatten(rest + ":" + tag))
		assume(AssumedKubernetes)
	} else if host == "" {
		assume(AssumedHost)
	}
	if (host == "" || reference.IsDockerHub(host)) && !strings.Contains(rest, "/") {
		assume(AssumedLibrary)
	}
	if tag == "" && digest == "" {
		assume(AssumedTag)
	}
	if tag != "" && digest != "" {
		assume(KeptTagAndDigest)
	}

	if host == "" {
		host = reference.DockerHub
		name = rest
	} else {
		name = host + "/" + rest
	}
	w := weigh(name, tag, digest, slices.Contains(assumed, AssumedHost))
	meant := lookalike(host)
	if meant != "" && isSite(host) && tag == "" {
		return reading{}
	}
	if meant != "" {
		w = certain
	}
	if w == nothing {
		return reading{}
	}
	if problem != nil {
		return reading{weight: w, problem: problem}
	}
	ref, err := reference.Parse(host + "/" + rest + suffix(tag, digest))
	if err != nil {
		if w == certain {
			return reading{weight: w, problem: &Problem{Code: Malformed}}
		}
		return reading{}
	}
	if meant != "" {
		return reading{weight: w, problem: &Problem{Code: LookalikeHost, Suggestion: at(meant, ref)}}
	}
	return reading{weight: w, images: []Image{{Reference: ref, Assumptions: assumed}}}
}

// cutReference cuts a word into name, tag and digest and repairs what stands
// between them. A digest that cannot be one is a problem.
func cutReference(word string) (name, tag, digest string, repairs []Assumption, problem *Problem) {
	for _, doubled := range []string{"::", "//", "@@"} {
		if strings.Contains(word, doubled) {
			for strings.Contains(word, doubled) {
				word = strings.ReplaceAll(word, doubled, doubled[:1])
			}
			repairs = append(repairs, FixedPunctuation)
		}
	}
	name, digest, hasDigest := strings.Cut(word, "@")
	if !hasDigest {
		// "img:sha256:…" is a slip for "img@sha256:…".
		if i := strings.Index(name, ":sha256:"); i > 0 {
			name, digest = name[:i], name[i+1:]
			repairs = append(repairs, FixedPunctuation)
		}
	}
	name, tag = cutTag(name)
	if first, second := cutTag(name); second != "" && tag == "latest" {
		name, tag = first, second // "debian:bullseye:latest"
		repairs = append(repairs, FixedPunctuation)
	}
	name = strings.TrimRight(name, "/:.-_")
	if strings.Contains(name, ":/") {
		if host, rest, _ := strings.Cut(name, ":/"); isRegistry(host) {
			name = host + "/" + rest
			repairs = append(repairs, FixedPunctuation)
		}
	}
	if digest == "" {
		return name, tag, "", repairs, nil
	}
	algorithm, hex, _ := strings.Cut(strings.ToLower(digest), ":")
	hex, _, extra := strings.Cut(hex, ":")
	if extra {
		repairs = append(repairs, DroppedTag)
	}
	digest = algorithm + ":" + hex
	if _, err := reference.ParseDigest(digest); err != nil {
		if algorithm != "sha256" && algorithm != "sha512" {
			return "", "", "", nil, nil // e-mail addresses, npm packages, actions
		}
		return name, tag, "", repairs, &Problem{Code: Malformed}
	}
	return name, tag, digest, repairs, nil
}

// cutTag cuts a name from its tag.
func cutTag(name string) (string, string) {
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		return name[:colon], name[colon+1:]
	}
	return name, ""
}

// cutLabel takes off a label that is glued to the reference by a colon:
// "image:gcr.io/a/b:1", "image:nginx:1.25", "1:gcr.io/a/b". The name of an
// official image is no label: "debian:bullseye:latest" has a tag too many.
func cutLabel(word string) string {
	label, rest, ok := strings.Cut(word, ":")
	if !ok || strings.ContainsAny(label, "./@") || strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, ":") || strings.HasPrefix(rest, "sha256") {
		return word
	}
	first, _, hasPath := strings.Cut(rest, "/")
	switch {
	case hasPath && isRegistry(first):
		return rest
	case officialImages[label]:
		return word
	}
	if hasPath && !isDigits(first) && !strings.Contains(label, "-") || !hasPath && strings.Contains(strings.TrimPrefix(rest, "sha256:"), ":") && !strings.Contains(rest, "@") {
		if !isDigits(label) {
			return rest
		}
	}
	return word
}

// cutHost cuts a name into host and path by Docker's rule; host is empty if
// there is none.
func cutHost(name string) (host, rest string) {
	first, after, ok := strings.Cut(name, "/")
	if ok && (strings.ContainsAny(first, ".:") || first == "localhost") {
		return first, after
	}
	return "", name
}

// originalOf undoes mirrors and doubled hosts.
func originalOf(host, rest, suffix string) (string, string, Assumption) {
	var assumed Assumption
	for range 4 {
		if h, r, ok := undoMirror(host, rest+suffix); ok {
			host, rest, assumed = h, strings.TrimSuffix(r, suffix), UndidMirror
			continue
		}
		first, after, ok := strings.Cut(rest, "/")
		if !ok || after == "" || !isRegistry(first) || isSite(first) {
			break
		}
		assumed = DroppedHost
		if !isRegistry(host) {
			assumed = UndidMirror
		}
		host, rest = first, after
	}
	return host, rest, assumed
}

// retag takes a tag off rest that undoing a mirror has put there.
func retag(rest, tag string) (string, string) {
	if tag == "" {
		return cutTag(rest)
	}
	return rest, tag
}

func suffix(tag, digest string) string {
	s := ""
	if tag != "" {
		s = ":" + tag
	}
	if digest != "" {
		s += "@" + digest
	}
	return s
}

// at is the canonical form of ref at another host.
func at(host string, ref reference.Reference) string {
	repository, err := reference.NewRepository(host, strings.TrimPrefix(ref.Repository().Path(), "library/"))
	if err != nil {
		return ""
	}
	moved, err := reference.Parse(repository.String() + strings.TrimPrefix(ref.String(), ref.Repository().String()))
	if err != nil {
		return ""
	}
	return moved.String()
}

// flattenedHost is the name with slashes that a flattened one ("gcr.io_ns_image",
// "quay.io.ns.image") stands for; empty if it does not begin with a registry.
func flattenedHost(name string) string {
	for _, host := range wellKnown {
		if rest, ok := strings.CutPrefix(name, host); ok && len(rest) > 1 && strings.IndexByte("._", rest[0]) >= 0 && !strings.Contains(rest, "/") {
			return host + "/" + strings.ReplaceAll(rest[1:], rest[:1], "/")
		}
	}
	return ""
}

// canonical is the canonical form of a reference; empty if text is none.
func canonical(text string) string {
	ref, err := reference.Parse(text)
	if err != nil {
		return ""
	}
	return ref.String()
}

func hostOnly(host string) *Problem {
	return &Problem{Code: HostOnly, Written: clip(host)}
}
