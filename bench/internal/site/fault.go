package site

import (
	"net/http"
	"regexp"
)

// Fault is what goes wrong at a site: an answer instead of the right one, or a
// cut.
type Fault struct {
	Match *regexp.Regexp // of method, space and path
	Times int            // how often it strikes; 0 is always

	// Status is answered instead of asking the registry, with Retry-After in
	// seconds if that is set.
	Status, RetryAfter int

	// Every cuts whenever so many more bytes of matching exchanges have passed,
	// however they are spread over requests: whoever goes in small pieces is
	// not spared. Request says that it is about what clients send.
	Every   int64
	Request bool
	// Reset cuts all connections to the site. Otherwise only the one stream
	// ends: a stream error in HTTP/2, the end of the connection in HTTP/1.1.
	Reset bool
}

// armed is a fault with what it has done so far, under the site's lock.
type armed struct {
	Fault
	struck int
	bytes  int64
}

func (f *armed) spent() bool { return f.Times > 0 && f.struck >= f.Times }

// faultFor returns the fault that this request meets, or nil.
func (s *Site) faultFor(r *http.Request) *armed {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.spent() || !f.Match.MatchString(r.Method+" "+r.URL.Path) {
			continue
		}
		if f.Status != 0 {
			f.struck++
		}
		return f
	}
	return nil
}

// passed tells the fault that n bytes went by and reports whether it strikes.
func (s *Site) passed(f *armed, n int) bool {
	if f.Every == 0 || n == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.spent() {
		return false
	}
	f.bytes += int64(n)
	if f.bytes < f.Every {
		return false
	}
	f.bytes = 0
	f.struck++
	return true
}
