package front

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageferry/ferry/internal/fakeregistry"
)

// exposed serves the front of a world to connections of HTTP/1 and of HTTP/2
// without TLS. Requests of HTTP/2 end once held is closed, or as usual if it is
// nil. It returns the address, and the largest number of requests that were handled
// at once.
func exposed(t *testing.T, w *world, held <-chan struct{}) (address string, most *atomic.Int64) {
	t.Helper()
	s := &Server{Log: slog.New(slog.DiscardHandler)}
	s.Use(w.front)
	var running atomic.Int64
	most = &atomic.Int64{}
	server := s.server(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		defer running.Add(-1)
		for n := running.Add(1); n > most.Load(); {
			most.Store(n)
		}
		s.ServeHTTP(rw, r)
		if held != nil && r.ProtoMajor == 2 {
			<-held
		}
	}))
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return l.Addr().String(), most
}

// TestHostileRequests sends requests as bytes, each on its own connection, and
// checks all that comes back: one response with the status, never HTML, and
// nothing that the client wrote. None of them reaches a place.
func TestHostileRequests(t *testing.T) {
	w := newWorld(t)
	address, _ := exposed(t, w, nil)
	long := strings.Repeat("a", 10<<10)
	const inside = "GET /v2/gcr.io/harbour/inner/manifests/1 HTTP/1.1\r\nHost: a\r\n\r\n"
	get := func(target string, fields ...string) string {
		return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + strings.Join(append(fields, "", ""), "\r\n")
	}
	for _, test := range []struct {
		request string
		status  string
	}{
		// Paths.
		{get("//v2/a/b/manifests/1"), "404"},
		{get("/v2//a/b/manifests/1"), "400"},
		{get("/v2/a/b//manifests/1"), "400"},
		{get("/v2/a/b/manifests//1"), "404"},
		{get("/v2/a/b/manifests/1/"), "404"},
		{get("/v2/a/b%2fc/manifests/1"), "400"},
		{get("/v2/a%5cb/c/manifests/1"), "400"},
		{get("/v2%2fa/b/manifests/1"), "400"},
		{get("/v2/./a/b/manifests/1"), "400"},
		{get("/v2/a/../../../etc/passwd"), "404"},
		{get("/v2/a/../b/manifests/1"), "400"},
		{get("/v2/%2e%2e/b/manifests/1"), "400"},
		{get("/v2/a/b/manifests/.."), "404"},
		{get("/v2/a/b/blobs/.."), "400"},
		{get("/v2/a/b/blobs/sha256:..%2f..%2fx"), "400"},
		{get("/v2/" + long + "/manifests/1"), "400"},
		{get("/v2/a/b/manifests/" + long), "400"},
		{get("/v2/a/b/tags/list?last=" + long), "400"},
		{get("/v2/" + strings.Repeat(long, 5)), "431"},
		{get("/v2/a/b\xff/manifests/1"), "400"},
		{get("/v2/a/\xe2\x80\xae/manifests/1"), "400"},
		{get("/v2/a/b/manifests/1#x"), "404"},
		{get("/V2/a/b/manifests/1"), "404"},
		{get("/v2/a/b/manifests/1?token=of-somebody"), "400"},
		{get("/v2/a/b/manifests/1?ns=gcr.io%0d%0aSet-Cookie:%20of-somebody"), "400"},
		{get("/v2/a/b/manifests/1?ns=%zz"), "400"},
		// Targets that are not paths.
		{get("http://evil.example/v2/gcr.io/harbour/hello/manifests/1"), "400"},
		{get("http://169.254.169.254/latest/meta-data"), "400"},
		{get("https://gcr.io/v2/harbour/hello/manifests/1"), "400"},
		{get("gcr.io:443"), "404"},
		{"CONNECT gcr.io:443 HTTP/1.1\r\nHost: gcr.io:443\r\n\r\n", "405"},
		{"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "200"}, // net/http's own, without a body
		{get("*"), "404"},
		// Hosts.
		{"GET /v2/a/b HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n", "404"},
		{"GET /v2/a/b HTTP/1.1\r\nHost: evil.example:99999\r\n\r\n", "404"},
		{"GET /v2/a/b HTTP/1.1\r\nHost: a@b\r\n\r\n", "400"},
		{"GET /v2/a/b HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
		{"GET /v2/a/b HTTP/1.1\r\nHost: a b\r\n\r\n", "400"},
		{"GET /v2/a/b HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
		{"GET /v2/a/b HTTP/1.1\r\n\r\n", "400"},
		{"GET /v2/a/b HTTP/1.0\r\n\r\n", "404"},
		// A request inside of another.
		{get("/v2/", fmt.Sprint("Content-Length: ", len(inside))) + inside, "400"},
		{get("/v2/", "Transfer-Encoding: chunked") + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(inside), inside), "400"},
		{get("/v2/", "Content-Length: 5", "Transfer-Encoding: chunked") + "0\r\n\r\n" + inside, "400"},
		{get("/v2/", "Content-Length: 0", "Content-Length: 62") + inside, "400"},
		{get("/v2/", "Content-Length: +62") + inside, "400"},
		{get("/v2/", "Content-Length: 0x3e") + inside, "400"},
		{get("/v2/", "Content-Length: -1") + inside, "400"},
		{get("/v2/", "Transfer-Encoding: xchunked") + inside, "501"},
		{get("/v2/", "Transfer-Encoding: chunked, identity") + inside, "501"},
		{get("/v2/", "Transfer-Encoding: gzip, chunked") + inside, "501"},
		{get("/v2/", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + inside, "501"},
		{get("/v2/", "Transfer-Encoding : chunked") + inside, "400"},
		{get("/v2/", "Content-Length : 5") + inside, "400"},
		{get("/v2/", " Transfer-Encoding: chunked") + inside, "400"},
		{get("/v2/", "X: a\x00b"), "400"},
		{get("/v2/", "X: a\x01b"), "400"},
		{get("/v2/", "no colon"), "400"},
		{get("/v2/", "X Y: a"), "400"},
		{get("/v2/", ": empty"), "400"},
		{get("/v2/", "X: "+strings.Repeat("x", 64<<10)), "431"},
		{"POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nHost: a\r\nContent-Length: 62\r\n\r\n" + inside, "405"},
		{"PUT /v2/a/b/manifests/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "405"},
		{"GET /v2/ HTTP/9.9\r\nHost: a\r\n\r\n", "505"},
		{"GET\t/v2/\tHTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"\x16\x03\x01\x00\x05hello", "400"},
	} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, test.request)
		if tc, ok := c.(*net.TCPConn); ok {
			tc.CloseWrite()
		}
		answer, _ := io.ReadAll(c) // an error means that the rest was not read
		c.Close()
		shown := fmt.Sprintf("%.90q", test.request)
		if !bytes.HasPrefix(answer, []byte("HTTP/1.1 "+test.status+" ")) && !bytes.HasPrefix(answer, []byte("HTTP/1.0 "+test.status+" ")) {
			t.Errorf("%s: answer %.60q, want status %s", shown, answer, test.status)
		}
		if n := bytes.Count(answer, []byte("HTTP/1.")); n != 1 {
			t.Errorf("%s: %d responses", shown, n)
		}
		for _, text := range []string{"text/html", "of-somebody", "evil.example"} {
			if bytes.Contains(answer, []byte(text)) {
				t.Errorf("%s: answer %q has %q", shown, answer, text)
			}
		}
	}
	if n := w.source.Count(".") + w.target.Count("."); n > 0 {
		t.Errorf("%d requests went out", n)
	}
	if text := w.log.String(); strings.Contains(text, "of-somebody") || strings.Contains(text, "evil.example") {
		t.Errorf("the log has what clients wrote:\n%s", text)
	}
}

// TestSlowBodies: a client that announces a body and does not send it is cut off.
func TestSlowBodies(t *testing.T) {
	for _, head := range []string{
		"GET /v2/ HTTP/1.1\r\nHost: front\r\nContent-Length: 100\r\n\r\n",
		"PUT /v2/a/b/manifests/1 HTTP/1.1\r\nHost: front\r\nTransfer-Encoding: chunked\r\n\r\n",
		"GET /-/live HTTP/1.1\r\nHost: front\r\nContent-Length: 100\r\n\r\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			names, err := NewNames([]string{"gcr.io"}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			s := &Server{Log: slog.New(slog.DiscardHandler)}
			s.Use(New(Options{Names: names}))
			client := connect(t, s.server(s))
			if _, err := io.WriteString(client, head); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			_, _ = io.ReadAll(client) // until the server closes the connection
			if took := time.Since(began); took > headerTime+time.Second {
				t.Errorf("%.20q: cut off after %v", head, took)
			}
		})
	}
}

// The types and flags of frames (RFC 9113 §6).
const (
	frameHeaders, frameReset, frameSettings, framePing, frameGoAway, frameContinuation = 1, 3, 4, 6, 7, 9
	flagEndStream, flagEndHeaders                                                      = 1, 4
)

// framed is a client that writes frames of HTTP/2 as a test wants them.
type framed struct{ net.Conn }

func newFramed(t *testing.T, c net.Conn, settings ...byte) framed {
	t.Helper()
	if _, err := io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := (framed{c}).frame(frameSettings, 0, 0, settings); err != nil {
		t.Fatal(err)
	}
	return framed{c}
}

func dialFramed(t *testing.T, address string) framed {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return newFramed(t, c)
}

// frame writes a frame. An error means that the server has closed the
// connection.
func (f framed) frame(kind, flags byte, stream uint32, payload []byte) error {
	head := []byte{0, byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	_, err := f.Write(append(binary.BigEndian.AppendUint32(head, stream), payload...))
	return err
}

// next reads a frame.
func (f framed) next() (kind byte, payload []byte, err error) {
	var head [9]byte
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return 0, nil, err
	}
	payload = make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
	_, err = io.ReadFull(f, payload)
	return head[3], payload, err
}

// alive reports whether the server goes on with the connection. After GOAWAY it
// ignores all frames, and closes the connection a second later.
func (f framed) alive() bool {
	last := []byte("the last")
	if f.frame(framePing, 0, 0, last) != nil {
		return false
	}
	for {
		kind, payload, err := f.next()
		if err != nil || kind == frameGoAway {
			return false
		}
		if kind == framePing && bytes.Equal(payload, last) {
			return true
		}
	}
}

// field appends a header field that is not compressed (RFC 7541 §6.2.2).
func field(block []byte, name, value string) []byte {
	block = append(block, 0, byte(len(name)))
	block = append(block, name...)
	if len(value) < 127 {
		block = append(block, byte(len(value)))
	} else {
		block = binary.AppendUvarint(append(block, 127), uint64(len(value)-127))
	}
	return append(block, value...)
}

// request opens a stream.
func (f framed) request(stream uint32, path string, flags byte) error {
	var block []byte
	for _, pair := range [][2]string{{":method", "GET"}, {":scheme", "http"}, {":authority", "front"}, {":path", path}} {
		block = field(block, pair[0], pair[1])
	}
	return f.frame(frameHeaders, flags, stream, block)
}

// TestFloods: a client that abuses HTTP/2 is cut off, has no more than its share
// of requests running, and does not disturb others.
func TestFloods(t *testing.T) {
	const image = "/v2/gcr.io/harbour/hello/manifests/"
	for _, test := range []struct {
		name  string
		flood func(f framed) error
		alive bool // afterwards: any number is answered once
	}{
		{"resets", func(f framed) error {
			for i := range uint32(100_000) {
				if err := f.request(2*i+1, fmt.Sprint(image, i), flagEndStream|flagEndHeaders); err != nil {
					return err
				}
				if err := f.frame(frameReset, 0, 2*i+1, []byte{0, 0, 0, 8}); err != nil {
					return err
				}
			}
			return nil
		}, false},
		{"continuations", func(f framed) error {
			if err := f.request(1, image+"1", flagEndStream); err != nil {
				return err
			}
			block := field(nil, "x", strings.Repeat("x", 1000))
			for range 100_000 {
				if err := f.frame(frameContinuation, 0, 1, block); err != nil {
					return err
				}
			}
			return nil
		}, false},
		{"settings", func(f framed) error {
			many := bytes.Repeat([]byte{0, 0, 0, frameSettings, 0, 0, 0, 0, 0}, 1000)
			for range 200 {
				if _, err := f.Write(many); err != nil {
					return err
				}
			}
			return nil
		}, true},
		{"pings", func(f framed) error {
			many := bytes.Repeat([]byte{0, 0, 8, framePing, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}, 1000)
			for range 2000 {
				if _, err := f.Write(many); err != nil {
					return err
				}
			}
			return nil
		}, false}, // the answers pile up if the client does not read
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			held := make(chan struct{}) // otherwise requests that were reset may end as fast as they come
			defer close(held)
			address, most := exposed(t, w, held)
			f := dialFramed(t, address)
			if alive := test.flood(f) == nil && f.alive(); alive != test.alive {
				t.Errorf("the connection is alive: %t", alive)
			}
			if n := most.Load(); n > maxStreams {
				t.Errorf("%d requests were handled at once", n)
			}
			resp, err := http.Get("http://" + address + "/v2/")
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("another client: %v %v", resp, err)
			}
			resp.Body.Close()
		})
	}
}

