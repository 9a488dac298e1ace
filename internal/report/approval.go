package report

import (
	"slices"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/request"
)

// maxApproved is how many images an approval lists at most. What nobody sees in
// full is not offered.
const maxApproved = 100

// approval shows who may allow it what would be allowed, image by image, and
// the command that allows exactly this.
func (a *answer) approval() *block {
	refused := []*failure.Error{a.in.Plan.Refused}
	for _, o := range a.all {
		refused = append(refused, o.failure)
	}
	images := a.in.Request.Images
	if a.in.Issue == 0 || len(images) > maxApproved || !slices.ContainsFunc(refused, isForOthers) {
		return nil
	}
	b := &block{name: a.l.headings.approval, rank: rankFailures, open: "**" + a.l.headings.approval + "**\n"}
	for _, image := range images {
		b.items = append(b.items, "- "+a.approved(image))
	}
	b.items = append(b.items, "", "```text", md("/ferry approve "+ledger.Fingerprint(a.in.Request)), "```")
	return b
}

// approved is all that an image of the request asks for.
func (a *answer) approved(image request.Image) md {
	line := codeRef(image.Reference)
	if image.As != (request.Alias{}) {
		line += " → " + code(image.As.String())
	}
	for i, p := range image.Platforms {
		separator := a.l.comma
		if i == 0 {
			separator = a.l.colon
		}
		line += separator + code(p.String())
	}
	return line
}

// isForOthers reports whether it is the asker that a refusal is about.
func isForOthers(f *failure.Error) bool {
	if f == nil {
		return false
	}
	switch f.Code {
	case failure.NotPermitted, failure.HostNotPermitted, failure.NameNotPermitted, failure.TooOften:
		return true
	default:
		return false
	}
}
