package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imageferry/ferry/bench/internal/peer"
)

// usage is what a peer's processes took.
type usage struct {
	wall, cpu time.Duration
	peak      int64 // bytes resident, of the largest process
}

// execute runs commands, so many at a time, and returns the first failure with
// the end of what that command printed.
func execute(ctx context.Context, commands []peer.Command, processes int, env []string) (usage, error) {
	var (
		mu     sync.Mutex
		total  usage
		failed error
		g      sync.WaitGroup
	)
	slots := make(chan struct{}, max(processes, 1))
	begin := time.Now()
	for _, c := range commands {
		slots <- struct{}{}
		g.Go(func() {
			defer func() { <-slots }()
			u, err := executeOne(ctx, c, env)
			mu.Lock()
			defer mu.Unlock()
			total.cpu += u.cpu
			total.peak = max(total.peak, u.peak)
			if failed == nil {
				failed = err
			}
		})
	}
	g.Wait()
	total.wall = time.Since(begin)
	return total, failed
}

func executeOne(ctx context.Context, c peer.Command, env []string) (usage, error) {
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Env = append(slices.Clip(env), c.Env...)
	if err := cmd.Start(); err != nil {
		return usage{}, fmt.Errorf("starting %s: %w", c.Args[0], err)
	}
	done := make(chan struct{})
	peak := make(chan int64)
	go func() { peak <- watchPeak(cmd.Process.Pid, done) }()
	err := cmd.Wait()
	close(done)
	u := usage{cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak: <-peak}
	if err != nil {
		const most = 600
		said := output.Bytes()
		return u, fmt.Errorf("%w: …%s", errors.Join(err, ctx.Err()), said[max(0, len(said)-most):])
	}
	return u, nil
}

// watchPeak reads the high-water mark of a process' memory until done. The
// kernel's rusage would count what this process itself holds, too: a child
// starts with its parent's mark.
func watchPeak(pid int, done <-chan struct{}) int64 {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	file := "/proc/" + strconv.Itoa(pid) + "/status"
	var peak int64
	for {
		select {
		case <-done:
			return peak
		case <-tick.C:
			status, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			_, rest, _ := strings.Cut(string(status), "VmHWM:")
			line, _, _ := strings.Cut(rest, "kB\n")
			if kib, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64); err == nil {
				peak = max(peak, kib<<10)
			}
		}
	}
}
