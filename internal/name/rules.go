package name

import (
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// rules are what a registry demands of names beyond the OCI grammar.
type rules struct {
	flat   bool // repositories have two components: namespace and name
	single bool // separators stand alone: no "__", no "--"
	length int  // most characters of a name, below the namespace
}

// rulesOf knows the registries that are named in the documentation.
func rulesOf(host string) rules {
	switch {
	case host == reference.DockerHub:
		return rules{flat: true, length: 255}
	case strings.HasSuffix(host, ".aliyuncs.com"):
		return rules{flat: true, length: 64}
	case strings.HasSuffix(host, ".tencentyun.com"), strings.HasSuffix(host, ".tencentcloudcr.com"):
		return rules{flat: true, length: 200}
	case strings.HasPrefix(host, "swr.") && strings.HasSuffix(host, ".myhuaweicloud.com"):
		return rules{flat: true, single: true, length: 128}
	}
	return rules{length: reference.MaxRepository}
}
