package cli

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/wiring"
)

// harbour is the owner of the repository.
var harbour = fakeworld.Owner

// world is the surroundings of a command.
type world struct {
	*fakeworld.World

	github *fakegithub.Server // nil until a test starts it
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{World: fakeworld.New(t)}
}

// run runs a command and returns the output of both streams.
func (w *world) run(ctx context.Context, args ...string) (status int, said string) {
	var out fakeworld.Output
	status = Run(ctx, wiring.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out,
		Getenv: func(key string) string { return w.Environ[key] }, At: maps.Clone(w.At),
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	return status, out.String()
}
