package setup

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

const (
	registriesConf = "etc/containers/registries.conf"
	registriesDir  = "etc/containers/registries.conf.d"
)

// podman, buildah, skopeo and CRI-O read drop-ins, one table for each registry
// (containers-registries.conf(5) and containers-registries.conf.d(5)). The front
// knows the registry by the first component of the path.
func podman() client {
	return client{
		name:      "podman",
		installed: func(m Machine) bool { return m.has("podman", "buildah", "skopeo", "crio") || m.dir("etc/containers") },
		plan: func(m Machine, front Front) Part {
			p := Part{Gets: "Images of all registries by their own names, for podman, buildah, skopeo and CRI-O."}
			const own = registriesDir + "/050-ferry.conf"
			taken, err := prefixes(m, own)
			if err != nil {
				p.Problems = append(p.Problems, err.Error())
				return p
			}
			const head = "# Made by \"ferry setup\"; \"ferry setup --undo\" takes it away.\n"
			var tables strings.Builder
			for _, host := range front.Hosts {
				if file := taken[host]; file != "" {
					p.Problems = append(p.Problems, fmt.Sprintf("%s is set in /%s already; to use the front as well, add to it there: [[registry.mirror]]; location = %q; insecure = %t",
						host, file, front.address()+"/"+host, front.plain()))
					continue
				}
				fmt.Fprintf(&tables, "\n[[registry]]\nprefix = %q\nlocation = %q\n\n[[registry.mirror]]\nlocation = %q\ninsecure = %t\n",
					host, host, front.address()+"/"+host, front.plain())
			}
			p.own(m, own, head+tables.String())
			if len(p.Changes) > 0 && m.has("crio") {
				p.Restart = "systemctl reload crio"
			}
			return p
		},
	}
}

// prefixes are the registries that files other than own set up, each with its
// file. It is an error if a file is of version 1, which no drop-in can add to.
func prefixes(m Machine, own string) (map[string]string, error) {
	files := []string{registriesConf}
	entries, _ := fs.ReadDir(m.Files, registriesDir) // none is as good as an empty one
	for _, e := range entries {
		if file := path.Join(registriesDir, e.Name()); file != own && strings.HasSuffix(file, ".conf") {
			files = append(files, file)
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
			return nil, fmt.Errorf("/%s is of version 1, which takes no mirrors; move it to version 2 first (containers-registries.conf(5))", file)
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

// own is a file that is wholly Ferry's.
func (p *Part) own(m Machine, file, text string) {
	before, err := m.read(file)
	switch {
	case err != nil:
		p.Problems = append(p.Problems, "/"+file+" is left alone: "+err.Error())
	case !strings.Contains(text, "[[registry]]") || slices.Equal(before, []byte(text)):
	case before != nil:
		p.Problems = append(p.Problems, fmt.Sprintf("/%s is there with other content; run \"ferry setup --undo\" first, or remove it", file))
	default:
		p.Changes = append(p.Changes, Change{Path: file, After: []byte(text), Insertions: []Insertion{{0, text}}})
	}
}
