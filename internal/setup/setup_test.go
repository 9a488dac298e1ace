package setup

import (
	"bytes"
	"cmp"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	gocmp "github.com/google/go-cmp/cmp"
)

func front(t testing.TB, address string, hosts ...string) Front {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return Front{URL: u, Hosts: hosts}
}

func local(t testing.TB) Front {
	return front(t, "http://127.0.0.1:5050", "docker.io", "gcr.io")
}

// plan returns the part of a client on a machine with one file.
func plan(t testing.TB, client, file, content string, f Front) Part {
	t.Helper()
	program := map[string]string{"docker": "dockerd", "buildkit": "buildkitd"}[client]
	files := fstest.MapFS{"usr/bin/" + cmp.Or(program, client): {}}
	if content != "absent" {
		files[file] = &fstest.MapFile{Data: []byte(content)}
	}
	parts := Plan(Machine{Files: files, Versions: map[string]string{"containerd": "1.6.20"}}, f, []string{client})
	if len(parts) != 1 {
		t.Fatalf("%d parts", len(parts))
	}
	return parts[0]
}

// after returns the content of a file after the changes.
func after(p Part, file, content string) string {
	for _, c := range p.Changes {
		if c.Path == file {
			return string(c.After)
		}
	}
	return content
}

const (
	daemon         = "etc/docker/daemon.json"
	registriesConf = system + "/registries.conf"
)

func TestDocker(t *testing.T) {
	for _, test := range []struct{ name, before, after, problem string }{
		{"absent", "absent", "{\n  \"registry-mirrors\": [\"http://127.0.0.1:5050\"]\n}\n", ""},
		{"empty", "", "{\n  \"registry-mirrors\": [\"http://127.0.0.1:5050\"]\n}\n", ""},
		{"an empty object", "{}", "{\n  \"registry-mirrors\": [\"http://127.0.0.1:5050\"]\n}", ""},
		{"an empty object on two lines", "{\n}\n", "{\n  \"registry-mirrors\": [\"http://127.0.0.1:5050\"]\n}\n", ""},
		{
			"the nvidia runtime", "{\n    \"default-runtime\": \"nvidia\",\n    \"runtimes\": {\n        \"nvidia\": {\"path\": \"nvidia-container-runtime\", \"runtimeArgs\": []}\n    }\n}\n",
			"{\n    \"registry-mirrors\": [\"http://127.0.0.1:5050\"],\n    \"default-runtime\": \"nvidia\",\n    \"runtimes\": {\n        \"nvidia\": {\"path\": \"nvidia-container-runtime\", \"runtimeArgs\": []}\n    }\n}\n", "",
		},
		{"one line", `{"debug": true}`, `{"registry-mirrors": ["http://127.0.0.1:5050"], "debug": true}`, ""},
		{
			"other mirrors", "{\n\t\"registry-mirrors\": [\n\t\t\"https://a.example\"\n\t]\n}\n",
			"{\n\t\"registry-mirrors\": [\n\t\t\"http://127.0.0.1:5050\",\n\t\t\"https://a.example\"\n\t]\n}\n", "",
		},
		{"other mirrors on one line", `{"registry-mirrors":["https://a.example/"]}`, `{"registry-mirrors":["http://127.0.0.1:5050", "https://a.example/"]}`, ""},
		{"no mirrors", `{"registry-mirrors": []}`, `{"registry-mirrors": ["http://127.0.0.1:5050"]}`, ""},
		{"there already", `{"registry-mirrors": ["http://127.0.0.1:5050/"]}`, `{"registry-mirrors": ["http://127.0.0.1:5050/"]}`, ""},
		{"Windows line ends", "{\r\n  \"debug\": true\r\n}\r\n", "{\r\n  \"registry-mirrors\": [\"http://127.0.0.1:5050\"],\r\n  \"debug\": true\r\n}\r\n", ""},
		{"a byte order mark", "\xef\xbb\xbf{\n  \"debug\": true\n}\n", "\xef\xbb\xbf{\n  \"registry-mirrors\": [\"http://127.0.0.1:5050\"],\n  \"debug\": true\n}\n", ""},
		{"comments", "{\n  // ours\n  \"debug\": true\n}\n", "{\n  \"registry-mirrors\": [\"http://127.0.0.1:5050\"],\n  // ours\n  \"debug\": true\n}\n", ""},
		{"keys of other kinds", "{\n  \"log-opts\": {\"max-size\": \"10m\"},\n  \"insecure-registries\": [\"10.0.0.0/8\"],\n  \"proxies\": {\"no-proxy\": \"*.example\"}\n}", "{\n  \"registry-mirrors\": [\"http://127.0.0.1:5050\"],\n  \"log-opts\": {\"max-size\": \"10m\"},\n  \"insecure-registries\": [\"10.0.0.0/8\"],\n  \"proxies\": {\"no-proxy\": \"*.example\"}\n}", ""},
		{"a number that has no exact float", `{"x": 12345678901234567890}`, `{"registry-mirrors": ["http://127.0.0.1:5050"], "x": 12345678901234567890}`, ""},
		{"broken", "{\n  \"debug\": true,,\n}", "", "not valid JSON"},
		{"twice", `{"registry-mirrors": [], "registry-mirrors": []}`, "", "twice"},
		{"no list", `{"registry-mirrors": "https://a.example"}`, "", "not a list"},
		{"no object", `["a"]`, "", "is not a JSON object"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := plan(t, "docker", daemon, test.before, local(t))
			check(t, p, daemon, test.before, test.after, test.problem)
		})
	}
}

