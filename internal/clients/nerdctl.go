package clients

// nerdctl has docker's command line and puts images into containerd's
// namespace "default". On a node of Kubernetes ctr is the one to use.
func nerdctl(m Mirror) []string { return dockerLike("nerdctl", m) }
