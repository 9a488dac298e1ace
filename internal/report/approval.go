package report

import (
	"slices"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/request"
)

// maxApproved is the largest number of images in an approval. A longer list
// would not be shown in full, so it is not offered.
const maxApproved = 100

// approval lists, image by image, what an approval would allow, with the
// command that allows exactly that.
func (a *answer) approval() *block {
	refused := []*failure.Error{a.in.Plan.Refused}
	for _, o := range a.all {
		refused = append(refused, o.failure)
	}
	images := a.in.Request.Images
	if a.in.Issue == 0 || len(images) > maxApproved || !slices.ContainsFunc(refused, isForOthers) {
		return nil
	}
	b := &block{name: a.l.Headings.Approval, rank: rankFailures, open: "**" + a.l.Headings.Approval + "**\n"}
	for _, image := range images {
		b.items = append(b.items, "- "+a.approved(image))
	}
	b.items = append(b.items, "", "```text", md("/ferry approve "+ledger.Fingerprint(a.in.Request)), "```")
	return b
}

// approved returns everything that the request asks for an image.
func (a *answer) approved(image request.Image) md {
	line := codeRef(image.Reference)
	if image.As != (request.Alias{}) {
		line += " → " + code(image.As.String())
	}
	for i, p := range image.Platforms {
		separator := a.l.Comma
		if i == 0 {
			separator = a.l.Colon
		}
		line += separator + code(p.String())
	}
	return line
}

// isForOthers reports whether a failure is about the permissions of the
// requester.
func isForOthers(f *failure.Error) bool {
	if f == nil {
		return false
	}
	switch f.Code {
	case failure.NotPermitted, failure.HostNotPermitted, failure.NameNotPermitted, failure.NotListed, failure.TooOften, failure.TooMuch, failure.TooManyNew:
		return true
	default:
		return false
	}
}
