package setup

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/clients"
)

// system is the folder of the files for all users.
const system = "etc/containers"

// podman, buildah, skopeo and CRI-O read drop-in files with one table for each
// registry (containers-registries.conf(5) and containers-registries.conf.d(5)).
// The first component of the path tells the front which registry is meant.
func podman() client {
	return client{
		name: "podman",
		user: true,
		unit: func(m *Machine) string {
			if crio(m) {
				return "crio"
			}
			return ""
		},
		installed: func(m *Machine) bool { return m.has("podman", "buildah", "skopeo", "crio") || m.dir("etc/containers") },
		plan: func(m *Machine, front *Front) Part {
			p := Part{Gets: "Images of all registries under their original names, for podman, buildah, skopeo and CRI-O."}
			if !m.UserOnly {
				p.registries(m, front, system, system)
			}
			// The system's files count for a user without a registries.conf.
			switch own := m.Home + "/.config/containers"; {
			case m.file(own + "/registries.conf"):
				p.registries(m, front, own, own)
			case m.UserOnly:
				p.registries(m, front, own, system)
			}
			if front.Token != "" && crio(m) {
				p.Problems = append(p.Problems, fmt.Sprintf("CRI-O keeps its logins elsewhere: set global_auth_file = %q in crio.conf", loginFile(m)))
			}
			if i := slices.IndexFunc(loginPrograms, func(program string) bool { return m.has(program) }); front.Token != "" && i >= 0 {
				// The default file of logins does not outlive the machine's next start.
				program := loginPrograms[i]
				p.Login = Login{
					In:  []string{program, "login", "--authfile", loginFile(m), "--username", "ferry", "--password-stdin", front.address()},
					Out: []string{program, "logout", "--authfile", loginFile(m), front.address()},
				}
			}
			if len(p.Changes) > 0 && crio(m) {
				p.Service = systemd("reload", "crio", "")
			}
			p.Trials = func(image string) []clients.Trial {
				var trials []clients.Trial
				// buildah reads the same files, but does not show the digest of an image
				// that has several platforms.
				for _, try := range []clients.Trial{clients.TryLikeDocker(image, "podman"), clients.TrySkopeo(image)} {
					if m.has(try.Program()) {
						trials = append(trials, try)
					}
				}
				if crio(m) && m.has("crictl") {
					trials = append(trials, clients.TryCrictl(image, "crictl", "--runtime-endpoint", "unix:///run/crio/crio.sock"))
				}
				return trials
			}
			return p
		},
	}
}

// crio reports whether CRI-O, which reads the files of the system only, is set up.
func crio(m *Machine) bool { return !m.UserOnly && m.has("crio") }

// loginPrograms are those that keep logins for all programs that read
// registries.conf.
var loginPrograms = []string{"podman", "buildah", "skopeo"}

// loginFile is where the logins of root, or of the person, are kept
// (containers-auth.json(5)).
func loginFile(m *Machine) string {
	home := "root"
	if m.UserOnly {
		home = m.Home
	}
	return "/" + home + "/.config/containers/auth.json"
}

// registries puts the front into a drop-in file of a folder. The file
// registries.conf and the other drop-in files that count are in conf.
func (p *Part) registries(m *Machine, front *Front, folder, conf string) {
	own := folder + "/registries.conf.d/050-ferry.conf"
	taken, err := prefixes(m, own, slices.Compact([]string{conf, folder}))
	if err != nil {
		p.Problems = append(p.Problems, err.Error())
		return
	}
	var tables strings.Builder
	for _, host := range front.Hosts {
		if file := taken[host]; file != "" {
			p.Problems = append(p.Problems, fmt.Sprintf("%s is already set in /%s; to use the front as well, add to it there: [[registry.mirror]]; location = %q; insecure = %t",
				host, file, front.address()+"/"+host, front.plain()))
			continue
		}
		p.Host = cmp.Or(p.Host, host)
		tables.WriteString("\n" + clients.RegistryTable(host, front.address(), front.plain()))
	}
	if tables.Len() > 0 {
		p.own(m, own, ownHead+tables.String())
	}
	p.authority(m, folder+"/certs.d/"+front.address()+"/ca.crt", front)
}

// prefixes returns the registries that files in folders other than own configure,
// each with its file. It is an error if a file has version 1, which cannot be
// combined with drop-in files.
func prefixes(m *Machine, own string, folders []string) (map[string]string, error) {
	var files []string
	for _, folder := range folders {
		files = append(files, folder+"/registries.conf")
		entries, _ := fs.ReadDir(m.Files, folder+"/registries.conf.d") // a missing directory counts as empty
		for _, e := range entries {
			if file := folder + "/registries.conf.d/" + e.Name(); file != own && strings.HasSuffix(file, ".conf") {
				files = append(files, file)
			}
		}
	}
	found := map[string]string{}
	for _, file := range files {
		data, err := m.read(file)
		if err != nil {
			return nil, fmt.Errorf("/%s: %w", file, err)
		}
		all, err := readTOML(data)
		if err != nil {
			return nil, fmt.Errorf("/%s: %w", file, err)
		}
		if all["registries"] != nil {
			return nil, fmt.Errorf("/%s has version 1, which does not support mirrors; convert it to version 2 first (containers-registries.conf(5))", file)
		}
		tables, _ := all["registry"].([]any)
		for _, t := range tables {
			table, _ := t.(map[string]any)
			prefix, _ := table["prefix"].(string)
			location, _ := table["location"].(string)
			if prefix == "" {
				prefix = location
			}
			found[prefix] = file
		}
	}
	return found, nil
}

// ownHead begins the files that belong to Ferry alone.
const ownHead = "# Written by \"ferry setup\"; \"ferry setup --undo\" removes it.\n"

// own writes a file that belongs to Ferry alone.
func (p *Part) own(m *Machine, file, text string) {
	before, err := m.read(file)
	switch {
	case err != nil:
		p.Problems = append(p.Problems, "/"+file+" is left unchanged: "+err.Error())
	case slices.Equal(before, []byte(text)):
	case before != nil:
		p.Problems = append(p.Problems, fmt.Sprintf("/%s exists with other content; run \"ferry setup --undo\" first, or remove it", file))
	default:
		p.Changes = append(p.Changes, Change{Path: file, After: []byte(text), Insertions: []Insertion{{0, text}}})
	}
}
