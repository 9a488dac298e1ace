package name

import (
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// rules are what a registry demands of names beyond the OCI grammar.
type rules struct {
	flat       bool // repositories have two components: namespace and name
	singleDash bool // no two dashes in a row
	shortest   int  // fewest characters of a name, below the namespace
	longest    int  // most characters of a name, below the namespace
}

// rulesOf knows the registries that state their rules. docs/names.md has the
// sources.
func rulesOf(host string) rules {
	under := func(domain string) bool { return strings.HasSuffix(host, domain) }
	switch {
	case host == reference.DockerHub:
		return rules{flat: true, shortest: 2, longest: 255}
	case under(".aliyuncs.com"): // ACR
		return rules{flat: true, shortest: 2, longest: 64}
	case under(".tencentyun.com"), under(".tencentcloudcr.com"): // TCR
		return rules{flat: true, shortest: 3, longest: 244}
	case strings.HasPrefix(host, "swr.") && (under(".myhuaweicloud.com") || under(".myhuaweicloud.eu")):
		return rules{singleDash: true, shortest: 1, longest: 128}
	}
	return rules{shortest: 1, longest: reference.MaxRepository}
}