// TestResetsReachNoPlace: a request that the client has given up is not made
// any longer, unless another client waits for it.
func TestResetsReachNoPlace(t *testing.T) {
	w := newWorld(t, func(w *world) { w.options.Places["gcr.io"] = []*Place{w.mirror} })
	asked, left := make(chan struct{}, 10), make(chan struct{}, 10)
	w.target.Add(mirrored, "1.0", image(1))
	w.target.Inject(fakeregistry.Fault{Match: "GET .*manifests", Times: 2, Do: func(_ http.ResponseWriter, r *http.Request) bool {
		asked <- struct{}{}
		<-r.Context().Done()
		left <- struct{}{}
		return true
	}})
	server := httptest.NewServer(w.front)
	defer server.Close()
	uri := server.URL + "/v2/gcr.io/harbour/hello/manifests/1.0"
	hangUp := func(clients int) {
		var conns []net.Conn
		for range clients {
			c, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: front\r\n\r\n", strings.TrimPrefix(uri, server.URL))
			conns = append(conns, c)
		}
		<-asked
		for _, c := range conns {
			c.Close()
		}
		<-left
	}
	hangUp(1)
	hangUp(5)
	resp, err := http.Get(uri)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// TestManyStreams: streams beyond the limit are refused, and those within it
// answered.
func TestManyStreams(t *testing.T) {
	w := newWorld(t)
	held := make(chan struct{})
	address, most := exposed(t, w, held)
	f := dialFramed(t, address)
	answered, refused := make(chan bool), 0
	go func() {
		for {
			switch kind, _, err := f.next(); {
			case err != nil:
				close(answered)
				return
			case kind == frameReset, kind == frameHeaders:
				answered <- kind == frameHeaders
			}
		}
	}()
	for i := range uint32(3 * maxStreams) {
		if err := f.request(2*i+1, fmt.Sprint("/v2/gcr.io/harbour/hello/manifests/", i), flagEndStream|flagEndHeaders); err != nil {
			t.Fatal(err)
		}
	}
	for refused < 2*maxStreams {
		if ok, open := <-answered; ok || !open {
			t.Fatalf("answered %t, open %t after %d streams were refused", ok, open, refused)
		}
		refused++
	}
	close(held)
	for range maxStreams {
		if ok := <-answered; !ok {
			t.Fatal("a stream within the limit was refused")
		}
	}
	if n := most.Load(); n > maxStreams {
		t.Errorf("%d requests were handled at once", n)
	}
}

// TestStreamsThatAreNotRead: a client of HTTP/2 that reads no bytes of its
// streams keeps none of them for longer than one of HTTP/1.
func TestStreamsThatAreNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int64
		s := &Server{Log: slog.New(slog.DiscardHandler)}
		server := s.server(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			running.Add(1)
			defer running.Add(-1)
			a := &answer{ResponseWriter: w}
			for block := make([]byte, 64<<10); ; {
				a.extend()
				if _, err := a.Write(block); err != nil {
					return
				}
			}
		}))
		server.Protocols = new(http.Protocols)
		server.Protocols.SetUnencryptedHTTP2(true)
		client := connect(t, server)
		go io.Copy(io.Discard, client)
		f := newFramed(t, client, 0, 4, 0, 0, 0, 0) // an initial window of 0 bytes
		for i := range uint32(20) {
			if err := f.request(2*i+1, "/", flagEndStream|flagEndHeaders); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := running.Load(); n != 20 {
			t.Fatalf("%d streams are running", n)
		}
		time.Sleep(writeTime + time.Second)
		synctest.Wait()
		if n := running.Load(); n != 0 {
			t.Errorf("%d streams are still running", n)
		}
	})
}

// TestOneClientLeavesConnectionsToOthers: a client that opens connections and
// sends nothing cannot use them all up.
func TestOneClientLeavesConnectionsToOthers(t *testing.T) {
	for _, addresses := range [][3]string{
		{"192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1"},
		{"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8:0:1::1]:1"}, // a client has a network
	} {
		dial, accepted := accept(t, 8)
		for range 4 {
			dial(addresses[0])
		}
		for range 4 {
			<-accepted
		}
		if _, err := dial(addresses[1]).Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: one client has more than half of the connections", addresses[1])
		}
		for range 4 {
			dial(addresses[2])
			(<-accepted).Close()
		}
	}
}
