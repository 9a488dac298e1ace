package setup

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	gocmp "github.com/google/go-cmp/cmp"
)

var aProxy = Proxy{URL: "http://proxy.example:3128", Except: "localhost,127.0.0.0/8"}

// proxied returns the part of a client below a root, for a version of docker.
func proxied(t testing.TB, d Disk, client, version string) Part {
	t.Helper()
	parts := PlanProxy(Machine{Files: os.DirFS(d.Root), Versions: map[string]string{"docker": version}}, aProxy, []string{client})
	if len(parts) != 1 {
		t.Fatalf("%d parts", len(parts))
	}
	return parts[0]
}

func TestDockerProxies(t *testing.T) {
	const all = `{"http-proxy": "http://proxy.example:3128", "https-proxy": "http://proxy.example:3128", "no-proxy": "localhost,127.0.0.0/8"}`
	for _, test := range []struct{ name, before, after, problem string }{
		{"empty", "", "{\n  \"proxies\": " + all + "\n}\n", ""},
		{"other keys", "{\n  \"debug\": true // ours\n}\n", "{\n  \"proxies\": " + all + ",\n  \"debug\": true // ours\n}\n", ""},
		{"no proxies", "{\"proxies\": {}}", "{\"proxies\": " + all + "}", ""},
		{
			"some", "{\"proxies\": {\n\t\"https-proxy\": \"http://proxy.example:3128\"\n}}",
			"{\"proxies\": {\n\t\"http-proxy\": \"http://proxy.example:3128\", \"no-proxy\": \"localhost,127.0.0.0/8\",\n\t\"https-proxy\": \"http://proxy.example:3128\"\n}}", "",
		},
		{"the same", "{\"proxies\": " + all + "}", "{\"proxies\": " + all + "}", ""},
		{"another", "{\"proxies\": {\"https-proxy\": \"http://other.example:1\"}}", "", "it has another \"https-proxy\""},
		{"no object", "{\"proxies\": []}", "", "\"proxies\" is not an object"},
		{"twice", "{\"proxies\": {}, \"proxies\": {}}", "", "twice"},
		{"broken", "{\"proxies\": {", "", "not valid JSON"},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := fstest.MapFS{"usr/bin/dockerd": {}, daemon: {Data: []byte(test.before)}}
			p := PlanProxy(Machine{Files: files, Versions: map[string]string{"docker": "28.2.2"}}, aProxy, []string{"docker"})[0]
			check(t, p, daemon, test.before, test.after, test.problem)
			if restarts := len(p.Service.Reload) > 0; restarts != (len(p.Changes) > 0) {
				t.Errorf("the service is %+v, with %d changes", p.Service, len(p.Changes))
			}
		})
	}
}

