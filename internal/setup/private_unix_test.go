//go:build unix

package setup

import (
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

const (
	aToken = "a-token-of-a-guest"
	aCA    = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
)

// On Windows there are no such modes, and no folder is named after a host with a
// port.

// guarded returns a front with a private authority that wants a token.
func guarded(t testing.TB) Front {
	f := front(t, "https://front.example:5443", "docker.io", "gcr.io")
	f.CA, f.Token = aCA, aToken
	return f
}

// TestPrivateFront installs the authorities and the token of a front where each
// client looks. Only files with the token become private, and undoing restores
// everything.
func TestPrivateFront(t *testing.T) {
	d, before := machine(t)
	parts := planned(d, guarded(t))
	for _, p := range parts {
		if err := d.Apply(p); err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]string{
		"etc/docker/certs.d/front.example:5443/ca.crt":     aCA,
		"etc/containerd/certs.d/front.example:5443/ca.crt": aCA,
		"etc/containers/certs.d/front.example:5443/ca.crt": aCA,
		"etc/rancher/k3s/front-ca.crt":                     aCA,
		"etc/rancher/rke2/front-ca.crt":                    aCA,
		"etc/buildkit/certs.d/front.example:5443/ca.crt":   aCA,
		"etc/containerd/certs.d/gcr.io/hosts.toml": "server = \"https://gcr.io\"\n\n[host.\"https://front.example:5443\"]\n  capabilities = [\"pull\", \"resolve\"]\n" +
			"  ca = \"/etc/containerd/certs.d/front.example:5443/ca.crt\"\n  header = {authorization = \"Bearer a-token-of-a-guest\"}\n",
		"etc/rancher/k3s/registries.yaml": "mirrors:\n  docker.io:\n    endpoint:\n      - \"https://front.example:5443/v2/a-token-of-a-guest\"\n  gcr.io:\n    endpoint:\n" +
			"      - \"https://front.example:5443/v2/a-token-of-a-guest\"\n      - https://a.example\n\nconfigs:\n  \"front.example:5443\":\n    tls:\n      ca_file: /etc/rancher/k3s/front-ca.crt\n",
		"etc/buildkit/buildkitd.toml": "debug = true\n\n[registry.\"docker.io\"]\n  mirrors = [\"front.example:5443\"]\n[registry.\"gcr.io\"]\n  mirrors = [\"front.example:5443\"]\n" +
			"[registry.\"front.example:5443\"]\n  ca = [\"/etc/buildkit/certs.d/front.example:5443/ca.crt\"]\n",
	} {
		data, err := os.ReadFile(d.path(file))
		if diff := gocmp.Diff(want, string(data)); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", file, err, diff)
		}
	}
	for name, data := range tree(t, d.Root) {
		info, err := os.Stat(d.path(name))
		if err != nil {
			t.Fatal(err)
		}
		if private := strings.Contains(data, aToken); private != (info.Mode().Perm() == 0o600) {
			t.Errorf("%s has mode %v, with a token: %v", name, info.Mode(), private)
		}
	}
	if info, err := os.Stat(d.state(journalFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the journal: %v, %v", info.Mode(), err)
	}
	if got := planned(d, guarded(t)); len(changed(got)) > 0 {
		t.Errorf("a second run changes %q", changed(got))
	}
	logins := 0
	for _, p := range parts {
		if p.Login.In != nil {
			logins++
		}
	}
	if restored, err := d.Undo(); err != nil || logins != 1 || !strings.Contains(gocmp.Diff(nil, restored.Reloads), "logout") {
		t.Errorf("%d logins, restored %q, %v", logins, restored.Reloads, err)
	}
	if diff := gocmp.Diff(before, tree(t, d.Root)); diff != "" {
		t.Errorf("undo left:\n%s", diff)
	}
	for name := range before {
		if info, err := os.Stat(d.path(name)); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("%s has mode %v, %v", name, info.Mode(), err)
		}
	}
}

