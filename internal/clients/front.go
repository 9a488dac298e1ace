package clients

import "fmt"

// HostsServer returns the first line of containerd's hosts.toml for a registry
// whose API is at a host.
func HostsServer(api string) string { return fmt.Sprintf("server = %q\n", "https://"+api) }

// HostsTable returns the table of containerd's hosts.toml that makes it pull
// from a front first: the URL of the front, without a path
// (https://github.com/containerd/containerd/blob/main/docs/hosts.md).
func HostsTable(front string) string {
	return fmt.Sprintf("[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n", front)
}

// RegistryTable returns the tables of registries.conf that make podman, buildah,
// skopeo and CRI-O pull the images of a host from a front first: its host and
// port, and whether it is without TLS (containers-registries.conf(5)).
func RegistryTable(host, front string, plain bool) string {
	return fmt.Sprintf("[[registry]]\nprefix = %q\nlocation = %q\n\n[[registry.mirror]]\nlocation = %q\ninsecure = %t\n", host, host, front+"/"+host, plain)
}

// RegistryMirrors returns the key of docker's daemon.json that makes it pull
// images of Docker Hub from a front first.
func RegistryMirrors(front string) string { return fmt.Sprintf("\"registry-mirrors\": [%q]", front) }
