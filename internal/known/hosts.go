package known

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/suggest"
)

// IsSite reports whether host, in any case, is that of pages rather than images.
func IsSite(host string) bool {
	host = strings.ToLower(host)
	return slices.Contains(sites, host) || slices.ContainsFunc(siteDomains, func(domain string) bool { return strings.HasSuffix(host, domain) })
}

// OfWebsite is the host of the registry whose website has the host given; empty
// if it is none that is known.
func OfWebsite(host string) string {
	for _, r := range table.rows {
		if slices.Contains(r.Websites, strings.ToLower(host)) {
			return r.Host()
		}
	}
	return ""
}

// Often are the hosts that are written so often that a misspelling of one can
// be told.
func Often() []string { return table.often }

// Lookalike is the registry's host that somebody who wrote host, in any case,
// surely meant: it is a known misspelling, or differs by a slip or two from one
// host that is written often. It is empty for registries, and where two are
// equally near.
func Lookalike(host string) string {
	host = strings.ToLower(host)
	if meant := table.misspelt[host]; meant != "" {
		return meant
	}
	if IsRegistry(host) {
		return ""
	}
	found := ""
	for _, known := range Often() {
		if strings.HasPrefix(host, known+".") {
			return known // "docker.io.library/nginx"
		}
		if isSlip(host, known) {
			switch {
			case found == "" || isAnagram(host, known):
				found = known
			case !isAnagram(host, found):
				return "" // gcr.io or ghcr.io, say
			}
		}
	}
	return found
}

// isSlip reports whether written is host with one character too many, too few
// or wrong, two neighbours swapped, or two such slips in a host of a dozen
// characters.
func isSlip(written, host string) bool {
	allowed := 1
	if len(host) >= 12 {
		allowed = 2
	}
	return max(len(written)-len(host), len(host)-len(written)) <= allowed && suggest.Distance(written, host) <= allowed
}

// isAnagram reports whether two hosts have the same letters: a slip that only
// changes their order.
func isAnagram(a, b string) bool {
	x, y := []byte(a), []byte(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}
