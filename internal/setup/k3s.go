package setup

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/imageferry/ferry/internal/clients"
)

// k3s generates the hosts.toml files of its containerd from registries.yaml
// when it starts (https://docs.k3s.io/installation/private-registry); so does
// RKE2.
func k3s() client { return kubernetes("k3s", "etc/rancher/k3s", "k3s", "k3s", "crictl") }

func rke2() client {
	return kubernetes("rke2", "etc/rancher/rke2", "rke2-server", "/var/lib/rancher/rke2/bin/crictl", "--runtime-endpoint", "unix:///run/k3s/containerd/containerd.sock")
}

// kubernetes returns a distribution whose server has the systemd unit server,
// and whose agent has NAME-agent.
func kubernetes(name, dir, server string, crictl ...string) client {
	return client{
		name:      name,
		installed: func(m Machine) bool { return m.has(name) || m.dir(dir) },
		plan: func(m Machine, front Front) Part {
			p := Part{Gets: "Images of all registries under their original names, on this node."}
			p.edit(m, dir+"/registries.yaml", func(data []byte) ([]Insertion, error) { return registriesYAML(data, front) },
				func(before, after []byte) error { return yamlChecked(before, after, front) })
			p.Host = front.Hosts[0]
			p.Trials = func(image string) []clients.Trial { return []clients.Trial{clients.TryCrictl(image, crictl...)} }
			if len(p.Changes) > 0 {
				unit := server
				if m.enabled(name + "-agent") {
					unit = name + "-agent"
				}
				p.Service = systemd("restart", unit, nodeStops)
			}
			return p
		},
	}
}

// registriesYAML inserts the front before the endpoints of each host.
func registriesYAML(data []byte, front Front) ([]Insertion, error) {
	endpoint := fmt.Sprintf("%q", front.base())
	whole := func(hosts []string) string {
		var text strings.Builder
		for _, host := range hosts {
			text.WriteString("  " + host + ":\n    endpoint:\n      - " + endpoint + "\n")
		}
		return text.String()
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("it is not valid YAML (%w); fix it first", err)
	}
	if len(document.Content) == 0 {
		return appended(data, "mirrors:\n"+whole(front.Hosts)), nil
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode || root.Style&yaml.FlowStyle != 0 {
		return nil, errors.New("it is not a YAML mapping with one key on each line")
	}
	key, mirrors := yamlKey(root, "mirrors")
	if key == nil {
		return appended(data, "mirrors:\n"+whole(front.Hosts)), nil
	}
	end := lineEnd(data)
	if mirrors.Tag == "!!null" && mirrors.Value == "" {
		return []Insertion{{lineAt(data, key.Line+1), closed(data, key.Line) + strings.ReplaceAll(whole(front.Hosts), "\n", end)}}, nil
	}
	if mirrors.Kind != yaml.MappingNode || mirrors.Style&yaml.FlowStyle != 0 || len(mirrors.Content) == 0 || mirrors.Anchor != "" {
		return nil, errors.New("\"mirrors\" is not a mapping with one registry on each line")
	}
	var insertions []Insertion
	indent := strings.Repeat(" ", mirrors.Content[0].Column-1)
	for _, host := range front.Hosts {
		hostKey, entry := yamlKey(mirrors, host)
		if hostKey == nil {
			text := indent + host + ":" + end + indent + "  endpoint:" + end + indent + "    - " + endpoint + end
			insertions = append(insertions, Insertion{lineAt(data, mirrors.Content[0].Line), text})
			continue
		}
		_, endpoints := yamlKey(entry, "endpoint")
		if endpoints == nil || endpoints.Kind != yaml.SequenceNode || len(endpoints.Content) == 0 {
			return nil, fmt.Errorf("%s has no list of endpoints", host)
		}
		if slices.ContainsFunc(endpoints.Content, func(n *yaml.Node) bool { return strings.TrimSuffix(n.Value, "/") == front.base() }) {
			continue
		}
		first := endpoints.Content[0]
		at := lineAt(data, first.Line)
		if endpoints.Style&yaml.FlowStyle != 0 {
			insertions = append(insertions, Insertion{at + first.Column - 1, endpoint + ", "})
			continue
		}
		line := string(data[at:])
		dash := strings.IndexByte(line, '-')
		if dash < 0 || strings.TrimSpace(line[:dash]) != "" {
			return nil, fmt.Errorf("the endpoints of %s are not on separate lines", host)
		}
		insertions = append(insertions, Insertion{at, line[:dash] + "- " + endpoint + end})
	}
	sort.SliceStable(insertions, func(i, j int) bool { return insertions[i].At < insertions[j].At })
	return insertions, nil
}

// yamlChecked checks that the front is the first endpoint of each host, and
// that nothing else has changed.
func yamlChecked(before, after []byte, front Front) error {
	type registries struct {
		Mirrors map[string]map[string]any `yaml:"mirrors"`
		Rest    map[string]any            `yaml:",inline"`
	}
	var was, is registries
	if err := yaml.Unmarshal(before, &was); err != nil {
		return err
	}
	if err := yaml.Unmarshal(after, &is); err != nil {
		return errors.New("it cannot be edited without breaking it")
	}
	if was.Mirrors == nil {
		was.Mirrors = map[string]map[string]any{}
	}
	for _, host := range front.Hosts {
		if was.Mirrors[host] == nil {
			was.Mirrors[host] = map[string]any{}
		}
		old, _ := was.Mirrors[host]["endpoint"].([]any)
		if !slices.ContainsFunc(old, func(e any) bool { text, _ := e.(string); return strings.TrimSuffix(text, "/") == front.base() }) {
			was.Mirrors[host]["endpoint"] = append([]any{front.base()}, old...)
		}
	}
	if !reflect.DeepEqual(was, is) {
		return errors.New("it cannot be edited without changing something else")
	}
	return nil
}
