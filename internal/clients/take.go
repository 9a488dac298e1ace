package clients

import (
	"slices"
)

// Taking is how a client takes a mirror and gives it the name of its source:
// command lines as lists of arguments, to be run in this order.
type Taking struct {
	Pull []string // pulls the mirror by its digest
	Tag  []string // gives it the name of the source; nil if the client cannot
	// Digests prints the client's digests of the image Name.
	Digests []string
	Remove  []string // removes the mirror name; nil if Name is the mirror name
	Name    string   // final name of the image
}

// digestsFormat makes docker print the digests of an image, one a line.
const digestsFormat = "{{range .RepoDigests}}{{println .}}{{end}}"

// takeLikeDocker returns Take for a program with docker's command line. docker
// cannot give an image a name with a digest, so an image that was requested by
// its digest only keeps the mirror name.
func takeLikeDocker(program string) func(Mirror) Taking {
	return func(m Mirror) Taking {
		t := Taking{Pull: slices.Concat([]string{program, "pull"}, m.platformFlag(), []string{m.Pinned()}), Name: m.Pinned()}
		if name := m.localName(); name != "" {
			t.Tag = []string{program, "tag", m.Pinned(), name}
			t.Remove = []string{program, "rmi", m.Pinned()}
			t.Name = name
		}
		t.Digests = []string{program, "image", "inspect", "--format", digestsFormat, t.Name}
		return t
	}
}

// takeLikeContainerd returns Take for a program with the command line of ctr,
// given as words.
func takeLikeContainerd(program ...string) func(Mirror) Taking {
	images := func(args ...string) []string { return slices.Concat(program, []string{"images"}, args) }
	return func(m Mirror) Taking {
		t := Taking{Pull: slices.Concat(images("pull"), m.platformFlag(), []string{m.Pinned()}), Name: m.Pinned()}
		names := slices.DeleteFunc([]string{m.localName(), m.pinnedSource()}, func(name string) bool { return name == "" })
		if len(names) > 0 {
			t.Tag = append(images("tag", "--force", m.Pinned()), names...)
			t.Remove = images("rm", m.Pinned())
			t.Name = names[0]
		}
		t.Digests = images("ls", "name=="+t.Name)
		return t
	}
}
