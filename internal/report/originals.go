package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/clients"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// originals returns how to pull the images under their original names from the
// owner's front, folded; nil if there is no front or no image.
func (a *answer) originals() *block {
	var hosts []string
	for _, m := range a.pulled().first {
		if host := m.Source.Repository().Host(); !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	if a.in.Front == "" || hosts == nil {
		return nil
	}
	h, front := a.l.Headings, a.in.Front
	lines := func(language md, items ...string) *block {
		b := &block{name: h.Originals, rank: rankManifests, open: "```" + language, close: "```"}
		for i, item := range items {
			if i > 0 {
				item = "\n" + item
			}
			b.items = append(b.items, md(strings.TrimSuffix(item, "\n")))
		}
		return b
	}
	var containerd, podman []string
	for i, host := range hosts {
		table := clients.HostsServer(cmp.Or(known.Of(host).API, host)) + clients.HostsTable(front)
		containerd = append(containerd, "# /etc/containerd/certs.d/"+host+"/hosts.toml\n"+table)
		table = clients.RegistryTable(host, strings.TrimPrefix(front, "https://"), false)
		if i == 0 {
			table = "# /etc/containers/registries.conf.d/050-ferry.conf\n" + table
		}
		podman = append(podman, table)
	}
	ferry := lines("sh", "sudo ferry setup --front "+front)
	ferry.open = fill(h.WithFerry, "{ferry}", "[`ferry setup`](https://github.com/imageferry/ferry/blob/main/docs/clients.md)") + "\n\n" + ferry.open
	toml := lines("toml", containerd...)
	toml.open = h.WithoutFerry + "\n\n" + toml.open
	blocks := []*block{ferry, toml, lines("toml", podman...)}
	if slices.Contains(hosts, reference.DockerHub) {
		docker := lines("json", "{"+clients.RegistryMirrors(front)+"}")
		docker.open = "`/etc/docker/daemon.json`\n\n" + docker.open
		blocks = append(blocks, docker)
	}
	return fold(h.Originals, blocks...)
}
