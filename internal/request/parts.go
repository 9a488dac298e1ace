package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// cutReference splits a word into path, tag and digest, with the host still in
// the path, and repairs the separators. An invalid digest is a problem.
func cutReference(word string) (n named, problem *Problem) {
	path, digest := n.cutDigest(n.withoutDoubled(word))
	n.path, n.tag = cutTag(path)
	if first, second := cutTag(n.path); second != "" && n.tag == "latest" {
		n.path, n.tag = first, second // "debian:bullseye:latest"
		n.assume(FixedPunctuation)
	}
	n.path, n.tag = strings.TrimRight(n.path, "/:.-_"), strings.TrimRight(n.tag, ".-_")
	if host, rest, ok := strings.Cut(n.path, ":/"); ok && known.IsRegistry(host) {
		n.path = host + "/" + rest
		n.assume(FixedPunctuation)
	}
	if digest == "" {
		return n, nil
	}
	algorithm, hex, _ := strings.Cut(strings.ToLower(digest), ":")
	hex, _, extra := strings.Cut(hex, ":")
	if extra {
		n.assume(DroppedTag) // "a/b@sha256:…:1.2"
	}
	digest = algorithm + ":" + hex
	if _, err := reference.ParseAnyDigest(digest); err == nil {
		n.digest = digest
		return n, nil
	}
	if algorithm != "sha256" && algorithm != "sha512" {
		return named{}, nil // e-mail addresses, npm packages, actions
	}
	return n, &Problem{Code: Malformed}
}

// withoutDoubled returns a word with one of each separator that is doubled: "a//b::1".
func (n *named) withoutDoubled(word string) string {
	for _, doubled := range []string{"::", "//", "@@"} {
		if !strings.Contains(word, doubled) {
			continue
		}
		n.assume(FixedPunctuation)
		for strings.Contains(word, doubled) {
			word = strings.ReplaceAll(word, doubled, doubled[:1])
		}
	}
	return word
}

// cutDigest splits a word from its digest, and repairs the separator in front of a digest
// or a version.
func (n *named) cutDigest(word string) (path, digest string) {
	path, digest, ok := strings.Cut(word, "@")
	switch {
	case ok && isVersion(digest) && isImageVersion(path, digest):
		n.assume(FixedPunctuation)
		return path + ":" + digest, ""
	case ok:
		return path, digest
	}
	if i := strings.Index(path, ":sha256:"); i > 0 {
		n.assume(FixedPunctuation)
		return path[:i], path[i+1:] // "img:sha256:…"
	}
	return path, ""
}

// isImageVersion reports whether a version behind a path and "@" is the tag of an image, and not
// the version of a package or an action.
func isImageVersion(path, version string) bool {
	if host, _, _ := strings.Cut(path, "/"); known.IsRegistry(host) {
		return true // "ghcr.io/a/b@1.2"
	}
	return strings.Count(version, ".") == 2 && strings.Count(path, "/") == 1 && !strings.HasSuffix(path, "action") // "a/b@1.2.3"
}

// cutTag splits a name from its tag.
func cutTag(name string) (string, string) {
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		return name[:colon], name[colon+1:]
	}
	return name, ""
}

// isComplete reports whether a name has a tag or a digest.
func isComplete(name string) bool {
	_, last, _ := cutLast(name)
	return strings.ContainsAny(last, ":@")
}

// cutLabel removes a label glued to the reference by a colon:
// "image:gcr.io/a/b:1", "image:nginx:1.25", "1:gcr.io/a/b". The name of an
// official image is not a label: "debian:bullseye:latest" has one tag too many.
func cutLabel(word string) string {
	label, rest, ok := strings.Cut(word, ":")
	if host, _, in := strings.Cut(rest, "/"); in && isVersion(label) && known.IsRegistry(host) {
		return rest // "now we need 24.05:nvcr.io/a/b:24.05"
	}
	if !ok || strings.ContainsAny(label, "./@") || strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, ":") || strings.HasPrefix(rest, "sha256") {
		return word
	}
	first, _, hasPath := strings.Cut(rest, "/")
	switch {
	case hasPath && known.IsRegistry(first):
		return rest
	case known.IsOfficial(label), isDigits(label):
		return word
	case hasPath && !isDigits(first) && !strings.Contains(label, "-"):
		return rest // "image:a/b"
	case !hasPath && strings.Contains(rest, ":") && !strings.Contains(rest, "@"):
		return rest // "image:nginx:1.25"
	}
	return word
}

// cutHost splits a name into host and path by Docker's rule; host is empty if
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
		if !ok || after == "" || !known.IsRegistry(first) || known.IsSite(first) {
			break
		}
		assumed = DroppedHost
		if !known.IsRegistry(host) {
			assumed = UndidMirror
		}
		host, rest = first, after
	}
	return host, rest, assumed
}

// at returns the canonical form of ref at another host.
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

// flattenedHost returns the name with slashes of a flattened one
// ("gcr.io_ns_image", "quay.io.ns.image"); empty if it does not begin with a
// registry.
func flattenedHost(name string) string {
	for _, host := range known.Often() {
		if rest, ok := strings.CutPrefix(name, host); ok && len(rest) > 1 && strings.IndexByte("._", rest[0]) >= 0 && !strings.Contains(rest, "/") {
			return host + "/" + strings.ReplaceAll(rest[1:], rest[:1], "/")
		}
	}
	return ""
}

// canonical returns the canonical form of a reference; empty if text is not
// one.
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

// isTarget reports whether an image after source on its line is the destination
// of a copy, as in lists of copying tools: the same name and version elsewhere
// ("quay.io/a/b:1 me.io/mirrored-a-b:1").
func isTarget(image, source reference.Reference) bool {
	from, to := source.Repository(), image.Repository()
	switch {
	case !isSameName(to.Path(), from.Path()) || to == from:
		return false
	case to.Host() != from.Host():
		return image.Tag() == source.Tag() || !slices.Contains(known.Often(), to.Host())
	}
	return image.Tag() == source.Tag() && strings.Contains(to.Path(), "mirror")
}

// isSameName reports whether the last component of a path equals that of
// another, possibly with the other's directories in front: "mirrored-a-b" and
// "a/b".
func isSameName(path, other string) bool {
	_, name, _ := cutLast(path)
	_, original, _ := cutLast(other)
	before, ok := strings.CutSuffix(name, original)
	return ok && (before == "" || strings.IndexByte("-._", before[len(before)-1]) >= 0)
}
