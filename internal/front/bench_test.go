package front

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/fakeregistry"
)

// The benchmarks compare a front with net/http/httputil's ReverseProxy and, if
// it is installed, with nginx and its cache, in one run on one machine. Compare
// the rows of one run only.

// rival is a server and the address of a resource behind it.
type rival struct{ name, uri string }

// rivals returns the front, with changed options, and the other servers, all in
// front of one registry that has img. path is a resource of the repository
// harbour/hello.
func rivals(b *testing.B, img *fakeregistry.Image, path string, change func(*world)) ([]rival, *fakeregistry.Registry) {
	b.Helper()
	w := newWorld(b, func(w *world) {
		w.options.Places["gcr.io"] = []*Place{w.upstream}
		if change != nil {
			change(w)
		}
	})
	w.options.Log = nil
	w.front = New(w.options)
	w.source.Add("harbour/hello", "1.0", img)
	backend := httptest.NewServer(w.source)
	b.Cleanup(backend.Close)
	front := httptest.NewServer(w.front)
	b.Cleanup(front.Close)
	target, err := url.Parse(backend.URL)
	if err != nil {
		b.Fatal(err)
	}
	reverse := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}
	proxy := httptest.NewServer(reverse)
	b.Cleanup(proxy.Close)
	list := []rival{
		{"ferry", front.URL + "/v2/gcr.io/harbour/hello/" + path},
		{"ReverseProxy", proxy.URL + "/v2/harbour/hello/" + path},
	}
	if address := nginx(b, backend.URL); address != "" {
		list = append(list, rival{"nginx", "http://" + address + "/v2/harbour/hello/" + path}, rival{"nginx-cache", "http://" + address + "/cached/v2/harbour/hello/" + path})
	}
	return list, w.source
}

const nginxConfig = `daemon off; USER pid DIR/pid; error_log stderr crit; worker_processes 2;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000; client_body_temp_path DIR/a; proxy_temp_path DIR/b; fastcgi_temp_path DIR/c; uwsgi_temp_path DIR/d; scgi_temp_path DIR/e;
  proxy_cache_path DIR/cache keys_zone=z:10m;
  upstream u { server BACKEND; keepalive 64; }
  server {
    listen 127.0.0.1:PORT;
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_max_temp_file_size 0;
    location /v2/ { proxy_pass http://u; }
    location /cached/ { proxy_pass http://u/; proxy_cache z; proxy_cache_valid any 10m; }
  }
}
`

// nginx starts nginx in front of a backend and returns its address, or an empty
// string if nginx is not installed.
func nginx(b *testing.B, backend string) string {
	b.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		return ""
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	dir := b.TempDir()
	_, port, _ := net.SplitHostPort(address)
	user := "" // nginx's workers run as another user by default
	if os.Geteuid() == 0 {
		user = "user root;"
	}
	text := strings.NewReplacer("USER", user, "DIR", dir, "PORT", port, "BACKEND", strings.TrimPrefix(backend, "http://")).Replace(nginxConfig)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	process := exec.CommandContext(ctx, program, "-c", file, "-p", dir)
	process.Stderr = os.Stderr
	process.Cancel = func() error { return process.Process.Signal(os.Interrupt) }
	if err := process.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cancel()
		_ = process.Wait()
	})
	for range 100 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return address
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.Fatal("nginx does not listen")
	return ""
}

// drink reads a resource to its end and returns the time to the first byte.
func drink(client *http.Client, uri string, buffer []byte) (int64, time.Duration, error) {
	begin := time.Now()
	resp, err := client.Get(uri)
	if err != nil {
		return 0, 0, err
	}
	first := time.Since(begin)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, 0, fmt.Errorf("status %d", resp.StatusCode)
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{resp.Body}, buffer)
	return n, first, err
}

func parallel(b *testing.B, uri string, clients int) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	if _, _, err := drink(client, uri, make([]byte, 32<<10)); err != nil {
		b.Fatal(err)
	}
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for range clients {
		all.Go(func() {
			buffer := make([]byte, 32<<10)
			for next.Add(1) <= int64(b.N) {
				if _, _, err := drink(client, uri, buffer); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// BenchmarkManifest has 16 clients request one manifest by digest.
func BenchmarkManifest(b *testing.B) {
	img := image(1)
	list, _ := rivals(b, img, "manifests/"+fakeregistry.Digest(img.Root().Body), nil)
	for _, r := range list {
		b.Run(r.name, func(b *testing.B) { parallel(b, r.uri, 16) })
	}
}

// BenchmarkLayer has one client read a layer of 64 MiB.
func BenchmarkLayer(b *testing.B) {
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{64 << 20}})
	list, _ := rivals(b, img, "blobs/"+fakeregistry.Digest(img.Blobs[0]), func(w *world) { w.upstream.Blobs = Relay })
	for _, r := range list {
		b.Run(r.name, func(b *testing.B) {
			b.SetBytes(64 << 20)
			parallel(b, r.uri, 1)
		})
	}
}

// BenchmarkLayerForTwenty has 20 clients read the same layer at once, and
// counts the bytes read from the source.
func BenchmarkLayerForTwenty(b *testing.B) {
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{32 << 20}})
	list, source := rivals(b, img, "blobs/"+fakeregistry.Digest(img.Blobs[0]), func(w *world) { w.upstream.Blobs = Relay })
	for _, r := range list {
		b.Run(r.name, func(b *testing.B) {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 20}}
			defer client.CloseIdleConnections()
			var spread time.Duration
			source.Forget()
			for b.Loop() {
				var all sync.WaitGroup
				var mu sync.Mutex
				var shortest, longest time.Duration
				for range 20 {
					all.Go(func() {
						begin := time.Now()
						if _, _, err := drink(client, r.uri, make([]byte, 64<<10)); err != nil {
							b.Error(err)
						}
						took := time.Since(begin)
						mu.Lock()
						defer mu.Unlock()
						if shortest == 0 || took < shortest {
							shortest = took
						}
						longest = max(longest, took)
					})
				}
				all.Wait()
				spread += longest * 1000 / shortest
			}
			read := int64(0)
			for _, q := range source.Requests() {
				read += q.Sent
			}
			b.ReportMetric(float64(read)/float64(b.N)/(32<<20), "reads")
			b.ReportMetric(float64(spread)/float64(b.N)/1000, "last/first")
		})
	}
}
