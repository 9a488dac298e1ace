// Package config reads the owner's configuration: the inputs of the action, the
// environment and .github/ferry.yaml. It reports all faults at once, each with
// the place to fix it.
package config

import (
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/oidc"
	"github.com/imageferry/ferry/internal/reference"
)

// Config is the owner's configuration, with defaults filled in.
type Config struct {
	Targets     []Target
	Sources     []Source       // the well-known public registries and those of the owner, one entry for each host
	Requests    Who            // who may make requests
	CustomNames Who            // who may choose mirror names
	Denied      []name.Pattern // repositories that are never mirrored
	Allowed     []name.Pattern // repositories that everybody who may ask may ask for; empty for all
	Verify      []Verification // whose signatures images need, the first for an image counts
	Limits      Limits
	Archives    Archives
	Language    string // "auto", "zh" or "en"
	Referrers   bool   // copy signatures, attestations and SBOMs that refer to the image
	Attest      bool   // write down for each mirror where it comes from, as a referrer
	Keep        Keep
	Public      []name.Public // public mirrors to ask for images that are copied
	Front       string        // URL of a "ferry serve" for those who may make requests; empty for none

	Token  Secret // of GitHub, for comments and labels
	Images string // the input "images": text of a request, from somebody who may start workflows
	Issue  int    // the input "issue": the issue to handle again; 0 for none

	First []reference.Platform // platforms that are copied before the others

	// Notes are warnings about settings that were not read literally, each with
	// a Cure.
	Notes []Fault
}

// Scheme returns how mirrors are named at a target.
func (c *Config) Scheme(t Target) (*name.Scheme, error) {
	labels := map[string]string{}
	for _, source := range c.Sources {
		if source.Label != "" {
			labels[source.Host] = source.Label
		}
	}
	return name.New(name.Target{Host: t.Host, Namespace: t.Namespace, Profile: name.Profile(t.Profile)}, labels)
}

// OwnersLanguage returns the owner's language, "zh" or "en": the configured one
// or, for "auto", Chinese if a target is at a registry in China. It applies to
// texts for the owner, and to requests whose language is unknown.
func (c *Config) OwnersLanguage() string {
	if c.Language == "zh" || c.Language == "en" {
		return c.Language
	}
	for _, t := range c.Targets {
		switch known.Of(t.Host).Vendor {
		case known.Tencent:
			return "zh"
		case known.Alibaba, known.Huawei: // their regions outside China serve other countries
			if strings.Contains(t.Host, ".cn-") {
				return "zh"
			}
		default: // for people everywhere
		}
	}
	return "en"
}

// Target is a registry and a namespace that mirrors are pushed to.
type Target struct {
	Host      string               // canonical, "docker.io" for example
	Namespace string               // one or more path components, "user" for example
	Profile   string               // how names are made: "flat", "host", "last", "path" or "one"
	Platforms []reference.Platform // what to copy when the request names no platforms; empty for all
	Username  string               // IdentityToken if Password is one
	Password  Secret
	OIDC      oidc.Identity // instead of a password
	NoLogin   string        // why there is none, for people; may be empty
	Private   bool          // may have a loopback or private address
	PlainHTTP bool          // uses HTTP without TLS
	// PullsNeedLogin is true if the owner wants mirrors to be pulled with a login
	// only.
	PullsNeedLogin bool
	Quota          Quota
	// TokenServer is another host that may receive the login, because the
	// registry gets its tokens there. It includes the port unless that is 443.
	TokenServer string
	// Listed reports that only lists of images name the target: it gets what they
	// say and nothing else.
	Listed bool
}

// String returns the host and the namespace, such as "docker.io/user".
func (t Target) String() string { return t.Host + "/" + t.Namespace }

// HasLogin reports whether the target is used with a login.
func (t Target) HasLogin() bool { return !t.Password.IsZero() || t.OIDC != "" }

// Quota is what a registry allows in a namespace. Zero means no limit.
type Quota struct{ Repositories, Tags int }

// Keep says which mirrors "ferry keep" does not delete. The zero value deletes nothing.
type Keep struct {
	Newest    int                  // of each repository of a source at a target
	Days      int                  // those whose content has changed in so many days
	Asked     int                  // those that issues got in so many days
	Listed    bool                 // those of lists
	Platforms []reference.Platform // others do not stay; empty for all
}

