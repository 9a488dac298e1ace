// Package front is a read-only registry in front of the registries that the
// owner has configured: a client asks for an image by its original name and
// gets the bytes of the mirror.
//
// A request is parsed into a Question (names.go, question.go), which names one
// repository of one configured source. The places of that source are tried one
// after the other (tour.go). Memories answer most requests without a place
// (manifests.go). A client can only choose among the configured sources; the
// front never connects to an address from a request.
//
// The front serves the OCI distribution specification, version 1.1: its
// category "pull" and the listings of "content discovery".
package front

import (
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/transfer"
)

// Options are the settings of a front. Zero fields have the defaults given
// here.
type Options struct {
	Names  *Names
	Places map[string][]*Place // by source, in the order in which they are tried
	// Engine reads blobs, each once for all clients that want it at the same
	// time.
	Engine *transfer.Engine
	Guests *Guests
	// Repositories selects the repositories to serve; nil for all.
	Repositories *Rules
	// Limits is the largest manifest that is served: the bytes of an image's blobs, and
	// the images of an index. Zero fields are no limits.
	Limits Extent
	// Patience is how long a place may take to begin its response: 3 seconds.
	Patience time.Duration
	// TagTTL is how long the digest of a tag is valid: 60 seconds.
	TagTTL time.Duration
	// Stale is how long the digest of a tag is used while no place answers: 24
	// hours.
	Stale time.Duration
	// RelayHosts are hosts that clients cannot reach, with all subdomains.
	RelayHosts []string
	// Requests has missing images mirrored; nil for no.
	Requests *Requests
	// Memories are those of an earlier front, which this one takes over. May be
	// nil.
	Memories *Memories
	Log      *slog.Logger
	Now      func() time.Time

	after func(time.Duration, func()) *time.Timer // time.AfterFunc outside tests
}

// The defaults.
const (
	DefaultPatience = 3 * time.Second
	DefaultTagTTL   = time.Minute
	DefaultStale    = 24 * time.Hour
	// DefaultMemory limits the manifests in memory, in bytes. It holds about
	// ten thousand.
	DefaultMemory = 24 << 20
)

// Front is the registry. It is an http.Handler.
type Front struct {
	opts     Options
	memories *Memories
	lapses   *lapses
	meters   *meters
	daily    *Budget // of requests
}

const (
	// maxTagged is how many tags are remembered, and maxParts the sizes of how
	// many blobs. Each takes about a hundred bytes.
	maxTagged = 50000
	maxParts  = 50000
)

// item is content of one repository. It is not shared with other repositories.
type item struct {
	repository reference.Repository
	digest     v1.Hash
}

// tagged is a tag as seen by clients that accept certain media types, because
// some registries convert manifests.
type tagged struct {
	repository  reference.Repository
	tag, accept string
}

// pointer is the digest of a tag when it was last checked.
type pointer struct {
	digest  v1.Hash
	checked time.Time
}

// part is a blob of a manifest that was served: its size, and the place that
// had the manifest. The size of a blob whose manifest is not known is a claim of
// the place, which counts at that place alone.
type part struct {
	size    int64
	place   *Place
	claimed bool
}

// Extent is what a manifest lists: blobs of so many bytes, and so many manifests.
type Extent struct {
	Bytes     int64
	Manifests int
}

// exceeds reports whether e is beyond limits.
func (e Extent) exceeds(limits Extent) bool {
	return limits.Bytes > 0 && e.Bytes > limits.Bytes || limits.Manifests > 0 && e.Manifests > limits.Manifests
}

// found is a manifest, what it lists, and the place that had it, nil for memory.
type found struct {
	*registry.Manifest
	extent Extent
	place  *Place
}

// Memories are what fronts remember of places, and the metrics. They outlive a
// change of the configuration.
type Memories struct {
	manifests *memory[item, found]
	tags      *memory[tagged, pointer]
	parts     *memory[item, part]
	inner     *memory[item, struct{}]   // manifests found through a tag or an index
	carriers  *memory[string, struct{}] // places that do not redirect
	flights   flights
	desk      *desk
	guests    *memory[string, *usage]
	hourly    *memory[string, *Budget] // of requests, by guest
	meters    *meters

	mu      sync.Mutex
	budgets map[string]*Budget // of places, and that of requests
}

// budget returns the budget to use for a place or for requests: a changed
// configuration does not give back what was taken before.
func (m *Memories) budget(of string, b *Budget) *Budget {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.budgets[of] = b.after(m.budgets[of])
	return m.budgets[of]
}

// NewMemories returns memories for so many bytes of manifests.
func NewMemories(manifests int64) *Memories {
	return &Memories{
		manifests: newMemory[item, found](manifests),
		tags:      newMemory[tagged, pointer](maxTagged),
		parts:     newMemory[item, part](maxParts),
		inner:     newMemory[item, struct{}](maxParts),
		carriers:  newMemory[string, struct{}](1000),
		flights:   flights{running: map[string]*flying{}},
		desk:      &desk{images: map[reference.Reference]*awaited{}},
		guests:    newMemory[string, *usage](maxGuests),
		hourly:    newMemory[string, *Budget](maxGuests),
		meters:    newMeters(),
		budgets:   map[string]*Budget{},
	}
}

// CountFill counts an image that was copied to a place: result is "ok" or the
// code of a failure, and bytes is what was sent.
func (m *Memories) CountFill(place, result string, bytes int64) {
	m.meters.filled(place, result, bytes)
}

// New returns a front.
func New(opts Options) *Front {
	if opts.Patience == 0 {
		opts.Patience = DefaultPatience
	}
	if opts.TagTTL == 0 {
		opts.TagTTL = DefaultTagTTL
	}
	if opts.Stale == 0 {
		opts.Stale = DefaultStale
	}
	if opts.after == nil {
		opts.after = time.AfterFunc
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Memories == nil {
		opts.Memories = NewMemories(DefaultMemory)
	}
	if opts.Guests == nil {
		opts.Guests = NewGuests(Admission{Anybody: true}, opts.Now)
	}
	opts.Guests.known = opts.Memories.guests
	f := &Front{opts: opts, memories: opts.Memories, lapses: newLapses(opts.Now), meters: opts.Memories.meters}
	if opts.Requests != nil {
		f.daily = f.memories.budget("requests", NewBudget(opts.Requests.Daily, 24*time.Hour, opts.Now))
	}
	for _, places := range opts.Places {
		for _, p := range places {
			p.Budget = f.memories.budget(p.String(), p.Budget)
		}
	}
	return f
}

// places returns the places of q's source.
func (f *Front) places(q Question) []*Place { return f.opts.Places[q.Repository.Host()] }

// relayed reports whether clients cannot reach a host.
func (o *Options) relayed(host string) bool {
	host = strings.ToLower(host)
	return slices.ContainsFunc(o.RelayHosts, func(h string) bool {
		return host == h || strings.HasSuffix(host, "."+h)
	})
}

// serveMetrics answers with all counts in the Prometheus text format.
func (f *Front) serveMetrics(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = io.WriteString(w, f.meters.text(f.opts.Engine.Counts())) // the error means that the client is gone
}
