package clients

// ctr is containerd's own client. The namespace is that of the kubelet.
func ctr(m Mirror) []string { return containerd("ctr -n k8s.io", m) }
