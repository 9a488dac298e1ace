package lists

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/selection"
)

// skopeo reads a file of "skopeo sync --src yaml" (skopeo-sync(1), "YAML file
// content"): a mapping of hosts to registries.
func (r *reader) skopeo(root []pair) {
	for _, p := range root {
		host := p.name()
		value := r.follow(p.value)
		if value.Kind != yaml.MappingNode {
			r.fault(p.line(), fmt.Sprintf("has %s at %s, not a registry", kind(value), quote(host)), "")
			continue
		}
		if _, err := reference.NewRepository(host, "x/x"); err != nil {
			r.fault(p.line(), fmt.Sprintf("has %s, which is not a host", quote(host)), "")
			continue
		}
		r.mapping(r.pairs(value), keys{
			"images": func(v *yaml.Node) { r.skopeoImages(host, v, r.skopeoTags) },
			"images-by-tag-regex": func(v *yaml.Node) {
				r.skopeoImages(host, v, func(e Entry, v *yaml.Node) {
					text, ok := r.text("images-by-tag-regex", v)
					if !ok {
						return
					}
					if pattern, ok := r.expression(v.Line, text, text); ok {
						e.Tags.Sets = []selection.Set{{Allow: []selection.Pattern{pattern}}}
						r.add(e)
					}
				})
			},
			"images-by-semver": func(v *yaml.Node) {
				r.skopeoImages(host, v, func(e Entry, v *yaml.Node) {
					text, ok := r.text("images-by-semver", v)
					if !ok {
						return
					}
					versions, err := selection.ParseRange(text, selection.Masterminds)
					if err != nil {
						r.fault(v.Line, fmt.Sprintf("has the range %s, which %s", quote(text), err), "")
						return
					}
					e.Tags.Sets = []selection.Set{{Ranges: []*selection.Range{versions}}}
					r.add(e)
				})
			},
			"credentials": func(v *yaml.Node) {
				r.note(v.Line, "has a login for "+shortened(host)+", which is not read from a list", loginCure)
			},
			"tls-verify": func(v *yaml.Node) {
				if !strings.EqualFold(v.Value, "true") {
					r.note(v.Line, "turns off the check of certificates, which stays on", `name your certificate authority with --ca, or a host without TLS with --plain-http`)
				}
			},
			"cert-dir": func(v *yaml.Node) {
				r.note(v.Line, "names a folder of certificates, which is not read", "name your certificate authority with --ca")
			},
		})
	}
}

// skopeoImages reads a mapping of repositories on a host.
func (r *reader) skopeoImages(host string, v *yaml.Node, read func(Entry, *yaml.Node)) {
	if v.Kind != yaml.MappingNode {
		r.fault(v.Line, "is "+kind(v)+", not repositories with tags", "")
		return
	}
	for _, p := range r.pairs(v) {
		source, err := reference.NewRepository(host, p.name())
		if err != nil {
			r.fault(p.line(), fmt.Sprintf("has %s, which is not a repository", quote(p.name())), "")
			continue
		}
		read(Entry{Line: p.line(), Source: source}, r.follow(p.value))
	}
}

// skopeoTags reads tags and digests; an empty list means all tags.
func (r *reader) skopeoTags(e Entry, v *yaml.Node) {
	if !null(v) && v.Kind != yaml.SequenceNode {
		r.fault(v.Line, "is "+kind(v)+", not a list of tags", "")
		return
	}
	items := r.items(v)
	if len(items) == 0 {
		r.add(e) // all tags
		return
	}
	for _, item := range items {
		text, ok := r.text(e.Source.Path(), item)
		if !ok {
			continue
		}
		if strings.Contains(text, ":") {
			if digest, ok := r.digest(item.Line, text); ok {
				r.add(Entry{Line: item.Line, Source: e.Source, Digest: digest})
			}
			continue
		}
		if _, ok := r.tags(item.Line, e.Source, []string{text}); ok {
			e.Tags.Tags = append(e.Tags.Tags, text)
		}
	}
	if e.Tags.Tags != nil {
		r.add(e)
	}
}
