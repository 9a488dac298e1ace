package front

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/transfer"
)

// meters are the metrics of a front.
type meters struct {
	remembered atomic.Int64 // manifests answered from memory
	redirected atomic.Int64 // blobs redirected to another host
	relayed    atomic.Int64 // bytes
	broken     atomic.Int64 // blobs whose connection was cut

	mu       sync.Mutex
	requests map[request]int64
	asks     map[ask]int64
	waits    map[string]*waits // by place
	fills    map[ask]int64
	sent     map[string]int64 // bytes, by place
}

type request struct {
	kind, rule, place string
	status            int
}

type ask struct{ place, result string }

// waits is a histogram of the response times of a place.
type waits struct {
	counts [len(bounds) + 1]int64
	sum    time.Duration
}

// bounds are the upper bounds of the histogram, in seconds.
var bounds = [...]float64{0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 3, 10}

func newMeters() *meters {
	return &meters{requests: map[request]int64{}, asks: map[ask]int64{}, waits: map[string]*waits{}, fills: map[ask]int64{}, sent: map[string]int64{}}
}

// answered counts a request.
func (m *meters) answered(q Question, place string, status int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[request{string(q.Kind), string(q.Rule), place, status}]++
}

// asked counts a request to a place.
func (m *meters) asked(p *Place, took time.Duration, err *failure.Error) {
	result := "ok"
	if err != nil {
		result = string(err.Code)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asks[ask{p.String(), result}]++
	w := m.waits[p.String()]
	if w == nil {
		w = &waits{}
		m.waits[p.String()] = w
	}
	n := sort.SearchFloat64s(bounds[:], took.Seconds())
	w.counts[n]++
	w.sum += took
}

// filled counts a copy to a place.
func (m *meters) filled(place, result string, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fills[ask{place, result}]++
	m.sent[place] += bytes
}

// text returns all metrics, with those of blobs, in the Prometheus text format, version 0.0.4.
func (m *meters) text(blobs transfer.Counts) string {
	var b strings.Builder
	family := func(name, kind, help string) { fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind) }
	var lines []string
	flush := func() {
		slices.Sort(lines)
		for _, line := range lines {
			b.WriteString(line)
		}
		lines = lines[:0]
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	family("ferry_requests_total", "counter", "Requests, by kind, the rule that determined the source, the place that answered and the status.")
	for k, n := range m.requests {
		lines = append(lines, fmt.Sprintf("ferry_requests_total{kind=%q,rule=%q,place=%q,status=\"%d\"} %d\n", k.kind, k.rule, k.place, k.status, n))
	}
	flush()
	family("ferry_place_requests_total", "counter", "Requests to places, by result: ok or the code of a failure.")
	for k, n := range m.asks {
		lines = append(lines, fmt.Sprintf("ferry_place_requests_total{place=%q,result=%q} %d\n", k.place, k.result, n))
	}
	flush()
	family("ferry_fills_total", "counter", "Images copied to places that lacked them, by result: ok or the code of a failure.")
	for k, n := range m.fills {
		lines = append(lines, fmt.Sprintf("ferry_fills_total{place=%q,result=%q} %d\n", k.place, k.result, n))
	}
	flush()
	family("ferry_fill_bytes_total", "counter", "Bytes sent to places that lacked them.")
	for place, n := range m.sent {
		lines = append(lines, fmt.Sprintf("ferry_fill_bytes_total{place=%q} %d\n", place, n))
	}
	flush()
	family("ferry_place_seconds", "histogram", "How long places took to answer.")
	for place, w := range m.waits {
		lines = append(lines, w.text(place))
	}
	flush()
	for _, c := range []struct {
		name, help string
		n          int64
	}{
		{"ferry_manifests_remembered_total", "Manifests answered from memory.", m.remembered.Load()},
		{"ferry_blobs_redirected_total", "Blobs whose client was redirected to another host.", m.redirected.Load()},
		{"ferry_blobs_broken_total", "Blobs that were cut off because their source failed.", m.broken.Load()},
		{"ferry_blobs_joined_total", "Clients and copies that shared the reading of a blob that another had begun.", blobs.Joined},
		{"ferry_relayed_bytes_total", "Bytes of blobs that went through the front.", m.relayed.Load()},
		{"ferry_read_bytes_total", "Bytes of blobs that were read from places.", blobs.Read},
	} {
		family(c.name, "counter", c.help)
		fmt.Fprintf(&b, "%s %d\n", c.name, c.n)
	}
	return b.String()
}

// text returns the histogram of one place.
func (w *waits) text(place string) string {
	var b strings.Builder
	sum := int64(0)
	for i, bound := range bounds {
		sum += w.counts[i]
		fmt.Fprintf(&b, "ferry_place_seconds_bucket{place=%q,le=%q} %d\n", place, strconv.FormatFloat(bound, 'g', -1, 64), sum)
	}
	sum += w.counts[len(bounds)]
	fmt.Fprintf(&b, "ferry_place_seconds_bucket{place=%q,le=\"+Inf\"} %d\n", place, sum)
	fmt.Fprintf(&b, "ferry_place_seconds_sum{place=%q} %g\nferry_place_seconds_count{place=%q} %d\n", place, w.sum.Seconds(), place, sum)
	return b.String()
}
