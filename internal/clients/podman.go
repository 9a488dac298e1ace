package clients

// podman has docker's command line.
func podman(m Mirror) []string { return dockerLike("podman", m) }
