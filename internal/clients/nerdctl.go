package clients

// nerdctl has docker's command line and uses containerd's namespace "default".
// On a Kubernetes node, use ctr.
func nerdctl(m Mirror) []string { return dockerLike("nerdctl", m) }
