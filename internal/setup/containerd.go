package setup

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/imageferry/ferry/internal/clients"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/pattern"
)

const (
	containerdConfig = "etc/containerd/config.toml"
	certsDir         = "/etc/containerd/certs.d"
)

// containerd reads one hosts.toml for each registry at each pull, below the
// directory in config_path of its CRI plugin
// (https://github.com/containerd/containerd/blob/main/docs/hosts.md). The
// parameter "ns" of its requests tells the front which registry is meant.
func containerd() client {
	return client{
		name:      "containerd",
		unit:      func(*Machine) string { return "containerd" },
		installed: func(m *Machine) bool { return m.has("containerd") || m.dir("etc/containerd") },
		plan: func(m *Machine, front *Front) Part {
			p := Part{Gets: "Images of all registries under their original names, for Kubernetes and nerdctl; ctr needs --hosts-dir " + certsDir + "."}
			dir, cri := p.configPath(m)
			p.Host = front.Hosts[0]
			p.Trials = func(image string) []clients.Trial {
				// The CRI is what reads config_path; ctr is told the directory.
				if cri && m.has("crictl") {
					return []clients.Trial{clients.TryCrictl(image, "crictl", "--runtime-endpoint", "unix:///run/containerd/containerd.sock")}
				}
				return []clients.Trial{clients.TryCtr(dir, image)}
			}
			folder := strings.TrimPrefix(dir, "/") + "/"
			ca := p.authority(m, folder+front.address()+"/ca.crt", front)
			for _, host := range front.Hosts {
				p.hostsFile(m, folder+host+"/hosts.toml", host, front, ca)
			}
			return p
		},
	}
}

// criTables are the tables that contain config_path, by the version of the
// configuration file.
var criTables = map[int][]string{
	2: {"plugins", "io.containerd.grpc.v1.cri", "registry"},
	3: {"plugins", "io.containerd.cri.v1.images", "registry"},
	4: {"plugins", "io.containerd.cri.v1.images", "registry"},
}

// configPath sets config_path if necessary, and returns the directory, and
// whether the CRI plugin reads it.
func (p *Part) configPath(m *Machine) (dir string, cri bool) {
	dir, cri = certsDir, true
	byHand := func(version int) {
		p.Problems = append(p.Problems, fmt.Sprintf("to do it by hand, add to /%s: %s", containerdConfig, strings.ReplaceAll(strings.TrimSpace(criText(version)), "\n", "; ")))
	}
	version := 2
	if major, _, _ := strings.Cut(m.Versions["containerd"], "."); major != "" && major != "0" && major != "1" {
		version = 3
	}
	var added string
	p.edit(m, containerdConfig, func(data []byte) ([]Insertion, error) {
		all, err := readTOML(data)
		if err != nil {
			return nil, err
		}
		if len(all) == 0 {
			added = fmt.Sprintf("version = %d\n\n%s", version, criText(version))
			return appended(data, added), nil
		}
		written, _ := all["version"].(literal)
		v, err := strconv.Atoi(string(written))
		if err != nil || criTables[v] == nil {
			byHand(version)
			return nil, errors.New("its version is none of 2, 3 and 4")
		}
		if disabled, _ := all["disabled_plugins"].([]any); slices.ContainsFunc(disabled, func(name any) bool { return name == "cri" || name == "io.containerd.grpc.v1.cri" }) {
			cri = false // docker's containerd, without Kubernetes
			return nil, nil
		}
		table := criTables[v]
		if set, _ := lookUp(all, slices.Concat(table, []string{"config_path"})...).(string); set != "" {
			dir, _, _ = strings.Cut(set, ":")
			return nil, nil
		}
		// The default file has an empty table, which does no harm.
		mirrors := lookUp(all, slices.Concat(table, []string{"mirrors"})...)
		if empty, _ := mirrors.(map[string]any); mirrors != nil && (empty == nil || len(empty) > 0) {
			return nil, errors.New("it has registry.mirrors, which containerd does not accept together with config_path; move them to " + certsDir + " first")
		}
		added = criText(v)
		at, indent, ok := tableHead(data, table)
		if lookUp(all, slices.Concat(table, []string{"config_path"})...) != nil {
			// "containerd config default" writes an empty string.
			if empty := emptyPath.Compiled().FindSubmatchIndex(data[at:]); ok && empty != nil && !bytes.Contains(data, []byte(certsDir)) {
				return []Insertion{{at + empty[2], certsDir}}, nil
			}
			byHand(v)
			return nil, errors.New("it sets config_path to an empty string; remove that line first")
		}
		if ok {
			return []Insertion{{at, lineEnd(data) + indent + "  " + configPathLine}}, nil
		}
		return appended(data, added), nil
	}, func(before, after []byte) error { return tomlChecked(before, after, added) })
	if len(p.Changes) > 0 {
		p.Service = systemd("restart", "containerd", nodeStops)
	}
	return dir, cri && len(p.Problems) == 0
}

