package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/imageferry/ferry/bench/internal/peer"
)

// title opens the report: what made it, and on what.
func title(begin time.Time) string {
	return fmt.Sprintf(`# Performance

<!-- Made by the benchmark; edit bench/ instead. -->

Measured on %s with

    cd bench && go run . %s

on a machine with %d cores and %s of memory, %s, in %v. Compared with %s. What is
modelled and what is not: [bench/README.md](../bench/README.md).
`,
		begin.Format(time.DateOnly), strings.Join(os.Args[1:], " "),
		runtime.NumCPU(), memory(), runtime.Version(), time.Since(begin).Round(time.Second),
		strings.Join(peer.Versions(), ", "))
}

func memory() string {
	info, err := os.ReadFile("/proc/meminfo")
	var kib int64
	if err == nil {
		_, err = fmt.Sscanf(string(info), "MemTotal: %d kB", &kib)
	}
	if err != nil {
		return "an unknown size"
	}
	return fmt.Sprintf("%d GiB", (kib+1<<19)>>20)
}
