package reference

import (
	"strings"

	"github.com/imageferry/ferry/internal/pattern"
)

// Inside reports whether host, canonical and with or without a port, cannot be
// on the public internet: an IPv4 address in any notation, a name that only
// resolves inside some network, or a cloud's metadata service. The resolved
// address is checked when a connection is made; this check is made before
// anything is resolved.
func Inside(host string) bool {
	dns, _, _ := strings.Cut(host, ":")
	last := dns[strings.LastIndexByte(dns, '.')+1:]
	switch {
	case last == dns: // a single label: a machine in a search domain, localhost, 2130706433
		return true
	case numeric.MatchString(last): // 127.0.0.1, 127.1, 0x7f.0.0.0x1
		return true
	case dns == "metadata.tencentyun.com": // the only cloud whose metadata service has a public name
		return true
	}
	for _, suffix := range strings.Fields(internalSuffixes) {
		if strings.HasSuffix(dns, suffix) {
			return true
		}
	}
	return false
}

// numeric matches the last label of names that URL parsers regard as IPv4
// addresses (WHATWG URL, "ends in a number").
var numeric = &pattern.Regexp{Text: `^(?:[0-9]+|0x[0-9a-f]*)$`}

// internalSuffixes are endings of names that are never public: special-use
// names of the IANA registry (RFC 6761, 6762, 7686, 8375), ICANN's .internal,
// names of Kubernetes and Docker, and names that routers and companies use.
// .invalid is not among them: no resolver knows such a name (RFC 6761, 6.4).
const internalSuffixes = ".localhost .local .localdomain .internal .intranet .private .corp .home .lan " +
	".home.arpa .in-addr.arpa .ip6.arpa .svc .cluster .test .onion"
