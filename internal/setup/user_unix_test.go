//go:build unix

package setup

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	gocmp "github.com/google/go-cmp/cmp"
)

const (
	passwd    = "root:x:0:0::/root:/bin/sh\nbroken:x\nalice:x:1000:1000:Alice,,,:/home/alice/:/bin/bash\nnobody:x:65534:65534::nonexistent:/bin/false\n"
	aliceFile = "home/alice/.config/docker/daemon.json"
	aliceDrop = "home/alice/.config/containers/registries.conf.d/050-ferry.conf"
)

// homeOf creates a machine of which alice has a docker of her own, which runs without
// root, and files of podman if named.
func homeOf(t *testing.T, more map[string]string) Disk {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		"etc/passwd": passwd, "usr/bin/podman": "", "usr/bin/containerd": "", "home/alice/" + rootlessUnit: "",
	}
	maps.Copy(files, more)
	for name, content := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() == 0 {
		err := filepath.WalkDir(filepath.Join(root, "home/alice"), func(name string, _ os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Chown(name, 1000, 1000)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return Disk{Root: root}
}

func TestAs(t *testing.T) {
	m := Machine{Files: fstest.MapFS{"etc/passwd": {Data: []byte(passwd)}}}
	for user, want := range map[string][3]string{
		"alice": {"home/alice", "1000", "alice"}, "root": {"root", "0", "root"}, "broken": {}, "nobody": {}, "bob": {}, "": {},
	} {
		if got := m.As(user, true); [3]string{got.Home, got.UID, got.Sudoer} != want {
			t.Errorf("%q: %q %q %q, want %q", user, got.Home, got.UID, got.Sudoer, want)
		}
	}
	if got := m.As("alice", false); got.Sudoer != "" || got.Home != "home/alice" {
		t.Errorf("alice herself: %+v", got)
	}
}

// TestHomes sets up the docker and the podman of a person: with sudo beside those of
// the system, or alone. What is created belongs to the person, a second run changes
// nothing, and undoing restores everything.
func TestHomes(t *testing.T) {
	own := map[string]string{"home/alice/.config/containers/registries.conf": "unqualified-search-registries = [\"quay.io\"]\n"}
	for _, test := range []struct {
		name     string
		files    map[string]string
		userOnly bool
		changed  []string // but for those of containerd
		reload   string   // of her docker
	}{
		{
			"sudo", nil, false, []string{aliceFile, "etc/containers/registries.conf.d/050-ferry.conf"},
			"systemctl --user --machine=alice@.host restart docker",
		},
		{
			"sudo, and files of her own", map[string]string{
				aliceFile: "{\"debug\": true}", "home/alice/.config/containers/registries.conf": own["home/alice/.config/containers/registries.conf"],
			}, false, []string{aliceFile, "etc/containers/registries.conf.d/050-ferry.conf", aliceDrop},
			"systemctl --user --machine=alice@.host restart docker",
		},
		{"without root", nil, true, []string{aliceFile, aliceDrop}, "systemctl --user restart docker"},
		{"without root, and a file of her own", own, true, []string{aliceFile, aliceDrop}, "systemctl --user restart docker"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := homeOf(t, test.files)
			if test.userOnly {
				d.State = "home/alice/.local/state/ferry"
			}
			before := tree(t, d.Root)
			m := Machine{Files: os.DirFS(d.Root), UserOnly: test.userOnly}.As("alice", !test.userOnly)
			var got []string
			for _, p := range Plan(m, local(t), nil) {
				if len(p.Problems) > 0 {
					t.Errorf("%s: problems %q", p.Client, p.Problems)
				}
				if p.Client == "containerd" && !test.userOnly {
					continue
				}
				got = append(got, changed([]Part{p})...)
				if p.Client == "docker-rootless" {
					if reload := strings.Join(p.Service.Reload, " "); reload != test.reload {
						t.Errorf("reloads with %s", reload)
					}
					if pull := strings.Join(p.Trials("x")[0].Pull, " "); pull != "docker --host unix:///run/user/1000/docker.sock pull x" {
						t.Errorf("tests with %s", pull)
					}
				}
				if err := d.Apply(p); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(got, test.changed) {
				t.Errorf("changed %q, want %q", got, test.changed)
			}
			if again := changed(Plan(m, local(t), []string{"docker-rootless", "podman"})); len(again) > 0 {
				t.Errorf("a second run changes %q", again)
			}
			if info, err := os.Stat(d.path(aliceFile)); err != nil || os.Geteuid() == 0 && info.Sys().(*syscall.Stat_t).Uid != 1000 {
				t.Errorf("daemon.json: %+v, %v", info, err)
			}
			if info, err := os.Stat(d.path("home/alice/.config/docker")); err != nil || os.Geteuid() == 0 && info.Sys().(*syscall.Stat_t).Uid != 1000 {
				t.Errorf("its folder: %+v, %v", info, err)
			}
			if test.userOnly {
				if _, err := os.Stat(d.path(stateFolder)); err == nil {
					t.Error("the folder of the system's journal exists")
				}
			}
			if _, err := d.Undo(); err != nil {
				t.Error(err)
			}
			after := tree(t, d.Root)
			delete(after, d.State+"/"+journalFile)
			if diff := gocmp.Diff(before, after); diff != "" {
				t.Errorf("undo left:\n%s", diff)
			}
		})
	}
}

// TestInstallForUser asks the systemd of the person.
func TestInstallForUser(t *testing.T) {
	d := homeOf(t, nil)
	p := Plan(Machine{Files: os.DirFS(d.Root)}.As("alice", true), local(t), []string{"docker-rootless"})[0]
	i, ran := installer(d, func(string) (string, error) { return sampleDigest, nil })
	i.Restart = true
	if _, err := i.Install(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	want := []string{"systemctl --user --machine=alice@.host is-active --quiet docker", "systemctl --user --machine=alice@.host restart docker", "docker --host unix:///run/user/1000/docker.sock pull docker.io/sample:1"}
	if got := *ran; len(got) < 3 || !slices.Equal(got[:3], want) {
		t.Errorf("ran %q", got)
	}
}

// TestSystemTablesCount: a table of the system is one of the users who have no
// registries.conf.
func TestSystemTablesCount(t *testing.T) {
	for conf, want := range map[string]string{"": "gcr.io is already set in /etc/containers/registries.conf.d/a.conf", "\n": ""} {
		files := map[string]string{"etc/containers/registries.conf.d/a.conf": "[[registry]]\nlocation = \"gcr.io\"\n"}
		if conf != "" {
			files["home/alice/.config/containers/registries.conf"] = conf
		}
		d := homeOf(t, files)
		p := Plan(Machine{Files: os.DirFS(d.Root), UserOnly: true}.As("alice", false), local(t), []string{"podman"})[0]
		if problems := strings.Join(p.Problems, "\n"); !strings.Contains(problems, want) || want == "" && problems != "" {
			t.Errorf("%q: problems %q", conf, problems)
		}
	}
}

// TestHomeLogin logs in where the person's podman finds the login after the machine
// has started again.
func TestHomeLogin(t *testing.T) {
	d := homeOf(t, nil)
	p := Plan(Machine{Files: os.DirFS(d.Root), UserOnly: true}.As("alice", false), guarded(t), []string{"podman"})[0]
	if got := strings.Join(p.Login.In, " "); got != "podman login --authfile /home/alice/.config/containers/auth.json --username ferry --password-stdin front.example:5443" {
		t.Errorf("logs in with %s", got)
	}
	if !slices.Contains(changed([]Part{p}), "home/alice/.config/containers/certs.d/front.example:5443/ca.crt") {
		t.Errorf("changes %q", changed([]Part{p}))
	}
}

// TestSystemCRIO: what needs root is not done for the person alone.
func TestSystemCRIO(t *testing.T) {
	d := homeOf(t, map[string]string{"usr/bin/crio": "", "usr/bin/crictl": ""})
	m := Machine{Files: os.DirFS(d.Root), UserOnly: true}.As("alice", false)
	for _, p := range append(Plan(m, guarded(t), []string{"podman"}), PlanProxy(m, aProxy, []string{"podman"})...) {
		for _, file := range changed([]Part{p}) {
			if !strings.HasPrefix(file, "home/alice/") {
				t.Errorf("changes %s", file)
			}
		}
		if p.Service.Name != "" || strings.Contains(strings.Join(p.Problems, "\n"), "CRI-O") {
			t.Errorf("service %q, problems %q", p.Service.Name, p.Problems)
		}
		if p.Trials != nil && len(p.Trials("x")) != 1 {
			t.Errorf("tests with %+v", p.Trials("x"))
		}
	}
}

func TestRootlessProxy(t *testing.T) {
	d := homeOf(t, map[string]string{aliceFile: "{}"})
	m := Machine{Files: os.DirFS(d.Root), UserOnly: true}.As("alice", false)
	p := PlanProxy(m, aProxy, []string{"docker-rootless"})[0]
	if len(p.Changes) != 1 || p.Changes[0].Path != aliceFile || !strings.Contains(string(p.Changes[0].After), "https-proxy") || strings.Join(p.Service.Reload, " ") != "systemctl --user restart docker" {
		t.Errorf("got %+v", p)
	}
}

// TestTwoContainerds: containerd, that of k3s and that of docker on one machine keep
// their own files, and each is tested at its own address.
func TestTwoContainerds(t *testing.T) {
	files := fstest.MapFS{
		"usr/bin/containerd": {}, "usr/bin/dockerd": {}, "usr/local/bin/k3s": {}, "usr/local/bin/ctr": {}, // a link to k3s
		containerdConfig: {Data: []byte("disabled_plugins = [\"cri\"]\n")},
	}
	seen := map[string]string{}
	for _, p := range Plan(Machine{Files: files}, local(t), nil) {
		for _, c := range p.Changes {
			if other := seen[c.Path]; other != "" {
				t.Errorf("%s is changed for %s and %s", c.Path, other, p.Client)
			}
			seen[c.Path] = p.Client
		}
		want := map[string]string{
			"docker":     "docker --host unix:///var/run/docker.sock pull x",
			"containerd": "ctr --address /run/containerd/containerd.sock -n k8s.io images pull --hosts-dir /etc/containerd/certs.d x",
			"k3s":        "k3s crictl pull x",
		}[p.Client]
		if got := strings.Join(p.Trials("x")[0].Pull, " "); got != want {
			t.Errorf("%s is tested with %s", p.Client, got)
		}
	}
	if seen["etc/rancher/k3s/registries.yaml"] != "k3s" || seen["etc/containerd/certs.d/gcr.io/hosts.toml"] != "containerd" || seen[daemon] != "docker" {
		t.Errorf("changed %v", seen)
	}
}

// TestDockerDesktopInWSL: the docker of a WSL is that of the settings on Windows.
func TestDockerDesktopInWSL(t *testing.T) {
	p := Plan(Machine{Files: fstest.MapFS{"mnt/wsl/docker-desktop/cli-tools/usr/bin/docker": {}}}, local(t), nil)[0]
	if len(p.Problems) != 1 || !strings.Contains(p.Problems[0], "in Settings, Docker Engine, add") || len(p.Changes) > 0 {
		t.Errorf("got %+v", p)
	}
}
