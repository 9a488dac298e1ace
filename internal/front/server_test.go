package front

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageferry/ferry/internal/fakeregistry"
)

// running is a server with the front of a world.
type running struct {
	address, metrics string
	end              context.CancelFunc
	done             chan error
}

func run(t *testing.T, w *world, config *tls.Config) running {
	t.Helper()
	s := &Server{TLS: config, Grace: time.Minute, Log: slog.New(slog.DiscardHandler)}
	s.Use(w.front)
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	main, side := listen(), listen()
	ctx, cancel := context.WithCancel(t.Context())
	r := running{main.Addr().String(), side.Addr().String(), cancel, make(chan error, 1)}
	go func() { r.done <- s.Serve(ctx, []net.Listener{main}, []net.Listener{side}, w.front.memories) }()
	return r
}

// fetchText may be called from any goroutine.
func fetchText(t *testing.T, client *http.Client, uri string) (int, string) {
	t.Helper()
	resp, err := client.Get(uri)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return resp.StatusCode, string(body)
}

func TestRunningRequestsFinish(t *testing.T) {
	w := newWorld(t)
	img := image(1)
	w.target.Add(mirrored, "1.0", img)
	asked, release := make(chan struct{}), make(chan struct{})
	w.target.Inject(fakeregistry.Fault{Match: "GET .*manifests", Times: 1, Do: func(http.ResponseWriter, *http.Request) bool {
		close(asked)
		<-release
		return false
	}})
	r := run(t, w, nil)
	got := make(chan string)
	go func() {
		_, body := fetchText(t, http.DefaultClient, "http://"+r.address+"/v2/gcr.io/harbour/hello/manifests/1.0")
		got <- body
	}()
	<-asked
	r.end()
	for { // new requests are refused
		if _, err := net.Dial("tcp", r.address); err != nil {
			break
		}
	}
	close(release)
	if body := <-got; body != string(img.Root().Body) {
		t.Errorf("got %q", body)
	}
	if err := <-r.done; err != nil {
		t.Error(err)
	}
}

