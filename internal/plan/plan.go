// Package plan checks a request against the owner's policy and decides, before
// copying, what is copied where and what is refused. It has no side effects;
// facts from outside are arguments.
package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// Destination is where one image is copied at one target.
type Destination struct {
	// Mirror is the mirror name: the target's host, the namespace, the
	// flattened path and a tag.
	Mirror reference.Reference
	// ByDigest is the mirror name without the source's tag, for a request with
	// a digest and a tag. It is used if the source's tag names another image.
	// It is zero if the request has no such digest or chose the name itself.
	ByDigest reference.Reference `json:",omitzero"`
	// Exclusive reports whether other sources may have the name. A tag with
	// other content is then not overwritten.
	Exclusive bool `json:",omitzero"`
	// Mixed reports whether images of other sources are in the same repository,
	// under other tags.
	Mixed bool `json:",omitzero"`
	// Before is the image that comes first at this name: while it exists, only
	// its content is put there. Zero for none.
	Before reference.Reference `json:",omitzero"`
	// Kept is the name that the old content gets if the tag of Mirror is moved;
	// zero to lose it.
	Kept reference.Reference `json:",omitzero"`
	// Platforms are the platforms to copy to this target; empty for all.
	Platforms []reference.Platform `json:",omitzero"`
	// Default reports whether Platforms are the owner's, not the requester's:
	// those that the image lacks are left out, and an image with none of them
	// is copied with all its platforms.
	Default bool `json:",omitzero"`
}

// Step is one image to copy.
type Step struct {
	Image request.Image
	// Destinations are in the order of the owner's targets; never empty.
	Destinations []Destination `json:",omitempty"`
}

// Refusal is an image that will not be copied, with the reason.
type Refusal struct {
	Image request.Image
	// Target is the target of the refusal as "host/namespace", if a Step copies
	// the image to other targets; empty for all targets.
	Target  string
	Failure *failure.Error
}

// Plan has the steps and the refusals of a request.
type Plan struct {
	// Refused is why the whole request is refused; then there are no Steps and
	// no Refusals.
	Refused  *failure.Error
	Steps    []Step
	Refusals []Refusal
	// Quota limits what the steps may use together; nil for no limit.
	Quota   *Quota
	Archive Archive
}

// Make checks a request against the owner's policy. A refusal does not affect
// the rest of the request. The error concerns only cfg: an invalid target or
// label.
func Make(req request.Request, asker Asker, cfg *config.Config) (Plan, error) {
	policy, err := newPolicy(cfg)
	if err != nil {
		return Plan{}, err
	}
	d := draft{
		Plan:   Plan{Refused: policy.request(asker), Quota: policy.quota(asker)},
		policy: policy, asker: asker,
		taken: map[reference.Reference]holder{},
	}
	if d.Refused == nil {
		images := merge(req.Images)
		d.Steps = make([]Step, 0, len(images))
		for _, image := range images {
			d.add(image)
		}
		if req.Archive {
			d.Archive = policy.archive(asker)
		}
	}
	return d.Plan, nil
}

// draft is a plan under construction.
type draft struct {
	Plan
	policy *policy
	asker  Asker
	taken  map[reference.Reference]holder // by mirror name
}

// holder is the image that has a mirror name in a draft.
type holder struct {
	image       reference.Reference
	destination *Destination
}

func (d *draft) add(image request.Image) {
	refuse := func(target string, err *failure.Error) {
		d.Refusals = append(d.Refusals, Refusal{image, target, err})
	}
	if err := d.policy.image(image, d.asker); err != nil {
		refuse("", err)
		return
	}
	if limit := d.policy.cfg.Limits.Images; len(d.Steps) >= limit {
		refuse("", &failure.Error{Code: failure.TooMany, Hints: []string{strconv.Itoa(limit)}})
		return
	}
	step := Step{Image: image, Destinations: make([]Destination, 0, len(d.policy.schemes))}
	var refusals []Refusal
	for i, scheme := range d.policy.schemes {
		target := d.policy.cfg.Targets[i]
		destination, err := d.destination(scheme, image)
		if err != nil {
			refusals = append(refusals, Refusal{image, target.String(), err})
			continue
		}
		destination.choose(image.Platforms, target.Platforms)
		step.Destinations = append(step.Destinations, destination)
		d.taken[destination.Mirror] = holder{image.Reference, &step.Destinations[len(step.Destinations)-1]}
	}
	if len(step.Destinations) == 0 {
		refuse("", refusals[0].Failure)
		return
	}
	d.Steps = append(d.Steps, step)
	d.Refusals = append(d.Refusals, refusals...)
}

