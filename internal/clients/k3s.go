package clients

// k3s has its own ctr, which connects to its containerd and uses the namespace
// k8s.io by default (pkg/ctr in k3s).
func k3s(m Mirror) []string { return containerd("k3s ctr", m) }
