package request

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// isDomain reports whether s could be a host: a dotted name whose last label is
// a word, an IPv4 address, or anything with a port.
func isDomain(s string) bool {
	name, port, hasPort := strings.Cut(s, ":")
	if hasPort && !isDigits(port) {
		return false
	}
	if name == "localhost" {
		return true
	}
	labels := strings.Split(name, ".")
	if len(labels) < 2 {
		return hasPort && hasLetter(name)
	}
	if slices.Contains(labels, "") {
		return false
	}
	last := labels[len(labels)-1]
	if isDigits(last) {
		return len(labels) == 4 && !hasLetter(name)
	}
	return len(last) >= 2 && !strings.ContainsAny(last, "0123456789_")
}

// topLevels are the last labels of hosts that can appear alone.
var topLevels = wordSet{list: "topLevels"}

// isHostName reports whether a dotted word is a host rather than an image.
func isHostName(s string) bool {
	return isDomain(s) && topLevels.has(strings.ToLower(s[strings.LastIndexByte(s, '.')+1:]))
}

// isDocumentation reports whether a host is a common example in documentation
// (RFC 2606 and similar names).
func isDocumentation(host string) bool {
	host = strings.ToLower(host)
	for _, domain := range []string{"example.com", "example.org", "example.net", "yourdomain.com", "your-domain.com", "mydomain.com"} {
		if host == domain || strings.HasPrefix(domain, "your") && strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return strings.HasPrefix(host, "your") && strings.ContainsAny(host, "-_.") || strings.HasPrefix(host, "<")
}

// privateLabels are last labels of hosts in private networks and documentation
// (RFC 2606, RFC 6762 appendix G, RFC 8375).
var privateLabels = wordSet{list: "privateLabels"}

// isPrivate reports whether the name of a host says that only a private network
// reaches it.
func isPrivate(host string) bool {
	name, _, _ := strings.Cut(host, ":")
	if address, err := netip.ParseAddr(name); err == nil {
		return address.IsPrivate() || address.IsLoopback()
	}
	return privateLabels.has(lower(name[strings.LastIndexByte(name, '.')+1:]))
}

// isNamespaceWord reports whether a word is a registry with a namespace: a host
// and one component, which at Docker Hub is not an official image.
func isNamespaceWord(word string) bool {
	host, rest, ok := strings.Cut(word, "/")
	return ok && known.IsRegistry(host) && rest != "" && !strings.ContainsAny(rest, "/:@") && rest != "library" && !known.IsOfficial(rest)
}

// isBelowRegistry reports whether a word is a path at a registry other than Docker Hub.
func isBelowRegistry(word string) bool {
	host, rest, ok := strings.Cut(word, "/")
	return ok && known.IsRegistry(host) && !reference.IsDockerHub(host) && rest != "" && !strings.ContainsAny(rest, ":@")
}
