package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/imageferry/ferry/bench/internal/peer"
	"github.com/imageferry/ferry/bench/internal/workload"
)

// measured is a comparison with what came out.
type measured struct {
	comparison
	condition condition
	workload  workload.Workload
	rows      []row // in the order of the peers
}

type row struct {
	peer     peer.Peer
	attempts []attempt
}

// withstood is a disturbance with what became of each peer.
type withstood struct {
	disturbance
	peers    []peer.Peer
	attempts []attempt
}

// computedLimit is the least time that physics leaves to a process that starts
// with nothing but the knowledge of who gives tokens: TCP, TLS and token at the
// target, while the shorter way to the source is used beside it; then POST,
// every blob on a connection of its own, the answer, and the manifests one
// after another. Zero on the loopback, where the machine is the limit.
func computedLimit(m measured) time.Duration {
	if m.condition.loopback() {
		return 0
	}
	c := m.condition
	rtt, think := c.target.RTT, c.targetHabits.Think
	token, exchange := 3*rtt, rtt+think
	if m.present {
		return token + exchange
	}
	// What the source has to say comes at the same time: a manifest, or two,
	// and the first bytes of a blob.
	asking := c.source.RTT + c.sourceHabits.Think
	reading, putting := 3*c.source.RTT+2*asking, exchange
	if c.sourceHabits.Lend > 0 {
		reading += 3 * c.source.RTT // another host
	}
	if m.workload.Index() {
		reading, putting = reading+asking, putting+exchange
	}
	source := c.source
	source.ConnRate = 0 // a blob can be read over several connections
	return max(token+exchange, reading) + max(c.target.Transfer(m.workload.Blobs()), source.Transfer(m.workload.Blobs())) + rtt/2 + think + putting
}

func (r row) succeeded() bool {
	return len(r.attempts) > 0 && !slices.ContainsFunc(r.attempts, func(a attempt) bool { return a.err != nil })
}

// late is the most by which the machine, not the model, held a byte up.
func (a attempt) late() time.Duration { return max(a.source.Late, a.target.Late) }

func (r row) wall() float64 {
	return median(r.attempts, func(a attempt) float64 { return a.wall.Seconds() })
}

// peak is in MiB.
func (r row) peak() float64 {
	return median(r.attempts, func(a attempt) float64 { return float64(a.peak) / mib })
}

// tokens is how many the last run asked for, on the side with more.
func (r row) tokens() int {
	last := r.attempts[len(r.attempts)-1]
	return max(last.source.Tokens, last.target.Tokens)
}

func (r row) cpu() float64 {
	return median(r.attempts, func(a attempt) float64 { return a.cpu.Seconds() })
}

