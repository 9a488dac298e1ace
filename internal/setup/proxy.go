package setup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"strconv"
	"strings"
)

// Proxy is an HTTP proxy that clients pull through.
type Proxy struct {
	URL    string // without a login
	Except string // hosts and networks without the proxy, separated by commas
}

// dockerProxies is the first version of docker with "proxies" in daemon.json.
const dockerProxies = 23

// planProxy returns what to do so that a service pulls through a proxy. Nothing
// but dockerd has a key for it: the others read their environment
// (https://docs.docker.com/engine/daemon/proxy/).
func (p *Part) planProxy(m *Machine, proxy Proxy, unit string) {
	p.Gets = "Images of all registries, through " + proxy.URL + "."
	version, _, _ := strings.Cut(m.Versions["docker"], ".")
	major, _ := strconv.Atoi(version) // unknown is 0
	file := "etc/docker/daemon.json"
	switch {
	case unit == "":
		p.Problems = append(p.Problems, "its programs take the proxy from the environment of the user: HTTPS_PROXY="+proxy.URL)
		return
	case unit == "docker" && !systemDocker(m):
		p.Problems = append(p.Problems, "Docker Desktop and rootless docker have their own settings: set the proxy in Settings, Resources, Proxies, or as \"proxies\" in ~/.config/docker/daemon.json")
		return
	case unit == "docker-rootless":
		d := m.daemon()
		file, p.Service = d.file, d.service
	case m.dir(dockerSnap) && unit == "docker":
		file = dockerSnap + "/daemon.json"
		p.Service = snapService
	case unit == "docker" && major >= dockerProxies:
		p.Service = systemd("restart", unit, "running containers, without live-restore")
	default:
		p.dropIn(m, proxy, unit)
		return
	}
	p.edit(m, file, func(data []byte) ([]Insertion, error) { return jsonProxies(data, proxy) }, jsonEdited(func(all map[string]any) {
		old, _ := all["proxies"].(map[string]any)
		if old == nil {
			old = map[string]any{}
		}
		maps.Copy(old, proxy.keys())
		all["proxies"] = old
	}))
	if len(p.Changes) == 0 {
		p.Service = Service{}
	}
}

// keys returns the members of docker's "proxies".
func (p Proxy) keys() map[string]any {
	return map[string]any{"http-proxy": p.URL, "https-proxy": p.URL, "no-proxy": p.Except}
}

// jsonProxies inserts what the object "proxies" lacks.
func jsonProxies(data []byte, proxy Proxy) ([]Insertion, error) {
	text := standardJSON(data)
	if isBlank(data) {
		text = []byte("{}")
	}
	o, err := readObject(text)
	if err != nil {
		return nil, err
	}
	found, err := o.find("proxies")
	if err != nil {
		return nil, err
	}
	offset, inner := 0, object{}
	if found != nil {
		offset = found.value
		if inner, err = readObject(text[offset:found.after]); err != nil {
			return nil, errors.New("\"proxies\" is not an object")
		}
	}
	var lacking []string
	for _, key := range []string{"http-proxy", "https-proxy", "no-proxy"} {
		value := proxy.keys()[key]
		has, err := inner.find(key)
		var is any
		switch {
		case err != nil:
			return nil, err
		case has == nil:
			lacking = append(lacking, jsonString(key)+": "+jsonString(fmt.Sprint(value)))
		case json.Unmarshal(text[offset+has.value:offset+has.after], &is) != nil || !reflect.DeepEqual(is, value):
			return nil, fmt.Errorf("it has another %q; change it there", key)
		}
	}
	written := strings.Join(lacking, ", ")
	switch {
	case written == "":
		return nil, nil
	case isBlank(data):
		return []Insertion{{0, "{\n  \"proxies\": {" + written + "}\n}\n"}}, nil
	case found == nil:
		return jsonMember(data, text, o, "\"proxies\": {"+written+"}"), nil
	case len(inner.members) == 0:
		return []Insertion{{offset + 1, written}}, nil
	}
	return before(text, offset+inner.open, offset+inner.members[0].at, written), nil
}

// dropIn sets the environment of a service of systemd, for which nobody else
// may have set a proxy.
func (p *Part) dropIn(m *Machine, proxy Proxy, unit string) {
	dir := "etc/systemd/system/" + unit + ".service.d"
	own := dir + "/050-ferry.conf"
	entries, _ := fs.ReadDir(m.Files, dir) // a missing directory counts as empty
	for _, e := range entries {
		file := path.Join(dir, e.Name())
		text, err := m.read(file)
		if err != nil || file != own && strings.Contains(strings.ToUpper(string(text)), "HTTPS_PROXY") {
			p.Problems = append(p.Problems, fmt.Sprintf("/%s sets a proxy already; change it there", file))
			return
		}
	}
	// systemd expands "%".
	quoted := strings.NewReplacer("%", "%%", `"`, `\"`, `\`, `\\`)
	at, except := quoted.Replace(proxy.URL), quoted.Replace(proxy.Except)
	p.own(m, own, fmt.Sprintf("%s[Service]\nEnvironment=\"HTTP_PROXY=%s\"\nEnvironment=\"HTTPS_PROXY=%s\"\nEnvironment=\"NO_PROXY=%s\"\n", ownHead, at, at, except))
	if len(p.Changes) > 0 {
		p.Service = systemd("restart", unit, "running containers of docker without live-restore; of others, pulls and container starts for some seconds")
		p.Service.Reload = append([]string{"systemctl", "daemon-reload", and}, p.Service.Reload...)
	}
}
