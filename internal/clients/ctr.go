package clients

// ctr is containerd's own client. The namespace is the one in which the kubelet
// looks for images.
func ctr(m Mirror) []string { return containerd("ctr -n k8s.io", m) }
