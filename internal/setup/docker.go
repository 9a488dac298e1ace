package setup

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/clients"
	"github.com/imageferry/ferry/internal/reference"
)

// docker uses registry-mirrors for Docker Hub, the only registry that it
// supports mirrors for, and reloads them on a signal
// (https://docs.docker.com/reference/cli/dockerd/, "Configuration reload
// behavior").
func docker() client {
	return client{
		name: "docker",
		unit: func(Machine) string { return "docker" },
		installed: func(m Machine) bool {
			return systemDocker(m) || m.dir(dockerDesktop) || len(rootless(m)) > 0
		},
		plan: func(m Machine, front Front) Part {
			p := Part{Gets: "Images of Docker Hub under their original names. Docker supports mirrors of no other registry; for those use \"ferry pull\"."}
			if !slices.Contains(front.Hosts, reference.DockerHub) {
				p.Problems = append(p.Problems, "the front does not serve Docker Hub, the only registry for which docker supports mirrors")
				return p
			}
			p.Host = reference.DockerHub
			p.Problems = append(p.Problems, others(m, front)...)
			if !systemDocker(m) {
				return p
			}
			noted := len(p.Problems)
			p.Trials = func(image string) []clients.Trial {
				// The daemon of this file, whatever docker's context is.
				return []clients.Trial{clients.TryLikeDocker(image, "docker", "--host", "unix:///var/run/docker.sock")}
			}
			file, certs, service := "etc/docker/daemon.json", "etc/docker/certs.d/", systemd("reload", "docker", "")
			if m.dir(dockerSnap) {
				file, certs = dockerSnap+"/daemon.json", "var/snap/docker/common/etc/certs.d/"
				service = snapService
			}
			const key = "registry-mirrors"
			p.edit(m, file, func(data []byte) ([]Insertion, error) { return jsonFirst(data, key, front.base()) }, jsonChecked(key, front.base()))
			if len(p.Problems) > noted {
				p.Problems = append(p.Problems, fmt.Sprintf("to do it by hand, add to the object in /%s: %q: [%q]", file, key, front.base()))
			}
			if len(p.Changes) > 0 {
				p.Service = service
			}
			p.authority(m, certs+front.address()+"/ca.crt", front)
			if front.Token != "" {
				p.Problems = append(p.Problems, "docker sends no token to a mirror: the front has to admit the address of this machine (guests.networks)")
			}
			return p
		},
	}
}

// systemDocker reports whether there is a docker that reads the system's file.
func systemDocker(m Machine) bool {
	return m.has("dockerd") || m.dir("etc/docker") || m.dir(dockerSnap)
}

// others returns what to do for dockers that do not read the system's file:
// Docker Desktop (https://docs.docker.com/desktop/settings-and-maintenance/settings/)
// and daemons of users (https://docs.docker.com/engine/security/rootless/).
func others(m Machine, front Front) []string {
	var steps []string
	if m.dir(dockerDesktop) {
		steps = append(steps, "Docker Desktop has its own file: in Settings, Docker Engine, add "+clients.RegistryMirrors(front.base())+", then Apply & restart")
	}
	for _, file := range rootless(m) {
		home := strings.TrimSuffix(file, rootlessUnit)
		steps = append(steps, fmt.Sprintf("the rootless docker of /%s has its own file: add %s to /%s.config/docker/daemon.json, then as that user: systemctl --user restart docker",
			strings.TrimSuffix(home, "/"), clients.RegistryMirrors(front.base()), home))
	}
	return steps
}

// rootless returns the systemd units of rootless dockers.
func rootless(m Machine) []string {
	units, _ := fs.Glob(m.Files, "home/*/"+rootlessUnit) // the pattern is valid
	return units
}

const (
	// rootlessUnit is what dockerd-rootless-setuptool.sh writes in a home folder.
	rootlessUnit = ".config/systemd/user/docker.service"
	// dockerDesktop is where Docker Desktop for Linux is.
	dockerDesktop = "opt/docker-desktop"
)

var snapService = Service{"snap.docker.dockerd", []string{"snap", "restart", "docker"}, "running containers"}

// dockerSnap is the configuration folder of docker from the snap store.
const dockerSnap = "var/snap/docker/current/config"
