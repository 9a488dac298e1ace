package setup

import (
	"fmt"
	"strings"
)

// buildkit has one table for each registry, with its mirrors
// (https://github.com/moby/buildkit/blob/master/docs/buildkitd.toml.md). The
// parameter "ns" of its requests tells the front which registry is meant.
func buildkit() client {
	return client{
		name:      "buildkit",
		unit:      func(*Machine) string { return "buildkit" },
		installed: func(m *Machine) bool { return m.has("buildkitd") || m.dir("etc/buildkit") },
		plan: func(m *Machine, front *Front) Part {
			p := Part{Gets: "Images of all registries under their original names, for builds of a buildkitd on this machine."}
			const file = "etc/buildkit/buildkitd.toml"
			ca := p.authority(m, "etc/buildkit/certs.d/"+front.address()+"/ca.crt", front)
			if front.Token != "" {
				p.Problems = append(p.Problems, fmt.Sprintf("builds use the logins of docker: log in as the user who builds: docker login --username ferry %s", front.address()))
			}
			var added strings.Builder
			p.edit(m, file, func(data []byte) ([]Insertion, error) {
				all, err := readTOML(data)
				if err != nil {
					return nil, err
				}
				for _, host := range front.Hosts {
					mirror := front.address()
					if lookUp(all, "registry", host) != nil {
						if !strings.Contains(fmt.Sprint(lookUp(all, "registry", host, "mirrors")), mirror) {
							p.Problems = append(p.Problems, fmt.Sprintf("%s is already set in /%s; to use the front as well, put %q in front of its mirrors", host, file, mirror))
						}
						continue
					}
					fmt.Fprintf(&added, "[registry.%q]\n  mirrors = [%q]\n", host, mirror)
				}
				own := ""
				if front.plain() {
					own = "  http = true\n"
				} else if ca != "" {
					own = fmt.Sprintf("  ca = [%q]\n", ca)
				}
				switch table := lookUp(all, "registry", front.address()); {
				case own == "" || table != nil && agrees(table, own):
				case table != nil:
					return nil, fmt.Errorf("it has a table for %s without %s; add that first", front.address(), strings.TrimSpace(own))
				default:
					fmt.Fprintf(&added, "[registry.%q]\n%s", front.address(), own)
				}
				if added.Len() == 0 {
					return nil, nil
				}
				return appended(data, added.String()), nil
			}, func(before, after []byte) error { return tomlChecked(before, after, added.String()) })
			if len(p.Changes) > 0 {
				p.Service = systemd("restart", "buildkit", "builds that are running")
			}
			return p
		},
	}
}