// emptyPath finds config_path in the rest of its table, and where the text goes.
var emptyPath = &pattern.Regexp{Text: `^[^\n]*(?:\n[ \t]*(?:[^\s\[][^\n]*|\r?))*?\n[ \t]*config_path[ \t]*=[ \t]*["']()["'][ \t]*(?:#[^\n]*)?(?:\r?\n|$)`}

const configPathLine = `config_path = "` + certsDir + `"`

func criText(version int) string {
	t := criTables[version]
	return fmt.Sprintf("[%s.%q.%s]\n  %s\n", t[0], t[1], t[2], configPathLine)
}

// tableHead finds the header of a table, and returns the offset of the end of
// its line and its indentation.
func tableHead(data []byte, table []string) (at int, indent string, ok bool) {
	var keys []string
	for _, key := range table {
		keys = append(keys, `["']?`+regexp.QuoteMeta(key)+`["']?`)
	}
	head := regexp.MustCompile(`(?m)^([ \t]*)\[\s*` + strings.Join(keys, `\s*\.\s*`) + `\s*\][ \t]*(?:#[^\r\n]*)?`)
	found := head.FindSubmatchIndex(data)
	if found == nil {
		return 0, "", false
	}
	return found[1], string(data[found[2]:found[3]]), true
}

// hostsFile inserts the front before the hosts that a registry is pulled from.
// The file of its authorities is ca, if it has one.
func (p *Part) hostsFile(m *Machine, file, host string, front *Front, ca string) {
	head := clients.HostsTable(front.base())
	// containerd has no login for mirrors but this header.
	lines := map[string]string{"ca": fmt.Sprintf("  ca = %q\n", ca), "header": fmt.Sprintf("  header = {authorization = \"Bearer %s\"}\n", front.Token)}
	if ca == "" {
		delete(lines, "ca")
	}
	if front.Token == "" {
		delete(lines, "header")
	}
	table := head + lines["ca"] + lines["header"]
	added := table
	p.edit(m, file, func(data []byte) ([]Insertion, error) {
		all, err := readTOML(data)
		if err != nil {
			return nil, err
		}
		if there := lookUp(all, "host", front.base()); there != nil {
			return missing(data, there, front.base(), lines, &added)
		}
		if len(strings.TrimSpace(string(data))) == 0 {
			added = clients.HostsServer(cmp.Or(known.Of(host).API, host)) + "\n" + table
			return appended(data, added), nil
		}
		// Hosts are tried in the order of the file.
		if at := firstHost.Compiled().FindIndex(data); at != nil {
			end := lineEnd(data)
			return []Insertion{{at[0], strings.ReplaceAll(table, "\n", end) + end}}, nil
		}
		return appended(data, table), nil
	}, func(before, after []byte) error { return tomlChecked(before, after, added) })
}

// missing inserts the lines that the table of a host lacks, and sets added to
// the table with them.
func missing(data []byte, there any, base string, lines map[string]string, added *string) ([]Insertion, error) {
	text := ""
	for _, key := range []string{"ca", "header"} {
		line := lines[key]
		if line == "" || agrees(there, line) {
			continue
		}
		if lookUp(there, key) != nil {
			return nil, fmt.Errorf("it has another %q for %s; run \"ferry setup --undo\" first, or remove it", key, base)
		}
		text += line
	}
	if text == "" {
		return nil, nil
	}
	at, indent, ok := tableHead(data, []string{"host", base})
	if !ok {
		return nil, fmt.Errorf("it has no line [host.%q]", base)
	}
	*added = fmt.Sprintf("[host.%q]\n%s", base, text)
	text = indent + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+indent)
	return []Insertion{{at, strings.ReplaceAll("\n"+text, "\n", lineEnd(data))}}, nil
}

var firstHost = &pattern.Regexp{Text: `(?m)^[ \t]*\[\s*host\s*\.`}