// Who is a group of people with a permission.
type Who string

// The groups, from the widest to the narrowest.
const (
	Anyone        Who = "anyone"
	Collaborators Who = "collaborators" // write permission or more, according to GitHub's permission API
	Owner         Who = "owner"
)

// Source is a registry that images may be copied from.
type Source struct {
	Host      string // canonical; exact, with its port if it is not 443
	Label     string // first part of the mirror names; empty to let the naming rules choose
	Private   bool   // may have a loopback or private address
	PlainHTTP bool   // uses HTTP without TLS
	Username  string
	Password  Secret
	OIDC      oidc.Identity // instead of a password
	// TokenServer is another host that may receive the login, because the
	// registry gets its tokens there. It includes the port unless that is 443.
	TokenServer string
	Requests    Who // who may ask for images of this host, in addition to Config.Requests
}

// HasLogin reports whether the source is read with a login.
func (s Source) HasLogin() bool { return s.Username != "" || s.OIDC != "" }

// Verification says whose signature images need. It has a Key, or an Issuer with
// an Identity or a pattern of identities.
type Verification struct {
	Images          []name.Pattern
	Key             string // as cosign takes it: a file, or the address of a key in a cloud
	Issuer          string // of the identity, "https://token.actions.githubusercontent.com" for example
	Identity        string
	IdentityPattern string // a regular expression
	Mark            bool   // an image without the signature is copied, and the answer says so
}

// Limits bound the cost of a request. Zero never means unlimited: defaults are
// filled in when the configuration is read.
type Limits struct {
	Images       int   // images in a request
	ImagesPerJob int   // images of a request that one job copies; more are divided among jobs
	ImageBytes   int64 // bytes of an image, all platforms together
	RequestBytes int64 // bytes of a request
	// What one person without write access to the repository may have in a day:
	// requests, bytes that are sent, and repositories that are created at a target.
	RequestsPerDay     int
	BytesPerDay        int64
	RepositoriesPerDay int

	IndexManifests int // manifests in an index
	RetryHours     int // hours for which temporary failures are retried
}

// DefaultLimits allow every ordinary request and keep one person from using up
// a free account: a job on a hosted runner ends after six hours, and a
// connection to the usual registries reaches about 10 to 60 MB/s.
func DefaultLimits() Limits {
	return Limits{
		ImagesPerJob:   30,
		Images:         30,       // a kubeadm set has 7, the charts of a monitoring stack about 25
		ImageBytes:     30 << 30, // the largest CUDA images, for two platforms
		RequestBytes:   60 << 30, // about an hour at 17 MB/s
		RequestsPerDay: 20,
		BytesPerDay:    120 << 30,
		// ACR's personal edition has room for 300 repositories.
		RepositoriesPerDay: 60,
		IndexManifests:     100, // the largest official index has about 30, with attestations
		RetryHours:         48,  // longer than an outage over a weekend, and than pull limits that reset every six hours
	}
}

// maxLimits are the largest values that the owner may set. A larger number is a
// typing error.
func maxLimits() Limits {
	return Limits{Images: 1000, ImagesPerJob: 1000, ImageBytes: 1 << 40, RequestBytes: 10 << 40, RequestsPerDay: 10000, BytesPerDay: 100 << 40, RepositoriesPerDay: 10000, IndexManifests: 1000, RetryHours: 24 * 90}
}

// Archives say who may have the images of a request in a file as well, which the
// workflow offers for download. The zero value allows it to nobody.
type Archives struct {
	Requests Who   // who may ask for one; empty for nobody
	Bytes    int64 // of one archive
	PerDay   int   // for one person without write access to the repository
	Days     int   // for which the file can be downloaded
	Release  bool  // offer it as a release instead of an artifact of the run
}

// defaultArchives are the limits of archives once the owner allows them.
func defaultArchives() Archives {
	return Archives{
		Bytes:  4 << 30, // FAT32, and minutes of upload
		PerDay: 2,
		Days:   3,
	}
}

// maxArchives are the largest values that the owner may set: the disk of a hosted
// runner has 14 GB, and GitHub keeps artifacts for at most 90 days.
func maxArchives() Archives { return Archives{Bytes: 10 << 30, PerDay: 1000, Days: 90} }