// TestAccessIsAddedLater adds what a front has come to need to a client that is
// set up for it, and replaces nothing of others.
func TestAccessIsAddedLater(t *testing.T) {
	plain := guarded(t)
	plain.CA, plain.Token = "", ""
	later := guarded(t)
	later.Token = ""
	for client, file := range map[string]string{
		"containerd": "etc/containerd/certs.d/gcr.io/hosts.toml", "k3s": "etc/rancher/k3s/registries.yaml", "buildkit": "etc/buildkit/buildkitd.toml",
	} {
		d, before := machine(t)
		for _, f := range []Front{plain, later} {
			p := planOf(d, f, client)
			if len(p.Problems) > 0 || len(p.Changes) == 0 {
				t.Errorf("%s: problems %q, %d changes", client, p.Problems, len(p.Changes))
			}
			if err := d.Apply(p); err != nil {
				t.Fatal(err)
			}
		}
		if data, _ := os.ReadFile(d.path(file)); !strings.Contains(string(data), "ca.crt") {
			t.Errorf("%s is\n%s", file, data)
		}
		if p := planOf(d, later, client); len(p.Changes) > 0 {
			t.Errorf("%s: a second run changes %q", client, changed([]Part{p}))
		}
		if _, err := d.Undo(); err != nil {
			t.Error(err)
		}
		if diff := gocmp.Diff(before, tree(t, d.Root)); diff != "" {
			t.Errorf("%s: undo left:\n%s", client, diff)
		}
	}
	for name, test := range map[string]struct{ client, file, text, problem string }{
		"another token": {
			"containerd", "etc/containerd/certs.d/gcr.io/hosts.toml",
			"[host.\"https://front.example:5443\"]\n  header = {authorization = \"Bearer other\"}\n", "another \"header\"",
		},
		"a header as a table": {
			"containerd", "etc/containerd/certs.d/gcr.io/hosts.toml",
			"[host.\"https://front.example:5443\"]\n[host.\"https://front.example:5443\".header]\n  x = \"y\"\n", "another \"header\"",
		},
		"another authority": {
			"k3s", "etc/rancher/k3s/registries.yaml",
			"configs:\n  \"front.example:5443\":\n    tls: {insecure_skip_verify: true}\n", "another \"configs\"",
		},
		"no mapping": {"k3s", "etc/rancher/k3s/registries.yaml", "configs: [a]\n", "\"configs\" is not a mapping"},
		"a table":    {"buildkit", "etc/buildkit/buildkitd.toml", "[registry.\"front.example:5443\"]\n  insecure = true\n", "without ca = ["},
	} {
		p := plan(t, test.client, test.file, test.text, guarded(t))
		for _, c := range p.Changes {
			if c.Path == test.file {
				t.Errorf("%s: the file is changed", name)
			}
		}
		if !strings.Contains(strings.Join(p.Problems, "\n"), test.problem) || strings.Contains(strings.Join(p.Problems, "\n"), "Bearer") {
			t.Errorf("%s: problems %q, want %q", name, p.Problems, test.problem)
		}
	}
	// Other certificates of the file stay.
	p := plan(t, "docker", "etc/docker/certs.d/front.example:5443/ca.crt", "# ours\r\n"+strings.ReplaceAll(aCA, "M", "N"), guarded(t))
	if got := p.Changes[len(p.Changes)-1]; !strings.HasPrefix(string(got.After), "# ours\r\n") || strings.Count(string(got.After), "BEGIN") != 2 {
		t.Errorf("the file becomes %q", got.After)
	}
}

// TestEditedTokens: the message about a place that has been edited since has no
// token.
func TestEditedTokens(t *testing.T) {
	d, _ := machine(t)
	if err := d.Apply(planOf(d, guarded(t), "containerd")); err != nil {
		t.Fatal(err)
	}
	file := d.path("etc/containerd/certs.d/gcr.io/hosts.toml")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(data), "pull", "push", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Undo(); err == nil || strings.Contains(err.Error(), aToken) || !strings.Contains(err.Error(), "edited since") {
		t.Errorf("got %v", err)
	}
}
