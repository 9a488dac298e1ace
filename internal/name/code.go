package name

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
)

// path returns the name of a repository below the namespace: the plain form if
// it reads back to the same repository; otherwise the explicit form; otherwise,
// if the target accepts neither, the plain form shortened.
func (s *Scheme) path(r reference.Repository) string {
	if s.target.Profile == Last {
		last := r.Path()[strings.LastIndexByte(r.Path(), '/')+1:]
		if !s.fits(last) {
			return s.shorten(last, r)
		}
		return last
	}
	if path, ok := s.whole(r); ok {
		return path
	}
	return s.shorten(s.spell(s.plain(r)), r)
}

// whole returns the plain or explicit form, and false if the target accepts neither.
func (s *Scheme) whole(r reference.Repository) (string, bool) {
	for _, virtual := range []string{s.plain(r), s.explicit(r)} {
		path := s.spell(virtual)
		if got, ok := s.repository(path); ok && s.fits(path) && (got == r || s.yields(r)) {
			return path, true
		}
	}
	return "", false
}

// spell writes a virtual path in the profile's form.
func (s *Scheme) spell(virtual string) string {
	if s.target.Profile == Path {
		return virtual
	}
	return flatten(virtual)
}

// plain returns the usual virtual path.
func (s *Scheme) plain(r reference.Repository) string {
	host := strings.Replace(r.Host(), ":", "_", 1)
	switch s.target.Profile {
	case Path:
		return host + "/" + r.Path()
	case Flat:
		if r.Host() == known.GCR {
			return r.Path()
		}
		if label, ok := s.labels[r.Host()]; ok {
			path := r.Path()
			if name, ok := strings.CutPrefix(path, "library/"); ok && r.Host() == reference.DockerHub && !strings.Contains(name, "/") {
				path = name
			}
			return label + "/" + path
		}
	case Host, Last, One: // Last uses only the last component of it, One the names of Flat
	}
	return strings.ReplaceAll(host, ".", "/") + "/" + r.Path()
}

// explicit returns the unambiguous virtual path.
func (s *Scheme) explicit(r reference.Repository) string {
	if s.target.Profile == Flat && r.Host() == known.GCR {
		return s.labels[known.GCR] + "/" + r.Path()
	}
	return explicitHost + "/" + strings.Replace(r.Host(), ":", "_", 1) + "/" + r.Path()
}

// repository reads a name. It is the inverse of plain and explicit, and decides
// what an ambiguous name means. It may accept names that are never given, so
// the caller checks.
func (s *Scheme) repository(path string) (reference.Repository, bool) {
	if shortened(path) {
		return reference.Repository{}, false
	}
	if s.target.Profile != Path {
		if strings.Contains(path, "/") {
			return reference.Repository{}, false
		}
		path = unflatten(path)
	}
	host, rest := s.cut(strings.Split(path, "/"))
	if host == "" || rest == "" {
		return reference.Repository{}, false
	}
	r, err := reference.NewRepository(host, rest)
	return Canonical(r), err == nil
}

// cut returns the host in a virtual path, and the rest. The host is empty if
// the path is not a name.
func (s *Scheme) cut(parts []string) (host, rest string) {
	join := func(from int) string { return strings.Join(parts[from:], "/") }
	if len(parts) < 2 {
		return "", "" // reserved for custom names
	}
	if s.target.Profile == Path {
		if !strings.ContainsAny(parts[0], "._") && parts[0] != "localhost" {
			return "", "" // hosts do not have this form in the grammar of references
		}
		return strings.Replace(parts[0], "_", ":", 1), join(1)
	}
	if parts[0] == explicitHost {
		return strings.Replace(parts[1], "_", ":", 1), join(2)
	}
	n := hostLength(parts)
	if s.target.Profile == Flat {
		labelled, ok := s.hosts[parts[0]]
		switch {
		case ok && labelled == reference.DockerHub && len(parts) > 3 && n > 0:
			// Docker Hub has paths of two components, so this is a host such as
			// docker.n8n.io.
		case ok:
			return labelled, join(1)
		case n == 0:
			return known.GCR, join(0)
		}
	}
	if n == 0 {
		return "", ""
	}
	return strings.Replace(strings.Join(parts[:n], "."), "_", ":", 1), join(n)
}

