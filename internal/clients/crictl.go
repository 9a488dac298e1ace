package clients

// crictl pulls, but cannot tag, so the mirror name must be used.
func crictl(m Mirror) []string { return []string{"crictl pull " + m.Name.String()} }
