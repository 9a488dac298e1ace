package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/imageferry/ferry/bench/internal/peer"
)

// title opens the report: what made it, and on what.
func title(begin time.Time, revision, omitted string) string {
	return fmt.Sprintf(`# Performance

<!-- Made by the benchmark; edit bench/ instead. -->

Measured on %s with

    cd bench && go run . %s

on a machine with %d cores and %s of memory, %s, in %v. Ferry is that of revision
%s, as it is released. Compared with %s. What is
modelled and what is not: [bench/README.md](../bench/README.md). Runs of several jobs are
simulated in [fanout.md](fanout.md#simulation), and lists are compared with regsync in
[lists.md](lists.md#results), each with its command.
%s`,
		begin.Format(time.DateOnly), quoted(os.Args[1:]),
		runtime.NumCPU(), memory(), runtime.Version(), time.Since(begin).Round(time.Second),
		revision, strings.Join(peer.Versions(), ", "), omitted)
}

// quoted is a command's arguments as a shell takes them.
func quoted(args []string) string {
	var words []string
	for _, a := range args {
		if strings.ContainsAny(a, "|()$^*?[]{}<>&;#~\"\\` ") || a == "" {
			a = "'" + a + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
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

// load is the CPU time that has been used up to now: by the whole machine,
// other guests of its host included, and by this process and the children it waited for.
type load struct{ all, own time.Duration }

func currentLoad() load {
	var l load
	stat, err := os.ReadFile("/proc/stat")
	if err == nil {
		var user, nice, system, idle, iowait, irq, softirq, steal int64 // proc_stat(5), in hundredths of a second
		fmt.Sscanf(string(stat), "cpu %d %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal)
		l.all = time.Duration(user+nice+system+irq+softirq+steal) * 10 * time.Millisecond
	}
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			l.own += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return l
}

// foreignSince is the share of the machine that others used since before: one
// is all cores, all the time.
func foreignSince(before load, elapsed time.Duration) float64 {
	now := currentLoad()
	foreign := (now.all - before.all) - (now.own - before.own)
	return max(0, foreign.Seconds()/elapsed.Seconds()/float64(runtime.NumCPU()))
}