// topLevel are the top-level domains that mark a host in a flattened name:
// those of registries, except words that are more likely to be a directory. A
// host under another one gets the explicit form. The list determines names, so
// it never changes.
var topLevel = set("com net org edu gov info dev aws tech xyz " +
	"ai at au be br ca cc ch cn co cz de dk do es eu fi fr hk ie il in io ir it jp kr me mx nl no nz pl pt ro ru se sg sh sk th tr tw ua uk us vn za")

// secondLevel are domains under which countries register names, as "com.cn" and "co.uk".
var secondLevel = set("ac co com edu gov net org")

var secondLevelCountries = set("au br cn hk in jp kr nz sg tr tw uk za")

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, word := range strings.Fields(words) {
		m[word] = true
	}
	return m
}

// hostLength returns the number of leading parts that make up a host name,
// followed by at least one part; 0 if they do not look like a host name.
func hostLength(parts []string) int {
	for i := range len(parts) - 1 {
		domain, _, port := strings.Cut(parts[i], "_")
		if strings.Contains(domain, ".") {
			return 0
		}
		if i > 0 && topLevel[domain] {
			if next, _, _ := strings.Cut(parts[i+1], "_"); !port && secondLevel[domain] && secondLevelCountries[next] && i+2 < len(parts) {
				return i + 2
			}
			return i + 1
		}
		if port {
			return 0
		}
	}
	return 0
}

// flatten turns a virtual path into one component by replacing each separator
// by another one. The mapping is a bijection; unflatten is its inverse.
func flatten(virtual string) string {
	return replaceSeparators(virtual, func(sep string) string {
		switch {
		case sep == "/":
			return "."
		case sep == ".":
			return "__"
		case sep == "__":
			return "--"
		case strings.HasPrefix(sep, "--"):
			return sep + "-"
		}
		return sep
	})
}

func unflatten(component string) string {
	return replaceSeparators(component, func(sep string) string {
		switch {
		case sep == ".":
			return "/"
		case sep == "__":
			return "."
		case sep == "--":
			return "__"
		case strings.HasPrefix(sep, "--"):
			return sep[1:]
		}
		return sep
	})
}

// replaceSeparators replaces each run of characters other than lower-case letters and
// digits.
func replaceSeparators(s string, by func(sep string) string) string {
	isWord := func(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }
	var b strings.Builder
	for from := 0; from < len(s); {
		to := from + 1
		for to < len(s) && isWord(s[to]) == isWord(s[from]) {
			to++
		}
		run := s[from:to]
		if !isWord(s[from]) {
			run = by(run)
		}
		b.WriteString(run)
		from = to
	}
	return b.String()
}

// shorten cuts a name to the available length and appends a hash of the whole
// repository.
func (s *Scheme) shorten(path string, r reference.Repository) string {
	sum := sha256.Sum256([]byte(r.String()))
	mark := "cut-" + hex.EncodeToString(sum[:hashBytes])
	if s.target.Profile == Path {
		mark = "/" + mark
	} else {
		mark = "." + mark
	}
	if s.rules.SingleDash {
		path = dashes.Compiled().ReplaceAllString(path, "-")
	}
	path = path[:min(len(path), s.room()-len(mark))]
	return strings.TrimRight(path, "./_-") + mark
}

// hashBytes is the number of bytes of SHA-256 in a name. Finding a second
// repository for a given name takes 2^128 tries.
const hashBytes = 16

// minRoom is the length of a shortened name: the mark and a few letters.
const minRoom = len(".cut-") + 2*hashBytes + 8

var shortMark = &pattern.Regexp{Text: `(?:^|[./])cut-[0-9a-f]{32}$`}

func shortened(path string) bool { return shortMark.MatchString(path) }

// flat reports whether the target's repositories have exactly two components.
func (s *Scheme) flat() bool { return s.rules.Most == 2 }

// room returns how many characters the target allows for names.
func (s *Scheme) room() int {
	room := reference.MaxRepository - len(s.base) - 1
	if s.rules.Longest > 0 {
		room = min(room, s.rules.Longest)
	}
	return room
}

// fits reports whether the target accepts the name.
func (s *Scheme) fits(path string) bool {
	return len(path) >= max(s.rules.Shortest, 1) && len(path) <= s.room() &&
		(!s.flat() || !strings.Contains(path, "/")) &&
		(!s.rules.SingleDash || !dashes.MatchString(path))
}

var dashes = &pattern.Regexp{Text: `--+`}
