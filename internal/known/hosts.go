package known

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/suggest"
)

// IsSite reports whether host, in any case, serves pages rather than images.
func IsSite(host string) bool {
	host = strings.ToLower(host)
	return slices.Contains(sites, host) || slices.ContainsFunc(siteDomains, func(domain string) bool { return strings.HasSuffix(host, domain) })
}

// OfWebsite returns the host of the registry with the given website; empty if
// none is known.
func OfWebsite(host string) string {
	for _, r := range table.rows {
		if slices.Contains(r.Websites, strings.ToLower(host)) {
			return r.Host()
		}
	}
	return ""
}

// Often returns the hosts that are common enough for detecting misspellings of
// them.
func Often() []string { return table.often }

// Lookalike returns the registry's host of which host, in any case, is probably
// a misspelling: a known one, or one that differs by one or two typing errors
// from a single common host. It is empty for registries, and if two hosts are
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
				return "" // between gcr.io and ghcr.io, for example
			}
		}
	}
	return found
}

// isSlip reports whether written is host with one character too many, too few
// or wrong, with two neighbours swapped, or with two such errors in a host of
// at least a dozen characters.
func isSlip(written, host string) bool {
	allowed := 1
	if len(host) >= 12 {
		allowed = 2
	}
	return max(len(written)-len(host), len(host)-len(written)) <= allowed && suggest.Distance(written, host) <= allowed
}

// isAnagram reports whether two hosts have the same letters in another order.
func isAnagram(a, b string) bool {
	var letters [256]int
	for _, c := range []byte(a) {
		letters[c]++
	}
	for _, c := range []byte(b) {
		letters[c]--
	}
	return letters == [256]int{}
}
