package report

import (
	"strings"

	"github.com/imageferry/ferry/internal/clients"
	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
)

// arrivals returns what can be pulled: the mirror and, if each platform has its
// own tag, the mirrors of the other platforms.
func arrivals(o outcome) []clients.Mirror {
	r := o.receipt
	if o.failure != nil || r == nil {
		return nil
	}
	m := clients.Mirror{Source: o.image.Reference, Name: o.mirror, Digest: r.Digest, Exact: r.Digest == r.SourceDigest}
	if len(o.platforms) == 1 {
		m.Platform = o.platforms[0]
	}
	all := []clients.Mirror{m}
	for _, t := range r.Tags {
		if t.Digest == r.Digest {
			all[0].Platform = t.Platform
			continue
		}
		all = append(all, clients.Mirror{Source: m.Source, Name: t.Mirror, Digest: t.Digest, Platform: t.Platform, Beside: true})
	}
	return all
}

// pulled are the mirrors that commands are written for: those at the first
// target that has the image, and those at the other targets by host. If each
// platform has its own tag, all but the first are kept apart: they would all
// give the image the same name.
type pulled struct {
	first, beside []clients.Mirror
	hosts         []string // of the other targets, in order
	others        map[string][]clients.Mirror
}

func (a *answer) pulled() pulled {
	p := pulled{others: map[string][]clients.Mirror{}}
	var last reference.Reference
	for _, o := range a.all {
		got := arrivals(o)
		if got == nil {
			continue
		}
		if got[0].Source != last {
			last = got[0].Source
			p.first, p.beside = append(p.first, got[0]), append(p.beside, got[1:]...)
			continue
		}
		host := got[0].Name.Repository().Host()
		if p.others[host] == nil {
			p.hosts = append(p.hosts, host)
		}
		p.others[host] = append(p.others[host], got[0])
		p.beside = append(p.beside, got[1:]...)
	}
	return p
}

// commands returns the lines for the most common client. They are never folded.
func (a *answer) commands() *block {
	if len(a.all) == 0 {
		items := pastedBefore(a.in.Before)
		if items == nil {
			return nil
		}
		return &block{name: a.l.Headings.CommandsOf, rank: rankCommands, open: "```sh", items: items, close: "```"}
	}
	b := pulls(clients.All()[0].Name, rankCommands, a.pulled().first)
	if b != nil {
		b.name = a.l.Headings.CommandsOf
	}
	return b
}

// dockerLine matches a line for docker, with its references.
var dockerLine = &pattern.Regexp{Text: `^docker (?:pull (?:--platform [a-z0-9]+(?:/[a-z0-9_]+){1,2} )?|tag ([A-Za-z0-9._:/@-]+) )([A-Za-z0-9._:/@-]+)$`}

// pastedBefore returns the docker lines of a comment that Render wrote. It
// keeps only lines whose references are canonical.
func pastedBefore(comment string) []md {
	_, commands := unfenced(comment)
	var lines []md
	for _, line := range commands {
		names := dockerLine.FindStringSubmatch(line)
		if names == nil {
			return nil
		}
		for _, name := range names[1:] {
			if r, err := reference.Parse(name); name != "" && (err != nil || r.String() != name) {
				return nil
			}
		}
		lines = append(lines, md(line))
	}
	return lines
}

// otherCommands returns the blocks of the other clients, each folded.
func (a *answer) otherCommands() []*block {
	p := a.pulled()
	if p.first == nil {
		return nil
	}
	h := a.l.Headings
	var tools []*block
	var names []md
	for _, c := range clients.All()[1:] {
		b := pulls(c.Name, rankTools, p.first)
		if b == nil {
			continue
		}
		title := "**" + md(c.Name) + "**"
		if note := a.l.Clients.of(c.Name); note != "" {
			title += a.l.Colon + note
		}
		b.open = title + "\n\n" + b.open
		tools, names = append(tools, b), append(names, md(c.Name))
	}
	blocks := []*block{fold(join(names, a.l.Comma), tools...)}
	docker, ctr := clients.All()[0].Name, "ctr"
	if p.beside != nil {
		blocks = append(blocks, fold(h.OtherPlatforms, pulls(docker, rankTools, p.beside), pulls(ctr, rankTools, p.beside)))
	}
	for _, host := range p.hosts {
		blocks = append(blocks, fold(fill(h.FromHost, "{host}", "<code>"+md(host)+"</code>"),
			pulls(docker, rankOtherTargets, p.others[host]), pulls(ctr, rankOtherTargets, p.others[host])))
	}
	return append(blocks, a.rewriting(p.first))
}

// pulls returns a fence with the lines of a client for each mirror, or nil if
// there are none.
func pulls(client string, rank int, mirrors []clients.Mirror) *block {
	for _, c := range clients.All() {
		if c.Name == client {
			return fenced(md(client), rank, "sh", mirrors, func(m clients.Mirror) string { return strings.Join(c.Pull(m), "\n") })
		}
	}
	return nil
}

// fenced returns a fence with one item for each mirror, without repetitions, or
// nil if there are no items.
func fenced(name md, rank int, language md, mirrors []clients.Mirror, item func(clients.Mirror) string) *block {
	b := &block{name: name, rank: rank, open: "```" + language, close: "```"}
	seen := map[md]bool{}
	for _, m := range mirrors {
		if text := md(item(m)); text != "" && !seen[text] {
			seen[text] = true
			b.items = append(b.items, text)
		}
	}
	if b.items == nil {
		return nil
	}
	return b
}

// rewriting shows how to replace names in files by the mirror names.
func (a *answer) rewriting(mirrors []clients.Mirror) *block {
	sed := fenced("sed", rankManifests, "sh", mirrors, func(m clients.Mirror) string {
		if expression := clients.Sed(m); expression != "" {
			return "  -e '" + expression + "' \\"
		}
		return ""
	})
	if sed != nil {
		sed.open += "\nsed -E -i.bak \\"
		sed.close = "  *.yaml\n" + sed.close
	}
	kustomize := fenced("kustomize", rankManifests, "yaml", mirrors, clients.Kustomization)
	if kustomize != nil {
		kustomize.open = a.l.Headings.Kustomize + "\n\n" + kustomize.open + "\nimages:"
	}
	return fold(a.l.Headings.Manifests, sed, kustomize)
}
