// Package plan decides, before anything moves, what is copied where and what
// is refused: a request held against the owner's policy. It is pure but for
// the look-ups that are handed to it.
package plan

import (
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// Destination is where one image goes in one target.
type Destination struct {
	// Mirror is the mirror name: the target's host, the namespace, the
	// flattened path and a tag.
	Mirror reference.Reference
	// Exclusive tells that other sources map to the same name, so that a tag
	// that holds other content is never overwritten.
	Exclusive bool
}

// Step is one image to copy, to every target.
type Step struct {
	Image request.Image
	// Destinations are in the order of the owner's targets; never empty.
	Destinations []Destination
}

// Refusal is one image that will not be copied, and why.
type Refusal struct {
	Image request.Image
	Err   *failure.Error
}

// Plan is what will be done about a request.
type Plan struct {
	Steps    []Step
	Refusals []Refusal
}
