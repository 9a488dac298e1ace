// Package clients knows how programs that use images are told to use a mirror:
// the command lines of docker, podman, nerdctl, ctr, crictl and k3s, and the
// lines of files that name images.
//
// A client is one file with its rules and its test. Every text that is made
// here is meant to be pasted: it holds canonical references, digests and
// platforms, none of which has a character that a shell would obey.
package clients

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Client is a program that pulls images.
type Client struct {
	Name string // as it is typed
	// Pull gives the lines that pull the mirror and give it back the name of
	// its source, as far as the client can do that.
	Pull func(Mirror) []string
	take func(Mirror) Taking // nil if the client gives images no names
}

// All lists the clients, the most used first.
func All() []Client {
	return []Client{
		{"docker", docker, takeLikeDocker("docker")},
		{"podman", podman, takeLikeDocker("podman")},
		{"nerdctl", nerdctl, takeLikeDocker("nerdctl")},
		{"ctr", ctr, takeLikeContainerd("ctr", "-n", "k8s.io")},
		{"k3s", k3s, takeLikeContainerd("k3s", "ctr")},
		{"crictl", crictl, nil},
	}
}

// Takes reports whether the client gives images names.
func (c Client) Takes() bool { return c.take != nil }

// Take is how the client takes m. It is false if the client gives images no
// names, or if m has no digest.
func (c Client) Take(m Mirror) (Taking, bool) {
	if !c.Takes() || m.Digest == (v1.Hash{}) || m.Pinned() == "" {
		return Taking{}, false
	}
	return c.take(m), true
}
