package registry

import (
	"net/http"
	"net/url"
	"time"
)

// Over makes all clients of the set send their requests by rt, whose shortest
// exchange takes trip.
func (s *Clients) Over(rt http.RoundTripper, trip time.Duration) {
	for n := range s.clients {
		c, _ := s.at(n)
		c.api, c.bulk = simulated{rt, trip}, simulated{rt, trip}
	}
}

// simulated is a transport in virtual time, with connections that stand already.
type simulated struct {
	http.RoundTripper
	trip time.Duration
}

func (simulated) Warm(*url.URL, int)              {}
func (simulated) HTTP1() bool                     { return false }
func (simulated) Close()                          {}
func (s simulated) Trip() time.Duration           { return s.trip }
func (s simulated) Answer(*url.URL) time.Duration { return s.trip }
