package setup

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// corpus has configuration files by client, in the shapes in which people have
// them. Those with a name that begins with "!" cannot be edited.
var corpus = map[string]struct {
	file  string
	texts map[string]string
}{
	"docker": {daemon, map[string]string{
		"empty":                "",
		"blank lines":          "\n\n  \n",
		"an empty object":      "{}",
		"an object with tabs":  "{\t}\n",
		"nvidia":               "{\n    \"runtimes\": {\n        \"nvidia\": {\n            \"args\": [],\n            \"path\": \"nvidia-container-runtime\"\n        }\n    }\n}\n",
		"nvidia by default":    "{\n  \"default-runtime\": \"nvidia\",\n  \"runtimes\": { \"nvidia\": { \"path\": \"/usr/bin/nvidia-container-runtime\", \"runtimeArgs\": [] } },\n  \"exec-opts\": [\"native.cgroupdriver=systemd\"]\n}",
		"kubeadm":              "{\n  \"exec-opts\": [\"native.cgroupdriver=systemd\"],\n  \"log-driver\": \"json-file\",\n  \"log-opts\": {\n    \"max-size\": \"100m\"\n  },\n  \"storage-driver\": \"overlay2\"\n}\n",
		"mirrors":              "{\n  \"registry-mirrors\": [\n    \"https://a.mirror.example\",\n    \"https://b.mirror.example\"\n  ]\n}\n",
		"mirrors on one line":  `{"registry-mirrors":["https://a.mirror.example"],"debug":false}`,
		"mirrors with a comma": "{\n  \"registry-mirrors\": [\n    \"https://a.mirror.example\",\n  ],\n}\n",
		"mirrors, commented":   "{\n  \"registry-mirrors\": [\n    // the fast one\n    \"https://a.mirror.example\" /* slow */\n  ]\n}\n",
		"an escaped key":       "{\"registry\\u002dmirrors\": [\"https://a.mirror.example\"]}",
		"insecure registries":  "{\n\t\"insecure-registries\": [\"10.0.0.0/8\", \"registry.local:5000\"],\n\t\"registry-mirrors\": []\n}\n",
		"proxies":              "{\"proxies\": {\"http-proxy\": \"http://proxy.example:3128\", \"no-proxy\": \"*.example,127.0.0.0/8\"}}\n",
		"Windows":              "{\r\n  \"hosts\": [\"npipe://\"],\r\n  \"registry-mirrors\": [\r\n    \"https://a.mirror.example\"\r\n  ]\r\n}\r\n",
		"mixed line ends":      "{\r\n  \"debug\": true,\n  \"ipv6\": false\r\n}\n",
		"a byte order mark":    "\xef\xbb\xbf{\n  \"debug\": true\n}\n",
		"a mark and CRLF":      "\xef\xbb\xbf{\r\n  \"debug\": true\r\n}\r\n",
		"Chinese":              "{\n  \"labels\": [\"机房=北京\"],\n  \"data-root\": \"/数据/docker\"\n}\n",
		"large numbers":        "{\"a\": 12345678901234567890, \"b\": 1e400, \"c\": -0.0}",
		"nested":               strings.Repeat(`{"a":`, 50) + "1" + strings.Repeat("}", 50),
		"a megabyte":           "{\n  \"insecure-registries\": [\n" + strings.Repeat("    \"registry.example:5000\",\n", 36000) + "    \"last.example\"\n  ]\n}\n",
		"a key twice inside":   "{\"log-opts\": {\"a\": \"1\", \"a\": \"2\"}}",
		"!the key twice":       "{\"registry-mirrors\": [], \"registry-mirrors\": [\"https://a.example\"]}",
		"!no list":             "{\"registry-mirrors\": \"https://a.example\"}",
		"!broken":              "{\n  \"debug\": true,,\n}\n",
		"!cut off":             "{\n  \"debug\": tr",
		"!a list":              "[\"https://a.example\"]\n",
		"!UTF-16":              "\xff\xfe{\x00}\x00",
		"!a program":           "\x7fELF\x02\x01\x01\x00",
		"!YAML":                "registry-mirrors:\n  - https://a.example\n",
	}},
	"containerd": {containerdConfig, map[string]string{
		"empty":              "",
		"a comment":          "# see containerd-config.toml(5)\n",
		"version 2":          "version = 2\n",
		"version 3":          "version = 3\nroot = '/var/lib/containerd'\n",
		"nvidia":             "version = 2\n[plugins]\n  [plugins.\"io.containerd.grpc.v1.cri\"]\n    [plugins.\"io.containerd.grpc.v1.cri\".containerd]\n      default_runtime_name = \"nvidia\"\n      [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.nvidia]\n        runtime_type = \"io.containerd.runc.v2\"\n        [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.nvidia.options]\n          BinaryName = \"/usr/bin/nvidia-container-runtime\"\n",
		"systemd":            "version = 2\n\n[plugins.'io.containerd.grpc.v1.cri']\n\tsandbox_image = 'registry.k8s.io/pause:3.9'\n[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc.options]\n\tSystemdCgroup = true\n",
		"a registry table":   "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\n\n[plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"a.example\".auth]\n  username = \"u\"\n",
		"version 3 table":    "version = 3\n\n[plugins.'io.containerd.cri.v1.images']\n  snapshotter = 'overlayfs'\n\n  [plugins.'io.containerd.cri.v1.images'.registry]\n    # ours\n",
		"a path":             "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  config_path = \"/etc/containerd/certs.d\"\n",
		"dotted keys":        "version = 2\nplugins.\"io.containerd.grpc.v1.cri\".sandbox_image = \"a\"\n",
		"without Kubernetes": "disabled_plugins = [\"cri\"]\nversion = 2\n",
		"Windows":            "version = 2\r\n\r\n[debug]\r\n  level = 'debug'\r\n",
		"a byte order mark":  "\xef\xbb\xbfversion = 2\n",
		"tabs":               "version\t=\t2\n[grpc]\n\taddress\t=\t\"/run/containerd/containerd.sock\"\n",
		"imports":            "imports = [\"/etc/containerd/conf.d/*.toml\"]\nversion = 2\n",
		"a megabyte":         "version = 2\n" + strings.Repeat("# a comment of thirty letters..\n", 32000),
		"!mirrors":           "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"docker.io\"]\n  endpoint = [\"https://a.example\"]\n",
		"the default of 1.6": "version = 2\n[plugins]\n\n  [plugins.\"io.containerd.grpc.v1.cri\"]\n    sandbox_image = \"registry.k8s.io/pause:3.6\"\n\n    [plugins.\"io.containerd.grpc.v1.cri\".registry]\n      config_path = \"\"\n\n      [plugins.\"io.containerd.grpc.v1.cri\".registry.auths]\n\n      [plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors]\n\n  [plugins.\"io.containerd.internal.v1.opt\"]\n    path = \"/opt/containerd\"\n",
		"the default of 2.4": "version = 4\r\n[plugins]\r\n  [plugins.'io.containerd.cri.v1.images'.registry]\r\n    # ours\r\n\r\n    x = 1\r\n    config_path = '' # none\r\n\r\n  [plugins.'io.containerd.transfer.v1.local']\r\n    config_path = ''\r\n",
		"an empty path":      "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  config_path = ''\n",
		"!an inline table":   "version = 2\nplugins.\"io.containerd.grpc.v1.cri\" = {registry = {}}\n",
		"!version 1":         "[plugins.cri.registry]\n",
		"!a key twice":       "version = 2\nversion = 2\n",
		"!broken":            "version = \n",
	}},
	"k3s": {"etc/rancher/k3s/registries.yaml", map[string]string{
		"empty":           "",
		"comments":        "# mirrors:\n#   docker.io:\n",
		"logins":          "configs:\n  \"a.example\":\n    auth:\n      username: u\n      password: p\n    tls:\n      insecure_skip_verify: true\n",
		"a wildcard":      "mirrors:\n  \"*\":\n    endpoint:\n      - \"https://a.example\"\n",
		"the same host":   "mirrors:\n  docker.io:\n    endpoint:\n      - https://a.example # near\n      - https://b.example\n",
		"rewrites":        "mirrors:\n  docker.io:\n    endpoint: [https://a.example/v2]\n    rewrite:\n      \"^library/(.*)\": \"$1\"\n",
		"four columns":    "mirrors:\n    gcr.io:\n        endpoint:\n            - 'https://a.example'\n",
		"no indentation":  "mirrors:\n  gcr.io:\n    endpoint:\n    - https://a.example\n",
		"Windows":         "mirrors:\r\n  gcr.io:\r\n    endpoint:\r\n      - https://a.example\r\n",
		"no line end":     "mirrors:\n  gcr.io:\n    endpoint:\n      - https://a.example",
		"a document mark": "---\nmirrors:\n  quay.io:\n    endpoint: [a]\n",
		"!tabs":           "mirrors:\n\tdocker.io:\n",
		"!one line":       "{mirrors: {docker.io: {endpoint: [a]}}}\n",
		"!a key twice":    "mirrors:\n  gcr.io:\n    endpoint: [a]\nmirrors:\n  gcr.io:\n    endpoint: [b]\n",
		"!an anchor":      "mirrors: &m\n  gcr.io:\n    endpoint: [a]\nother: *m\n",
	}},
	"buildkit": {"etc/buildkit/buildkitd.toml", map[string]string{
		"empty":          "",
		"workers":        "debug = true\n[worker.oci]\n  max-parallelism = 4\n",
		"other registry": "[registry.\"a.example\"]\n  http = true\n  insecure = true\n",
		"Windows":        "debug = true\r\n",
		"no line end":    "debug = true",
		"!broken":        "[registry\n",
	}},
	"podman": {registriesConf, map[string]string{
		"empty":         "",
		"the default":   "# For more information see containers-registries.conf(5).\nunqualified-search-registries = [\"docker.io\"]\n",
		"another":       "[[registry]]\nprefix = \"*.example.com\"\nlocation = \"a.example\"\n",
		"Windows":       "unqualified-search-registries = ['docker.io']\r\n",
		"!version 1":    "[registries.search]\nregistries = ['docker.io']\n",
		"!its own host": "[[registry]]\nlocation = \"docker.io\"\nblocked = true\n[[registry]]\nlocation = \"gcr.io\"\n",
	}},
}

