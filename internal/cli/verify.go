package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/imageferry/ferry/internal/archive"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

var verifyCommand = command{
	name:    "verify",
	args:    "ARCHIVE...",
	summary: "check that an archive of images is intact",
	declare: func(env wiring.Env, _ *flagSet) action {
		return func(ctx context.Context, args []string) (int, error) { return runVerify(ctx, env, args) }
	},
}

func runVerify(ctx context.Context, env wiring.Env, paths []string) (int, error) {
	if len(paths) == 0 {
		return wiring.StatusUsage, usageError{"there is no archive: name a tar file, or the folder with its parts"}
	}
	status := wiring.StatusDone
	in := report.Terminal{Language: language(env)}
	for _, path := range paths {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(env.Stderr, "ferry verify: %s\n", in.Message("there is no file "+path))
			status = wiring.StatusFailed
			continue
		}
		found, err := archive.Verify(ctx, path)
		switch {
		case errors.Is(ctx.Err(), context.Canceled):
			return wiring.StatusInterrupted, errors.New("stopped")
		case err != nil:
			found.Faults = append(found.Faults, err)
		}
		for _, fault := range found.Faults {
			fmt.Fprintf(env.Stderr, "ferry verify: %s\n", in.Message(fault.Error()))
		}
		if len(found.Faults) > 0 {
			status = wiring.StatusFailed
			continue
		}
		for _, s := range found.Images {
			if s.Name.IsZero() {
				say(env, env.Stdout, "(without a name): %s\n", s.Digest)
			} else {
				fmt.Fprintf(env.Stdout, "%s: %s\n", s.Name, s.Digest)
			}
		}
		say(env, env.Stdout, "%s: %d blobs, %s: intact\n", path, found.Blobs, report.Size(found.Size))
	}
	return status, nil
}
