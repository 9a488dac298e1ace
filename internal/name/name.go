// Package name maps every source image to its mirror name: the path and tag in
// the owner's namespace. The mapping is total and deterministic and, within a
// profile, one to one for repositories, except where conventions require shared
// names; those are Exclusive. docs/names.md describes it for users.
//
// A name is made in three steps. The source becomes a list of path components
// (virtual path) that begins with a label or the host. Profiles that flatten
// replace each separator by one that is legal inside a single component. A name
// that does not fit the target is shortened and gets a hash. Reading works in
// the opposite direction, and Mirror only gives a name that Source reads back
// to the same repository. Therefore no two repositories share one.
package name

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
)

// Name is a mirror name.
type Name struct {
	// Reference has the target's host, the namespace, the name and a tag.
	Reference reference.Reference
	// Exclusive reports whether other sources may have the same name. A tag
	// with other content must then not be overwritten.
	Exclusive bool
	// Mixed reports whether images of other sources are in the same repository, under
	// other tags.
	Mixed bool
	// Before is the image that comes first if two sources share the name: while
	// it exists, the name is reserved for its content. Zero for all others.
	Before reference.Reference
}

// labelPattern is a path component that flattening does not change.
var labelPattern = &pattern.Regexp{Text: `^[a-z0-9]+(?:-[a-z0-9]+)*$`}

// New returns the names of one target. labels, by host, are added to the
// built-in ones or replace them; a host without a label keeps its full name. It
// is an error if two hosts have the same label, or if the target cannot have
// the profile's names.
func New(target Target, labels map[string]string) (*Scheme, error) {
	if target.Profile == "" {
		target.Profile = Flat
	}
	switch target.Profile {
	case Flat, Host, Last, Path, One:
	default:
		return nil, fmt.Errorf("reading the profile of a target: %q is not one of %q", target.Profile, Profiles())
	}
	probe, err := reference.NewRepository(target.Host, target.Namespace+"/x")
	if err != nil {
		return nil, fmt.Errorf("reading a target's namespace: %w", err)
	}
	target.Host = probe.Host()
	s := &Scheme{
		target: target,
		base:   target.Host + "/" + target.Namespace,
		rules:  known.Of(target.Host).Names,
		labels: known.Labels(),
		hosts:  map[string]string{},
	}
	if s.flat() && strings.Contains(target.Namespace, "/") {
		return nil, fmt.Errorf("reading a target's namespace: %s has repositories of two components, so the namespace %q must be one", target.Host, target.Namespace)
	}
	if s.flat() && target.Profile == Path {
		return nil, fmt.Errorf("reading the profile of a target: %s has repositories of two components, which profile %q does not fit", target.Host, Path)
	}
	if s.room() < minRoom {
		return nil, fmt.Errorf("reading a target's namespace: %q leaves %d characters for names, %d are needed", target.Namespace, s.room(), minRoom)
	}
	if err := s.label(labels); err != nil {
		return nil, fmt.Errorf("reading labels: %w", err)
	}
	return s, nil
}

// label combines labels with the built-in ones.
func (s *Scheme) label(labels map[string]string) error {
	given := map[string]string{}
	for _, host := range slices.Sorted(maps.Keys(labels)) {
		label, canonical := labels[host], canonicalHost(host)
		if !labelPattern.MatchString(label) || label == explicitHost {
			return fmt.Errorf("%q, of %s, is not letters and digits joined by single dashes, or is reserved", label, host)
		}
		if other, ok := given[canonical]; ok && other != label {
			return fmt.Errorf("%s is one registry and has two labels, %q and %q", canonical, other, label)
		}
		given[canonical], s.labels[canonical] = label, label
	}
	for _, host := range slices.Sorted(maps.Keys(s.labels)) {
		label := s.labels[host]
		if other, ok := s.hosts[label]; ok {
			return fmt.Errorf("%s and %s have one, %q", other, host, label)
		}
		s.hosts[label] = host
	}
	return nil
}

