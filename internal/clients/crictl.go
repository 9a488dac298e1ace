package clients

// crictl pulls, but cannot tag: the mirror name is the one to use then.
func crictl(m Mirror) []string { return []string{"crictl pull " + m.Name.String()} }
