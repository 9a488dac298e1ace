package registry

import (
	"bytes"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/outbound"
)

// inMemory is a body that can be written from where it is.
type inMemory struct {
	data []byte
	read int         // bytes that were copied
	held atomic.Bool // between Peek and Discard
}

func (m *inMemory) Read(p []byte) (int, error) {
	if len(m.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, m.data)
	m.data = m.data[n:]
	m.read += n
	return n, nil
}

func (m *inMemory) Peek(n int) ([]byte, error) {
	if len(m.data) == 0 {
		return nil, io.EOF
	}
	m.held.Store(true)
	return m.data[:min(n, len(m.data))], nil
}

func (m *inMemory) Discard(n int) {
	m.data = m.data[n:]
	m.held.Store(false)
}

// TestBodyInMemory checks that a body is written from where it is, after what the
// buffer of the header takes, that it arrives as it is, and that nobody uses its
// memory when Send has returned, whenever the registry answers.
func TestBodyInMemory(t *testing.T) {
	const size, buffer = 24 << 20, 32 << 10
	content := bytes.Repeat([]byte("0123456789abcdef!"), size/17+1)[:size]
	for name, test := range map[string]struct {
		tls, early bool
		pieces     int64 // largest body of a request; 0 for no limit
	}{
		"plain":        {},
		"TLS":          {tls: true},
		"pieces":       {pieces: 5 << 20},
		"early":        {early: true},
		"early in TLS": {early: true, tls: true},
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			requests := 0
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "/v2/ns/img/blobs/uploads/1")
				switch {
				case r.Method == http.MethodPost:
					w.WriteHeader(http.StatusAccepted)
				case test.early: // and the rest is never read
					conn, _, err := http.NewResponseController(w).Hijack()
					if err != nil {
						t.Error(err)
						return
					}
					t.Cleanup(func() { conn.Close() })
					_, _ = conn.Write([]byte("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"))
				default:
					if r.ContentLength > 0 {
						requests++
					}
					if _, err := got.ReadFrom(r.Body); err != nil {
						t.Error(err)
					}
					w.WriteHeader(http.StatusCreated)
				}
			}))
			target := config.Target{Host: server.Listener.Addr().String(), Private: true, PlainHTTP: !test.tls}
			var roots *x509.CertPool
			if test.tls {
				server.StartTLS()
				roots = x509.NewCertPool()
				roots.AddCert(server.Certificate())
			} else {
				server.Start()
			}
			defer server.Close()
			set := NewTargets([]config.Target{target}, nil, Options{Wait: impatiently, Network: outbound.Options{Roots: roots}})
			defer set.Close()
			c, _ := set.ForHost(target.Host)
			c.learned.maxBody.Store(test.pieces)
			u := c.Upload(named(t, target.Host).Repository(), someHash, size)
			u.location = c.base.ResolveReference(&url.URL{Path: "/v2/ns/img/blobs/uploads/1"})
			body := &inMemory{data: content}
			err := u.Send(t.Context(), body, 0)
			if body.held.Load() {
				t.Error("the memory is used after the end")
			}
			if test.early {
				if err == nil || failure.CodeOf(err) == failure.Network {
					t.Errorf("error %v, want the refusal", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), content) {
				t.Errorf("%d bytes arrived that are not those that were sent", got.Len())
			}
			if body.read > requests*buffer {
				t.Errorf("%d bytes were copied for %d requests", body.read, requests)
			}
		})
	}
}
