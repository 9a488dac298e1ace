package main

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"runtime"
	"time"

	"github.com/imageferry/ferry/bench/internal/peer"
	"github.com/imageferry/ferry/bench/internal/site"
	"github.com/imageferry/ferry/bench/internal/wire"
)

// condition is what lies between the clients and the two registries.
type condition struct {
	name, about    string
	source, target wire.Path
	sourceHabits   site.Habits
	targetHabits   site.Habits
	way            way
	load           int // programs that keep the processor busy
}

// loopback tells that nothing is in between, not even a meter.
func (c condition) loopback() bool { return c.target == wire.Path{} }

const (
	near   = 30 * time.Millisecond
	far    = 60 * time.Millisecond
	link   = 62.5e6 // bytes a second: 500 Mbit/s
	capped = 10e6   // what CDNs and registries often give one connection
)

var conditions = []condition{
	{name: "W", about: "wide area: RTT 30 ms to the source, 60 ms to the target, 62.5 MB/s each",
		source: wire.Path{RTT: near, Rate: link}, target: wire.Path{RTT: far, Rate: link}, way: famous},
	{name: "U", about: "as W, between registries that nobody knows beforehand",
		source: wire.Path{RTT: near, Rate: link}, target: wire.Path{RTT: far, Rate: link}, way: unknown},
	{name: "S", about: "as W, each connection to the source capped at 10 MB/s",
		source: wire.Path{RTT: near, Rate: link, ConnRate: capped}, target: wire.Path{RTT: far, Rate: link}, way: famous},
	{name: "K", about: "as W, every connection capped at 10 MB/s",
		source: wire.Path{RTT: near, Rate: link, ConnRate: capped}, target: wire.Path{RTT: far, Rate: link, ConnRate: capped}, way: famous},
	{name: "T", about: "as W, but the source thinks for 250 ms before each answer",
		source: wire.Path{RTT: near, Rate: link}, target: wire.Path{RTT: far, Rate: link}, way: famous,
		sourceHabits: site.Habits{Think: 250 * time.Millisecond}},
	{name: "T100", about: "as W, but the source thinks for 100 ms before each answer",
		source: wire.Path{RTT: near, Rate: link}, target: wire.Path{RTT: far, Rate: link}, way: famous,
		sourceHabits: site.Habits{Think: 100 * time.Millisecond}},
	{name: "B", about: "as W, but both sides think for 150 ms before each answer",
		source: wire.Path{RTT: near, Rate: link}, target: wire.Path{RTT: far, Rate: link}, way: famous,
		sourceHabits: site.Habits{Think: 150 * time.Millisecond}, targetHabits: site.Habits{Think: 150 * time.Millisecond}},
	{name: "R", about: "RTT 180 ms to both sides, 62.5 MB/s each",
		source: wire.Path{RTT: 180 * time.Millisecond, Rate: link}, target: wire.Path{RTT: 180 * time.Millisecond, Rate: link}, way: famous},
	{name: "G", about: "as W, but every eighth connection to the source carries 0.3 MB/s",
		source: wire.Path{RTT: near, Rate: link, SlowEvery: 8, SlowRate: 0.3e6}, target: wire.Path{RTT: far, Rate: link}, way: famous},
	{name: "N", about: "near: RTT 5 ms and 125 MB/s on both sides, with tokens",
		source: wire.Path{RTT: 5 * time.Millisecond, Rate: 125e6}, target: wire.Path{RTT: 5 * time.Millisecond, Rate: 125e6}, way: famous},
	{name: "C", about: "as W, each connection to the target capped at 2 MB/s",
		source: wire.Path{RTT: near, Rate: link}, target: wire.Path{RTT: far, Rate: link, ConnRate: 2e6}, way: famous},
	{name: "Q", about: "as W, but every fifth connection to the target carries 0.3 MB/s",
		source: wire.Path{RTT: near, Rate: link}, target: wire.Path{RTT: far, Rate: link, SlowEvery: 5, SlowRate: 0.3e6}, way: famous},
	{name: "H", about: "as W, with HTTP/2 at the target, too",
		source: wire.Path{RTT: near, Rate: link}, target: wire.Path{RTT: far, Rate: link}, way: famous,
		targetHabits: site.Habits{HTTP2: true}},
	{name: "V", about: "as W, but the source thinks for 300 ms and then redirects readers of blobs to another host, at addresses that expire after 2 s",
		source: wire.Path{RTT: near, Rate: link}, target: wire.Path{RTT: far, Rate: link}, way: famous,
		sourceHabits: site.Habits{Think: 300 * time.Millisecond, Lend: 2 * time.Second}},
	{name: "O", about: "as W, but one packet in 10,000 is lost and each is up to 20 ms late",
		source: wire.Path{RTT: near, Rate: link, Loss: 1e-4, Jitter: 20 * time.Millisecond},
		target: wire.Path{RTT: far, Rate: link, Loss: 1e-4, Jitter: 20 * time.Millisecond}, way: famous},
	{name: "M", about: "as W, on a machine of which every processor is busy with another program, too",
		source: wire.Path{RTT: near, Rate: link}, target: wire.Path{RTT: far, Rate: link}, way: famous, load: runtime.NumCPU()},
	{name: "P", about: "as W, but the target refuses a PUT with data",
		source: wire.Path{RTT: near, Rate: link}, target: wire.Path{RTT: far, Rate: link}, way: famous,
		targetHabits: site.Habits{RefusePut: true}},
	{name: "L", about: "loopback: plain HTTP, nothing in between", way: plain},
}