func TestHealthAndMetrics(t *testing.T) {
	w := newWorld(t)
	img := image(1)
	w.target.Add(mirrored, "1.0", img)
	r := run(t, w, nil)
	defer func() { r.end(); <-r.done }()
	client := http.DefaultClient
	fetchText(t, client, "http://"+r.address+"/v2/gcr.io/harbour/hello/manifests/1.0")
	for _, path := range []string{"/-/live", "/-/ready"} {
		if status, body := fetchText(t, client, "http://"+r.address+path); status != http.StatusOK || body != "" {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	status, body := fetchText(t, client, "http://"+r.metrics+"/metrics")
	for _, want := range []string{
		`ferry_requests_total{kind="manifests",rule="path",place="mirror registry.example.com/alice",status="200"} 1`,
		`ferry_place_requests_total{place="mirror registry.example.com/alice",result="ok"} 1`,
		`ferry_place_seconds_count{place="mirror registry.example.com/alice"} 1`,
		"# TYPE ferry_place_seconds histogram",
	} {
		if status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("the metrics lack %s:\n%s", want, body)
		}
	}
	blob := img.Blobs[0]
	fetchText(t, client, "http://"+r.address+"/v2/gcr.io/harbour/hello/blobs/"+fakeregistry.Digest(blob))
	_, body = fetchText(t, client, "http://"+r.metrics+"/metrics")
	if want := fmt.Sprintf("ferry_read_bytes_total %d\n", len(blob)); !strings.Contains(body, want) || !strings.Contains(body, "ferry_blobs_joined_total 0\n") {
		t.Errorf("the metrics lack %s:\n%s", want, body)
	}
	w.source.Inject(fakeregistry.Fault{Match: ".", Times: -1, Status: http.StatusBadGateway})
	w.target.Inject(fakeregistry.Fault{Match: ".", Times: -1, Status: http.StatusBadGateway})
	fetchText(t, client, "http://"+r.address+"/v2/gcr.io/harbour/other/manifests/1.0")
	status, body = fetchText(t, client, "http://"+r.metrics+"/-/ready")
	var state struct {
		Ready  bool
		Places []PlaceState
	}
	if err := json.Unmarshal([]byte(body), &state); err != nil || status != http.StatusServiceUnavailable || state.Ready || len(state.Places) != 2 || state.Places[0].State != "unavailable" {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := fetchText(t, client, "http://"+r.address+"/-/ready"); status != http.StatusServiceUnavailable {
		t.Errorf("/-/ready has status %d though no place answers", status)
	}
}

// selfSigned returns a certificate by a template, and its key.
func selfSigned(t *testing.T, template *x509.Certificate) (der []byte, key *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(1)
	der, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der, key
}

// pair writes a certificate for 127.0.0.1 and its key.
func pair(t *testing.T, dir, name string) *x509.Certificate {
	t.Helper()
	der, key := selfSigned(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{"tls.crt": {Type: "CERTIFICATE", Bytes: der}, "tls.key": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestCertificateChange(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	certificate, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	if _, err := CertificateFiles(certificate, key, w.options.Log, w.clock); err == nil {
		t.Error("missing files are not an error")
	}
	pair(t, dir, "first")
	config, err := CertificateFiles(certificate, key, w.options.Log, w.clock)
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, w, config)
	defer func() { r.end(); <-r.done }()
	shown := func() string {
		t.Helper()
		c, err := tls.Dial("tcp", r.address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if c.ConnectionState().NegotiatedProtocol != "h2" {
			t.Error("HTTP/2 is not used")
		}
		return c.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	change := func(name string) {
		if name != "" {
			pair(t, dir, name)
		} else if err := os.WriteFile(certificate, []byte("garbage"), 0o600); err != nil {
			t.Fatal(err)
		}
		stamp := time.Now().Add(time.Duration(len(name)+1) * time.Hour)
		if err := os.Chtimes(certificate, stamp, stamp); err != nil {
			t.Fatal(err)
		}
		w.pass(certificateAge + time.Second)
	}
	for _, step := range []struct{ file, shown string }{{"first", "first"}, {"second", "second"}, {"", "second"}, {"the third", "the third"}} {
		change(step.file)
		if got := shown(); got != step.shown {
			t.Errorf("after %q it shows %q, want %q", step.file, got, step.shown)
		}
	}
	if !strings.Contains(w.log.String(), "the certificate was not changed") {
		t.Errorf("log: %s", w.log)
	}
}

func TestClientsShowCertificates(t *testing.T) {
	w := guarded(t, Admission{Certificates: true})
	dir, guests := t.TempDir(), t.TempDir()
	own := pair(t, dir, "front")
	pair(t, guests, "node-1")
	config, err := CertificateFiles(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), w.options.Log, w.clock)
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(config, filepath.Join(guests, "tls.key")); err == nil {
		t.Error("a key was accepted as authorities")
	}
	if err := Verify(config, filepath.Join(guests, "tls.crt")); err != nil {
		t.Fatal(err)
	}
	r := run(t, w, config)
	defer func() { r.end(); <-r.done }()
	roots := x509.NewCertPool()
	roots.AddCert(own)
	mine, err := tls.LoadX509KeyPair(filepath.Join(guests, "tls.crt"), filepath.Join(guests, "tls.key"))
	if err != nil {
		t.Fatal(err)
	}
	for status, certificates := range map[int][]tls.Certificate{http.StatusOK: {mine}, http.StatusUnauthorized: nil} {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: certificates}, ForceAttemptHTTP2: true}}
		if got, body := fetchText(t, client, "https://"+r.address+"/v2/gcr.io/harbour/hello/manifests/1.0"); got != status {
			t.Errorf("with %d certificates: status %d: %s", len(certificates), got, body)
		}
		client.CloseIdleConnections()
	}
}

// dialled is a connection from an address.
type dialled struct {
	net.Conn
	from string
}

func (d dialled) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(d.from))
}

// accept accepts connections, n at once.
func accept(t *testing.T, n int) (dial func(from string) net.Conn, accepted <-chan net.Conn) {
	t.Helper()
	inner, conns := make(pipes, n), make(chan net.Conn, n)
	l := limit(inner, n)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns <- c
		}
	}()
	return func(from string) net.Conn {
		client, c := net.Pipe()
		inner <- dialled{c, from}
		return client
	}, conns
}

func TestConnectionsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, accepted := accept(t, 1)
		dial("192.0.2.1:1")
		first := <-accepted
		dial("192.0.2.2:1")
		synctest.Wait()
		select {
		case <-accepted:
			t.Error("a second connection was accepted")
		default:
		}
		first.Close()
		first.Close() // releases one slot, not two
		second := <-accepted
		dial("192.0.2.3:1")
		synctest.Wait()
		select {
		case <-accepted:
			t.Error("a connection that was closed twice has left two slots")
		default:
		}
		second.Close()
		(<-accepted).Close()
	})
}

