// Bench compares Ferry with the copiers that people use, on a network that it
// makes itself, and prints Markdown. See README.md.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/imageferry/ferry/bench/internal/peer"
	"github.com/imageferry/ferry/bench/internal/sandbox"
	"github.com/imageferry/ferry/bench/internal/site"
	"github.com/imageferry/ferry/bench/internal/workload"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := bench(ctx, os.Args[1:]); {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, sandbox.ErrFailed):
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	cases, peers *regexp.Regexp
	rounds       int
	trace, quick bool
	named        bool // cases were chosen
	seed         uint64
	out, tree    string
	cache, work  string
}

func parse(args []string) (options, error) {
	o := options{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	cases := flags.String("run", "", "only cases that match this `regexp`: W/a … L/Fb, fault/source-reset …")
	peers := flags.String("peers", "", "only peers whose name matches this `regexp`")
	flags.IntVar(&o.rounds, "n", 0, "rounds of each comparison, instead of the plan's")
	flags.BoolVar(&o.quick, "quick", false, "only the quick plan: a few cases once, in less than five minutes")
	flags.Uint64Var(&o.seed, "seed", 1, "`seed` that condition X is drawn with; Y and Z are drawn with the next two")
	flags.BoolVar(&o.trace, "trace", false, "print every request to standard error")
	flags.StringVar(&o.out, "o", "", "write to this `file` instead of standard output")
	flags.StringVar(&o.tree, "tree", "..", "Ferry's source `folder`")
	flags.StringVar(&o.cache, "cache", "", "`folder` that keeps the peers' binaries (default: ferry-bench in the user's cache)")
	flags.StringVar(&o.work, "work", shared(), "`folder` for the registries' files, best in memory")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected %q", flags.Arg(0))
	}
	o.named = *cases != ""
	var err error
	if o.cases, err = regexp.Compile(*cases); err != nil {
		return o, fmt.Errorf("reading -run: %w", err)
	}
	if o.peers, err = regexp.Compile(*peers); err != nil {
		return o, fmt.Errorf("reading -peers: %w", err)
	}
	if o.quick {
		o.rounds = cmp.Or(o.rounds, 1)
		if *cases == "" {
			o.cases = quickCases
		}
		if *peers == "" {
			o.peers = quickPeers
		}
	}
	if o.cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return o, fmt.Errorf("finding the cache: %w", err)
		}
		o.cache = filepath.Join(user, "ferry-bench")
	}
	return o, nil
}

// shared is the memory that Linux offers as files, if it is there.
func shared() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return os.TempDir()
}

