package front

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

const (
	// maxConnections is how many clients are connected at once: a cluster of a
	// thousand nodes with four connections each.
	maxConnections = 4096
	// maxStreams is how many requests one HTTP/2 connection has at once.
	maxStreams = 100
	// maxHeader bounds the header of a request, in bytes.
	maxHeader = 32 << 10
	// headerTime is how long a client may take to send its header.
	headerTime = 10 * time.Second
	// idleTime is how long a connection is kept that nothing is asked on.
	idleTime = 2 * time.Minute
)

// Server serves a front, which can be exchanged for another while it runs.
type Server struct {
	// TLS is for the listeners of the front; nil for none.
	TLS *tls.Config
	// Grace is how long what runs may go on when the server is told to end.
	Grace time.Duration
	Log   *slog.Logger

	current atomic.Pointer[Front]
	ending  atomic.Bool
}

// Use has all requests from now on answered by f.
func (s *Server) Use(f *Front) { s.current.Store(f) }

// ServeHTTP answers a request by the front in use.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/-/live":
		w.WriteHeader(http.StatusOK)
	case "/-/ready":
		// Whose front it is may be nobody's business: no place is named here.
		if ready, _ := s.state(); ready {
			w.WriteHeader(http.StatusOK)
		} else {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	default:
		s.current.Load().ServeHTTP(w, r)
	}
}

// PlaceState is what a place has last been seen to do.
type PlaceState struct {
	Place string `json:"place"`
	State string `json:"state"` // "ok", or the code of the failure for which it is passed over
}

// state reports whether the server takes requests and any place is fit to answer.
func (s *Server) state() (ready bool, places []PlaceState) {
	places = s.current.Load().States()
	for _, p := range places {
		ready = ready || p.State == "ok"
	}
	return ready && !s.ending.Load(), places
}

// States are those of all places.
func (f *Front) States() []PlaceState {
	seen := map[*Place]bool{}
	states := []PlaceState{}
	for _, source := range slices.Sorted(maps.Keys(f.opts.Places)) {
		for _, p := range f.opts.Places[source] {
			if seen[p] {
				continue
			}
			seen[p] = true
			state := PlaceState{p.String(), "ok"}
			if err := f.lapses.whole(p); err != nil {
				state.State = string(err.Code)
			}
			states = append(states, state)
		}
	}
	return states
}

// Metrics serves the counts, and what /-/live and /-/ready say with each place's
// state, for whoever looks after the server.
func (s *Server) Metrics(m *Memories) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Metrics())
	mux.HandleFunc("GET /-/live", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		ready, places := s.state()
		w.Header().Set("Content-Type", "application/json")
		if !ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"ready": ready, "places": places}) // whoever asked has gone
	})
	return mux
}

// Serve serves listeners until ctx ends, and then lets what runs come to its end
// within the grace time. The metrics have listeners of their own.
func (s *Server) Serve(ctx context.Context, listeners, metrics []net.Listener, m *Memories) error {
	main, side := s.server(s), s.server(s.Metrics(m))
	main.TLSConfig = s.TLS
	failed := make(chan error, len(listeners)+len(metrics))
	for _, l := range listeners {
		l = limit(l, maxConnections)
		go func() {
			if s.TLS != nil {
				failed <- main.ServeTLS(l, "", "")
				return
			}
			failed <- main.Serve(l)
		}()
	}
	for _, l := range metrics {
		go func() { failed <- side.Serve(l) }()
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	s.ending.Store(true)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Grace)
	defer cancel()
	if late := main.Shutdown(grace); late != nil {
		s.Log.Warn("clients cut off at the end of the grace time", "grace", s.Grace.String())
		main.Close()
	}
	side.Close()
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}

func (s *Server) server(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
}
