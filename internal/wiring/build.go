package wiring

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// Homepage tells operators of registries and GitHub who sends them requests.
const Homepage = "https://github.com/imageferry/ferry"

// Build is the version of the binary.
type Build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// ReadBuild reads the information that the Go toolchain records, so that "go
// run", "go install" and releases report their version without build flags.
func ReadBuild() Build {
	b := Build{Version: "devel", Commit: "unknown", Go: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Go = info.GoVersion
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	modified := ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				modified = "-modified"
			}
		}
	}
	if b.Commit != "unknown" {
		b.Commit += modified
	}
	return b
}

// UserAgent returns Ferry's name, version and home page for GitHub and
// registries.
func UserAgent() string {
	version := strings.TrimPrefix(ReadBuild().Version, "v")
	return fmt.Sprintf("ferry/%s (+%s)", version, Homepage)
}