// bench builds what it compares, and then runs again inside a sandbox.
func bench(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if !sandbox.Inside() {
		if err := os.MkdirAll(o.cache, 0o755); err != nil {
			return fmt.Errorf("making the cache: %w", err)
		}
		if err := peer.Build(ctx, o.tree, o.cache, slices.Concat(o.filter(peer.Single()), o.filter(peer.Many()))); err != nil {
			return err
		}
		return sandbox.Run(ctx)
	}
	var report bytes.Buffer
	if err := o.measure(ctx, &report); err != nil {
		return err
	}
	if o.out == "" {
		_, err = os.Stdout.Write(report.Bytes())
	} else {
		err = os.WriteFile(o.out, report.Bytes(), 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func (o options) measure(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp(o.work, "ferry-bench-")
	if err != nil {
		return fmt.Errorf("making a folder to work in: %w", err)
	}
	defer os.RemoveAll(dir)
	var trace io.Writer
	if o.trace {
		trace = os.Stderr
	}
	rig, err := newRig(ctx, o.cache, dir, trace)
	if err != nil {
		return err
	}
	begin := time.Now()
	var speeds []measured
	for _, c := range comparisons {
		if !o.chooses(c) {
			continue
		}
		m, err := o.compare(ctx, rig, c)
		if err != nil {
			return fmt.Errorf("comparing %s: %w", c.name(), err)
		}
		speeds = append(speeds, m)
	}
	var faults []withstood
	for _, d := range disturbances {
		if !o.cases.MatchString("fault/" + d.name) {
			continue
		}
		w, err := o.disturb(ctx, rig, d)
		if err != nil {
			return fmt.Errorf("disturbing by %s: %w", d.name, err)
		}
		faults = append(faults, w)
	}
	if len(speeds)+len(faults) == 0 {
		return fmt.Errorf("no case matches %q", o.cases)
	}
	write(out, title(begin, peer.Revision(o.tree), o.omitted()), speeds, faults)
	return nil
}

// chooses reports whether a comparison is to be made.
func (o options) chooses(c comparison) bool {
	return o.cases.MatchString(c.name()) && (o.named || !c.extra)
}

// omitted tells what of the plan was left out, "" if nothing was.
func (o options) omitted() string {
	var cases, peers []string
	for _, c := range comparisons {
		if !o.chooses(c) {
			cases = append(cases, c.name())
		}
	}
	for _, d := range disturbances {
		if name := "fault/" + d.name; !o.cases.MatchString(name) {
			cases = append(cases, name)
		}
	}
	for _, p := range slices.Concat(peer.Single(), peer.Many()) {
		if !o.peers.MatchString(p.Name) {
			peers = append(peers, p.Name)
		}
	}
	var text string
	if len(cases) > 0 {
		text += "\nNot run: " + strings.Join(cases, ", ") + ".\n"
	}
	if len(peers) > 0 {
		text += "\nNot compared with: " + strings.Join(peers, "; ") + ".\n"
	}
	return text
}

// compare runs the peers in turn, round by round, so that a machine that gets
// slower meanwhile is unfair to nobody.
func (o options) compare(ctx context.Context, r *rig, c comparison) (measured, error) {
	m := measured{comparison: c, workload: workload.All()[c.workload]}
	all := append(slices.Clip(conditions), drawn("X", o.seed), drawn("Y", o.seed+1), drawn("Z", o.seed+2))
	m.condition = all[slices.IndexFunc(all, func(x condition) bool { return x.name == c.condition })]
	m.condition.sourceHabits.HTTP2 = true // sources sit behind CDNs, which speak it; many registries that one pushes to don't
	if err := r.provide(m.workload); err != nil {
		return m, err
	}
	peers := peer.Single()
	switch {
	case c.save:
		peers = peer.Savers()
	case len(m.workload.Images) > 1:
		peers = peer.Many()
	}
	for _, p := range o.filter(peers) {
		if c.peers == nil || c.peers.MatchString(p.Name) {
			m.rows = append(m.rows, row{peer: p})
		}
	}
	s := scene{
		load:     m.condition.load,
		workload: m.workload, source: m.condition.source, target: m.condition.target, way: m.condition.way, present: c.present, save: c.save,
		sourceHabits: m.condition.sourceHabits, targetHabits: m.condition.targetHabits,
	}
	for round := range cmp.Or(o.rounds, c.rounds) {
		for i := range m.rows {
			if round > 0 && m.beaten(m.rows[i]) {
				continue
			}
			a, err := r.run(ctx, m.rows[i].peer, s)
			if err != nil {
				return m, err
			}
			if err := ctx.Err(); err != nil {
				return m, err
			}
			progress(c.name(), m.rows[i].peer, a)
			m.rows[i].attempts = append(m.rows[i].attempts, a)
		}
	}
	return m, nil
}

func (o options) disturb(ctx context.Context, r *rig, d disturbance) (withstood, error) {
	w := withstood{disturbance: d}
	s := scene{
		workload: workload.All()[d.workload], source: disturbed, target: disturbed, way: famous,
		sourceHabits: site.Habits{HTTP2: true},
		sourceFaults: d.source, targetFaults: d.target, kill: d.kill,
	}
	if err := r.provide(s.workload); err != nil {
		return w, err
	}
	for _, p := range o.filter(peer.Single()) {
		if !robust.MatchString(p.Name) {
			continue
		}
		a, err := r.run(ctx, p, s)
		if err != nil {
			return w, err
		}
		if err := ctx.Err(); err != nil {
			return w, err
		}
		progress("fault/"+d.name, p, a)
		w.peers = append(w.peers, p)
		w.attempts = append(w.attempts, a)
	}
	return w, nil
}

func (o options) filter(peers []peer.Peer) []peer.Peer {
	return slices.DeleteFunc(peers, func(p peer.Peer) bool { return !o.peers.MatchString(p.Name) })
}

// progress prints progress to standard error.
func progress(name string, p peer.Peer, a attempt) {
	fmt.Fprintf(os.Stderr, "%s  %-20s %-24s %7.2f s  CPU %5.2f s  %4d MiB  %d + %d requests  %.1f / %.1f MiB  others %2.0f %%, rig %v late\n",
		time.Now().Format(time.TimeOnly), name, p.Name, a.wall.Seconds(), a.cpu.Seconds(), a.peak/mib,
		a.source.Requests, a.target.Requests, float64(a.source.Sent)/mib, float64(a.target.Received)/mib,
		100*a.foreign, a.late().Round(time.Millisecond))
	if a.err != nil {
		fmt.Fprintf(os.Stderr, "          failed: %v\n", a.err)
	}
}
