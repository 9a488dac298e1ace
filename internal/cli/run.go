package cli

import (
	"context"

	"github.com/imageferry/ferry/internal/bot"
	"github.com/imageferry/ferry/internal/wiring"
)

var runCommand = command{
	name:    "run",
	summary: "handle the event that started a workflow (used by the Action)",
	help: `Handles the event that GitHub's runner describes by GITHUB_EVENT_NAME,
GITHUB_EVENT_PATH and the other variables of a workflow: it answers an issue or a
comment, mirrors the images of the input "images", continues unfinished requests on
a schedule, and checks the set-up on a push. Inputs come from FERRY_TARGET,
FERRY_USERNAME, FERRY_PASSWORD and other variables, which docs/configuration.md
lists.

With --dry-run, which is the default outside of workflows, nothing is copied and
nothing is written to GitHub: the plan and the comment are printed.`,
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
