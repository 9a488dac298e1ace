package setup

import (
	"fmt"
	"slices"

	"github.com/imageferry/ferry/internal/clients"
	"github.com/imageferry/ferry/internal/reference"
)

// docker uses registry-mirrors for Docker Hub, the only registry that it
// supports mirrors for, and reloads them on a signal
// (https://docs.docker.com/reference/cli/dockerd/, "Configuration reload
// behavior").
func docker() client {
	return client{
		name:      "docker",
		installed: func(m Machine) bool { return m.has("dockerd") || m.dir("etc/docker") || m.dir(dockerSnap) },
		plan: func(m Machine, front Front) Part {
			p := Part{Gets: "Images of Docker Hub under their original names. Docker supports mirrors of no other registry; for those use \"ferry pull\"."}
			if !slices.Contains(front.Hosts, reference.DockerHub) {
				p.Problems = append(p.Problems, "the front does not serve Docker Hub, the only registry for which docker supports mirrors")
				return p
			}
			p.Host = reference.DockerHub
			p.Trials = func(image string) []clients.Trial {
				// The daemon of this file, whatever docker's context is.
				return []clients.Trial{clients.TryLikeDocker(image, "docker", "--host", "unix:///var/run/docker.sock")}
			}
			file, service := "etc/docker/daemon.json", systemd("reload", "docker", "")
			if m.dir(dockerSnap) {
				file = dockerSnap + "/daemon.json"
				service = Service{"snap.docker.dockerd", []string{"snap", "restart", "docker"}, "running containers"}
			}
			const key = "registry-mirrors"
			p.edit(m, file, func(data []byte) ([]Insertion, error) { return jsonFirst(data, key, front.base()) }, jsonChecked(key, front.base()))
			if len(p.Problems) > 0 {
				p.Problems = append(p.Problems, fmt.Sprintf("to do it by hand, add to the object in /%s: %q: [%q]", file, key, front.base()))
			}
			if len(p.Changes) > 0 {
				p.Service = service
			}
			return p
		},
	}
}

// dockerSnap is the configuration folder of docker from the snap store.
const dockerSnap = "var/snap/docker/current/config"