// check compares a changed file with the wanted content or, if none is wanted,
// looks for a problem.
func check(t *testing.T, p Part, file, before, want, problem string) {
	t.Helper()
	problems := strings.Join(p.Problems, "\n")
	if problem != "" {
		if !strings.Contains(problems, problem) || len(p.Changes) > 0 {
			t.Errorf("problems %q, %d changes, want %q and none", problems, len(p.Changes), problem)
		}
		return
	}
	if problems != "" {
		t.Errorf("problems %q", problems)
	}
	if diff := gocmp.Diff(want, after(p, file, before)); diff != "" {
		t.Error(diff)
	}
}

func TestDockerOnlyHasMirrorsForDockerHub(t *testing.T) {
	p := plan(t, "docker", daemon, "{}", front(t, "http://127.0.0.1:5050", "gcr.io"))
	if len(p.Changes) > 0 || len(p.Problems) != 1 {
		t.Errorf("got %+v", p)
	}
}

func TestOtherDockers(t *testing.T) {
	files := fstest.MapFS{
		"opt/docker-desktop/bin/com.docker.backend":      {},
		"home/alice/.config/systemd/user/docker.service": {},
	}
	p := Plan(Machine{Files: files}, local(t), nil)[0]
	want := []string{
		"Docker Desktop has its own file: in Settings, Docker Engine, add \"registry-mirrors\": [\"http://127.0.0.1:5050\"], then Apply & restart",
		"the rootless docker of /home/alice has its own file: add \"registry-mirrors\": [\"http://127.0.0.1:5050\"] to /home/alice/.config/docker/daemon.json, then as that user: systemctl --user restart docker",
	}
	if diff := gocmp.Diff(want, p.Problems); diff != "" || len(p.Changes) > 0 {
		t.Errorf("%d changes\n%s", len(p.Changes), diff)
	}
	files["usr/bin/dockerd"] = &fstest.MapFile{}
	if p = Plan(Machine{Files: files}, local(t), nil)[0]; len(p.Problems) != 2 || len(p.Changes) != 1 {
		t.Errorf("with a docker of the system: %d problems, %d changes", len(p.Problems), len(p.Changes))
	}
}

