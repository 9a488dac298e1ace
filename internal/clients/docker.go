package clients

// docker pulls and tags. Each command is on its own line, which works in every
// shell, including those of Windows: PowerShell 5 has no "&&".
func docker(m Mirror) []string { return dockerLike("docker", m) }