func median(attempts []attempt, of func(attempt) float64) float64 {
	var values []float64
	for _, a := range attempts {
		values = append(values, of(a))
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// kinds are what Ferry is compared with.
var kinds = []peer.Kind{peer.Default, peer.Tuned, peer.Batch, peer.Thirty, peer.Eight}

// best is the fastest row of a kind, of which every run succeeded.
func (m measured) best(kind peer.Kind) (row, bool) {
	return m.fastest(func(p peer.Peer) bool { return p.Kind == kind })
}

// fastest is the fastest row of the peers meant, of which every run succeeded.
func (m measured) fastest(meant func(peer.Peer) bool) (row, bool) {
	var best row
	for _, r := range m.rows {
		if meant(r.peer) && r.succeeded() && (best.attempts == nil || r.wall() < best.wall()) {
			best = r
		}
	}
	return best, best.attempts != nil
}

// beaten reports whether a peer has failed, or is not Ferry and so slow that
// more runs would not make it the best.
func (m measured) beaten(r row) bool {
	if r.peer.Kind == peer.Ferry || !r.succeeded() {
		return !r.succeeded()
	}
	return slices.ContainsFunc(m.rows, func(other row) bool {
		return other.peer.Kind != peer.Ferry && other.succeeded() && r.wall() > 1.5*other.wall()
	})
}

// write prints everything as Markdown.
func write(out io.Writer, title string, speeds []measured, faults []withstood) {
	fmt.Fprint(out, title)
	writeDisturbance(out, speeds, faults)
	writeGoals(out, speeds, faults)
	if len(speeds) > 0 {
		writeRatios(out, speeds)
		writeLimits(out, speeds)
	}
	if len(faults) > 0 {
		writeFaults(out, faults)
	}
	if len(speeds) > 0 {
		fmt.Fprint(out, "\n## Every run\n\nWall and CPU time and memory are medians; memory is that of the largest process. Requests and bytes are of the last run, tokens and refused requests included. Late is the most by which the machine held a byte up beyond what the model would.\n")
		for _, m := range speeds {
			writeRows(out, m)
		}
	}
}

// writeDisturbance says how far the machine can be believed.
func writeDisturbance(out io.Writer, speeds []measured, faults []withstood) {
	var all []attempt
	for _, m := range speeds {
		for _, r := range m.rows {
			all = append(all, r.attempts...)
		}
	}
	for _, f := range faults {
		all = append(all, f.attempts...)
	}
	var late time.Duration
	var foreign float64
	for _, a := range all {
		late = max(late, a.late())
		foreign = max(foreign, a.foreign)
	}
	fmt.Fprintf(out, "\nIn the median of the %d runs other programs used %.0f %% of the machine, in the worst %.0f %%; the worst byte was %v later than the model has it.\n",
		len(all), 100*median(all, func(a attempt) float64 { return a.foreign }), 100*foreign, late.Round(time.Millisecond))
}

// outcome is a goal and what was measured.
type outcome struct {
	about, goal, measured string
	met                   bool
}

func isFerry(p peer.Peer) bool { return p.Kind == peer.Ferry }

// outcomes returns the goals of a comparison. There are none if Ferry was left out.
func (m measured) outcomes() (all []outcome) {
	if !slices.ContainsFunc(m.rows, func(r row) bool { return isFerry(r.peer) }) {
		return nil
	}
	ferry, ok := m.best(peer.Ferry)
	if !ok {
		return []outcome{{m.name(), "succeeds", "no", false}}
	}
	add := func(goal, format string, value any, met bool) {
		all = append(all, outcome{m.name(), goal, fmt.Sprintf(format, value), met})
	}
	for _, kind := range kinds {
		least, set := m.goals[kind]
		best, found := m.best(kind)
		if set && found {
			ratio := best.wall() / ferry.wall()
			add(fmt.Sprintf("≥ %.4g × as fast as %s", least, best.peer.Name), "%.2f", ratio, ratio >= least)
		}
	}
	if limit := computedLimit(m).Seconds(); m.limit > 0 && limit > 0 {
		times := ferry.wall() / limit
		add(fmt.Sprintf("≤ %.4g × the computed limit", m.limit), "%.2f", times, times <= m.limit)
	}
	if m.most.seconds > 0 {
		add(fmt.Sprintf("≤ %.4g s", m.most.seconds), "%.2f s", ferry.wall(), ferry.wall() <= m.most.seconds)
	}
	if m.most.mib > 0 {
		add(fmt.Sprintf("≤ %.4g MiB of memory", m.most.mib), "%.0f MiB", ferry.peak(), ferry.peak() <= m.most.mib)
	}
	if m.most.tokens > 0 {
		tokens := ferry.tokens()
		add(fmt.Sprintf("≤ %d tokens a side", m.most.tokens), "%d", tokens, tokens <= m.most.tokens)
	}
	if crane, found := m.fastest(func(p peer.Peer) bool { return strings.HasPrefix(p.Name, "crane") }); m.most.cpu > 0 && found {
		times := ferry.cpu() / crane.cpu()
		add(fmt.Sprintf("≤ %.4g × the processor time of %s", m.most.cpu, crane.peer.Name), "%.2f", times, times <= m.most.cpu)
	}
	return all
}

// outcomes returns the goals of a disturbance. There are none if Ferry was left out.
func (w withstood) outcomes() []outcome {
	ferry := slices.IndexFunc(w.peers, isFerry)
	if ferry < 0 {
		return nil
	}
	about := "fault/" + w.name
	if w.attempts[ferry].err != nil {
		return []outcome{{about, "succeeds", "no", false}}
	}
	all := []outcome{{about, "succeeds", "yes", true}}
	sent := func(a attempt) float64 { return float64(a.target.Received) / mib }
	best := math.Inf(1)
	for i, a := range w.attempts {
		if i != ferry && a.err == nil {
			best = min(best, sent(a))
		}
	}
	if extra := float64(w.extra) / mib; extra > 0 && !math.IsInf(best, 1) {
		more := sent(w.attempts[ferry]) - best
		all = append(all, outcome{about, fmt.Sprintf("sends ≤ %.4g MiB more than the best peer", extra), fmt.Sprintf("%+.1f MiB", more), more <= extra})
	}
	return all
}

// writeGoals states each goal beside what was measured.
func writeGoals(out io.Writer, speeds []measured, faults []withstood) {
	var all []outcome
	for _, m := range speeds {
		all = append(all, m.outcomes()...)
	}
	for _, f := range faults {
		all = append(all, f.outcomes()...)
	}
	if len(all) == 0 {
		return
	}
	var missed []string
	for _, o := range all {
		if !o.met {
			missed = append(missed, o.about+" "+o.goal)
		}
	}
	fmt.Fprintf(out, "\n## Goals\n\n%d of %d are met.", len(all)-len(missed), len(all))
	if len(missed) > 0 {
		fmt.Fprintf(out, " Missed: %s.", strings.Join(missed, "; "))
	}
	fmt.Fprint(out, "\n\n")
	table(out, "case", "goal", "measured", "")
	for _, o := range all {
		cells(out, o.about, o.goal, o.measured, mark(o.met))
	}
}

func writeRatios(out io.Writer, speeds []measured) {
	fmt.Fprint(out, "\n## Against the best peer\n\nOf each kind of peer the fastest; ratio is its time by Ferry's, CPU is Ferry's seconds by its.\n\n")
	table(out, "case", "Ferry s", "against", "the best", "s", "ratio", "goal", "", "CPU")
	for _, m := range speeds {
		ferry, ok := m.best(peer.Ferry)
		if !ok {
			continue
		}
		for _, kind := range kinds {
			best, ok := m.best(kind)
			if !ok {
				continue
			}
			ratio := best.wall() / ferry.wall()
			goal, verdict := "", ""
			if least, set := m.goals[kind]; set {
				goal, verdict = fmt.Sprintf("≥ %.4g", least), mark(ratio >= least)
			}
			cells(out, m.name(), seconds(ferry.wall()), string(kind), best.peer.Name, seconds(best.wall()),
				fmt.Sprintf("%.2f", ratio), goal, verdict, fmt.Sprintf("%.2f", ferry.cpu()/best.cpu()))
		}
	}
}

func writeLimits(out io.Writer, speeds []measured) {
	fmt.Fprint(out, "\n## Against the computed limit\n\nWhat round trips, slow start and bandwidth leave to a process that starts cold.\n\n")
	table(out, "case", "limit s", "Ferry s", "× limit", "goal", "", "best peer × limit")
	for _, m := range speeds {
		limit := computedLimit(m).Seconds()
		ferry, ok := m.best(peer.Ferry)
		if !ok || limit == 0 {
			continue
		}
		goal, verdict := "", ""
		if m.limit > 0 {
			goal, verdict = fmt.Sprintf("≤ %.4g", m.limit), mark(ferry.wall() <= m.limit*limit)
		}
		others := "–"
		fastest := math.Inf(1)
		for _, r := range m.rows {
			if r.peer.Kind != peer.Ferry && r.succeeded() && r.wall() < fastest {
				fastest = r.wall()
				others = fmt.Sprintf("%.2f (%s)", fastest/limit, r.peer.Name)
			}
		}
		cells(out, m.name(), seconds(limit), seconds(ferry.wall()), fmt.Sprintf("%.2f", ferry.wall()/limit), goal, verdict, others)
	}
}

func writeRows(out io.Writer, m measured) {
	about := m.workload.About
	if m.present {
		about = "everything is there already: " + about
	}
	fmt.Fprintf(out, "\n### %s\n\n%s; %s.\n\n", m.name(), m.condition.about, about)
	table(out, "peer", "runs", "wall s (min–max)", "CPU s", "peak RSS MiB", "requests src + dst", "connections src + dst (+ token)", "mounts", "MB read / sent", "late ms", "digests kept")
	rows := slices.Clone(m.rows)
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.wall(), b.wall()) })
	for _, r := range rows {
		last := r.attempts[len(r.attempts)-1]
		walls := make([]float64, 0, len(r.attempts))
		var late time.Duration
		for _, a := range r.attempts {
			walls = append(walls, a.wall.Seconds())
			late = max(late, a.late())
		}
		kept := "yes"
		if !r.succeeded() {
			kept = "**failed**"
		}
		requests, conns, mounts, bytes := "–", "–", "–", "–"
		if !m.condition.loopback() {
			requests = fmt.Sprintf("%d + %d", last.source.Requests, last.target.Requests)
			conns = fmt.Sprintf("%d + %d (+ %d + %d)", last.source.Conns, last.target.Conns, last.source.TokenConns, last.target.TokenConns)
			mounts = fmt.Sprint(last.target.Mounts)
			bytes = fmt.Sprintf("%.1f / %.1f", float64(last.source.Sent)/1e6, float64(last.target.Received)/1e6)
		}
		cells(out, r.peer.Name, fmt.Sprint(len(r.attempts)),
			fmt.Sprintf("%s (%s–%s)", seconds(r.wall()), seconds(slices.Min(walls)), seconds(slices.Max(walls))),
			fmt.Sprintf("%.2f", r.cpu()), fmt.Sprintf("%.0f", r.peak()), requests, conns, mounts, bytes,
			fmt.Sprint(late.Milliseconds()), kept)
	}
}