func TestContainerdConfig(t *testing.T) {
	const cri = "[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  config_path = \"/etc/containerd/certs.d\"\n"
	for _, test := range []struct{ name, before, after, problem string }{
		{"absent", "absent", "version = 2\n\n" + cri, ""},
		{"version 2", "version = 2\n", "version = 2\n\n" + cri, ""},
		{"no line end", "version = 2", "version = 2\n\n" + cri, ""},
		{
			"version 3", "version = 3\n\n[plugins.'io.containerd.cri.v1.images'.registry]\n  x = 1 # ours\n",
			"version = 3\n\n[plugins.'io.containerd.cri.v1.images'.registry]\n  config_path = \"/etc/containerd/certs.d\"\n  x = 1 # ours\n", "",
		},
		{
			"a table that is there", "version = 2\n[plugins]\n  [plugins.\"io.containerd.grpc.v1.cri\".registry] # mirrors\n    [plugins.\"io.containerd.grpc.v1.cri\".registry.headers]\n",
			"version = 2\n[plugins]\n  [plugins.\"io.containerd.grpc.v1.cri\".registry] # mirrors\n    config_path = \"/etc/containerd/certs.d\"\n    [plugins.\"io.containerd.grpc.v1.cri\".registry.headers]\n", "",
		},
		{"the nvidia runtime", "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.nvidia]\n  runtime_type = \"io.containerd.runc.v2\"\n", "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.nvidia]\n  runtime_type = \"io.containerd.runc.v2\"\n\n" + cri, ""},
		{"docker's own", "disabled_plugins = [\"cri\"]\nversion = 2\n", "disabled_plugins = [\"cri\"]\nversion = 2\n", ""},
		{"Windows line ends", "version = 2\r\n", "version = 2\r\n\r\n" + strings.ReplaceAll(cri, "\n", "\r\n"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			check(t, plan(t, "containerd", containerdConfig, test.before, local(t)), containerdConfig, test.before, test.after, test.problem)
		})
	}
	for name, before := range map[string]string{
		"registry.mirrors": "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"gcr.io\"]\n  endpoint = [\"https://a.example\"]\n",
		"none of 2, 3":     "[plugins.cri]\n",
		"empty string":     "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \"\"\nmore = \"/etc/containerd/certs.d\"\n",
		"not valid TOML":   "version = = 2\n",
	} {
		p := plan(t, "containerd", containerdConfig, before, local(t))
		if got := after(p, containerdConfig, before); got != before || !strings.Contains(strings.Join(p.Problems, "\n"), name) {
			t.Errorf("%q: problems %q, file %q", name, p.Problems, got)
		}
	}
}

func TestContainerdHosts(t *testing.T) {
	const file = "etc/containerd/certs.d/docker.io/hosts.toml"
	const table = "[host.\"http://127.0.0.1:5050\"]\n  capabilities = [\"pull\", \"resolve\"]\n"
	for _, test := range []struct{ name, before, after, problem string }{
		{"absent", "absent", "server = \"https://registry-1.docker.io\"\n\n" + table, ""},
		{
			"another host", "server = \"https://registry-1.docker.io\"\n\n[host.\"https://a.example\"]\n  capabilities = [\"pull\"]\n",
			"server = \"https://registry-1.docker.io\"\n\n" + table + "\n[host.\"https://a.example\"]\n  capabilities = [\"pull\"]\n", "",
		},
		{"there already", table, table, ""},
		{"a server alone", "server = \"https://a.example\"\n", "server = \"https://a.example\"\n\n" + table, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			check(t, plan(t, "containerd", file, test.before, local(t)), file, test.before, test.after, test.problem)
		})
	}
	t.Run("the folder of config_path", func(t *testing.T) {
		p := plan(t, "containerd", containerdConfig, "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \"/srv/certs:/etc/docker/certs.d\"\n", local(t))
		if len(p.Changes) != 2 || p.Changes[1].Path != "srv/certs/gcr.io/hosts.toml" || p.Service.Reload != nil {
			t.Errorf("got %+v", p)
		}
	})
}

