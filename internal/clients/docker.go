package clients

// docker pulls and tags. Each command has a line of its own, which every shell
// takes, those of Windows too: PowerShell 5 has no "&&".
func docker(m Mirror) []string { return dockerLike("docker", m) }
