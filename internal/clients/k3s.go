package clients

// k3s brings a ctr of its own, which talks to its containerd and uses the
// namespace k8s.io unless it is told otherwise (pkg/ctr in k3s).
func k3s(m Mirror) []string { return containerd("k3s ctr", m) }