// Mirror returns the mirror name of src, for its repository and tag. The digest
// is not part of the name unless there is no tag. Errors are ErrTag and ErrLong.
func (s *Scheme) Mirror(src reference.Reference) (Name, error) {
	repository := Canonical(src.Repository())
	tag, err := s.mirrorTag(src)
	if err != nil {
		return Name{}, fmt.Errorf("naming the mirror of %s: %w", src, err)
	}
	var path string
	if s.target.Profile == One {
		path, tag, err = s.join(repository, tag)
	} else {
		path = s.path(repository)
	}
	if err != nil {
		return Name{}, fmt.Errorf("naming the mirror of %s: %w", src, err)
	}
	mirror, err := s.reference(path, tag)
	if err != nil {
		return Name{}, fmt.Errorf("naming the mirror of %s: %w", src, err)
	}
	n := Name{Reference: mirror, Exclusive: s.target.Profile == Last, Mixed: s.target.Profile == One}
	if back, err := s.Source(mirror); err == nil && back.Repository() != repository && src.Tag() != "" {
		n.Before = back
	}
	return n, nil
}

// Source returns the image with the given mirror name. A digest is kept. Errors
// are ErrNotMirror, ErrShortened and ErrAmbiguous.
func (s *Scheme) Source(mirror reference.Reference) (reference.Reference, error) {
	fail := func(err error) (reference.Reference, error) {
		return reference.Reference{}, fmt.Errorf("reading the mirror name %s: %w", mirror, err)
	}
	path, ok := strings.CutPrefix(mirror.Repository().String(), s.base+"/")
	if !ok {
		return fail(ErrNotMirror)
	}
	tag := mirror.Tag()
	switch s.target.Profile {
	case Last:
		return fail(ErrAmbiguous)
	case One:
		if path != oneRepository {
			return fail(ErrNotMirror)
		}
		if path, tag, ok = strings.Cut(tag, joint); !ok || tag == "" {
			return fail(ErrNotMirror)
		}
		s = s.beside(tag)
	case Flat, Host, Path:
	}
	if shortened(path) {
		return fail(ErrShortened)
	}
	repository, ok := s.repository(path)
	if !ok {
		return fail(ErrNotMirror)
	}
	if name, ok := s.whole(repository); !ok || name != path {
		return fail(ErrNotMirror)
	}
	src, err := sourceReference(repository, tag, mirror.Digest())
	if err != nil {
		return fail(ErrNotMirror)
	}
	return src, nil
}

// Custom returns the name that a person chose for src: a path below the
// namespace and a tag, which may be empty for the default one. A custom name is
// always exclusive, unless it equals the one of Mirror. Errors are ErrTaken,
// ErrIllegal and those of Mirror.
func (s *Scheme) Custom(src reference.Reference, path, tag string) (Name, error) {
	own, err := s.Mirror(src)
	if err != nil {
		return Name{}, err
	}
	fail := func(err error) (Name, error) {
		return Name{}, fmt.Errorf("naming the mirror of %s: %w", src, err)
	}
	if tag == "" && path == "" {
		return own, nil
	} else if tag == "" {
		tag, _ = s.mirrorTag(src) // which Mirror has made
	} else if referrerTag.MatchString(tag) || digestTag.MatchString(tag) && tag != own.Reference.Tag() {
		return fail(ErrTag)
	}
	ownPath := strings.TrimPrefix(own.Reference.Repository().String(), s.base+"/")
	if path == "" {
		path = ownPath
	}
	mirror, err := s.reference(path, tag)
	if err != nil || !s.fits(path) {
		return fail(ErrIllegal)
	}
	if mirror == own.Reference { // the default name needs no permission
		return own, nil
	}
	if path == ownPath || s.owns(path) {
		return fail(ErrTaken)
	}
	return Name{Reference: mirror, Exclusive: true}, nil
}

// owns reports whether path is the name of some source, so that it cannot be a
// custom name. With the profile last, every name is; none is refused there,
// because names are exclusive.
func (s *Scheme) owns(path string) bool {
	switch s.target.Profile {
	case Last:
		return false
	case One:
		return path == oneRepository
	case Flat, Host, Path:
	}
	_, ok := s.repository(path)
	return ok || shortened(path)
}

func (s *Scheme) reference(path, tag string) (reference.Reference, error) {
	repository, err := reference.NewRepository(s.target.Host, s.target.Namespace+"/"+path)
	if err != nil {
		return reference.Reference{}, err
	}
	return repository.Tagged(tag)
}
