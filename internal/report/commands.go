package report

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// arrival is an image that can be pulled from one target now. Every text that
// a command holds comes from here: canonical references, digests and
// platforms, none of which has a character that a shell would obey.
type arrival struct {
	source reference.Reference
	mirror reference.Reference
	digest string // what the mirror's tag names
	exact  bool   // it is what the source's tag names, too
	only   string // its one platform, or empty
	beside bool   // it is one platform's tag beside the one that carries the mirror name
}

var platformPattern = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?$`)

// arrivalsOf are what can be pulled of an outcome: the mirror and, where it has
// one tag for each platform, those of the others.
func arrivalsOf(o outcome) []arrival {
	r := o.receipt
	if o.failure != nil || r == nil {
		return nil
	}
	a := arrival{source: o.image.Reference, mirror: o.mirror, digest: r.Digest.String(), exact: r.Digest == r.SourceDigest}
	if len(o.platforms) == 1 {
		if p := o.platforms[0].String(); platformPattern.MatchString(p) {
			a.only = p
		}
	}
	all := []arrival{a}
	for _, t := range r.Tags {
		if t.Digest == r.Digest {
			all[0].only = t.Platform.String()
			continue
		}
		all = append(all, arrival{source: a.source, mirror: t.Mirror, digest: t.Digest.String(), only: t.Platform.String(), beside: true})
	}
	return all
}

// localName is the name that the image gets back on the machine that pulls it:
// the source's tag. A name with nothing but a digest is none that docker could
// give to an image; empty then.
func (a arrival) localName() string {
	if a.source.Tag() == "" {
		return ""
	}
	return a.source.Repository().String() + ":" + a.source.Tag()
}

// pinnedSource is the source by its digest, if it was asked for so and the
// mirror has the very same content: the name under which Kubernetes looks for
// an image that a manifest pins.
func (a arrival) pinnedSource() string {
	if !a.source.HasDigest() || !a.exact {
		return ""
	}
	return a.source.Repository().String() + "@" + a.source.Digest().String()
}

// pinned is the mirror by its digest, without tag: podman takes no reference
// that has both.
func (a arrival) pinned() string {
	if _, err := reference.ParseDigest(a.digest); err != nil {
		return ""
	}
	return a.mirror.Repository().String() + "@" + a.digest
}

// pull is the line for docker and the tools that share its command line.
func (a arrival) pull(tool string) string {
	line := tool + " pull " + a.platformFlag() + a.mirror.String()
	if name := a.localName(); name != "" {
		line += " && " + tool + " tag " + a.mirror.String() + " " + name
	}
	return line
}

// ctr is the line for containerd's own client, in the namespace where the
// kubelet looks. --force, because a name that is there already is an error otherwise.
func (a arrival) ctr() string {
	line := "ctr -n k8s.io images pull " + a.platformFlag() + a.mirror.String()
	names := strings.TrimSpace(a.localName() + " " + a.pinnedSource())
	if names == "" {
		return line
	}
	return line + " && ctr -n k8s.io images tag --force " + a.mirror.String() + " " + names
}

func (a arrival) crictl() string { return "crictl pull " + a.mirror.String() }

// platformFlag pulls an image that has one platform only onto machines of any kind.
func (a arrival) platformFlag() string {
	if a.only == "" {
		return ""
	}
	return "--platform " + a.only + " "
}

// sed is one expression that replaces the source by the mirror in lines that
// name an image, in every spelling that means the source and in no longer name
// that happens to contain it.
func (a arrival) sed() string {
	if a.beside {
		return ""
	}
	const boundary = `[^[:alnum:]._:/@-]`
	repository := a.source.Repository()
	name := regexp.QuoteMeta(repository.Path())
	if repository.Host() == reference.DockerHub {
		if short, ok := strings.CutPrefix(name, "library/"); ok {
			name = "(library/)?" + short
		}
		name = `(docker\.io/)?` + name
	} else {
		name = regexp.QuoteMeta(repository.Host()) + "/" + name
	}
	groups := strings.Count(name, "(")
	var suffix, to string
	switch {
	case a.source.HasDigest() && !a.exact:
		return ""
	case a.source.HasDigest():
		to = a.pinned()
		if tag := a.source.Tag(); tag != "" {
			suffix = "(:" + regexp.QuoteMeta(tag) + ")?"
			groups++
		}
		suffix += "@" + a.source.Digest().String()
	case a.source.Tag() == "latest":
		suffix, to = "(:latest)?", a.mirror.String()
		groups++
	default:
		suffix, to = ":"+regexp.QuoteMeta(a.source.Tag()), a.mirror.String()
	}
	end := strconv.Itoa(groups + 2) // never over 5: the name has two groups at most, the suffix one
	return `/image:|FROM /s#(^|` + boundary + ")" + name + suffix + "(" + boundary + `|$)#\1` + to + `\` + end + "#g"
}

