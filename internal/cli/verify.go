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
	help: `Checks archives of images from "ferry save", from docker 25 or later, or from podman
and skopeo in the format oci-archive. ARCHIVE is a tar file, or a folder with a tar
file or its parts. The command checks every digest and all layers of every image,
and compares docker's list of images with the index that other clients read. It does
not use the network.

Exit status: 0 if the archives are intact, 1 if something is missing, damaged or
inconsistent.`,
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