// TestCorpus sets up and undoes each file of the corpus on disk: the diff is all
// that changes, a second run changes nothing, and undoing restores every byte,
// the mode and the owner.
func TestCorpus(t *testing.T) {
	files := 0
	for client, of := range corpus {
		for name, text := range of.texts {
			files++
			t.Run(client+"/"+name, func(t *testing.T) {
				t.Parallel()
				d := Disk{Root: t.TempDir()}
				put := func(name, text string) {
					t.Helper()
					if err := os.MkdirAll(filepath.Dir(d.path(name)), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(d.path(name), []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				put("usr/bin/"+cmp.Or(map[string]string{"docker": "dockerd", "buildkit": "buildkitd"}[client], client), "")
				put(of.file, text)
				before := tree(t, d.Root)
				p := planOf(d, local(t), client)
				if !strings.HasPrefix(name, "!") != (len(p.Problems) == 0) {
					t.Fatalf("problems %q", p.Problems)
				}
				for _, c := range p.Changes {
					if !bytes.Equal(insert(c.Before, c.Insertions), c.After) {
						t.Errorf("%s changes more than it inserts", c.Path)
					}
				}
				if err := d.Apply(p); err != nil {
					t.Fatal(err)
				}
				if again := planOf(d, local(t), client); len(again.Changes) > 0 {
					t.Errorf("a second run changes %s: %q", again.Changes[0].Path, again.Changes[0].After)
				}
				if strings.HasPrefix(name, "!") && before[of.file] != tree(t, d.Root)[of.file] {
					t.Error("a file that cannot be edited has changed")
				}
				if _, err := d.Undo(); err != nil {
					t.Error(err)
				}
				if diff := gocmp.Diff(before, tree(t, d.Root)); diff != "" {
					t.Errorf("undo left:\n%.2000s", diff)
				}
			})
		}
	}
	if files < 60 {
		t.Errorf("the corpus has %d files", files)
	}
}

// TestAFolderInThePlaceOfAFile changes nothing.
func TestAFolderInThePlaceOfAFile(t *testing.T) {
	d, _ := machine(t)
	if err := os.Remove(d.path(daemon)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(d.path(daemon), 0o755); err != nil {
		t.Fatal(err)
	}
	if p := planOf(d, local(t), "docker"); len(p.Problems) == 0 || len(p.Changes) > 0 {
		t.Errorf("got %+v", p)
	}
}
