// Serve compares "ferry serve" with the servers that people put in front of a
// registry, on this machine, and prints Markdown. See ../README.md.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) == 5 && os.Args[1] == "peer" { // started by this program, see other
		servePeer(ctx, os.Args[2], os.Args[3], os.Args[4])
		return
	}
	if err := bench(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context) error {
	out := flag.String("o", "", "write to this `file` instead of standard output")
	run := flag.String("run", "", "only tables whose number matches this `regexp`")
	tree := flag.String("tree", "..", "Ferry's source `folder`")
	flag.Parse()
	dir, err := os.MkdirTemp("", "ferry-serve-bench-")
	if err != nil {
		return fmt.Errorf("making a folder to work in: %w", err)
	}
	defer os.RemoveAll(dir)
	ferry := filepath.Join(dir, "ferry")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", ferry, "./cmd/ferry")
	build.Dir, build.Stderr = *tree, os.Stderr
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if err := build.Run(); err != nil {
		return fmt.Errorf("building ferry: %w", err)
	}
	begin, load := time.Now(), loadAverage()
	b := &bed{ctx: ctx, dir: dir, ferry: ferry}
	defer b.stopAll()
	var report bytes.Buffer
	only := regexp.MustCompile(*run)
	for i, part := range []func(*bed) (string, error){
		(*bed).remembered, (*bed).relayed, (*bed).layer, (*bed).crowd, (*bed).fill, (*bed).firstByte, (*bed).memory, (*bed).tag,
	} {
		if !only.MatchString(fmt.Sprint(i + 1)) {
			continue
		}
		text, err := part(b)
		b.stopAll()
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		fmt.Fprint(os.Stderr, text)
		report.WriteString(text)
	}
	text := fmt.Sprintf(`# Performance of ferry serve

<!-- Made by the benchmark; edit bench/serve instead. -->

Measured on %s with

    cd bench && go run ./serve

on a machine with %d cores, %s, in %v. All servers run on this machine, one after
another, in front of the same registry; those that are not installed are left out.
Other programs were running: the load was %s at the beginning and %s at the end, so
compare the rows of one table, and rather CPU time than requests per second.
%s`, begin.Format(time.DateOnly), runtime.NumCPU(), runtime.Version(), time.Since(begin).Round(time.Second), load, loadAverage(), report.String())
	if *out == "" {
		_, err = os.Stdout.WriteString(text)
		return err
	}
	return os.WriteFile(*out, []byte(text), 0o644)
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// freeAddress returns an address on loopback that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// table returns a Markdown table under a heading.
func table(heading, about string, head []string, rows [][]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| %s |\n|%s\n", heading, about, strings.Join(head, " | "), strings.Repeat(" --- |", len(head)))
	for _, row := range rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	return b.String()
}
