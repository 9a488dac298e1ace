package plan

import (
	"fmt"
	"strings"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// Wish is an image of the owner's lists, with its destinations.
type Wish struct {
	Image request.Image
	// Targets are the targets for its mirror name, as "host/namespace".
	Targets []string
	// Places are additional complete names.
	Places []Place
}

// Place is a repository and a tag; without a tag, that of the source.
type Place struct {
	Repository reference.Repository
	Tag        string
}

// Target returns the target of the place, as "host/namespace".
func (p Place) Target() string {
	text := p.Repository.String()
	return text[:strings.LastIndexByte(text, '/')]
}

// MakeList checks the wishes of the owner's lists against the policy, like
// Make. A mirror name gets the current content of its source, so it is
// overwritten if a tag has moved. There is one step for each image, and one
// destination for each name; the second image for a name is refused. The limits
// of a request do not apply. All targets must be in cfg.
func MakeList(wishes []Wish, cfg *config.Config) (Plan, error) {
	policy, err := newPolicy(cfg)
	if err != nil {
		return Plan{}, err
	}
	l := listing{
		draft: draft{policy: policy, asker: Asker{Role: Owner, Refresh: true}},
		steps: map[reference.Reference]int{}, names: map[reference.Reference][2]int{}, targets: map[string]int{}, places: map[string]*name.Scheme{},
	}
	for i, target := range cfg.Targets {
		l.targets[target.String()] = i
	}
	for _, w := range wishes {
		l.add(w)
	}
	steps := l.Steps[:0]
	for _, s := range l.Steps {
		if len(s.Destinations) > 0 {
			steps = append(steps, s)
		}
	}
	l.Steps = steps
	return l.Plan, nil
}

// listing is a plan of lists under construction.
type listing struct {
	draft
	steps   map[reference.Reference]int    // by source
	names   map[reference.Reference][2]int // step and destination, by mirror name
	targets map[string]int                 // by "host/namespace"
	places  map[string]*name.Scheme        // the same, for complete names
}

func (l *listing) add(w Wish) {
	if err := l.policy.image(w.Image, l.asker); err != nil {
		l.Refusals = append(l.Refusals, Refusal{w.Image, "", err})
		return
	}
	at, ok := l.steps[w.Image.Reference]
	if !ok {
		at = len(l.Steps)
		l.steps[w.Image.Reference] = at
		l.Steps = append(l.Steps, Step{Image: w.Image})
	}
	for _, target := range w.Targets {
		l.put(at, target, w.Image, func(i int) (*name.Scheme, error) { return l.policy.schemes[i], nil })
	}
	for _, place := range w.Places {
		image := w.Image
		path := place.Repository.Path()
		image.As = request.Alias{Path: path[strings.LastIndexByte(path, '/')+1:], Tag: place.Tag}
		l.put(at, place.Target(), image, l.anyName)
	}
}

// anyName returns the scheme of a target that permits every name.
func (l *listing) anyName(i int) (*name.Scheme, error) {
	target := l.policy.cfg.Targets[i]
	if s := l.places[target.String()]; s != nil {
		return s, nil
	}
	s, err := name.New(name.Target{Host: target.Host, Namespace: target.Namespace, Profile: name.Last}, nil)
	if err == nil {
		l.places[target.String()] = s
	}
	return s, err
}

// put adds a destination to a step, or a refusal.
func (l *listing) put(at int, target string, image request.Image, scheme func(target int) (*name.Scheme, error)) {
	refuse := func(f *failure.Error) { l.Refusals = append(l.Refusals, Refusal{image, target, f}) }
	i, ok := l.targets[target]
	if !ok {
		refuse(&failure.Error{Code: failure.Internal, Side: failure.Target, Step: "planning", Err: fmt.Errorf("no target %s", target)})
		return
	}
	s, err := scheme(i)
	if err != nil {
		refuse(&failure.Error{Code: failure.TargetRefused, Side: failure.Target, Step: "naming the mirror", Err: err})
		return
	}
	d, f := l.destination(s, image)
	if f != nil {
		refuse(f)
		return
	}
	d.choose(image.Platforms, l.policy.cfg.Targets[i].Platforms)
	if first, ok := l.names[d.Mirror]; ok {
		if first[0] != at {
			refuse(&failure.Error{Code: failure.NameTaken, Hints: []string{l.Steps[first[0]].Image.Reference.String()}})
			return
		}
		l.Steps[at].Destinations[first[1]].join(d)
		return
	}
	l.names[d.Mirror] = [2]int{at, len(l.Steps[at].Destinations)}
	l.Steps[at].Destinations = append(l.Steps[at].Destinations, d)
}

// join adds the platforms that another entry requests for the same name.
func (d *Destination) join(o Destination) {
	d.Platforms, d.Default = union(d.Platforms, o.Platforms), d.Default && o.Default
}
