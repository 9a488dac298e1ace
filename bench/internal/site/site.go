// Package site stands up registries as the world sees them: CNCF distribution,
// in front of it TLS, bearer tokens from a host of their own, a long wire, a
// meter of requests and bytes, and faults on demand. A plain port leads to the
// same registry with none of these.
package site

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem" // the storage that Open configures
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/sirupsen/logrus"

	"github.com/imageferry/ferry/bench/internal/wire"
)

// Site is one registry with its token host.
type Site struct {
	name     string
	storage  string
	registry http.Handler
	log      io.Writer

	wire, tokenWire wire.Wire
	tokens          map[string]TokenServer
	contents        map[string]string

	mu     sync.Mutex
	begun  time.Time
	meter  Traffic
	habits Habits
	faults []*armed
}

// Habits are how a registry answers, beside the path to it.
type Habits struct {
	// Think is how long it takes before it answers anything but for tokens.
	Think time.Duration
	// RefusePut has it answer 405 to a PUT with data.
	RefusePut bool
	// HTTP2 has it offer HTTP/2.
	HTTP2 bool
	// Lend has it redirect readers of blobs to its content host, which does not
	// think, at addresses that expire after so long. Zero is no redirect.
	Lend time.Duration
}

// Options are the address and the protocol of a site.
type Options struct {
	Name    string // for the trace
	Storage string // folder for the registry's files
	// Plain, Registry, Token and Content are the addresses to listen on: without
	// TLS, and the ends of the long wire. Content may be nil.
	Plain, Registry, Token, Content net.Listener
	// Tokens says where clients are sent for tokens, by the name under which
	// they reach the registry. All of them lead to Token.
	Tokens map[string]TokenServer
	// Contents says likewise where they are sent for blobs.
	Contents    map[string]string
	Certificate tls.Certificate
	Trace       io.Writer // gets a line for each request, unless it is nil
}

// TokenServer is what a challenge announces.
type TokenServer struct{ Realm, Service string }

// Open starts serving. It serves until the program ends.
func Open(ctx context.Context, o Options) *Site {
	// Distribution logs every request to logrus' standard logger and lets no
	// one give it another.
	logrus.SetLevel(logrus.PanicLevel)
	config := &configuration.Configuration{
		Storage: configuration.Storage{
			"filesystem":  {"rootdirectory": o.Storage, "maxthreads": 200},
			"maintenance": {"uploadpurging": map[any]any{"enabled": false}},
		},
	}
	config.HTTP.RelativeURLs = true
	config.HTTP.Secret = "signs upload sessions"
	s := &Site{
		name:     o.Name,
		storage:  o.Storage,
		log:      o.Trace,
		registry: handlers.NewApp(ctx, config),
		tokens:   o.Tokens,
		contents: o.Contents,
	}
	s.Begin(wire.Path{}, Habits{})
	plain := &http.Server{Handler: s.registry}
	go plain.Serve(o.Plain)
	go s.secure(s.serveRegistry, o.Certificate).ServeTLS(s.wire.Listen(o.Registry), "", "")
	go secure(http.HandlerFunc(s.serveToken), &tls.Config{Certificates: []tls.Certificate{o.Certificate}}, false).ServeTLS(s.tokenWire.Listen(o.Token), "", "")
	if o.Content != nil {
		go s.secure(s.serveContent, o.Certificate).ServeTLS(s.wire.Listen(o.Content), "", "")
	}
	return s
}

// secure returns a server that offers HTTP/2 as the site's habits have it.
func (s *Site) secure(h http.HandlerFunc, certificate tls.Certificate) *http.Server {
	old := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}}
	return secure(h, &tls.Config{
		Certificates: old.Certificates,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			if s.currentHabits().HTTP2 {
				return nil, nil // this one
			}
			return old, nil
		},
	}, true)
}

func secure(h http.Handler, config *tls.Config, http2 bool) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(http2)
	return &http.Server{
		Handler:   h,
		Protocols: protocols,
		TLSConfig: config,
		// Flow control is the wire's affair.
		HTTP2:    &http.HTTP2Config{MaxReceiveBufferPerConnection: 64 << 20, MaxReceiveBufferPerStream: 8 << 20},
		ErrorLog: log.New(io.Discard, "", 0), // clients that are cut off are expected here
	}
}

// Drain waits for what is on the way still, from clients that are gone: it would
// be counted for the next.
func (s *Site) Drain() {
	s.wire.Drain()
	s.tokenWire.Drain()
}

// Begin sets the path to the site and its habits, arms faults and forgets what
// was counted.
func (s *Site) Begin(p wire.Path, habits Habits, faults ...Fault) {
	s.wire.Shape(p)
	s.tokenWire.Shape(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun, s.meter, s.habits = time.Now(), Traffic{}, habits
	s.faults = nil
	for _, f := range faults {
		s.faults = append(s.faults, &armed{Fault: f})
	}
}

// Traffic is what was counted since the last Begin.
type Traffic struct {
	Requests   int   // those for tokens and those refused included
	Tokens     int   // requests for tokens
	Sent       int64 // bytes of the answers' bodies, manifests included
	Received   int64 // bytes of the requests' bodies, likewise
	Mounts     int   // blobs that the registry took from another repository
	Conns      int   // connections to the registry
	TokenConns int   // and to its token host
	// Late is the most by which the wire was slower than it should be.
	Late time.Duration
}

// Traffic returns the counts so far.
func (s *Site) Traffic() Traffic {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.meter
	t.Conns, t.TokenConns = s.wire.Opened(), s.tokenWire.Opened()
	t.Late = max(s.wire.Late(), s.tokenWire.Late())
	return t
}

// Tagged returns the digests that tags of the namespace's repositories name.
// It looks into the registry's storage, so it disturbs no count.
func (s *Site) Tagged(namespace string) (map[v1.Hash]bool, error) {
	digests := map[v1.Hash]bool{}
	links, err := filepath.Glob(filepath.Join(s.repositories(namespace), "*/_manifests/tags/*/current/link"))
	if err != nil {
		return nil, fmt.Errorf("listing tags of %s: %w", namespace, err)
	}
	for _, link := range links {
		b, err := os.ReadFile(link)
		if err != nil {
			return nil, fmt.Errorf("reading a tag of %s: %w", namespace, err)
		}
		digest, err := v1.NewHash(strings.TrimSpace(string(b)))
		if err != nil {
			return nil, fmt.Errorf("reading a tag of %s: %w", namespace, err)
		}
		digests[digest] = true
	}
	return digests, nil
}

// Forget removes a namespace, so that abandoned uploads don't fill the storage.
// The blobs stay.
func (s *Site) Forget(namespace string) error {
	return os.RemoveAll(s.repositories(namespace))
}

func (s *Site) repositories(namespace string) string {
	return filepath.Join(s.storage, "docker/registry/v2/repositories", namespace)
}
