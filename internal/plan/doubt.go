package plan

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// maxDoubts limits the look-ups at sources for one request.
const maxDoubts = 60

// Doubts returns the references to look up at the sources before copying. If
// the request names no tag for an image, but versions that could be meant,
// these are the image with each version and with the assumed tag; if its name
// was guessed, also the same in its namesakes. An image is included with all
// of them or, beyond the limit for the request, with none.
func (p Plan) Doubts() []reference.Reference {
	var doubts []reference.Reference
	for _, step := range p.Steps {
		var more []reference.Reference
		for _, r := range readingsOf(step.Image) {
			for _, spellings := range r {
				more = append(more, spellings...)
			}
		}
		if len(more) < 2 {
			continue
		}
		if len(doubts)+len(more) > maxDoubts {
			break
		}
		doubts = append(doubts, more...)
	}
	return doubts
}

// reading is an image in one repository with each version that could be meant,
// as written first and then with or without "v", and with its own tag last.
type reading [][]reference.Reference

// readingsOf returns the readings of an image of which the tag was assumed or
// the name was guessed: in its own repository and in its namesakes.
func readingsOf(image request.Image) []reading {
	if !slices.Contains(image.Assumptions, request.AssumedTag) && len(image.Namesakes) == 0 {
		return nil
	}
	var all []reading
	for _, repository := range append([]reference.Repository{image.Reference.Repository()}, image.Namesakes...) {
		var r reading
		for _, version := range image.Alternatives {
			other, cut := strings.CutPrefix(version, "v")
			if !cut {
				other = "v" + version
			}
			var spellings []reference.Reference
			for _, tag := range []string{version, other} {
				if ref, err := repository.Tagged(tag); err == nil {
					spellings = append(spellings, ref)
				}
			}
			r = append(r, spellings)
		}
		if ref, err := repository.Tagged(image.Reference.Tag()); err == nil {
			r = append(r, []reference.Reference{ref})
		}
		all = append(all, r)
	}
	return all
}

// existing returns the references of a reading that exist, one for each
// version. It returns false if one of them could not be looked up.
func (r reading) existing(exists map[reference.Reference]bool) (there []reference.Reference, ok bool) {
	for _, spellings := range r {
		for _, ref := range spellings {
			found, known := exists[ref]
			if !known {
				return nil, false
			}
			if found && !slices.Contains(there, ref) {
				there = append(there, ref)
				break
			}
		}
	}
	return there, true
}

// Settle resolves a request with the tags that exist at the sources: a version
// in the text becomes the tag if only that tag exists, and the requester is
// asked if several exist. If a guessed name does not exist, the requester is
// asked about its other repositories. exists has the Doubts that could be
// looked up.
func Settle(req request.Request, exists map[reference.Reference]bool) request.Request {
	images := req.Images
	req.Images, req.Problems = make([]request.Image, 0, len(images)), slices.Clone(req.Problems)
	ask := func(code request.ProblemCode, image request.Image, choices []reference.Reference) {
		p := request.Problem{Code: code, Written: image.Written, Line: image.Line}
		for _, ref := range choices {
			p.Choices = append(p.Choices, ref.String())
		}
		req.Problems = append(req.Problems, p)
	}
	for _, image := range images {
		readings := readingsOf(image)
		var there []reference.Reference
		ok := false
		if len(readings) > 0 {
			there, ok = readings[0].existing(exists)
		}
		switch {
		case ok && len(there) == 0:
			var others []reference.Reference
			for _, r := range readings[1:] {
				more, _ := r.existing(exists)
				others = append(others, more...)
			}
			if len(others) > 0 {
				ask(request.WhichImage, image, others)
			} else {
				req.Images = append(req.Images, image)
			}
		case !ok || there[0] == image.Reference:
			req.Images = append(req.Images, image)
		case len(there) == 1:
			image.Reference = there[0]
			image.Assumptions = slices.Clone(image.Assumptions)
			image.Assumptions[slices.Index(image.Assumptions, request.AssumedTag)] = request.FoundTag
			req.Images = append(req.Images, image)
		case slices.ContainsFunc(images, func(other request.Image) bool {
			return other.Reference != image.Reference && slices.Contains(there, other.Reference)
		}):
			// Another image of the request is one of the choices.
		default:
			ask(request.WhichTag, image, there)
		}
	}
	return req
}
