package cli

import (
	"context"

	"github.com/imageferry/ferry/internal/bot"
	"github.com/imageferry/ferry/internal/wiring"
)

var runCommand = command{
	name:    "run",
	summary: "handle the event that started a workflow (used by the Action)",
	declare: func(env wiring.Env, flags *flagSet) action {
		dry := flags.Bool("dry-run", env.Getenv("GITHUB_ACTIONS") != "true", "print the plan and the comment without changing anything")
		return func(ctx context.Context, args []string) (int, error) {
			if err := noArguments(args); err != nil {
				return wiring.StatusUsage, err
			}
			if env.Getenv("GITHUB_EVENT_NAME") == "" && env.Getenv("FERRY_IMAGES") == "" {
				return wiring.StatusUsage, usageError{`there is no event: GITHUB_EVENT_NAME and GITHUB_EVENT_PATH describe it in a workflow; at a terminal, "ferry copy" mirrors images, and "ferry parse" shows what a text asks for`}
			}
			return bot.Run(ctx, env, *dry)
		}
	},
}