// drawn returns a condition of which every figure is drawn from the range that
// production registries have, so that nothing can be tuned to one value.
func drawn(name string, seed uint64) condition {
	r := rand.New(rand.NewPCG(seed, 0))
	one := func(in int) bool { return r.IntN(in) == 0 }
	milliseconds := func(from, to int) time.Duration {
		return time.Duration(from+r.IntN(to-from+1)) * time.Millisecond
	}
	c := condition{name: name, way: famous}
	c.source = wire.Path{RTT: milliseconds(5, 180), Rate: 1e6 * float64(20+r.IntN(80))}
	c.target = wire.Path{RTT: milliseconds(5, 180), Rate: 1e6 * float64(20+r.IntN(80))}
	c.about = fmt.Sprintf("drawn with seed %d: RTT %v to the source and %v to the target, %.0f and %.0f MB/s",
		seed, c.source.RTT, c.target.RTT, c.source.Rate/1e6, c.target.Rate/1e6)
	say := func(format string, args ...any) { c.about += "; " + fmt.Sprintf(format, args...) }
	if one(2) {
		c.sourceHabits.Think = milliseconds(50, 400)
		say("the source thinks for %v", c.sourceHabits.Think)
	}
	if one(2) {
		c.targetHabits.Think = milliseconds(50, 400)
		say("the target thinks for %v", c.targetHabits.Think)
	}
	if one(3) {
		c.source.ConnRate = 1e6 * float64(2+r.IntN(18))
		say("each connection to the source carries %.0f MB/s", c.source.ConnRate/1e6)
	}
	if one(3) {
		c.source.SlowEvery, c.source.SlowRate = 4+r.IntN(8), 1e5*float64(2+r.IntN(8))
		say("one in %d of them %.1f MB/s", c.source.SlowEvery, c.source.SlowRate/1e6)
	}
	if one(3) {
		c.target.ConnRate = 1e6 * float64(2+r.IntN(18))
		say("each connection to the target carries %.0f MB/s", c.target.ConnRate/1e6)
	}
	if one(3) {
		c.sourceHabits.Lend = milliseconds(1000, 10_000)
		say("the source redirects readers of blobs to addresses that expire after %v", c.sourceHabits.Lend)
	}
	if one(3) {
		c.targetHabits.HTTP2 = true
		say("the target offers HTTP/2")
	}
	if one(3) {
		c.source.Jitter, c.target.Jitter = milliseconds(1, 30), milliseconds(1, 30)
		c.source.Loss, c.target.Loss = 1e-5*float64(r.IntN(30)), 1e-5*float64(r.IntN(30))
		say("up to %v and %v of jitter, %.2f and %.2f packets in 1,000 lost", c.source.Jitter, c.target.Jitter, 1e3*c.source.Loss, 1e3*c.target.Loss)
	}
	return c
}

