// Command ferry mirrors container images to registries that people can reach.
// It is the program of the GitHub Action and a tool for the terminal.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/imageferry/ferry/internal/cli"
	"github.com/imageferry/ferry/internal/runner"
	"github.com/imageferry/ferry/internal/wiring"
)

const (
	// softMemory is the target of the garbage collector, in bytes. With the pages of
	// the program, which it does not count, the process stays below 64 MiB.
	// With GOGC or GOMEMLIMIT, those alone apply.
	softMemory = 52 << 20
	// firstMemory is when garbage is collected for the first time. Most copies of
	// small images end before: a heap of a few megabytes would be collected ten
	// times while it grows.
	firstMemory = 28 << 20
)

// collect sets when garbage is collected.
func collect() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(firstMemory)
	runtime.AddCleanup(new(*byte), func(int) { // with the first collection
		// Most of the heap is the bounded memory for blobs. It does not grow,
		// so collecting twice as often costs little and halves the rest.
		if debug.SetMemoryLimit(-1) == firstMemory { // no command has set another
			debug.SetGCPercent(50)
			debug.SetMemoryLimit(softMemory)
		}
	}, 0)
}

func main() {
	collect()
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
