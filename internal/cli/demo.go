package cli

import (
	"context"

	"github.com/imageferry/ferry/internal/demo"
	"github.com/imageferry/ferry/internal/wiring"
)

var demoCommand = command{
	name:    "demo",
	summary: "show the whole process on this machine, without registries",
	help: `Mirrors images between simulated parts inside this process: public registries with
generated images, a target that requires a login, and a GitHub with an issue. Shows
the conversation as it happens, then pulls the mirrors back and compares their
digests. The network is not used.

"ferry demo serve" shows "ferry serve" instead: an image that the mirror has, one
that only the source has, and one that the pull itself has mirrored.`,
	args:  "[serve]",
	words: []string{"serve"},
	declare: func(env wiring.Env, flags *flagSet) action {
		raw := flags.Bool("raw", false, "show the comment as the Markdown that Ferry sends")
		return func(ctx context.Context, args []string) (int, error) {
			if !demo.Included {
				return wiring.StatusUsage, nil // find has said so; this leaves the demo out of the binary
			}
			if len(args) == 1 && args[0] == "serve" {
				if err := demo.Serve(ctx, env, language(env)); err != nil {
					return wiring.StatusFailed, err
				}
				return wiring.StatusDone, nil
			}
			if err := noArguments(args); err != nil {
				return wiring.StatusUsage, err
			}
			if err := demo.Play(ctx, env, language(env), *raw); err != nil {
				return wiring.StatusFailed, err
			}
			return wiring.StatusDone, nil
		}
	},
}
