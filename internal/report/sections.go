package report

import (
	"slices"

	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/reference"
)

// changes lists how mirrors differ from their sources.
func (a *answer) changes() *block {
	b := &block{name: a.l.Headings.Changed, rank: rankChanges}
	for _, o := range a.all {
		if o.status() != Copied && o.status() != Present || len(o.receipt.Changes) == 0 {
			continue
		}
		var reasons []md
		for _, c := range o.receipt.Changes {
			if sentence, ok := a.l.Changes.find(c); ok {
				reasons = append(reasons, a.l.change(sentence, o.receipt))
			} else {
				reasons = append(reasons, code(string(c)))
			}
		}
		item := "- " + code(o.place()) + a.l.Colon + join(reasons, a.l.Semi)
		if o.receipt.Digest != o.receipt.SourceDigest {
			item += a.l.Semi + fill(a.l.Headings.SourceDigest, "{digest}", code(o.receipt.SourceDigest.String()))
		}
		b.items = append(b.items, item)
	}
	return a.headed(b)
}

// change is the sentence about a change, with the missing parts filled in.
func (l *language) change(sentence md, r *mirror.Receipt) md {
	var missing []md
	images := slices.DeleteFunc(slices.Clone(r.Missing), func(p reference.Platform) bool { return p == mirror.Attestation })
	if len(images) > 0 {
		missing = append(missing, code(platformList(images)))
	}
	switch {
	case len(images) < len(r.Missing):
		missing = append(missing, l.Headings.Attestations)
	case len(images) == 0:
		missing = append(missing, l.Headings.SomeParts)
	}
	return fill(sentence, "{missing}", join(missing, l.Comma))
}

// headed puts a heading above a block, or folds the block under the heading if
// it is long. It returns nil if the block is empty.
func (a *answer) headed(b *block) *block {
	switch {
	case b.items == nil:
		return nil
	case len(b.items) > foldOver:
		return fold(b.name, b)
	}
	b.open = "**" + b.name + "**\n"
	return b
}

// locked lists the mirrors that need a login to pull. Many registries make new
// repositories private unless the owner changes the default.
func (a *answer) locked() *block {
	var hosts []string
	at := map[string][]string{}
	for _, r := range a.in.Locked {
		if at[r.Host()] == nil {
			hosts = append(hosts, r.Host())
		}
		at[r.Host()] = append(at[r.Host()], r.String())
	}
	b := &block{name: a.l.Headings.Locked, rank: rankChanges}
	for _, host := range hosts {
		login := "docker login " + host
		if host == reference.DockerHub {
			login = "docker login"
		}
		const most = 20
		b.items = append(b.items, "- 🔒 "+fill(a.l.Headings.NeedsLogin, "{mirror}", joined(at[host], a.l.Comma, most), "{login}", code(login)))
	}
	if b.items == nil {
		return nil
	}
	return b
}

// public lists what public mirrors have of the images, folded; nil if none was asked
// or answered in time.
func (a *answer) public() *block {
	b := &block{name: a.l.Headings.Public, rank: rankManifests}
	listed := map[reference.Reference]bool{}
	for i := range a.all {
		o := &a.all[i]
		if listed[o.image.Reference] {
			continue
		}
		listed[o.image.Reference] = true
		for k := range o.elsewhere {
			e := &o.elsewhere[k]
			b.items = append(b.items, "- "+codeRef(o.image.Reference)+a.l.Colon+fill(a.l.Public.of(e.State),
				"{command}", code("docker pull "+e.Mirror.String()), "{mirror}", codeRef(e.Mirror), "{platform}", code(e.Platform.String())))
		}
	}
	if b.items == nil {
		return nil
	}
	return fold(b.name, b)
}

// assumptions lists where the request was not read literally.
func (a *answer) assumptions() *block {
	b := &block{name: a.l.Headings.ReadAs, rank: rankAssumptions}
	images := a.request.Images
	for i := 0; i < len(images); {
		first, same := images[i], []string{}
		for i < len(images) && images[i].Written == first.Written && slices.Equal(images[i].Assumptions, first.Assumptions) {
			same = append(same, images[i].Reference.String())
			i++
		}
		if len(first.Assumptions) == 0 {
			continue
		}
		var reasons []md
		for _, assumption := range first.Assumptions {
			if sentence, ok := a.l.Assumptions.find(assumption); ok {
				reasons = append(reasons, sentence)
			}
		}
		const most = 20
		b.items = append(b.items, "- "+code(first.Written)+" → "+joined(same, a.l.Comma, most)+a.l.Colon+join(reasons, a.l.Semi))
	}
	return a.headed(b)
}

// foldOver is the largest number of items that are shown without a fold.
const foldOver = 4
