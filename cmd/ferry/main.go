// Command ferry mirrors container images to registries that people can reach.
// It is the program of the GitHub Action and a tool for the terminal.
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

// softMemory is the target of the garbage collector, in bytes. With the pages of
// the program, which it does not count, the process stays below 64 MiB.
// GOMEMLIMIT overrides it.
const softMemory = 52 << 20

func main() {
	if os.Getenv("GOGC") == "" {
		// Most of the heap is the bounded memory for blobs. It does not grow,
		// so collecting twice as often costs little and halves the rest.
		debug.SetGCPercent(50)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	// Messages of libraries may contain text from servers.
	log.SetFlags(0)
	log.SetOutput(runner.NewStream(os.Stderr))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)                 // a second signal ends the process at once
	_ = wiring.UseAllProxy(os.Getenv, os.Setenv) // only a value with a zero byte fails
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
