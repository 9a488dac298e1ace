package clients

import (
	"slices"
	"strings"
)

// Taking is how a client takes a mirror and gives it the name of its source:
// command lines as lists of arguments, to be run in this order.
type Taking struct {
	Pull   []string // pulls the mirror by its digest
	Tag    []string // gives it the name of the source; nil if the client cannot
	Name   string   // final name of the image
	Mirror string   // mirror name to remove; empty if Name is the mirror name
}

// Checking is how a client shows and removes images, several at once.
type Checking struct {
	Digests []string // prints a line for each name that follows; a name begins with Prefix
	Prefix  string
	Remove  []string // removes the names that follow
	named   bool     // lines begin with the name, in any order
}

// Held returns what the output of Digests says about each name; empty for nothing.
func (c Checking) Held(output string, names []string) []string {
	held := make([]string, len(names))
	lines := strings.Split(strings.TrimSpace(output), "\n")
	for i, name := range names {
		switch {
		case !c.named && len(lines) == len(names):
			held[i] = lines[i]
		case c.named:
			for _, line := range lines {
				if strings.HasPrefix(line, name+" ") {
					held[i] = line
				}
			}
		}
	}
	return held
}

// digestsFormat makes docker print the digests of an image on one line.
const digestsFormat = "{{range .RepoDigests}}{{.}} {{end}}"

// checkLikeDocker returns the Checking of a program with docker's command line.
func checkLikeDocker(program string) Checking {
	return Checking{Digests: []string{program, "image", "inspect", "--format", digestsFormat}, Remove: []string{program, "rmi"}}
}

// checkLikeContainerd returns the Checking of a program with the command line of ctr,
// given as words.
func checkLikeContainerd(program ...string) Checking {
	return Checking{Digests: slices.Concat(program, []string{"images", "ls"}), Prefix: "name==", Remove: slices.Concat(program, []string{"images", "rm"}), named: true}
}

// takeLikeDocker returns Take for a program with docker's command line. docker
// cannot give an image a name with a digest, so an image that was requested by
// its digest only keeps the mirror name.
func takeLikeDocker(program string) func(Mirror) Taking {
	return func(m Mirror) Taking {
		t := Taking{Pull: slices.Concat([]string{program, "pull", "-q"}, m.platformFlag(), []string{m.Pinned()}), Name: m.Pinned()}
		if name := m.localName(); name != "" {
			t.Tag = []string{program, "tag", m.Pinned(), name}
			t.Name, t.Mirror = name, m.Pinned()
		}
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
			t.Name, t.Mirror = names[0], m.Pinned()
		}
		return t
	}
}