// destination returns the name of the image at one target, if it is permitted.
func (d *draft) destination(scheme *name.Scheme, image request.Image) (Destination, *failure.Error) {
	mirror, err := scheme.Mirror(image.Reference)
	if err != nil {
		return Destination{}, &failure.Error{Code: failure.TargetRefused, Side: failure.Target, Step: "naming the mirror", Err: err}
	}
	if image.As != (request.Alias{}) {
		custom, err := scheme.Custom(image.Reference, image.As.Path, image.As.Tag)
		if err != nil {
			return Destination{}, &failure.Error{Code: failure.CustomName, Hints: suggest(scheme, image), Err: err}
		}
		if custom != mirror && !d.asker.among(d.policy.cfg.CustomNames) {
			return Destination{}, &failure.Error{Code: failure.NameNotPermitted, Hints: []string{string(d.policy.cfg.CustomNames)}}
		}
		mirror = custom
	}
	destination := Destination{Mirror: mirror.Reference, Exclusive: mirror.Exclusive, Mixed: mirror.Mixed, Before: mirror.Before}
	if ref := image.Reference; ref.Tag() != "" && ref.HasDigest() && image.As == (request.Alias{}) {
		byDigest, err := scheme.Mirror(ref.Untagged(ref.Digest()))
		if err != nil {
			return Destination{}, &failure.Error{Code: failure.TargetRefused, Side: failure.Target, Step: "naming the mirror", Err: err}
		}
		destination.ByDigest = byDigest.Reference
	}
	if first, ok := d.taken[destination.Mirror]; ok {
		// The tag is for the image that was requested without a digest.
		switch {
		case !destination.ByDigest.IsZero():
			destination = destination.byDigest()
		case !first.destination.ByDigest.IsZero():
			*first.destination = first.destination.byDigest()
			d.taken[first.destination.Mirror] = first
		default:
			return Destination{}, &failure.Error{Code: failure.NameTaken, Hints: []string{first.image.String()}}
		}
	}
	if d.asker.Refresh {
		destination.Exclusive, destination.Before = false, reference.Reference{}
	}
	return destination, nil
}

// choose sets the platforms of d: the requested ones, else those that the owner
// wants at the target.
func (d *Destination) choose(requested, owners []reference.Platform) {
	d.Platforms = requested
	if len(requested) == 0 && len(owners) > 0 {
		d.Platforms, d.Default = owners, true
	}
}

// byDigest returns d with the name without the source's tag.
func (d Destination) byDigest() Destination {
	d.Mirror, d.ByDigest, d.Before = d.ByDigest, reference.Reference{}, reference.Reference{}
	return d
}

// suggest returns possible custom names that are similar to the requested one.
func suggest(scheme *name.Scheme, image request.Image) []string {
	path := strings.NewReplacer(".", "-", "/", "-", "__", "-").Replace(image.As.Path)
	for _, tag := range []string{image.As.Tag, ""} {
		if _, err := scheme.Custom(image.Reference, path, tag); err == nil {
			return []string{request.Alias{Path: path, Tag: tag}.String()}
		}
	}
	return nil
}

// merge combines requests for one image under one name: two platforms on two
// lines belong under one tag, because the platform is not part of the name.
func merge(images []request.Image) []request.Image {
	type wish struct {
		repository  reference.Repository
		tag, digest string
		as          request.Alias
	}
	at := map[wish]int{}
	var merged []request.Image
	for _, image := range images {
		ref := image.Reference
		key := wish{name.Canonical(ref.Repository()), ref.Tag(), ref.Digest().String(), image.As}
		i, ok := at[key]
		if !ok {
			at[key] = len(merged)
			merged = append(merged, image)
			continue
		}
		merged[i].Platforms = union(merged[i].Platforms, image.Platforms)
	}
	return merged
}

// union returns the platforms of two requests for one image. No platforms stand
// for all.
func union(a, b []reference.Platform) []reference.Platform {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	both := slices.Clone(a)
	for _, p := range b {
		if !slices.Contains(both, p) {
			both = append(both, p)
		}
	}
	return both
}
