package fanout

import (
	"flag"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

var table = flag.Bool("table", false, "print the tables of docs/fanout.md, which takes minutes")

// divisions are the ways to divide images that the simulation compares.
var divisions = []struct {
	name string
	deal func(Work, Rates, int) Dealt
	help bool
}{
	{"round robin", func(w Work, _ Rates, jobs int) Dealt { return roundRobin(w, jobs) }, false},
	{"by size (LPT)", bySize, false},
	{"Ferry, no help", Work.Deal, false},
	{"Ferry", Work.Deal, true},
}

// summary are medians of several runs.
type summary struct{ time, most, bytes, minutes float64 }

// simulated simulates catalogs of n images. The times are multiples of the bound
// for the jobs that run at once; most is the ninth of ten. A run that does not end,
// because a job died and none helps, has an infinite time.
func simulated(n, jobs, seeds, division int, of world) summary {
	of.rates, of.help = Usual(), divisions[division].help
	var times, bytes, minutes []float64
	for seed := range seeds {
		random := seeded(uint64(seed))
		w := generated(n, random)
		o := simulate(w, divisions[division].deal(w, of.rates, jobs), of, random)
		times = append(times, o.time/w.Bound(of.rates, min(jobs, of.slots)).Seconds())
		bytes = append(bytes, float64(o.bytes)/float64(w.all().bytes))
		minutes = append(minutes, o.jobs/60)
	}
	slices.Sort(times)
	slices.Sort(bytes)
	slices.Sort(minutes)
	return summary{times[seeds/2], times[seeds*9/10], bytes[seeds/2], minutes[seeds/2]}
}

// TestSimulation: with runners of different speeds, helping is faster than every
// division alone, and finishes what dead jobs leave.
func TestSimulation(t *testing.T) {
	var got []float64
	for division := range divisions {
		got = append(got, simulated(300, 8, 11, division, world{slots: 8, sigma: 0.5}).time)
	}
	if got[3] >= got[2] || got[2] >= got[0] || got[3] >= got[1] {
		t.Errorf("the times of all divisions: %v", got)
	}
	if s := simulated(300, 8, 11, 3, world{slots: 4, sigma: 0.25, die: 0.3}); math.IsInf(s.most, 1) {
		t.Error("images of dead jobs are not copied")
	}
}

// TestTable prints the tables of docs/fanout.md.
func TestTable(t *testing.T) {
	if !*table {
		t.Skip("-table is not set")
	}
	usual := world{slots: 20, sigma: 0.25, die: 0.01}
	rows := func(n, seeds int, of world, divisions ...int) {
		for _, d := range divisions {
			fmt.Println(row(n, of, d, simulated(n, 20, seeds, d, of)))
		}
	}
	fmt.Println("| images | σ | deaths | at once | division | time | 9 of 10 | bytes | job-minutes |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	for _, sigma := range []float64{0, 0.25, 0.5} {
		of := usual
		of.sigma = sigma
		rows(1000, 21, of, 0, 1, 2, 3)
	}
	for _, of := range []world{{slots: 10, sigma: 0.25, die: 0.01}, {slots: 5, sigma: 0.25, die: 0.01}, {slots: 20, sigma: 0.25, die: 0.1}} {
		rows(1000, 21, of, 2, 3)
	}
	for _, size := range [][2]int{{10, 21}, {100, 21}, {10_000, 7}, {100_000, 1}} {
		rows(size[0], size[1], usual, 0, 2, 3)
	}
}

func row(n int, of world, division int, s summary) string {
	multiple := func(x float64) string {
		if math.IsInf(x, 1) {
			return "never"
		}
		return fmt.Sprintf("%.2f", x)
	}
	return "| " + strings.Join([]string{
		fmt.Sprint(n), fmt.Sprint(of.sigma), fmt.Sprintf("%.0f %%", 100*of.die), fmt.Sprint(of.slots), divisions[division].name,
		multiple(s.time), multiple(s.most), multiple(s.bytes), fmt.Sprintf("%.0f", s.minutes),
	}, " | ") + " |"
}