// TestProxyAndUndo sets up and undoes a proxy for all clients, with the files of
// the corpus of docker.
func TestProxyAndUndo(t *testing.T) {
	d, before := machine(t)
	for _, client := range slices.DeleteFunc(Clients(), func(name string) bool { return name == "docker-rootless" }) { // of a home
		p := proxied(t, d, client, "20.10.24")
		if client == "podman" {
			if len(p.Changes) > 0 || !strings.Contains(strings.Join(p.Problems, ""), "HTTPS_PROXY=http://proxy.example:3128") {
				t.Errorf("podman: %+v", p)
			}
			continue
		}
		if err := d.Apply(p); err != nil || len(p.Problems) > 0 {
			t.Errorf("%s: %v, problems %q", client, err, p.Problems)
		}
		if again := proxied(t, d, client, "20.10.24"); len(again.Changes) > 0 || again.Service.Reload != nil {
			t.Errorf("%s: a second run changes %q", client, changed([]Part{again}))
		}
	}
	const want = ownHead + "[Service]\nEnvironment=\"HTTP_PROXY=http://proxy.example:3128\"\nEnvironment=\"HTTPS_PROXY=http://proxy.example:3128\"\nEnvironment=\"NO_PROXY=localhost,127.0.0.0/8\"\n"
	for _, unit := range []string{"docker", "containerd", "k3s", "rke2-server", "buildkit"} {
		if got, err := os.ReadFile(d.path("etc/systemd/system/" + unit + ".service.d/050-ferry.conf")); string(got) != want {
			t.Errorf("%s: %v, %q", unit, err, got)
		}
	}
	if restored, err := d.Undo(); err != nil || len(restored.Files) != 5 || strings.Join(restored.Reloads[4], " ") != "systemctl daemon-reload && systemctl restart docker" {
		t.Errorf("restored %+v, %v", restored, err)
	}
	if diff := gocmp.Diff(before, tree(t, d.Root)); diff != "" {
		t.Errorf("undo left:\n%s", diff)
	}
	for name, text := range corpus["docker"].texts {
		t.Run(name, func(t *testing.T) {
			d := Disk{Root: t.TempDir()}
			if err := os.MkdirAll(d.path("etc/docker"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(d.path(daemon), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			before := tree(t, d.Root)
			p := proxied(t, d, "docker", "28.2.2")
			if err := d.Apply(p); err != nil {
				t.Fatal(err)
			}
			if again := proxied(t, d, "docker", "28.2.2"); len(again.Changes) > 0 {
				t.Errorf("a second run changes %q", again.Changes[0].After)
			}
			if _, err := d.Undo(); err != nil {
				t.Error(err)
			}
			if diff := gocmp.Diff(before, tree(t, d.Root)); diff != "" {
				t.Errorf("undo left:\n%s", diff)
			}
		})
	}
}

func TestProxiesOfOthers(t *testing.T) {
	for name, test := range map[string]struct {
		files   fstest.MapFS
		problem string
	}{
		"another drop-in": {fstest.MapFS{"usr/bin/dockerd": {}, "etc/systemd/system/docker.service.d/http-proxy.conf": {Data: []byte("[Service]\nEnvironment=https_proxy=x\n")}}, "docker.service.d/http-proxy.conf sets a proxy already"},
		"another proxy":   {fstest.MapFS{"usr/bin/dockerd": {}, "etc/systemd/system/docker.service.d/050-ferry.conf": {Data: []byte("[Service]\n")}}, "exists with other content"},
		"Docker Desktop":  {fstest.MapFS{dockerDesktop + "/x": {}}, "Docker Desktop and rootless docker"},
	} {
		p := PlanProxy(Machine{Files: test.files}, aProxy, nil)[0]
		if len(p.Changes) > 0 || !strings.Contains(strings.Join(p.Problems, "\n"), test.problem) {
			t.Errorf("%s: problems %q, %d changes", name, p.Problems, len(p.Changes))
		}
	}
	snap := PlanProxy(Machine{Files: fstest.MapFS{dockerSnap + "/daemon.json": {Data: []byte("{}")}}}, aProxy, nil)[0]
	if len(snap.Changes) != 1 || snap.Changes[0].Path != dockerSnap+"/daemon.json" || snap.Service.Name != "snap.docker.dockerd" {
		t.Errorf("of the snap: %+v", snap)
	}
}

// TestReloadsInOrder runs the commands of a drop-in one after the other, and no
// further than the first that fails.
func TestReloadsInOrder(t *testing.T) {
	for failing, want := range map[string]string{
		"none":                      "systemctl is-active --quiet docker; systemctl daemon-reload; systemctl restart docker",
		"systemctl daemon-reload":   "systemctl is-active --quiet docker; systemctl daemon-reload; systemctl daemon-reload",
		"systemctl restart docker":  "systemctl is-active --quiet docker; systemctl daemon-reload; systemctl restart docker; systemctl daemon-reload; systemctl restart docker",
		"systemctl is-active x y z": "systemctl is-active --quiet docker; systemctl daemon-reload; systemctl restart docker",
	} {
		d, before := machine(t)
		i, ran := installer(d, func(command string) (string, error) {
			if command == failing {
				return "", errors.New("it failed")
			}
			return "", nil
		})
		i.Restart, i.Sample = true, Sample{}
		done, err := i.Install(context.Background(), proxied(t, d, "docker", ""))
		if got := strings.Join(*ran, "; "); got != want {
			t.Errorf("%s: ran %s", failing, got)
		}
		if err != nil && gocmp.Diff(before, tree(t, d.Root)) != "" {
			t.Errorf("%s: files have changed", failing)
		}
		if err == nil && !strings.Contains(done.Pending, "see that the proxy answers") {
			t.Errorf("%s: %+v", failing, done)
		}
	}
}
