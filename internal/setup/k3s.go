package setup

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strconv"
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
	unit := func(m *Machine) string {
		if m.enabled(name + "-agent") {
			return name + "-agent"
		}
		return server
	}
	return client{
		name:      name,
		unit:      unit,
		installed: func(m *Machine) bool { return m.has(name) || m.dir(dir) },
		plan: func(m *Machine, front *Front) Part {
			p := Part{Gets: "Images of all registries under their original names, on this node."}
			ca := p.authority(m, dir+"/front-ca.crt", front)
			p.edit(m, dir+"/registries.yaml", func(data []byte) ([]Insertion, error) { return registriesYAML(data, front, ca) },
				func(before, after []byte) error { return yamlChecked(before, after, front, ca) })
			p.Host = front.Hosts[0]
			p.Trials = func(image string) []clients.Trial { return []clients.Trial{clients.TryCrictl(image, crictl...)} }
			if len(p.Changes) > 0 {
				p.Service = systemd("restart", unit(m), nodeStops)
			}
			return p
		},
	}
}

// access returns the entry of "configs" that a front needs, as YAML; empty if it
// needs none.
func access(ca string) string {
	if ca == "" {
		return ""
	}
	return "tls:\n  ca_file: " + ca + "\n"
}

// endpointOf returns the endpoint of a front. k3s would only send a login after
// a challenge, which a front does not send for Docker Hub, so that the token is
// in the path.
func endpointOf(front *Front) string {
	if front.Token == "" {
		return front.base()
	}
	return front.base() + "/v2/" + front.Token
}

// registriesYAML inserts the front before the endpoints of each host, and the
// configuration of the front, whose authorities are in the file ca.
func registriesYAML(data []byte, front *Front, ca string) ([]Insertion, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("it is not valid YAML (%w); fix it first", err)
	}
	root := &yaml.Node{Kind: yaml.MappingNode}
	if len(document.Content) > 0 {
		root = document.Content[0]
	}
	if root.Kind != yaml.MappingNode || root.Style&yaml.FlowStyle != 0 {
		return nil, errors.New("it is not a YAML mapping with one key on each line")
	}
	endpoint := strconv.Quote(endpointOf(front))
	var insertions []Insertion
	var hosts, configs strings.Builder
	for _, host := range front.Hosts {
		there := yamlAt(root, "mirrors", host)
		if there == nil {
			hosts.WriteString(yamlEntry(host, "endpoint:\n  - "+endpoint+"\n"))
			continue
		}
		more, err := firstEndpoint(data, there, host, endpoint)
		if err != nil {
			return nil, err
		}
		insertions = append(insertions, more...)
	}
	if text := access(ca); text != "" {
		if there := yamlAt(root, "configs", front.address()); there == nil {
			configs.WriteString(yamlEntry(strconv.Quote(front.address()), text))
		} else if !sameYAML(there, text) {
			return nil, fmt.Errorf("it has another \"configs\" for %s; run \"ferry setup --undo\" first, or remove it", front.address())
		}
	}
	rest := ""
	for _, part := range []struct{ key, entries string }{{"mirrors", hosts.String()}, {"configs", configs.String()}} {
		more, last, err := yamlBelow(data, root, part.key, part.entries)
		if err != nil {
			return nil, err
		}
		insertions, rest = append(insertions, more...), rest+last
	}
	sort.SliceStable(insertions, func(i, j int) bool { return insertions[i].At < insertions[j].At })
	if rest != "" {
		insertions = append(insertions, appended(data, rest)...)
	}
	return insertions, nil
}

// firstEndpoint inserts an endpoint, in quotes, before those of a host.
func firstEndpoint(data []byte, host *yaml.Node, name, endpoint string) ([]Insertion, error) {
	_, endpoints := yamlKey(host, "endpoint")
	if endpoints == nil || endpoints.Kind != yaml.SequenceNode || len(endpoints.Content) == 0 {
		return nil, fmt.Errorf("%s has no list of endpoints", name)
	}
	if slices.ContainsFunc(endpoints.Content, func(n *yaml.Node) bool { return strconv.Quote(strings.TrimSuffix(n.Value, "/")) == endpoint }) {
		return nil, nil
	}
	first := endpoints.Content[0]
	at := lineAt(data, first.Line)
	if endpoints.Style&yaml.FlowStyle != 0 {
		return []Insertion{{at + first.Column - 1, endpoint + ", "}}, nil
	}
	line := string(data[at:])
	dash := strings.IndexByte(line, '-')
	if dash < 0 || strings.TrimSpace(line[:dash]) != "" {
		return nil, fmt.Errorf("the endpoints of %s are not on separate lines", name)
	}
	return []Insertion{{at, line[:dash] + "- " + endpoint + lineEnd(data)}}, nil
}

// yamlChecked checks that the front is the first endpoint of each host and is
// configured, and that nothing else has changed.
func yamlChecked(before, after []byte, front *Front, ca string) error {
	type registries struct {
		Mirrors map[string]map[string]any `yaml:"mirrors"`
		Configs map[string]any            `yaml:"configs"`
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
		if !slices.ContainsFunc(old, func(e any) bool { text, _ := e.(string); return strings.TrimSuffix(text, "/") == endpointOf(front) }) {
			was.Mirrors[host]["endpoint"] = append([]any{endpointOf(front)}, old...)
		}
	}
	if text := access(ca); text != "" {
		var config map[string]any
		if err := yaml.Unmarshal([]byte(text), &config); err != nil {
			return err
		}
		if was.Configs == nil {
			was.Configs = map[string]any{}
		}
		was.Configs[front.address()] = config
	}
	if !reflect.DeepEqual(was, is) {
		return errors.New("it cannot be edited without changing something else")
	}
	return nil
}
