package cli

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/wiring"
)

// rootWith returns the root of a machine that has folders.
func rootWith(t *testing.T, folders ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, folder := range folders {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestSetupRoot sets up the clients of another root, which are not tested.
func TestSetupRoot(t *testing.T) {
	root := rootWith(t, "etc/docker")
	args := []string{"setup", "--root", root, "--front", "http://127.0.0.1:1", "--only", "docker"}
	status, stdout, stderr := ferry(t, "", nil, args...)
	if status != wiring.StatusDone || !strings.Contains(stdout, `+  "registry-mirrors": ["http://127.0.0.1:1"]`) || !strings.Contains(stdout, "Nothing was written") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	status, stdout, stderr = ferry(t, "", nil, append(args, "--apply")...)
	if status != wiring.StatusDone || !strings.Contains(stdout, "not tested; takes effect after: systemctl reload docker") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	status, stdout, stderr = ferry(t, "", nil, "setup", "--root", root, "--undo")
	if status != wiring.StatusDone || !strings.Contains(stdout, "restored /etc/docker/daemon.json\nthen run: systemctl reload docker\n") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
}

// TestSetupUser sets up the clients of a user alone, and keeps its journal in the home.
func TestSetupUser(t *testing.T) {
	root := rootWith(t, "etc/docker", "home/alice/.config/systemd/user", "etc/containers")
	for name, text := range map[string]string{"etc/passwd": "alice:x:1000:1000::/home/alice:/bin/sh\n", "home/alice/.config/systemd/user/docker.service": ""} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"setup", "--root", root, "--front", "http://127.0.0.1:1", "--host", "docker.io", "--user"}
	environ := map[string]string{"USER": "alice"}
	status, stdout, stderr := ferry(t, "", environ, append(args, "--apply")...)
	if status != wiring.StatusDone || !strings.Contains(stdout, "takes effect after: systemctl --user restart docker") || strings.Contains(stdout, "/etc/") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	for _, file := range []string{".config/docker/daemon.json", ".config/containers/registries.conf.d/050-ferry.conf", ".local/state/ferry/setup.json"} {
		if _, err := os.Stat(filepath.Join(root, "home/alice", file)); err != nil {
			t.Error(err)
		}
	}
	if status, stdout, stderr = ferry(t, "", environ, "setup", "--root", root, "--undo"); !strings.Contains(stdout, "nothing to undo") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	if status, stdout, stderr = ferry(t, "", environ, "setup", "--root", root, "--undo", "--user"); strings.Count(stdout, "restored /home/alice/") != 2 {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	if status, _, stderr = ferry(t, "", map[string]string{"USER": "bob"}, args...); status != wiring.StatusUsage || !strings.Contains(stderr, "--user: the home folder of this user is not known") {
		t.Errorf("status %d\n%s", status, stderr)
	}
	if status, stdout, stderr = ferry(t, "", map[string]string{"SUDO_USER": "alice", "USER": "root"}, args[:len(args)-1]...); status != wiring.StatusDone || !strings.Contains(stdout, "docker-rootless:") || !strings.Contains(stdout, "--machine=alice@.host") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
}

// TestSetupInChinese: what interrupts something, and why nothing was tested, is said
// in Chinese, too.
func TestSetupInChinese(t *testing.T) {
	root := rootWith(t, "etc/containerd")
	if err := os.WriteFile(filepath.Join(root, "etc/containerd/config.toml"), []byte("version = 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stdout, stderr := ferry(t, "", map[string]string{"FERRY_LANGUAGE": "zh"}, "setup", "--root", root, "--front", "http://127.0.0.1:1", "--only", "containerd", "--apply")
	for _, want := range []string{"  会中断：镜像拉取和容器启动", "  没有测试；执行后生效：systemctl restart containerd\n"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is missing in\n%s%s", want, stdout, stderr)
		}
	}
}

// TestSetupAsksTheFrontFirst writes nothing if the front does not have what the
// clients are tested with.
func TestSetupAsksTheFrontFirst(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	for at, want := range map[string]string{other.URL: "set --test to an image that it has", "http://127.0.0.1:1": "does not answer"} {
		o := setupOptions{front: at, root: "/", hosts: list{"gcr.io"}}
		env := wiring.Env{Getenv: func(string) string { return "" }, Stdout: &strings.Builder{}, Stderr: &strings.Builder{}}
		front, err := o.frontOf(env)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.sample(t.Context(), env, front); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "nothing was written") {
			t.Errorf("%s: %v, want %q", at, err, want)
		}
	}
}

// TestSetupToken shows and writes a token, which the output does not have, and
// says what is wrong with files of --token and --ca.
func TestSetupToken(t *testing.T) {
	root, dir := rootWith(t, "etc/containerd"), t.TempDir()
	put := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	args := []string{"setup", "--root", root, "--front", "https://front.example", "--host", "gcr.io", "--apply"}
	status, stdout, stderr := ferry(t, "a-token-of-a-guest\n", nil, append(args, "--token", "-")...)
	if status != wiring.StatusDone || strings.Contains(stdout+stderr, "a-token-of-a-guest") || !strings.Contains(stdout, `"Bearer ********"`) || !strings.Contains(stdout, "in the clear") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	for want, given := range map[string][]string{
		"without a token of 16":       {"--token", put("two", "a-token-of-a-guest another-token-of-a-guest")},
		"there is no file":            {"--token", filepath.Join(dir, "none")},
		"holds no certificate in PEM": {"--ca", put("text", "MA==")},
		"which has a PRIVATE KEY":     {"--ca", put("key", "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n")},
		"whose certificate is broken": {"--ca", put("broken", "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n")},
		"--ca cannot be read":         {"--ca", filepath.Join(dir, "none")},
		"--ca is for fronts with TLS": {"--ca", dir, "--front", "http://127.0.0.1:1"},
		"16 or more letters":          {"--token", put("short", "sesame")},
	} {
		status, stdout, stderr := ferry(t, "", nil, append(args, given...)...)
		if status == wiring.StatusDone || !strings.Contains(stderr, want) || strings.Contains(stderr, "sesame") {
			t.Errorf("%q: status %d, want %q\n%s%s", given, status, want, stdout, stderr)
		}
	}
}

// TestAuthorities installs the certificates of a file and nothing else, each on
// lines of its own.
func TestAuthorities(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	one := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := "subject=an authority\n" + one + "-----BEGIN of another:\r\n" + strings.ReplaceAll(one, "\n", "\r\n") + "\n" + strings.TrimSpace(one)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := authorities(file, true); err != nil || got != one+one+one {
		t.Errorf("got %v\n%s", err, got)
	}
}

// TestSetupProxy shows, writes and undoes a proxy of docker, and refuses what is
// no proxy.
func TestSetupProxy(t *testing.T) {
	root := rootWith(t, "etc/docker")
	args := []string{"setup", "--root", root, "--proxy", "http://proxy.example:3128/", "--no-proxy", ".example"}
	status, stdout, stderr := ferry(t, "", nil, args...)
	if status != wiring.StatusDone || !strings.Contains(stdout, "  +Environment=\"HTTPS_PROXY=http://proxy.example:3128\"\n  +Environment=\"NO_PROXY=.example\"\n") ||
		!strings.Contains(stdout, "takes effect after: systemctl daemon-reload && systemctl restart docker\n") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	status, stdout, stderr = ferry(t, "", nil, append(args, "--apply")...)
	if status != wiring.StatusDone || !strings.Contains(stdout, "  written\n") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	status, stdout, stderr = ferry(t, "", nil, "setup", "--root", root, "--undo")
	if status != wiring.StatusDone || !strings.Contains(stdout, "restored /etc/systemd/system/docker.service.d/050-ferry.conf\nthen run: systemctl daemon-reload && systemctl restart docker\n") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	for want, given := range map[string][]string{
		"has a login":       {"--proxy", "http://me:sesame@proxy.example:3128"},
		"are two ways":      {"--front", "http://127.0.0.1:1"},
		"must be a scheme":  {"--proxy", "proxy.example:3128"},
		"must be a scheme,": {"--no-proxy", "a\nb"},
	} {
		status, stdout, stderr := ferry(t, "", nil, append(args, given...)...)
		if status != wiring.StatusUsage || !strings.Contains(stderr, want) || strings.Contains(stderr, "sesame") {
			t.Errorf("%q: status %d, want %q\n%s%s", given, status, want, stdout, stderr)
		}
	}
}
