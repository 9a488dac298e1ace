package main

import (
	"regexp"
	"time"

	"github.com/imageferry/ferry/bench/internal/peer"
	"github.com/imageferry/ferry/bench/internal/site"
	"github.com/imageferry/ferry/bench/internal/wire"
)

// condition is what lies between the clients and the two registries.
type condition struct {
	name, about    string
	source, target wire.Path
	way            way
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
	{name: "L", about: "loopback: plain HTTP, nothing in between", way: plain},
}

// comparison is one line of the plan: a workload under a condition.
type comparison struct {
	condition, workload string
	present             bool // everything is at the target already
	rounds              int
	// goals are the least ratios, peer's time by Ferry's, by kind of peer.
	goals map[peer.Kind]float64
	// limit is the most that Ferry may take, in computed limits; 0 is no goal.
	limit float64
}

// name is "W/b", or "W/Fb" where everything is present.
func (c comparison) name() string {
	if c.present {
		return c.condition + "/F" + c.workload
	}
	return c.condition + "/" + c.workload
}

type ratios = map[peer.Kind]float64

// notBehind is the goal where there is nothing to win.
var notBehind = ratios{peer.Default: 0.97, peer.Batch: 0.97, peer.Thirty: 0.97}

var comparisons = []comparison{
	{condition: "W", workload: "a", rounds: 5, goals: ratios{peer.Default: 2}, limit: 1.2},
	{condition: "W", workload: "b", rounds: 3, goals: ratios{peer.Default: 1.12}, limit: 1.06},
	{condition: "W", workload: "c", rounds: 5, goals: ratios{peer.Default: 1.6}},
	{condition: "W", workload: "d256", rounds: 3, goals: ratios{peer.Default: 1.12}, limit: 1.06},
	{condition: "W", workload: "d", rounds: 1, goals: ratios{peer.Default: 1.12}, limit: 1.06},
	{condition: "W", workload: "e", rounds: 3, goals: ratios{peer.Batch: 10, peer.Thirty: 1.6}},
	{condition: "W", workload: "b", present: true, rounds: 3, goals: ratios{peer.Default: 2.5}},
	{condition: "W", workload: "c", present: true, rounds: 3, goals: ratios{peer.Default: 2.5}},
	{condition: "W", workload: "e", present: true, rounds: 3, goals: ratios{peer.Batch: 6}},
	{condition: "U", workload: "a", rounds: 3},
	{condition: "U", workload: "b", present: true, rounds: 3},
	{condition: "S", workload: "b", rounds: 2, goals: ratios{peer.Default: 1.7}},
	{condition: "S", workload: "d256", rounds: 1, goals: ratios{peer.Default: 5}},
	{condition: "K", workload: "b", rounds: 2},
	{condition: "K", workload: "c", rounds: 2, goals: ratios{peer.Default: 3, peer.Tuned: 1.35}},
	{condition: "K", workload: "d256", rounds: 1, goals: notBehind},
	{condition: "L", workload: "a", rounds: 21, goals: notBehind},
	{condition: "L", workload: "b", rounds: 9, goals: notBehind},
	{condition: "L", workload: "c", rounds: 9, goals: notBehind},
	{condition: "L", workload: "d", rounds: 5, goals: notBehind},
	{condition: "L", workload: "e", rounds: 3, goals: notBehind},
	{condition: "L", workload: "b", present: true, rounds: 21, goals: notBehind},
}

// disturbance is one line of the fault table.
type disturbance struct {
	name, about    string
	workload       string
	source, target []site.Fault
	// kill sends SIGKILL when the target has received so many bytes, and then
	// the command is given again.
	kill int64
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
		{name: "kill", about: "kill -9 at 50 % of 5 × 5 × 4 MiB, run again (both runs together)", workload: "c", kill: 50 * mib},
	}
}()
