package clients

import "testing"

func TestFront(t *testing.T) {
	for want, got := range map[string]string{
		"server = \"https://registry-1.docker.io\"\n":                                                                                              HostsServer("registry-1.docker.io"),
		"[host.\"http://127.0.0.1:5050\"]\n  capabilities = [\"pull\", \"resolve\"]\n":                                                             HostsTable("http://127.0.0.1:5050"),
		"\"registry-mirrors\": [\"https://front.example\"]":                                                                                        RegistryMirrors("https://front.example"),
		"[[registry]]\nprefix = \"gcr.io\"\nlocation = \"gcr.io\"\n\n[[registry.mirror]]\nlocation = \"front.example/gcr.io\"\ninsecure = false\n": RegistryTable("gcr.io", "front.example", false),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
