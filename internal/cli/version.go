package cli

import (
	"context"
	"flag"
	"fmt"

	"github.com/imageferry/ferry/internal/wiring"
)

var versionCommand = command{
	name:    "version",
	summary: "print Ferry's version, commit and Go version",
	help:    "Prints the version, the commit it was built from, and the Go version that built it.",
	run: func(_ context.Context, env wiring.Env, flags *flag.FlagSet) (int, error) {
		if _, err := parseFlags(flags, env.Args); err != nil {
			return wiring.StatusUsage, err
		}
		b := wiring.ReadBuild()
		fmt.Fprintf(env.Stdout, "ferry %s (commit %s, %s)\n", b.Version, b.Commit, b.Go)
		return wiring.StatusDone, nil
	},
}
