package clients

import "slices"

// Trial is how a program pulls an image under its original name and removes it
// again: command lines as lists of arguments, to be run in this order.
type Trial struct {
	Pull    []string
	Digests []string // prints the digests of the pulled image; nil if Pull does
	Remove  []string // nil if the program keeps nothing
}

// Program returns the name of the program.
func (t Trial) Program() string { return t.Pull[0] }

// TryLikeDocker tries a program with docker's command line, given as words.
func TryLikeDocker(image string, program ...string) Trial {
	docker := func(args ...string) []string { return slices.Concat(program, args) }
	return Trial{
		Pull:    docker("pull", image),
		Digests: docker("image", "inspect", "--format", digestsFormat, image),
		Remove:  docker("rmi", image),
	}
}

// TrySkopeo tries skopeo, which reads an image without keeping it.
func TrySkopeo(image string) Trial {
	return Trial{Pull: []string{"skopeo", "inspect", "--no-tags", "--format", "{{.Digest}}", "docker://" + image}}
}

// TryCtr tries containerd's own client with a directory of hosts.toml files. Its
// address is named, because the ctr in PATH may be that of k3s, which has another.
func TryCtr(dir, image string) Trial {
	ctr := func(args ...string) []string {
		return append([]string{"ctr", "--address", "/run/containerd/containerd.sock", "-n", "k8s.io", "images"}, args...)
	}
	return Trial{Pull: ctr("pull", "--hosts-dir", dir, image), Digests: ctr("ls", "name=="+image), Remove: ctr("rm", image)}
}

// TryCrictl tries the CRI of the node's runtime through crictl, which may be a
// command of another program.
func TryCrictl(image string, program ...string) Trial {
	crictl := func(args ...string) []string { return slices.Concat(program, args) }
	return Trial{Pull: crictl("pull", image), Digests: crictl("inspecti", image), Remove: crictl("rmi", image)}
}