// The quick plan: what a change of the engine is likely to spoil.
var (
	quickCases = regexp.MustCompile(`^(W/(a|b|c)|T/d256|B/b|R/b|G/d256|N/d256|H/c|P/a|X/b)$`)
	quickPeers = regexp.MustCompile(`^(ferry|crane, HTTP/1.1, -j 8|regctl)$`)
)

// comparison is one line of the plan: a workload under a condition.
type comparison struct {
	condition, workload string
	present             bool // everything is at the target already
	save                bool // to a tar file; there is no target
	rounds              int
	extra               bool           // only if asked for by name: it takes long
	peers               *regexp.Regexp // that are compared; nil for all
	// goals are the least ratios, peer's time by Ferry's, by kind of peer.
	goals map[peer.Kind]float64
	// limit is the most that Ferry may take, in computed limits; 0 is no goal.
	limit float64
	most  bounds
}

// bounds are the most that Ferry may need besides; 0 is no goal.
type bounds struct {
	seconds float64 // of wall time
	mib     float64 // of memory
	tokens  int     // that it asks for, on either side
	cpu     float64 // seconds by those of the fastest crane
}

// name is "W/b", "W/Fb" where everything is present, or "W/Ab" for an archive.
func (c comparison) name() string {
	if c.save {
		return c.condition + "/A" + c.workload
	}
	if c.present {
		return c.condition + "/F" + c.workload
	}
	return c.condition + "/" + c.workload
}

type ratios = map[peer.Kind]float64

// notBehind is the goal where there is nothing to win.
var notBehind = ratios{peer.Default: 0.97, peer.Batch: 0.97, peer.Thirty: 0.97}

// nearby is the goal where both registries are near.
var nearby = ratios{peer.Default: 0.97, peer.Tuned: 0.97}

// neverBehind is the goal where conditions are not what anything was tuned to.
var neverBehind = ratios{peer.Default: 1, peer.Tuned: 1}

// asLean is the goal where the processor may be the limit.
var asLean = bounds{cpu: 1.1}

// Most cases are compared with the peers that were the best somewhere; those
// that take long, with fewer.
var (
	few     = regexp.MustCompile(`^(ferry|crane|crane, HTTP/1.1, -j 8|oras)$`)
	cranes  = regexp.MustCompile(`^(ferry|crane|crane, HTTP/1.1, -j 8)$`)
	capable = regexp.MustCompile(`^(ferry|crane, HTTP/1.1, -j 8|skopeo)$`) // where connections are capped
	tuned   = regexp.MustCompile(`^(ferry|crane, HTTP/1.1, -j 8)$`)
	crowd   = regexp.MustCompile(`^(ferry|crane, 30 processes)$`)
	alone   = regexp.MustCompile(`^ferry$`)
	robust  = regexp.MustCompile(`^(ferry|crane|regctl|oras)$`) // in the fault table
)

