package cli

import (
	"context"
	"flag"

	"github.com/imageferry/ferry/internal/demo"
	"github.com/imageferry/ferry/internal/wiring"
)

var demoCommand = command{
	name:    "demo",
	summary: "see the whole job done on this machine, with nothing installed",
	help: `Does the main job on parts that live in this process alone: public registries
with generated images, a target that wants a login, and a GitHub with an issue.
Shows the conversation as it happens, then pulls the mirrors back and compares
their digests. Nothing leaves the machine. FERRY_LANGUAGE=zh has the bot answer in
Chinese.`,
	run: runDemo,
}

func runDemo(ctx context.Context, env wiring.Env, flags *flag.FlagSet) (int, error) {
	if _, err := parseFlags(flags, env.Args); err != nil {
		return wiring.StatusUsage, err
	}
	if err := demo.Play(ctx, env); err != nil {
		return wiring.StatusFailed, err
	}
	return wiring.StatusDone, nil
}
