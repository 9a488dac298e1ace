package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/distribution/distribution/v3/registry/handlers"
)

// bed is where servers are started.
type bed struct {
	ctx        context.Context
	dir, ferry string
	runs       int
	servers    []*server
}

// server is a running peer.
type server struct {
	name    string
	base    string // in front of "/manifests/…", as a URL
	process *exec.Cmd
}

// start starts a program and waits until it listens.
func (b *bed) start(name, address, path string, program string, args ...string) (*server, error) {
	log, err := os.Create(filepath.Join(b.dir, fmt.Sprintf("%d.log", b.runs)))
	if err != nil {
		return nil, fmt.Errorf("making a log: %w", err)
	}
	defer log.Close()
	s := &server{name: name, base: "http://" + address + path, process: exec.CommandContext(b.ctx, program, args...)}
	s.process.Stdout, s.process.Stderr = log, log
	s.process.Env = append(os.Environ(), "BENCH_PASSWORD=of-nobody")
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	b.servers = append(b.servers, s)
	for range 200 {
		if c, err := net.Dial("tcp", address); err == nil {
			return s, c.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
	text, _ := os.ReadFile(log.Name())
	return nil, fmt.Errorf("%s does not listen: %.500s", name, text)
}

func (b *bed) stopAll() {
	for _, s := range b.servers {
		_ = s.process.Process.Signal(syscall.SIGTERM)
		_ = s.process.Wait() // what it returns after a signal does not matter
	}
	b.servers = nil
}

// file writes a file for one server.
func (b *bed) file(text string) (string, error) {
	b.runs++
	name := filepath.Join(b.dir, fmt.Sprintf("%d.conf", b.runs))
	return name, os.WriteFile(name, []byte(text), 0o600)
}

// serveFerry starts Ferry with a file that begins with more.
func (b *bed) serveFerry(name, more string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	file, err := b.file(fmt.Sprintf("%slisten: %s\n", more, address))
	if err != nil {
		return nil, err
	}
	return b.start(name, address, "/v2/gcr.io/bench/image", b.ferry, "serve", "--config", file)
}

// before is the file for a front of one registry.
func before(r *registry) string {
	return fmt.Sprintf("targets: [{to: \"%s/bench\", private: true, plain-http: true}]\nplaces: [{kind: mirror, blobs: relay}]\n", r.address)
}

const nginxFile = `daemon off; USER pid DIR/pid; error_log stderr crit; worker_processes auto;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000;
  client_body_temp_path DIR/a; proxy_temp_path DIR/b; fastcgi_temp_path DIR/c; uwsgi_temp_path DIR/d; scgi_temp_path DIR/e;
  proxy_cache_path DIR/cache keys_zone=z:10m;
  log_format line escape=json '{"time":"$time_iso8601","method":"$request_method","uri":"$uri","status":$status,"bytes":$body_bytes_sent,"s":$request_time,"guest":"$remote_addr"}';
  upstream u { server BACKEND; keepalive 64; }
  server {
    listen ADDRESS; proxy_http_version 1.1; proxy_set_header Connection "";
    location /v2/ { proxy_pass http://u; proxy_max_temp_file_size 0; }
    location /cached/ { proxy_pass http://u/; proxy_cache z; proxy_cache_valid 200 10m; }
    location /logged/ { access_log DIR/log line; proxy_pass http://u/; proxy_cache z; proxy_cache_valid 200 10m; }
    location /locked/ { proxy_pass http://u/; proxy_cache z; proxy_cache_valid 200 10m; proxy_cache_lock on; proxy_cache_lock_timeout 1h; proxy_cache_lock_age 1h; }
  }
}
`

const haproxyFile = `global
  maxconn 1000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen all
  bind ADDRESS
  server registry BACKEND
`

// errMissing is the failure of a server that is not installed.
var errMissing = errors.New("not installed")

// other starts nginx, HAProxy, Go's ReverseProxy, distribution's proxy or one that
// works as Harbor's in front of r. prefix is in front of nginx's paths.
func (b *bed) other(name, program, prefix string, r *registry) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	const image = "/v2/bench/image"
	switch program {
	case "ReverseProxy", "distribution", "harbor":
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("finding this program: %w", err)
		}
		return b.start(name, address, image, self, "peer", program, address, r.address)
	}
	found, err := exec.LookPath(program)
	if err != nil {
		return nil, errMissing
	}
	dir, err := os.MkdirTemp(b.dir, program)
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	user := "" // nginx's workers run as another user by default
	if os.Geteuid() == 0 {
		user = "user root;"
	}
	text := map[string]string{"nginx": nginxFile, "haproxy": haproxyFile}[program]
	file, err := b.file(strings.NewReplacer("USER", user, "DIR", dir, "ADDRESS", address, "BACKEND", r.address).Replace(text))
	if err != nil {
		return nil, err
	}
	args := map[string][]string{"nginx": {"-p", dir, "-c", file}, "haproxy": {"-db", "-f", file}}[program]
	return b.start(name, address, prefix+image, found, args...)
}

// servePeer is the process of a peer that this program itself contains.
func servePeer(ctx context.Context, program, address, backend string) {
	target := &url.URL{Scheme: "http", Host: backend}
	dir, err := os.MkdirTemp("", "ferry-serve-bench-proxy-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	var handler http.Handler
	switch program {
	case "ReverseProxy":
		handler = &httputil.ReverseProxy{
			Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
			Transport: &http.Transport{MaxIdleConnsPerHost: 64},
		}
	case "distribution":
		config := distributionConfig(dir)
		config.Proxy.RemoteURL = target.String()
		handler = handlers.NewApp(ctx, config)
	case "harbor":
		local, err := newTarget(ctx, dir)
		if err != nil {
			panic(err)
		}
		handler = harbor{target.String(), "http://" + local}
	}
	s := &http.Server{Addr: address, Handler: handler}
	context.AfterFunc(ctx, func() { s.Close() })
	_ = s.ListenAndServe() // it ends by Close
}

// cpu is the processor time that s and its children have taken.
func (s *server) cpu() time.Duration {
	ticks := 0
	for _, pid := range s.pids() {
		text, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		for _, field := range fields[11:13] { // utime and stime, proc(5)
			n, _ := strconv.Atoi(field)
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// peak is the largest memory that s has had, in bytes.
func (s *server) peak() int64 {
	sum := int64(0)
	for _, pid := range s.pids() {
		text, _ := os.ReadFile("/proc/" + pid + "/status")
		_, rest, _ := strings.Cut(string(text), "VmHWM:")
		line, _, _ := strings.Cut(rest, "kB\n")
		kib, _ := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
		sum += kib << 10
	}
	return sum
}

func (s *server) pids() []string {
	pid := strconv.Itoa(s.process.Process.Pid)
	children, _ := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	return append([]string{pid}, strings.Fields(string(children))...)
}