var comparisons = []comparison{
	{condition: "W", workload: "a", rounds: 3, goals: ratios{peer.Default: 2}, limit: 1.15},
	{condition: "W", workload: "b", rounds: 3, goals: ratios{peer.Default: 1.12}, limit: 1.06},
	{condition: "W", workload: "c", rounds: 3, goals: ratios{peer.Default: 1.65}},
	{condition: "W", workload: "d256", rounds: 3, peers: few, goals: ratios{peer.Default: 1.12}, limit: 1.06},
	{condition: "W", workload: "d", rounds: 1, extra: true, goals: ratios{peer.Default: 1.12}, limit: 1.06},
	{condition: "W", workload: "e", rounds: 3, goals: ratios{peer.Batch: 10, peer.Thirty: 1.6}},
	{condition: "W", workload: "b", present: true, rounds: 3, goals: ratios{peer.Default: 2.5}},
	{condition: "W", workload: "c", present: true, rounds: 3, goals: ratios{peer.Default: 2.5}},
	{condition: "W", workload: "e", present: true, rounds: 3, goals: ratios{peer.Batch: 6}},
	{condition: "W", workload: "d", save: true, rounds: 3, extra: true, goals: notBehind, most: bounds{mib: 64}},
	{condition: "U", workload: "a", rounds: 3, extra: true, peers: few},
	{condition: "U", workload: "b", present: true, rounds: 3, extra: true},
	{condition: "S", workload: "b", rounds: 2, peers: capable, goals: ratios{peer.Default: 1.7}},
	{condition: "S", workload: "d256", rounds: 1, peers: tuned, goals: ratios{peer.Tuned: 5}},
	{condition: "K", workload: "b", rounds: 2, extra: true},
	{condition: "K", workload: "c", rounds: 3, peers: capable, goals: ratios{peer.Default: 3, peer.Tuned: 1.35}},
	{condition: "K", workload: "d256", rounds: 1, extra: true, goals: notBehind},
	{condition: "W", workload: "n300", rounds: 1, peers: crowd, goals: ratios{peer.Thirty: 3.5}, most: bounds{mib: 64, tokens: 12}},
	{condition: "W", workload: "n300", present: true, rounds: 1, peers: alone},
	{condition: "W", workload: "n1000", rounds: 1, peers: alone, most: bounds{mib: 64}},
	{condition: "W", workload: "n1000", present: true, rounds: 1, peers: alone, most: bounds{seconds: 2.5, mib: 64}},
	{condition: "W", workload: "n10000", rounds: 1, extra: true, peers: alone, most: bounds{mib: 64}},
	{condition: "W", workload: "n10000", present: true, rounds: 1, extra: true, peers: alone, most: bounds{mib: 64}},
	{condition: "T", workload: "b", rounds: 3, peers: few, goals: neverBehind, limit: 1.25},
	{condition: "T", workload: "d256", rounds: 3, peers: few, goals: neverBehind, limit: 1.25},
	{condition: "T100", workload: "d256", rounds: 3, extra: true, peers: few, goals: neverBehind, limit: 1.25},
	{condition: "B", workload: "b", rounds: 3, peers: cranes, goals: neverBehind, limit: 1.25},
	{condition: "V", workload: "b", rounds: 3, peers: cranes, goals: neverBehind, limit: 1.25},
	{condition: "V", workload: "d256", rounds: 1, extra: true, goals: neverBehind, limit: 1.25},
	{condition: "R", workload: "b", rounds: 3, peers: few, goals: ratios{peer.Default: 1.2, peer.Tuned: 1.2}},
	{condition: "R", workload: "d256", rounds: 1, extra: true, goals: neverBehind},
	{condition: "O", workload: "c", rounds: 3, peers: cranes, goals: neverBehind},
	{condition: "G", workload: "b", rounds: 3, peers: alone, limit: 1.4},
	{condition: "G", workload: "d256", rounds: 3, peers: cranes, limit: 1.4},
	{condition: "Q", workload: "b", rounds: 3, peers: alone, limit: 1.4},
	{condition: "Q", workload: "c", rounds: 3, peers: tuned, goals: neverBehind},
	{condition: "N", workload: "b", rounds: 3, peers: few, goals: nearby, most: asLean},
	{condition: "N", workload: "c", rounds: 3, peers: few, goals: nearby, most: asLean},
	{condition: "N", workload: "d256", rounds: 3, peers: few, goals: nearby, most: asLean},
	{condition: "C", workload: "c", rounds: 3, peers: tuned, goals: neverBehind},
	{condition: "H", workload: "b", rounds: 3, peers: cranes, goals: neverBehind},
	{condition: "H", workload: "c", rounds: 3, peers: cranes, goals: neverBehind},
	{condition: "H", workload: "n300", rounds: 1, peers: alone},
	{condition: "M", workload: "b", rounds: 3, peers: cranes, goals: neverBehind},
	{condition: "P", workload: "a", rounds: 3, peers: few, goals: neverBehind},
	{condition: "X", workload: "b", rounds: 3, peers: tuned, goals: neverBehind},
	{condition: "Y", workload: "c", rounds: 3, peers: cranes, goals: neverBehind},
	{condition: "Z", workload: "a", rounds: 3, peers: few, goals: neverBehind},
	{condition: "Z", workload: "d256", rounds: 1, extra: true, peers: few, goals: neverBehind},
	{condition: "L", workload: "a", rounds: 5, peers: few, goals: notBehind, most: asLean},
	{condition: "L", workload: "b", rounds: 5, peers: few, goals: notBehind, most: asLean},
	{condition: "L", workload: "c", rounds: 5, peers: few, goals: notBehind, most: asLean},
	{condition: "L", workload: "d", rounds: 3, peers: few, goals: notBehind, most: asLean},
	{condition: "L", workload: "e", rounds: 3, goals: notBehind},
	{condition: "L", workload: "b", present: true, rounds: 5, peers: few, goals: notBehind, most: asLean},
}