func TestPodman(t *testing.T) {
	const file = "etc/containers/registries.conf.d/050-ferry.conf"
	p := plan(t, "podman", registriesConf, "unqualified-search-registries = [\"docker.io\"]\n", front(t, "https://front.example", "gcr.io"))
	check(t, p, file, "", `# Written by "ferry setup"; "ferry setup --undo" removes it.

[[registry]]
prefix = "gcr.io"
location = "gcr.io"

[[registry.mirror]]
location = "front.example/gcr.io"
insecure = false
`, "")
	p = plan(t, "podman", "etc/containers/registries.conf.d/a.conf", "[[registry]]\nlocation = \"gcr.io\"\nblocked = true\n", front(t, "https://front.example", "gcr.io"))
	check(t, p, file, "", "", "gcr.io is already set in /etc/containers/registries.conf.d/a.conf")
	p = plan(t, "podman", registriesConf, "[registries.search]\nregistries = ['docker.io']\n", local(t))
	check(t, p, file, "", "", "version 1")
}

func TestK3s(t *testing.T) {
	const file = "etc/rancher/k3s/registries.yaml"
	const entry = "  docker.io:\n    endpoint:\n      - \"http://127.0.0.1:5050\"\n  gcr.io:\n    endpoint:\n      - \"http://127.0.0.1:5050\"\n"
	for _, test := range []struct{ name, before, after, problem string }{
		{"absent", "absent", "mirrors:\n" + entry, ""},
		{"comments alone", "# ours\n", "# ours\n\nmirrors:\n" + entry, ""},
		{"other keys", "configs:\n  a.example:\n    auth: {username: u}\n", "configs:\n  a.example:\n    auth: {username: u}\n\nmirrors:\n" + entry, ""},
		{"no mirrors", "mirrors:\nconfigs: {}\n", "mirrors:\n" + entry + "configs: {}\n", ""},
		{"no mirrors and no line end", "mirrors:", "mirrors:\n" + entry, ""},
		{
			"other registries", "mirrors:\n    \"*\": # all\n        endpoint: [\"https://a.example\"]\n",
			"mirrors:\n    docker.io:\n      endpoint:\n        - \"http://127.0.0.1:5050\"\n    gcr.io:\n      endpoint:\n        - \"http://127.0.0.1:5050\"\n    \"*\": # all\n        endpoint: [\"https://a.example\"]\n", "",
		},
		{
			"the same registries", "mirrors:\n  gcr.io:\n    endpoint:\n    - https://a.example\n  docker.io:\n    endpoint: [\"https://a.example\"]\n    rewrite:\n      a: b\n",
			"mirrors:\n  gcr.io:\n    endpoint:\n    - \"http://127.0.0.1:5050\"\n    - https://a.example\n  docker.io:\n    endpoint: [\"http://127.0.0.1:5050\", \"https://a.example\"]\n    rewrite:\n      a: b\n", "",
		},
		{"flow style", "mirrors: {gcr.io: {endpoint: [a]}}\n", "", "one registry on each line"},
		{"no mapping", "- a\n", "", "not a YAML mapping"},
		{"tabs", "mirrors:\n\tgcr.io:\n", "", "not valid YAML"},
		{"no endpoints", "mirrors:\n  gcr.io:\n    rewrite: {a: b}\n", "", "no list of endpoints"},
	} {
		t.Run(test.name, func(t *testing.T) {
			check(t, plan(t, "k3s", file, test.before, local(t)), file, test.before, test.after, test.problem)
		})
	}
}

func TestBuildkit(t *testing.T) {
	const file = "etc/buildkit/buildkitd.toml"
	const tables = "[registry.\"docker.io\"]\n  mirrors = [\"127.0.0.1:5050\"]\n[registry.\"gcr.io\"]\n  mirrors = [\"127.0.0.1:5050\"]\n"
	const plain = "[registry.\"127.0.0.1:5050\"]\n  http = true\n"
	for _, test := range []struct{ name, before, after, problem string }{
		{"absent", "absent", tables + plain, ""},
		{"other keys", "debug = true\n", "debug = true\n\n" + tables + plain, ""},
		{"there already", tables + plain, tables + plain, ""},
		{"the front without http", "[registry.\"127.0.0.1:5050\"]\n  insecure = true\n", "", "without http = true"},
	} {
		t.Run(test.name, func(t *testing.T) {
			check(t, plan(t, "buildkit", file, test.before, local(t)), file, test.before, test.after, test.problem)
		})
	}
	p := plan(t, "buildkit", file, "[registry.\"gcr.io\"]\n  mirrors = [\"a.example\"]\n", front(t, "https://front.example", "gcr.io"))
	check(t, p, file, "", "", "gcr.io is already set")
}

