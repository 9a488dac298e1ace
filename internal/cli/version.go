package cli

import (
	"context"
	"fmt"

	"github.com/imageferry/ferry/internal/wiring"
)

var versionCommand = command{
	name:    "version",
	summary: "print Ferry's version, commit and Go version",
	declare: func(env wiring.Env, flags *flagSet) action {
		asJSON := flags.Bool("json", false, "print JSON")
		return func(_ context.Context, args []string) (int, error) {
			if err := noArguments(args); err != nil {
				return wiring.StatusUsage, err
			}
			b := wiring.ReadBuild()
			if *asJSON {
				return wiring.StatusDone, writeJSON(env.Stdout, b)
			}
			fmt.Fprintf(env.Stdout, "ferry %s (commit %s, %s)\n", b.Version, b.Commit, b.Go)
			return wiring.StatusDone, nil
		}
	},
}
