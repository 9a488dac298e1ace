package fanout

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// divisions are the ways to divide images that the simulation compares.
var divisions = []struct {
	name string
	deal func(Work, Rates, int) Dealt
	with world
}{
	{"round robin", func(w Work, _ Rates, jobs int) Dealt { return roundRobin(w, jobs) }, world{}},
	{"by size (LPT)", bySize, world{}},
	{"Ferry, no help", Work.Deal, world{homes: true}},
	{"Ferry", Work.Deal, world{homes: true, help: true}},
}

// summary are medians of several runs.
type summary struct{ time, most, bytes, minutes float64 }

// simulated simulates catalogs of n images. The times are multiples of the bound
// for the jobs that run at once; most is the ninth of ten. A run that does not end,
// because a job died and none helps, has an infinite time.
func simulated(n, jobs, seeds, division int, of world) summary {
	of.rates, of.help, of.homes = Usual(), divisions[division].with.help, divisions[division].with.homes
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

// setting is a part of the table in docs/fanout.md.
type setting struct {
	images, seeds int
	world
	divisions []int
}

// settings are the parts of the table, in its order.
func settings() (all []setting) {
	usual := world{slots: 20, sigma: 0.25, die: 0.01}
	for _, sigma := range []float64{0, 0.25, 0.5} {
		of := usual
		of.sigma = sigma
		all = append(all, setting{1000, 21, of, []int{0, 1, 2, 3}})
	}
	for _, of := range []world{{slots: 10, sigma: 0.25, die: 0.01}, {slots: 5, sigma: 0.25, die: 0.01}, {slots: 20, sigma: 0.25, die: 0.1}} {
		all = append(all, setting{1000, 21, of, []int{2, 3}})
	}
	for _, size := range [][2]int{{10, 21}, {100, 21}, {10_000, 7}, {100_000, 1}} {
		all = append(all, setting{size[0], size[1], usual, []int{0, 2, 3}})
	}
	return all
}

// rows simulates a part of the table and returns its rows.
func (s setting) rows() string {
	var b strings.Builder
	for _, d := range s.divisions {
		b.WriteString(row(s.images, s.world, d, simulated(s.images, 20, s.seeds, d, s.world)) + "\n")
	}
	return b.String()
}

// BenchmarkTable prints the table of docs/fanout.md.
func BenchmarkTable(b *testing.B) {
	for b.Loop() {
		fmt.Println("\n| images | σ | deaths | at once | division | time | 9 of 10 | bytes | job-minutes |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
		for _, s := range settings() {
			fmt.Print(s.rows())
		}
	}
}

func row(n int, of world, division int, s summary) string {
	multiple := func(x float64) string {
		if math.IsInf(x, 1) {
			return "never"
		}
		return fmt.Sprintf("%.2f", x)
	}
	images := fmt.Sprint(n)
	if n >= 1000 {
		images = fmt.Sprintf("%d,%03d", n/1000, n%1000)
	}
	return "| " + strings.Join([]string{
		images, fmt.Sprint(of.sigma), fmt.Sprintf("%.0f %%", 100*of.die), fmt.Sprint(of.slots), divisions[division].name,
		multiple(s.time), multiple(s.most), multiple(s.bytes), fmt.Sprintf("%.0f", s.minutes),
	}, " | ") + " |"
}
