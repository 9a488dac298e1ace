package plan

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// maxDoubts bounds the look-ups at the sources for one request.
const maxDoubts = 60

// Doubts are the references to look up at the sources before anything is copied:
// where the request names no tag of an image, but versions that could be meant,
// the image with each of them and with the tag that was assumed. An image is in
// with all of them or, beyond 60 for the request, with none.
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

// readingsOf are the versions that an image without a tag could be meant with,
// each in its spellings, with and without "v", as it is written first.
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

// Settle is a request as it is meant by what the sources have: a version that the
// text names is the tag where only it exists, and whoever asks is asked where
// several tags do. Exists has the Doubts of which it is known.
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
			// One of them is asked for by its tag.
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

// choices are the references that exist among those an image can be meant by,
// the one that was assumed last. It returns false if that is not known.
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