// kustomization is an entry of "images:" in kustomization.yaml, which compares
// names as they are written: official images rarely are in full.
func (a arrival) kustomization() string {
	if a.beside {
		return ""
	}
	entry := "  - name: " + familiar(a.source.Repository()) + "\n    newName: " + a.mirror.Repository().String()
	if a.source.Tag() != "" && a.source.Tag() != a.mirror.Tag() {
		entry += "\n    newTag: \"" + a.mirror.Tag() + "\""
	}
	return entry
}

// familiar is the repository as people write it: without Docker Hub's host and
// the "library/" of official images.
func familiar(r reference.Repository) string {
	if r.Host() != reference.DockerHub {
		return r.String()
	}
	return strings.TrimPrefix(r.Path(), "library/")
}

// pullCommands are all blocks that people paste from: from the first target
// that has the image in every form, from the others in the two commonest.
func (a *answer) pullCommands() []*block {
	var first []arrival
	var hosts []string
	others := map[string][]arrival{}
	var last reference.Reference
	for _, o := range a.all {
		got := arrivalsOf(o)
		if got == nil {
			continue
		}
		if got[0].source != last {
			last = got[0].source
			first = append(first, got...)
			continue
		}
		host := got[0].mirror.Repository().Host()
		if others[host] == nil {
			hosts = append(hosts, host)
		}
		others[host] = append(others[host], got...)
	}
	if first == nil {
		return nil
	}
	h := a.l.headings
	docker := commands("docker", rankDocker, "sh", first, tool("docker"))
	blocks := []*block{paragraph("**" + h.pull + "**"), docker}
	if len(first) > foldOver {
		blocks = []*block{fold("<b>"+h.pull+"</b>", docker)}
	}
	crictl := commands("crictl", rankTools, "sh", first, arrival.crictl)
	crictl.open = h.crictl + "\n\n" + crictl.open
	blocks = append(blocks, fold(h.otherTools,
		commands("podman", rankTools, "sh", first, tool("podman")),
		commands("nerdctl", rankTools, "sh", first, tool("nerdctl")),
		commands("ctr", rankTools, "sh", first, arrival.ctr),
		crictl))
	for _, host := range hosts {
		blocks = append(blocks, fold(fill(h.fromHost, "{host}", "<code>"+md(host)+"</code>"),
			commands("docker", rankOtherTargets, "sh", others[host], tool("docker")),
			commands("ctr", rankOtherTargets, "sh", others[host], arrival.ctr)))
	}
	return append(blocks, a.rewriting(first), a.pins())
}

// tool is a client that has docker's command line.
func tool(name string) func(arrival) string {
	return func(a arrival) string { return a.pull(name) }
}

// commands is a fence with a line for each arrival that has one, each line
// once; nil if there is none.
func commands(name md, rank int, language md, arrivals []arrival, line func(arrival) string) *block {
	b := &block{name: name, rank: rank, open: "```" + language, close: "```"}
	for _, a := range arrivals {
		if text := md(line(a)); text != "" && !slices.Contains(b.items, text) {
			b.items = append(b.items, text)
		}
	}
	if b.items == nil {
		return nil
	}
	return b
}

// rewriting shows how to put the mirror names into files.
func (a *answer) rewriting(arrivals []arrival) *block {
	sed := commands("sed", rankManifests, "sh", arrivals, func(a arrival) string {
		if expression := a.sed(); expression != "" {
			return "  -e '" + expression + "' \\"
		}
		return ""
	})
	if sed != nil {
		sed.open += "\nsed -E -i.bak \\"
		sed.close = "  *.yaml\n" + sed.close
	}
	kustomize := commands("kustomize", rankManifests, "yaml", arrivals, arrival.kustomization)
	kustomize.open = a.l.headings.kustomize + "\n\n" + kustomize.open + "\nimages:"
	return fold(a.l.headings.manifests, sed, kustomize)
}

// pins are the mirrors at every target by their digests.
func (a *answer) pins() *block {
	var all []arrival
	for _, o := range a.all {
		all = append(all, arrivalsOf(o)...)
	}
	pinned := commands(a.l.headings.pinned, rankPinned, "text", all, arrival.pinned)
	if pinned == nil {
		return nil
	}
	return fold(a.l.headings.pinned, pinned)
}
