package mirror

import (
	"context"
	"strings"
	"sync"

	"github.com/imageferry/ferry/internal/reference"
)

// attachments caches, for one Run, the tags in sources' repositories that attach
// signatures and similar artifacts to digests. Listing the tags takes one request,
// instead of three for each manifest of each image.
type attachments struct {
	mu    sync.Mutex
	known map[reference.Repository]*attachment
	count int // the number of all tags
}

// maxAttached limits the number of cached tags, to a few megabytes of memory.
const maxAttached = 30_000

// attachment is the state of one repository.
type attachment struct {
	once     sync.Once
	tags     map[string]bool
	complete bool // tags has all tags of the repository
}

// of returns the state of a repository. The first call lists its tags, but
// reads at most the given number of pages.
func (s *attachments) of(ctx context.Context, source Source, repository reference.Repository, pages int) *attachment {
	s.mu.Lock()
	a := s.known[repository]
	if a == nil {
		if s.known == nil {
			s.known = map[reference.Repository]*attachment{}
		}
		a = &attachment{}
		s.known[repository] = a
	}
	s.mu.Unlock()
	a.once.Do(func() {
		tags, err := source.FewTags(ctx, repository, pages)
		if err != nil {
			return
		}
		var found map[string]bool // most repositories have none
		for _, tag := range tags {
			if attached.MatchString(tag) {
				if found == nil {
					found = map[string]bool{}
				}
				found[strings.Clone(tag)] = true
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.count+len(found) <= maxAttached {
			s.count += len(found)
			a.tags, a.complete = found, true
		}
	})
	return a
}

// may reports whether the repository may have the given tag.
func (a *attachment) may(tag string) bool { return !a.complete || a.tags[tag] }
