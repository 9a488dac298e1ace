// Command ferry carries container images to registries that people can reach.
// It is the entry of the GitHub Action and a tool for the terminal.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/imageferry/ferry/internal/cli"
	"github.com/imageferry/ferry/internal/runner"
	"github.com/imageferry/ferry/internal/wiring"
)

// softMemory is how much memory the process means to get along with, in bytes;
// near it the garbage is collected more often. GOMEMLIMIT sets another one.
const softMemory = 64 << 20

func main() {
	if os.Getenv("GOGC") == "" {
		// Most of the heap is the bounded memory that blobs pass through. It does
		// not grow, so collecting twice as often costs little and halves the rest.
		debug.SetGCPercent(50)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	// What libraries complain of may hold a server's words.
	log.SetFlags(0)
	log.SetOutput(runner.NewStream(os.Stderr))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	status := cli.Run(ctx, wiring.Env{
		Args:   os.Args[1:],
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
		Getenv: os.Getenv,
		Proxy:  http.ProxyFromEnvironment,
	})
	stop()
	os.Exit(status)
}
