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
	// maxConnections is the largest number of connections: a cluster of a
	// thousand nodes with four connections each.
	maxConnections = 4096
	// maxStreams is the largest number of concurrent requests on an HTTP/2
	// connection.
	maxStreams = 100
	// maxHeader is the size limit of a request header, in bytes.
	maxHeader = 32 << 10
	// headerTime limits the time for sending a request header.
	headerTime = 10 * time.Second
	// idleTime is how long an idle connection is kept.
	idleTime = 2 * time.Minute
)

// Server serves a front, which can be replaced while it runs.
type Server struct {
	// TLS is the configuration for the front's listeners; nil for none.
	TLS *tls.Config
	// Grace is how long running requests may continue when the server stops.
	Grace time.Duration
	Log   *slog.Logger

	current atomic.Pointer[Front]
	ending  atomic.Bool
}

// Use makes f answer all further requests.
func (s *Server) Use(f *Front) { s.current.Store(f) }

// Called reports whether a host name stands for a source of the current front.
func (s *Server) Called(host string) bool { return s.current.Load().opts.Names.Called(host) }

// ServeHTTP answers a request with the current front.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/-/live":
		w.WriteHeader(http.StatusOK)
	case "/-/ready":
		// The configuration may be confidential, so no place is named here.
		if ready, _ := s.state(); ready {
			w.WriteHeader(http.StatusOK)
		} else {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	default:
		s.current.Load().ServeHTTP(w, r)
	}
}

// PlaceState is the last known state of a place.
type PlaceState struct {
	Place string `json:"place"`
	State string `json:"state"` // "ok", or the code of the failure for which it is passed over
}

// state reports whether the server accepts requests and any place can answer.
func (s *Server) state() (ready bool, places []PlaceState) {
	places = s.current.Load().States()
	for _, p := range places {
		ready = ready || p.State == "ok"
	}
	return ready && !s.ending.Load(), places
}

// States returns the states of all places.
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

// Metrics serves the metrics, /-/live and /-/ready with the state of each place,
// and /-/requests with the images that are being mirrored, for the operator.
func (s *Server) Metrics(m *Memories) http.Handler {
	// http.ServeMux, with its patterns, has 23 kB.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
			return
		}
		var state map[string]any
		status := http.StatusOK
		switch r.URL.Path {
		case "/metrics":
			s.current.Load().serveMetrics(w)
			return
		case "/-/live":
			return
		case "/-/ready":
			ready, places := s.state()
			if !ready {
				status = http.StatusServiceUnavailable
			}
			state = map[string]any{"ready": ready, "places": places}
		case "/-/requests":
			state = map[string]any{"requests": m.desk.states()}
		default:
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(state) // the error means that the client is gone
	})
}

// Serve serves the listeners until ctx ends, and then lets running requests
// finish within the grace period. The metrics have their own listeners.
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
		s.Log.Warn("connections cut at the end of the grace period", "grace", s.Grace.String())
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
		Handler:           bodiless(handler),
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
}

// bodiless returns a handler of which no request has a body. Without a deadline,
// a client that sends a body slowly would keep its connection for ever, because
// net/http reads it to the end.
func bodiless(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			w.Header().Set("Connection", "close")
			// Only writers in tests do not support deadlines.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(headerTime))
		}
		handler.ServeHTTP(w, r)
	})
}
