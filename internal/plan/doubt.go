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
// these are the image with each version and with the assumed tag. An image is
// included with all of them or, beyond the limit for the request, with none.
func (p Plan) Doubts() []reference.Reference {
	var doubts []reference.Reference
	for _, step := range p.Steps {
		readings := readingsOf(step.Image)
		if len(readings) == 0 {
			continue
		}
		more := []reference.Reference{step.Image.Reference}
		for _, spellings := range readings {
			more = append(more, spellings...)
		}
		if len(doubts)+len(more) > maxDoubts {
			break
		}
		doubts = append(doubts, more...)
	}
	return doubts
}

// readingsOf returns the possible versions of an image without a tag, each with
// and without "v", as written first.
func readingsOf(image request.Image) [][]reference.Reference {
	if !slices.Contains(image.Assumptions, request.AssumedTag) {
		return nil
	}
	var readings [][]reference.Reference
	for _, version := range image.Alternatives {
		other, cut := strings.CutPrefix(version, "v")
		if !cut {
			other = "v" + version
		}
		var spellings []reference.Reference
		for _, tag := range []string{version, other} {
			if ref, err := image.Reference.Repository().Tagged(tag); err == nil {
				spellings = append(spellings, ref)
			}
		}
		readings = append(readings, spellings)
	}
	return readings
}

// Settle resolves a request with the tags that exist at the sources: a version
// in the text becomes the tag if only that tag exists, and the requester is
// asked if several exist. exists has the Doubts that could be looked up.
func Settle(req request.Request, exists map[reference.Reference]bool) request.Request {
	images := req.Images
	req.Images, req.Problems = make([]request.Image, 0, len(images)), slices.Clone(req.Problems)
	for _, image := range images {
		there, ok := choices(image, exists)
		switch {
		case !ok || len(there) == 0 || there[0] == image.Reference:
			req.Images = append(req.Images, image)
		case len(there) == 1:
			image.Reference = there[0]
			image.Assumptions = slices.Clone(image.Assumptions)
			image.Assumptions[slices.Index(image.Assumptions, request.AssumedTag)] = request.FoundTag
			req.Images = append(req.Images, image)
		case slices.ContainsFunc(images, func(other request.Image) bool {
			return other.Reference != image.Reference && slices.Contains(there, other.Reference)
		}):
			// The requester has to choose a tag.
		default:
			p := request.Problem{Code: request.WhichTag, Written: image.Written, Line: image.Line}
			for _, ref := range there {
				p.Choices = append(p.Choices, ref.String())
			}
			req.Problems = append(req.Problems, p)
		}
	}
	return req
}

// choices returns the existing references among the possible ones of an image,
// the assumed one last. It returns false if they are unknown.
func choices(image request.Image, exists map[reference.Reference]bool) (there []reference.Reference, ok bool) {
	readings := readingsOf(image)
	for _, spellings := range readings {
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
	assumed, known := exists[image.Reference]
	if assumed {
		there = append(there, image.Reference)
	}
	return there, known
}
