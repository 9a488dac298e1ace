// Package front is a read-only registry over the registries that the owner
// configured: a client asks for an image by its original name and gets the
// bytes of the mirror.
//
// A request is read into a Question (names.go, question.go), which names one
// repository of one configured source. The places of that source are asked one
// after the other (tour.go), through memories that keep most questions away
// from them (manifests.go). A client's words choose among what is configured
// and lead nowhere else: nothing that a client says is ever connected to.
//
// What is served is the OCI distribution specification, version 1.1, its
// category "pull" and the listings of "content discovery".
package front

import (
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/singleflight"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/transfer"
)

// Options are what a front works with. Fields that are zero have the defaults
// that are named.
type Options struct {
	Names  *Names
	Places map[string][]*Place // by source; the first is asked first
	// Engine reads blobs: each once, however many clients want it at the same
	// time.
	Engine *transfer.Engine
	Guests *Guests
	// Repositories tells who may be asked for; nil for all.
	Repositories *Rules
	// Patience is how long a place may take to begin its answer. 3 seconds.
	Patience time.Duration
	// TagTTL is for how long a tag names what it named. 60 seconds.
	TagTTL time.Duration
	// Stale is for how long a tag names what it named while no place answers. 24
	// hours.
	Stale time.Duration
	// RelayHosts are hosts that clients cannot reach, with all below them.
	RelayHosts []string
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
	// DefaultMemory bounds the manifests in memory, in bytes: some ten thousand.
	DefaultMemory = 24 << 20
)

// Front answers for registries. It is an http.Handler.
type Front struct {
	opts     Options
	memories *Memories
	lapses   *lapses
	meters   *meters
}

const (
	// maxTagged is how many tags are remembered, maxParts the sizes of how many
	// blobs: some hundred bytes each.
	maxTagged = 50000
	maxParts  = 50000
)

// item is content of one repository: what one has is no other's business.
type item struct {
	repository reference.Repository
	digest     v1.Hash
}

// tagged is one tag, as seen by a client that takes certain media types, since
// some registries convert.
type tagged struct {
	repository  reference.Repository
	tag, accept string
}

// pointer is what a tag named when it was last looked at.
type pointer struct {
	digest  v1.Hash
	checked time.Time
}

// part is a blob of a manifest that was served: its size, and who had the manifest.
type part struct {
	size  int64
	place *Place
}

// Memories are what fronts know of what places have, and what they have counted.
// They outlive a change of the configuration.
type Memories struct {
	manifests *memory[item, *registry.Manifest]
	tags      *memory[tagged, pointer]
	parts     *memory[item, part]
	inner     *memory[item, struct{}]   // manifests that a tag or an index led to
	carriers  *memory[string, struct{}] // places that do not redirect
	flights   *singleflight.Group
	meters    *meters
}

// NewMemories makes memories for manifests of at most so many bytes in all.
func NewMemories(manifests int64) *Memories {
	return &Memories{
		manifests: newMemory[item, *registry.Manifest](manifests),
		tags:      newMemory[tagged, pointer](maxTagged),
		parts:     newMemory[item, part](maxParts),
		inner:     newMemory[item, struct{}](maxParts),
		carriers:  newMemory[string, struct{}](1000),
		flights:   &singleflight.Group{},
		meters:    newMeters(),
	}
}

// CountFill counts what was copied to a place that lacked it: "ok" or the code of
// a failure, and the bytes that were sent.
func (m *Memories) CountFill(place, result string, bytes int64) {
	m.meters.filled(place, result, bytes)
}

// New makes a front.
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
	return &Front{opts, opts.Memories, newLapses(opts.Now), opts.Memories.meters}
}

// places are those of q's source.
func (f *Front) places(q Question) []*Place { return f.opts.Places[q.Repository.Host()] }

// relayed reports whether clients cannot reach a host.
func (o *Options) relayed(host string) bool {
	host = strings.ToLower(host)
	return slices.ContainsFunc(o.RelayHosts, func(h string) bool {
		return host == h || strings.HasSuffix(host, "."+h)
	})
}

// Metrics serves the counts of m in Prometheus's text format.
func (m *Memories) Metrics() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = io.WriteString(w, m.meters.text()) // whoever asked has gone
	})
}
