package cli

import (
	"context"
	"flag"
	"fmt"
	"runtime/debug"
	"strings"
)

// homepage is where registries' and GitHub's operators can find out who sends
// them requests.
const homepage = "https://github.com/imageferry/ferry"

var versionCommand = command{
	name:    "version",
	summary: "print Ferry's version, commit and Go version",
	help:    "Prints the version, the commit it was built from, and the Go version that built it.",
	run: func(_ context.Context, env Env, flags *flag.FlagSet) (int, error) {
		if _, err := parseFlags(flags, env.Args); err != nil {
			return StatusUsage, err
		}
		b := readBuild()
		fmt.Fprintf(env.Stdout, "ferry %s (commit %s, %s)\n", b.version, b.commit, b.golang)
		return StatusDone, nil
	},
}

// build is what the binary knows about itself.
type build struct{ version, commit, golang string }

// readBuild takes everything from what the Go toolchain records, so that
// "go run", "go install" and a release all tell the truth without build flags.
func readBuild() build {
	b := build{version: "devel", commit: "unknown", golang: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.golang = info.GoVersion
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.version = v
	}
	modified := ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.commit = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				modified = "-modified"
			}
		}
	}
	if b.commit != "unknown" {
		b.commit += modified
	}
	return b
}

// userAgent names Ferry, its version and its home to GitHub and to registries.
func userAgent() string {
	version := strings.TrimPrefix(readBuild().version, "v")
	return fmt.Sprintf("ferry/%s (+%s)", version, homepage)
}
