// Package name gives every source image its mirror name: the path and tag
// that it has in the owner's namespace. Names are total,
// deterministic and, within a profile, never shared by two repositories,
// except where the field's conventions want it so; those names are Exclusive.
// docs/names.md is the page for users.
//
// A name is made in three moves: the source becomes a list of path components
// (virtual path), with a label or the host in front; the profiles that flatten
// turn its separators one by one into separators that are legal inside a
// single component; what does not fit the target is cut and gets a hash.
// Reading goes the other way, and Mirror only ever gives a name that Source
// reads back to the same repository. That is why no two share one.
package name

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// Name is a mirror name.
type Name struct {
	// Reference has the target's host, the namespace, the name and a tag.
	Reference reference.Reference
	// Exclusive reports that any other source may have the same name, so that a
	// tag that holds other content must not be overwritten.
	Exclusive bool
	// Before is the image that goes first where two sources share the name: as
	// long as it exists, the name is for what it names. Zero for all others.
	Before reference.Reference
}

// labelPattern is a path component that flattening does not change.
var labelPattern = regexp.MustCompile(`^[a-z0-9]+(?:-[a-z0-9]+)*$`)

// New prepares the names of one target. Labels, by host, add to the built-in
// ones and replace them; a host without a label keeps its full name. It is an
// error if two hosts have one label, or if the target cannot hold the
// profile's names.
func New(target Target, labels map[string]string) (*Scheme, error) {
	if target.Profile == "" {
		target.Profile = Flat
	}
	switch target.Profile {
	case Flat, Host, Last, Path:
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

// label lays labels over the built-in ones.
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

// Mirror is the name of src: of its repository and tag. The digest names what
// is copied, not where to: it is no part of the name unless there is no tag.
// The only error is ErrTag.
func (s *Scheme) Mirror(src reference.Reference) (Name, error) {
	repository := Canonical(src.Repository())
	tag, err := s.mirrorTag(src)
	if err != nil {
		return Name{}, fmt.Errorf("naming the mirror of %s: %w", src, err)
	}
	mirror, err := s.reference(s.path(repository), tag)
	if err != nil {
		return Name{}, fmt.Errorf("naming the mirror of %s: %w", src, err)
	}
	n := Name{Reference: mirror, Exclusive: s.target.Profile == Last}
	if back, err := s.Source(mirror); err == nil && back.Repository() != repository && src.Tag() != "" {
		n.Before = back
	}
	return n, nil
}

// Source is the image that has the name mirror: what Mirror gave it for. A
// digest is kept. Errors are ErrNotMirror, ErrShortened and ErrAmbiguous.
func (s *Scheme) Source(mirror reference.Reference) (reference.Reference, error) {
	fail := func(err error) (reference.Reference, error) {
		return reference.Reference{}, fmt.Errorf("reading the mirror name %s: %w", mirror, err)
	}
	path, ok := strings.CutPrefix(mirror.Repository().String(), s.base+"/")
	if !ok {
		return fail(ErrNotMirror)
	}
	if s.target.Profile == Last {
		return fail(ErrAmbiguous)
	}
	if shortened(path) {
		return fail(ErrShortened)
	}
	repository, ok := s.repository(path)
	if !ok || s.path(repository) != path {
		return fail(ErrNotMirror)
	}
	src, err := sourceReference(repository, mirror)
	if err != nil {
		return fail(ErrNotMirror)
	}
	return src, nil
}

// Custom is the name that a person chose for src: path below the namespace and
// a tag, which may be empty for the one that the scheme gives. A custom name
// is always exclusive, unless it is the very one that Mirror gives. Errors are
// ErrTaken, ErrIllegal and ErrTag.
func (s *Scheme) Custom(src reference.Reference, path, tag string) (Name, error) {
	own, err := s.Mirror(src)
	if err != nil {
		return Name{}, err
	}
	fail := func(err error) (Name, error) {
		return Name{}, fmt.Errorf("naming the mirror of %s: %w", src, err)
	}
	if tag == "" {
		tag = own.Reference.Tag()
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
	if mirror == own.Reference { // the usual name needs no permission
		return own, nil
	}
	if path == ownPath || s.owns(path) {
		return fail(ErrTaken)
	}
	return Name{Reference: mirror, Exclusive: true}, nil
}

// owns reports whether the scheme gives path to some source, so that no custom
// name may have it. Names of profile last are all of them, so none is refused:
// there, being exclusive protects what others have.
func (s *Scheme) owns(path string) bool {
	if s.target.Profile == Last {
		return false
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
