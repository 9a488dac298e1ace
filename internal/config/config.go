// Package config reads what the owner decided: the inputs of the action, the
// environment and .github/ferry.yaml. All faults are found at once, each
// naming where to set it right.
package config

import (
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
)

// Config is the owner's configuration, with defaults filled in.
type Config struct {
	Targets     []Target
	Sources     []Source       // the well-known public registries and the owner's own, one for each host
	Requests    Who            // who may ask
	CustomNames Who            // who may ask for a mirror name of their own choice
	Denied      []name.Pattern // repositories that are never mirrored
	Limits      Limits
	Language    string // "auto", "zh" or "en"
	Referrers   bool   // copy signatures, attestations and SBOMs that refer to the image

	Token  Secret // GitHub's, for the comment and the labels
	Images string // the input "images": text of a request, from somebody who may start workflows
	Issue  int    // the input "issue": the issue to handle again; 0 for none

	// Notes are settings that were read differently from how they are written, each
	// with a Cure that says what to write. They are warnings.
	Notes []Fault
}

// OwnersLanguage is the owner's language, "zh" or "en": the configured one or, if
// that is "auto", Chinese if a target is at a registry in China. It is for texts
// to the owner, and for requests whose language is unknown.
func (c *Config) OwnersLanguage() string {
	if c.Language == "zh" || c.Language == "en" {
		return c.Language
	}
	for _, t := range c.Targets {
		switch known.Of(t.Host).Vendor {
		case known.Tencent:
			return "zh"
		case known.Alibaba, known.Huawei: // their other regions are for people elsewhere
			if strings.Contains(t.Host, ".cn-") {
				return "zh"
			}
		}
	}
	return "en"
}

// Target is a registry and a namespace that mirrors are pushed to.
type Target struct {
	Host      string               // canonical, "docker.io" for example
	Namespace string               // one or more path components, "user" for example
	Profile   string               // how names are made: "flat", "host", "last" or "path"
	Platforms []reference.Platform // what to copy when the request names no platforms; empty for all
	Username  string               // IdentityToken if Password is one
	Password  Secret
	Private   bool // may be on a loopback or private address
	PlainHTTP bool // speaks HTTP without TLS
	// TokenServer is another host that may be shown the login, because the
	// registry gets its tokens there; with its port if it is not 443.
	TokenServer string
}

// String is the host and the namespace, "docker.io/user" for example.
func (t Target) String() string { return t.Host + "/" + t.Namespace }

// Who is a group of people with a permission.
type Who string

// The groups, from the widest to the narrowest.
const (
	Anyone        Who = "anyone"
	Collaborators Who = "collaborators" // write permission or more, by GitHub's permission API
	Owner         Who = "owner"
)

// Source is a registry that images may be copied from.
type Source struct {
	Host      string // canonical; exact, with its port if it is not 443
	Label     string // the first part of the mirror names; empty to leave it to the naming rules
	Private   bool   // may be on a loopback or private address
	PlainHTTP bool   // speaks HTTP without TLS
	Username  string
	Password  Secret
	// TokenServer is another host that may be shown the login, because the
	// registry gets its tokens there; with its port if it is not 443.
	TokenServer string
	Requests    Who // who may ask for images of this host, over and above Config.Requests
}

// Limits bound what one request may cost. Zero is never "unlimited": defaults
// are filled in when the configuration is read.
type Limits struct {
	Images         int   // images a request
	ImageBytes     int64 // bytes an image, all its platforms together
	RequestBytes   int64 // bytes a request
	RequestsPerDay int   // requests a person a day, of those who may not write to the repository
	IndexManifests int   // manifests an index
	RetryHours     int   // hours for which a request is tried again that fails for reasons that pass
}

// DefaultLimits let every ordinary request through and keep one person from
// using up a free account: a hosted job ends after six hours, and one connection to
// the usual registries reaches some 10 to 60 MB/s.
func DefaultLimits() Limits {
	return Limits{
		Images:         30,       // a whole kubeadm set is 7, the charts of a monitoring stack about 25
		ImageBytes:     30 << 30, // the largest CUDA images, for two platforms
		RequestBytes:   60 << 30, // about an hour at 17 MB/s
		RequestsPerDay: 20,
		IndexManifests: 100, // the largest official index has about 30, with attestations
		RetryHours:     48,  // outlasts a weekend's outage, and a pull limit that comes back every six hours
	}
}

// maxLimits are the largest values that the owner may set: a larger number is a
// typing error.
func maxLimits() Limits {
	return Limits{Images: 1000, ImageBytes: 1 << 40, RequestBytes: 10 << 40, RequestsPerDay: 10000, IndexManifests: 1000, RetryHours: 24 * 90}
}
