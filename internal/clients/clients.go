// Package clients makes the commands and file contents with which programs use
// a mirror: command lines of docker, podman, nerdctl, ctr, crictl and k3s, and
// lines of files with image names.
//
// A client is one file with its rules and its test. All texts are meant to be
// pasted: they contain canonical references, digests and platforms, none of
// which has a character that is special in a shell.
package clients

// Client is a program that pulls images.
type Client struct {
	Name string // as typed
	// Pull returns the lines that pull the mirror and give it the name of its
	// source, as far as the client can do that.
	Pull func(Mirror) []string
	take func(Mirror) Taking // nil if the client cannot name images
	// Check shows and removes what was taken.
	Check Checking
}

// All lists the clients, the most common first.
func All() []Client {
	return []Client{
		{"docker", docker, takeLikeDocker("docker"), checkLikeDocker("docker")},
		{"ferry", ferry, nil, Checking{}},
		{"podman", podman, takeLikeDocker("podman"), checkLikeDocker("podman")},
		{"nerdctl", nerdctl, takeLikeDocker("nerdctl"), checkLikeDocker("nerdctl")},
		{"ctr", ctr, takeLikeContainerd("ctr", "-n", "k8s.io"), checkLikeContainerd("ctr", "-n", "k8s.io")},
		{"k3s", k3s, takeLikeContainerd("k3s", "ctr"), checkLikeContainerd("k3s", "ctr")},
		{"crictl", crictl, nil, Checking{}},
	}
}

// Takes reports whether the client can name images.
func (c Client) Takes() bool { return c.take != nil }

// Take returns how the client takes m, and false if the client cannot name
// images or m has no valid digest.
func (c Client) Take(m Mirror) (Taking, bool) {
	if !c.Takes() || m.Pinned() == "" {
		return Taking{}, false
	}
	return c.take(m), true
}