// disturbance is one line of the fault table.
type disturbance struct {
	name, about    string
	workload       string
	source, target []site.Fault
	// kill sends SIGKILL when the target has received so many bytes, and then
	// the command is given again.
	kill int64
	// extra is how much more Ferry may send than the best peer, in bytes; 0 is no
	// goal.
	extra int64
}

// disturbed is the path on which things go wrong: short, so that repeating
// bytes and waiting show.
var disturbed = wire.Path{RTT: 10 * time.Millisecond, Rate: 25e6}

var (
	getBlob     = regexp.MustCompile(`^GET .*/blobs/`)
	getManifest = regexp.MustCompile(`^(GET|HEAD) .*/manifests/`)
	startUpload = regexp.MustCompile(`^POST .*/blobs/uploads/`)
	sendData    = regexp.MustCompile(`^(PATCH|PUT) .*/blobs/uploads/`)
	putManifest = regexp.MustCompile(`^PUT .*/manifests/`)
)

const (
	mib  = 1 << 20
	half = 33 * mib // of workload f
)

var disturbances = func() []disturbance {
	source := func(name, about string, f site.Fault) disturbance {
		return disturbance{name: name, about: "source: " + about, workload: "f", source: []site.Fault{f}}
	}
	target := func(name, about string, f site.Fault) disturbance {
		return disturbance{name: name, about: "target: " + about, workload: "f", target: []site.Fault{f}}
	}
	return []disturbance{
		{name: "none", about: "undisturbed", workload: "f"},
		source("source-reset", "TCP reset once at 50 %", site.Fault{Match: getBlob, Every: half, Times: 1, Reset: true}),
		source("source-stream", "HTTP/2 stream error (HTTP/1.1: EOF) once at 50 %", site.Fault{Match: getBlob, Every: half, Times: 1}),
		source("source-reset-8", "reset after every 8 MiB, always", site.Fault{Match: getBlob, Every: 8 * mib, Reset: true}),
		target("target-reset", "TCP reset once at 50 %", site.Fault{Match: sendData, Every: half, Times: 1, Request: true, Reset: true}),
		target("target-reset-2", "reset twice, each after 50 %", site.Fault{Match: sendData, Every: half, Times: 2, Request: true, Reset: true}),
		target("target-eof", "EOF after every 50 %, always", site.Fault{Match: sendData, Every: half, Request: true}),
		target("target-429-post", "3 × 429 + Retry-After 2 on POST", site.Fault{Match: startUpload, Times: 3, Status: 429, RetryAfter: 2}),
		target("target-429-manifest", "3 × 429 + Retry-After 2 on the manifest PUT", site.Fault{Match: putManifest, Times: 3, Status: 429, RetryAfter: 2}),
		target("target-503-post", "3 × 503 on POST", site.Fault{Match: startUpload, Times: 3, Status: 503}),
		target("target-503-data", "2 × 503 on PATCH/PUT of data", site.Fault{Match: sendData, Times: 2, Status: 503}),
		target("target-503-manifest", "3 × 503 on the manifest PUT", site.Fault{Match: putManifest, Times: 3, Status: 503}),
		source("source-429-blob", "3 × 429 + Retry-After 2 on blobs", site.Fault{Match: getBlob, Times: 3, Status: 429, RetryAfter: 2}),
		source("source-429-manifest", "2 × 429 + Retry-After 2 on the manifest", site.Fault{Match: getManifest, Times: 2, Status: 429, RetryAfter: 2}),
		source("source-503-blob", "3 × 503 on blobs", site.Fault{Match: getBlob, Times: 3, Status: 503}),
		source("source-503-manifest", "2 × 503 on the manifest", site.Fault{Match: getManifest, Times: 2, Status: 503}),
		{name: "kill", about: "kill -9 at 50 % of 5 × 5 × 4 MiB, run again (both runs together)", workload: "c", kill: 50 * mib, extra: 5 * mib},
	}
}()
