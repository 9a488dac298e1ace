package name

import (
	"errors"

	"github.com/imageferry/ferry/internal/known"
)

// Profile is a way of making names.
type Profile string

// The profiles.
const (
	Flat Profile = "flat" // label and path in one component: "quay.a.b"
	Host Profile = "host" // host and path in one component: "quay.io.a.b"
	Last Profile = "last" // the last component alone: "b"; ambiguous, so always exclusive
	Path Profile = "path" // host and path as they are: "quay.io/a/b"
	One  Profile = "one"  // one repository, with the flat name in the tag: "mirrors:quay.a.b..1"
)

// Profiles returns all profiles, the default first.
func Profiles() []Profile { return []Profile{Flat, Host, Last, Path, One} }

// Target is a registry and namespace that names are made for.
type Target struct {
	Host      string  // canonical, "docker.io" for example
	Namespace string  // one or more path components
	Profile   Profile // empty for Flat
}

// The errors. They are wrapped together with the reference.
var (
	// ErrNotMirror: the reference is not a name of the scheme.
	ErrNotMirror = errors.New("not a mirror name of this target")
	// ErrShortened: the name was shortened; it only contains a hash of its
	// source.
	ErrShortened = errors.New("a shortened name, which does not contain its source")
	// ErrAmbiguous: names of the profile last do not contain their source.
	ErrAmbiguous = errors.New("a name of profile last, which does not contain its source")
	// ErrTag: the tag cannot be used, because registries or Ferry read it as a
	// reference to another image.
	ErrTag = errors.New("a tag that is reserved")
	// ErrLong: the tag leaves no room for the repository, in profile one.
	ErrLong = errors.New("a tag that is too long for a name of profile one")
	// ErrTaken: a custom name that belongs to another source.
	ErrTaken = errors.New("a name that belongs to another source")
	// ErrIllegal: a custom name that the target does not accept.
	ErrIllegal = errors.New("a name that the target does not accept")
)

// Scheme makes names for one target. It is safe for concurrent use.
type Scheme struct {
	target Target
	base   string // host/namespace
	rules  known.Names
	labels map[string]string // host to label
	hosts  map[string]string // label to host
}
