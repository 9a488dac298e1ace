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
		unit: func(*Machine) string { return "docker" },
		installed: func(m *Machine) bool {
			return systemDocker(m) || desktop(m) || len(rootless(m)) > 0
		},
		plan: func(m *Machine, front *Front) Part {
			p := Part{Gets: "Images of Docker Hub under their original names. Docker supports mirrors of no other registry; for those use \"ferry pull\"."}
			if !slices.Contains(front.Hosts, reference.DockerHub) {
				p.Problems = append(p.Problems, "the front does not serve Docker Hub, the only registry for which docker supports mirrors")
				return p
			}
			p.Problems = append(p.Problems, others(m, front)...)
			if !systemDocker(m) {
				return p
			}
			d := dockerDaemon{"etc/docker/daemon.json", "etc/docker/certs.d/", "unix:///var/run/docker.sock", systemd("reload", "docker", "")}
			if m.dir(dockerSnap) {
				d.file, d.certs = dockerSnap+"/daemon.json", "var/snap/docker/common/etc/certs.d/"
				d.service = snapService
			}
			p.mirror(m, front, d)
			return p
		},
	}
}

// rootlessDocker is docker's daemon of the person alone, which has its own file
// (https://docs.docker.com/engine/security/rootless/tips/#daemon-configuration).
func rootlessDocker() client {
	return client{
		name:      "docker-rootless",
		user:      true,
		unit:      func(*Machine) string { return "docker-rootless" },
		installed: func(m *Machine) bool { return m.file(m.Home + "/" + rootlessUnit) },
		plan: func(m *Machine, front *Front) Part {
			p := Part{Gets: "Images of Docker Hub under their original names, in the docker of this user."}
			if slices.Contains(front.Hosts, reference.DockerHub) {
				p.mirror(m, front, m.daemon())
			}
			return p
		},
	}
}

// dockerDaemon is a daemon of docker.
type dockerDaemon struct {
	file, certs string
	socket      string // its address, whatever docker's context is
	service     Service
}

// daemon returns the daemon of the person.
func (m *Machine) daemon() dockerDaemon {
	return dockerDaemon{m.Home + "/.config/docker/daemon.json", m.Home + "/.config/docker/certs.d/", "unix:///run/user/" + m.UID + "/docker.sock", m.userService("docker")}
}

// mirror makes a daemon use the front for Docker Hub.
func (p *Part) mirror(m *Machine, front *Front, d dockerDaemon) {
	p.Host = reference.DockerHub
	noted := len(p.Problems)
	p.Trials = func(image string) []clients.Trial {
		return []clients.Trial{clients.TryLikeDocker(image, "docker", "--host", d.socket)}
	}
	const key = "registry-mirrors"
	p.edit(m, d.file, func(data []byte) ([]Insertion, error) { return jsonFirst(data, key, front.base()) }, jsonChecked(key, front.base()))
	if len(p.Problems) > noted {
		p.Problems = append(p.Problems, fmt.Sprintf("to do it by hand, add to the object in /%s: %q: [%q]", d.file, key, front.base()))
	}
	if len(p.Changes) > 0 {
		p.Service = d.service
	}
	p.authority(m, d.certs+front.address()+"/ca.crt", front)
	if front.Token != "" {
		p.Problems = append(p.Problems, "docker sends no token to a mirror: the front has to admit the address of this machine (guests.networks)")
	}
}

// systemDocker reports whether there is a docker that reads the system's file.
func systemDocker(m *Machine) bool {
	return m.has("dockerd") || m.dir("etc/docker") || m.dir(dockerSnap)
}

// others returns what to do for dockers that do not read the system's file:
// Docker Desktop (https://docs.docker.com/desktop/settings-and-maintenance/settings/)
// and daemons of users (https://docs.docker.com/engine/security/rootless/).
func others(m *Machine, front *Front) []string {
	var steps []string
	if desktop(m) {
		steps = append(steps, "Docker Desktop has its own file: in Settings, Docker Engine, add "+clients.RegistryMirrors(front.base())+", then Apply & restart")
	}
	for _, file := range rootless(m) {
		home := strings.TrimSuffix(file, rootlessUnit)
		steps = append(steps, fmt.Sprintf("the rootless docker of /%s has its own file: add %s to /%s.config/docker/daemon.json, then as that user: systemctl --user restart docker",
			strings.TrimSuffix(home, "/"), clients.RegistryMirrors(front.base()), home))
	}
	return steps
}

// rootless returns the systemd units of rootless dockers of others than the person.
func rootless(m *Machine) []string {
	units, _ := fs.Glob(m.Files, "home/*/"+rootlessUnit) // the pattern is valid
	return slices.DeleteFunc(units, func(unit string) bool { return unit == m.Home+"/"+rootlessUnit })
}

// desktop reports whether there is a Docker Desktop for Linux, or one of Windows that
// this WSL uses.
func desktop(m *Machine) bool { return m.dir(dockerDesktop) || m.dir("mnt/wsl/docker-desktop") }

const (
	// rootlessUnit is what dockerd-rootless-setuptool.sh writes in a home folder.
	rootlessUnit = ".config/systemd/user/docker.service"
	// dockerDesktop is where Docker Desktop for Linux is.
	dockerDesktop = "opt/docker-desktop"
)

var snapService = Service{Name: "snap.docker.dockerd", Reload: []string{"snap", "restart", "docker"}, Stops: "running containers"}

// dockerSnap is the configuration folder of docker from the snap store.
const dockerSnap = "var/snap/docker/current/config"