// TestBrokenRequests sends malformed requests, each on its own connection.
func TestBrokenRequests(t *testing.T) {
	w := newWorld(t)
	r := run(t, w, nil)
	defer func() { r.end(); <-r.done }()
	const end = "\r\n\r\n"
	for _, request := range []string{
		"GET /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked" + end + "0" + end,
		"GET /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6" + end,
		"GET /v2/ HTTP/1.1\r\nHost: a\r\nHost: b" + end,
		"GET /v2/ HTTP/1.1\r\nHost: a b" + end,
		"GET /v2/ HTTP/1.1\r\nHost : a" + end,
		"GET /v2/ HTTP/1.1" + end,
		"GET http://169.254.169.254/latest/meta-data HTTP/1.1\r\nHost: a" + end,
		"CONNECT gcr.io:443 HTTP/1.1\r\nHost: gcr.io:443" + end,
		"GET /v2/ HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 64<<10) + end,
		"GET /v2/" + strings.Repeat("x", 64<<10) + " HTTP/1.1\r\nHost: a" + end,
		"\x16\x03\x01\x00\x05hello",
	} {
		c, err := net.Dial("tcp", r.address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, request)
		if tc, ok := c.(*net.TCPConn); ok {
			tc.CloseWrite()
		}
		answer, _ := io.ReadAll(c)
		c.Close()
		if bytes.HasPrefix(answer, []byte("HTTP/1.1 2")) && !strings.HasPrefix(request, "GET /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer") {
			t.Errorf("%.60q is answered %.60q", request, answer)
		}
	}
	if n := w.source.Count(".") + w.target.Count("."); n > 0 {
		t.Errorf("%d requests went out", n)
	}
}

// TestReplicasAreRestartedInTurn checks that no pull fails while replicas are
// restarted one by one behind a balancer that tries another replica if one does
// not listen.
func TestReplicasAreRestartedInTurn(t *testing.T) {
	w := newWorld(t)
	img := image(1)
	w.target.Add(mirrored, "1.0", img)
	var mu sync.Mutex
	replicas := []running{run(t, w, nil), run(t, w, nil)}
	balance := func(ctx context.Context, network, _ string) (net.Conn, error) {
		mu.Lock()
		addresses := []string{replicas[0].address, replicas[1].address}
		mu.Unlock()
		var dialer net.Dialer
		c, err := dialer.DialContext(ctx, network, addresses[0])
		if err != nil {
			return dialer.DialContext(ctx, network, addresses[1])
		}
		return c, nil
	}
	// As many connections as pulls: net/http's server waits five seconds for one over which
	// no request has come.
	client := &http.Client{Transport: &http.Transport{DialContext: balance, MaxIdleConnsPerHost: 4, MaxConnsPerHost: 4}}
	defer client.CloseIdleConnections()
	var pulls sync.WaitGroup
	stop := make(chan struct{})
	done := make(chan struct{}, 1000)
	for range 4 {
		pulls.Go(func() {
			for {
				for _, blob := range img.Blobs {
					if status, body := fetchText(t, client, "http://front/v2/gcr.io/harbour/hello/blobs/"+fakeregistry.Digest(blob)); status != http.StatusOK || body != string(blob) {
						t.Errorf("status %d with %d bytes", status, len(body))
					}
				}
				select {
				case done <- struct{}{}:
				default:
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for i := range replicas {
		for range 4 {
			<-done
		}
		next := run(t, w, nil)
		mu.Lock()
		old := replicas[i]
		replicas[i] = next
		mu.Unlock()
		old.end()
		if err := <-old.done; err != nil {
			t.Error(err)
		}
	}
	close(stop)
	pulls.Wait()
	for _, r := range replicas {
		r.end()
		<-r.done
	}
}

// TestOperatorsPaths checks which paths and methods the address for metrics has.
func TestOperatorsPaths(t *testing.T) {
	server := &Server{}
	for request, want := range map[string]int{
		"GET /-/live": http.StatusOK, "HEAD /-/live": http.StatusOK,
		"POST /-/live": http.StatusMethodNotAllowed, "GET /-/live/": http.StatusNotFound, "GET /": http.StatusNotFound, "GET /v2/": http.StatusNotFound,
	} {
		method, path, _ := strings.Cut(request, " ")
		w := httptest.NewRecorder()
		server.Metrics(nil).ServeHTTP(w, httptest.NewRequest(method, path, nil))
		if allow := w.Header().Get("Allow"); w.Code != want || (allow != "") != (want == http.StatusMethodNotAllowed) {
			t.Errorf("%s: status %d, Allow %q", request, w.Code, allow)
		}
	}
}
