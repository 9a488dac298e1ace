package cli

import (
	"context"

	"github.com/imageferry/ferry/internal/demo"
	"github.com/imageferry/ferry/internal/wiring"
)

var demoCommand = command{
	name:    "demo",
	summary: "show the whole process on this machine, without registries",
	args:    "[serve]",
	words:   []string{"serve"},
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