func writeFaults(out io.Writer, faults []withstood) {
	fmt.Fprintf(out, "\n## When something breaks\n\n64 MiB + 2 × 1 MiB (66.0 MiB) unless the row says otherwise; RTT %v and %g MB/s on both sides; one run each. The figures are seconds, and MiB read / sent. A cut counts bytes over all requests, so nobody is spared for reading or sending in pieces; what is in flight when it happens is lost.\n\n",
		disturbed.RTT, disturbed.Rate/1e6)
	head := []string{"what happens"}
	for _, p := range faults[0].peers {
		head = append(head, p.Name)
	}
	table(out, head...)
	for _, f := range faults {
		line := []string{f.about}
		for _, a := range f.attempts {
			verdict := "ok"
			if a.err != nil {
				verdict = "**fails**"
			}
			line = append(line, fmt.Sprintf("%s %.1f s, %.1f / %.1f", verdict, a.wall.Seconds(),
				float64(a.source.Sent)/mib, float64(a.target.Received)/mib))
		}
		cells(out, line...)
	}
}

func table(out io.Writer, head ...string) {
	cells(out, head...)
	cells(out, slices.Repeat([]string{"---"}, len(head))...)
}

func cells(out io.Writer, cells ...string) {
	fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | "))
}

// seconds has two decimals, or three where two would say nothing.
func seconds(s float64) string {
	if s < 0.1 {
		return fmt.Sprintf("%.3f", s)
	}
	return fmt.Sprintf("%.2f", s)
}

func mark(met bool) string {
	if met {
		return "met"
	}
	return "**missed**"
}