// machine creates a folder with every client and one file of each.
func machine(t *testing.T) (Disk, map[string]string) {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		"usr/bin/dockerd": "", "usr/bin/containerd": "", "usr/bin/podman": "", "usr/local/bin/k3s": "", "usr/bin/rke2": "", "usr/bin/buildkitd": "",
		daemon:                            "{\n  \"runtimes\": {\"nvidia\": {\"path\": \"x\"}}\n}\n",
		containerdConfig:                  "version = 2 # ours\n",
		"etc/rancher/k3s/registries.yaml": "mirrors:\n  gcr.io:\n    endpoint:\n      - https://a.example\n",
		"etc/buildkit/buildkitd.toml":     "debug = true",
	}
	for name, content := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	return Disk{Root: root}, tree(t, root)
}

// tree returns the files below a folder, except the journal.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil || filepath.ToSlash(name) == stateFolder+"/"+journalFile {
			return err
		}
		text, err := os.ReadFile(file)
		found[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func planned(d Disk, f Front) []Part {
	return Plan(Machine{Files: os.DirFS(d.Root), Versions: map[string]string{"containerd": "2.1.0"}}, f, nil)
}

// changed returns the files that the parts change.
func changed(parts []Part) (files []string) {
	for _, p := range parts {
		for _, c := range p.Changes {
			files = append(files, c.Path)
		}
	}
	return files
}

func applyAll(t *testing.T, d Disk, f Front) {
	t.Helper()
	for _, p := range planned(d, f) {
		if len(p.Problems) > 0 {
			t.Errorf("%s: %q", p.Client, p.Problems)
		}
		if err := d.Apply(p); err != nil {
			t.Fatal(err)
		}
	}
}

func TestApplyThenUndo(t *testing.T) {
	d, before := machine(t)
	applyAll(t, d, local(t))
	for _, p := range planned(d, local(t)) {
		if len(p.Changes) > 0 {
			t.Errorf("%s: a second run changes %s", p.Client, p.Changes[0].Path)
		}
	}
	// podman has a single file, so setting up another front requires undoing
	// the first.
	for _, p := range Plan(Machine{Files: os.DirFS(d.Root)}, front(t, "https://front.example", "docker.io", "ghcr.io"), []string{"docker", "containerd", "k3s", "rke2", "buildkit"}) {
		if err := d.Apply(p); err != nil {
			t.Fatal(err)
		}
	}
	restored, err := d.Undo()
	if err != nil || len(restored.Files) == 0 || len(restored.Reloads) == 0 {
		t.Fatalf("restored %q, %v", restored, err)
	}
	if diff := gocmp.Diff(before, tree(t, d.Root)); diff != "" {
		t.Errorf("undo did not restore everything:\n%s", diff)
	}
	if restored, err := d.Undo(); err != nil || len(restored.Files) > 0 {
		t.Errorf("a second undo restored %q, %v", restored, err)
	}
}

func TestUndoKeepsWhatOthersWrote(t *testing.T) {
	d, _ := machine(t)
	applyAll(t, d, local(t))
	file := d.path(daemon)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.Replace(data, []byte(`"x"`), []byte(`"y"`), 1)
	config := d.path(containerdConfig)
	if err := os.WriteFile(file, data, 0o640); err != nil {
		t.Fatal(err)
	}
	edited := []byte("version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  config_path = \"/srv\"\n")
	if err := os.WriteFile(config, edited, 0o640); err != nil {
		t.Fatal(err)
	}
	restored, err := d.Undo()
	if err == nil || !strings.Contains(err.Error(), containerdConfig) || slices.Contains(restored.Files, "/"+containerdConfig) {
		t.Errorf("restored %q, %v", restored, err)
	}
	if got, _ := os.ReadFile(file); string(got) != "{\n  \"runtimes\": {\"nvidia\": {\"path\": \"y\"}}\n}\n" {
		t.Errorf("%s is %q", daemon, got)
	}
	if got, _ := os.ReadFile(config); !bytes.Equal(got, edited) {
		t.Errorf("%s is %q", containerdConfig, got)
	}
}

func TestApplyIsAllOrNothing(t *testing.T) {
	d, _ := machine(t)
	p := Part{Changes: []Change{
		{Path: "etc/new", After: []byte("a"), Insertions: []Insertion{{0, "a"}}},
		{Path: daemon, Before: []byte("what it never was"), After: []byte("b")},
	}}
	before := tree(t, d.Root)
	if err := d.Apply(p); err == nil || !strings.Contains(err.Error(), "changed in the meantime") {
		t.Errorf("got %v", err)
	}
	if diff := gocmp.Diff(before, tree(t, d.Root)); diff != "" {
		t.Error(diff)
	}
}

func TestOneAtATime(t *testing.T) {
	d, _ := machine(t)
	err := d.locked(func(*[]entry) error { _, err := d.Undo(); return err })
	if err == nil || !strings.Contains(err.Error(), "another") {
		t.Errorf("got %v", err)
	}
}

func TestReadTOML(t *testing.T) {
	all, err := readTOML([]byte("a = 1\nb.\"c.d\" = [\"x\", {y = true}] # z\n[t]\ne = 'f'\n[[r]]\np = 1\n[r.s]\nq = 2\n[[r]]\n[r.s]\n"))
	want := map[string]any{
		"a": literal("1"), "b": map[string]any{"c.d": []any{"x", inline{"y": literal("true")}}}, "t": map[string]any{"e": "f"},
		"r": []any{map[string]any{"p": literal("1"), "s": map[string]any{"q": literal("2")}}, map[string]any{"s": map[string]any{}}},
	}
	if diff := gocmp.Diff(want, all); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, broken := range []string{"a = 1\na = 2\n", "[t]\n[t]\n", "a = 1\n[a]\n", "a = 1\n[[a]]\n", "a =\n", "[[a.b]]\n[a.b.c]\n[a.b.c]\n", "a = " + strings.Repeat("[", 8<<20), "a = " + strings.Repeat("{a=", 1<<20)} {
		if _, err := readTOML([]byte(broken)); err == nil {
			t.Errorf("%.100q is read", broken)
		}
	}
}

// FuzzEdit checks every editor: the result has the intended meaning, and
// removing the insertions gives the old text.
func FuzzEdit(f *testing.F) {
	for _, seed := range []string{"", "{}", "{\"a\": [1]}", "version = 2\n", "[registry.\"gcr.io\"]\n", "mirrors:\n  gcr.io:\n    endpoint: [a]\n", "\xef\xbb\xbf{\r\n}"} {
		for client := range uint8(6) {
			f.Add(client, []byte(seed))
		}
	}
	files := []string{daemon, containerdConfig, "etc/containerd/certs.d/gcr.io/hosts.toml", "etc/rancher/k3s/registries.yaml", "etc/buildkit/buildkitd.toml", registriesConf}
	programs := []string{"dockerd", "containerd", "containerd", "k3s", "buildkitd", "podman"}
	f.Fuzz(func(t *testing.T, client uint8, data []byte) {
		n := int(client) % len(files)
		machine := Machine{Files: fstest.MapFS{"usr/bin/" + programs[n]: {}, files[n]: {Data: data}}}
		for _, p := range Plan(machine, local(t), nil) {
			for _, c := range p.Changes {
				var texts []string
				for _, i := range c.Insertions {
					texts = append(texts, i.Text)
				}
				if !bytes.Equal(insert(c.Before, c.Insertions), c.After) {
					t.Errorf("%s: the insertions do not make %q of %q", c.Path, c.After, c.Before)
				}
				if was, err := without(c.After, texts); err == nil && !bytes.Equal(was, c.Before) {
					t.Errorf("%s: taking the insertions out gives %q, not %q", c.Path, was, c.Before)
				}
			}
		}
	})
}
