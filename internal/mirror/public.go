package mirror

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
)

const (
	// publicTime limits the wait for an answer of a public mirror.
	publicTime = 1500 * time.Millisecond
	// publicAtOnce is the maximum number of concurrent requests to a public mirror.
	publicAtOnce = 4
	// publicEvery is the maximum number of images that a public mirror is asked for
	// within a minute: m.daocloud.io limits clients to 20 requests, and an image may
	// need one for a token.
	publicEvery = 10
	// publicDay is how long an answer is kept.
	publicDay = 24 * time.Hour
)

// PublicState is what a public mirror has of an image.
type PublicState string

// The states.
const (
	Same        PublicState = "same"      // the same digest as the source
	OnePlatform PublicState = "platform"  // the digest of one platform of the source
	Older       PublicState = "older"     // another digest: the source's tag has moved, or this is another image
	Absent      PublicState = "absent"    // the public mirror does not have it
	NoAnswer    PublicState = "no-answer" // no usable answer to this machine; others may get one
)

// Elsewhere is what a public mirror has of an image.
type Elsewhere struct {
	// Mirror is the name at the public mirror, with the digest if State is Same or
	// OnePlatform: pulled by it, the content is that of the source, whoever runs
	// the mirror.
	Mirror   reference.Reference
	State    PublicState
	Platform reference.Platform `json:",omitzero"` // if State is OnePlatform
}

// Digester looks up digests at a registry. *registry.Client is one.
type Digester interface {
	Digest(context.Context, reference.Reference) (v1.Hash, error)
}

// PublicMirror is a public mirror and a client for it without a login.
type PublicMirror struct {
	name.Public
	Client Digester
}

// publicMirror is a PublicMirror with its budget and what it has answered.
type publicMirror struct {
	PublicMirror
	turn chan struct{}
	mute atomic.Bool // it did not answer in time, and is not asked again

	mu    sync.Mutex
	asked []time.Time // in the last minute
	said  map[reference.Reference]*saying
}

// saying is an answer of a public mirror: a digest, Absent or NoAnswer.
type saying struct {
	digest v1.Hash
	state  PublicState
	at     time.Time
}

// Public are answers of public mirrors about images, which arrive while they are
// copied.
type Public struct {
	mirrors []*publicMirror
	sources *sync.Map // see Mirror
	stop    func()
	mu      sync.Mutex
	said    map[reference.Reference][]*saying // by mirror; nil for none yet
}

// add notes what a mirror has said; nil for nothing.
func (p *Public) add(ref reference.Reference, mirror int, s *saying) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.said[ref] == nil {
		p.said[ref] = make([]*saying, len(p.mirrors))
	}
	p.said[ref][mirror] = s
}

// may returns an answer of this day or, without one, whether the mirror may be asked
// for one more image, which it counts.
func (p *publicMirror) may(there *reference.Reference) (*saying, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.said[*there]; s != nil && time.Since(s.at) < publicDay {
		return s, false
	}
	for len(p.asked) > 0 && time.Since(p.asked[0]) >= time.Minute {
		p.asked = p.asked[1:]
	}
	if len(p.asked) >= publicEvery {
		return nil, false
	}
	p.asked = append(p.asked, time.Now())
	return nil, true
}

// ask asks for the digest of an image. It returns nil if ctx has ended first.
func (p *publicMirror) ask(ctx context.Context, there *reference.Reference) *saying {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil
	}
	s := &saying{state: NoAnswer, at: time.Now()}
	if p.mute.Load() {
		return s
	}
	brief, cancel := context.WithTimeout(ctx, publicTime)
	defer cancel()
	digest, err := p.Client.Digest(brief, *there)
	switch {
	case ctx.Err() != nil:
		return nil
	case err == nil:
		s.state, s.digest = "", digest
	case failure.CodeOf(err) == failure.NotFound:
		s.state = Absent
	default:
		if brief.Err() != nil {
			p.mute.Store(true)
		}
		return s // the next request may be answered
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said[*there] = s
	return s
}

// Answers ends all requests and returns what has been answered about images that were
// copied or looked up since, in the order of Options.Public. Images whose source did not
// answer are left out, since nothing can be compared.
func (p *Public) Answers() map[reference.Reference][]Elsewhere {
	p.stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	found := map[reference.Reference][]Elsewhere{}
	for ref, said := range p.said {
		source, _ := p.sources.LoadAndDelete(ref)
		r, _ := source.(*resolved)
		if r == nil {
			continue
		}
		for k, s := range said {
			if s == nil {
				continue
			}
			e := Elsewhere{State: s.state}
			e.Mirror, _ = p.mirrors[k].Of(ref)
			if e.State == "" {
				platform, part := r.parts[s.digest]
				switch {
				case s.digest == r.digest:
					e.State, e.Mirror = Same, e.Mirror.Untagged(s.digest)
				case part:
					e.State, e.Platform, e.Mirror = OnePlatform, platform, e.Mirror.Untagged(s.digest)
				case r.parts == nil:
					continue // it may be the digest of a platform
				default:
					e.State = Older
				}
			}
			found[ref] = append(found[ref], e)
		}
	}
	return found
}

// resolved is what a source had when it was asked.
type resolved struct {
	digest v1.Hash
	// parts are the platforms of the manifests in its index, by their digests; nil if
	// the index has not been read.
	parts map[v1.Hash]reference.Platform
}
