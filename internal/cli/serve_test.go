package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/front"
	"github.com/imageferry/ferry/internal/wiring"
)

// served is a running "ferry serve".
type served struct {
	t       *testing.T
	address string
	lines   chan string // of its log
	end     func() int  // ends it and returns the exit status
}

// startServe starts "ferry serve" with args and environ.
func startServe(t *testing.T, environ map[string]string, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	status := make(chan int, 1)
	go func() {
		status <- Run(ctx, wiring.Env{
			Args: append([]string{"serve", "--listen", "127.0.0.1:0"}, args...), Stdout: io.Discard, Stderr: writer,
			Getenv: func(key string) string { return environ[key] },
			Tick:   10 * time.Millisecond,
		})
		writer.Close()
	}()
	s := &served{t: t, lines: make(chan string, 1000)}
	go func() {
		defer close(s.lines)
		for scanner := bufio.NewScanner(reader); scanner.Scan(); {
			s.lines <- scanner.Text()
		}
	}()
	s.end = func() int {
		cancel()
		return <-status
	}
	var line struct{ Msg, Address string }
	text := s.wait(`"msg":"serving"`)
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		t.Fatal(err)
	}
	s.address = line.Address
	return s
}

// wait waits for a line of the log that contains text.
func (s *served) wait(text string) string {
	s.t.Helper()
	var seen []string
	late := time.After(time.Minute)
	for open := true; open; {
		var line string
		select {
		case line, open = <-s.lines:
		case <-late:
			open = false
		}
		if strings.Contains(line, text) {
			return line
		}
		seen = append(seen, line)
	}
	s.t.Fatalf("the log has no %s:\n%s", text, strings.Join(seen, "\n"))
	return ""
}

func (s *served) get(uri string) (int, []byte) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.address+uri, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, body
}

func TestServeWithATargetAlone(t *testing.T) {
	registry := fakeregistry.New(fakeregistry.Options{Private: true, Username: "alice", Password: "sesame"})
	backend := httptest.NewServer(registry)
	defer backend.Close()
	image := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{300_000}})
	registry.Add("alice/google-containers.pause", "3.10", image)
	s := startServe(t, map[string]string{"FERRY_USERNAME": "alice", "FERRY_PASSWORD": "sesame"}, "--target", "http://"+backend.Listener.Addr().String()+"/alice")
	for _, uri := range []string{"/v2/pause/manifests/3.10?ns=registry.k8s.io", "/v2/k8s.gcr.io/pause/manifests/3.10"} {
		if status, body := s.get(uri); status != http.StatusOK || !bytes.Equal(body, image.Root().Body) {
			t.Errorf("%s: status %d: %s", uri, status, body)
		}
	}
	for _, blob := range image.Blobs {
		if status, body := s.get("/v2/pause/blobs/" + fakeregistry.Digest(blob) + "?ns=registry.k8s.io"); status != http.StatusOK || !bytes.Equal(body, blob) {
			t.Errorf("a blob has status %d and %d bytes", status, len(body))
		}
	}
	if status, _ := s.get("/-/live"); status != http.StatusOK {
		t.Errorf("/-/live has status %d", status)
	}
	if status, _ := s.get("/-/ready"); status != http.StatusOK {
		t.Errorf("/-/ready has status %d", status)
	}
	if status := s.end(); status != wiring.StatusDone {
		t.Errorf("exit status %d", status)
	}
	for line := range s.lines {
		if strings.Contains(line, "sesame") {
			t.Errorf("the log has the password: %s", line)
		}
	}
}

func TestServeRefusesToBeOpen(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0"} {
		status, _, stderr := ferry(t, "", nil, "serve", "--target", "docker.io/alice", "--listen", listen)
		if status != wiring.StatusUsage || !strings.Contains(stderr, "no guests are configured") {
			t.Errorf("%s: status %d: %s", listen, status, stderr)
		}
	}
	if status, _, stderr := ferry(t, "", nil, "serve"); status != wiring.StatusUsage || !strings.Contains(stderr, "--target") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if status, _, stderr := ferry(t, "", nil, "serve", "nginx"); status != wiring.StatusUsage || !strings.Contains(stderr, "clients name the images") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

func TestServeReadsItsFileAgain(t *testing.T) {
	registry := fakeregistry.New(fakeregistry.Options{})
	backend := httptest.NewServer(registry)
	defer backend.Close()
	image := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{1000}})
	registry.Add("alice/harbour.hello", "1", image)
	file := filepath.Join(t.TempDir(), "serve.yaml")
	write := func(more string) {
		t.Helper()
		text := "targets: [{to: \"http://" + backend.Listener.Addr().String() + "/alice\"}]\n" + more
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("")
	s := startServe(t, nil, "--config", file)
	const uri = "/v2/gcr.io/harbour/hello/manifests/1"
	if status, body := s.get(uri); status != http.StatusOK {
		t.Fatalf("status %d: %s", status, body)
	}
	write("denied: [gcr.io/harbour/*]\n")
	s.wait("was reloaded")
	if status, _ := s.get(uri); status != http.StatusForbidden {
		t.Errorf("what is denied now has status %d", status)
	}
	write("denied: x y z\n")
	s.wait("the configuration was not changed")
	if status, _ := s.get(uri); status != http.StatusForbidden {
		t.Errorf("after a bad file the status is %d", status)
	}
	if status := s.end(); status != wiring.StatusDone {
		t.Errorf("exit status %d", status)
	}
}

// TestServeWithACME checks that a build either refuses a folder for keys that others
// can read, or says that it cannot request certificates and what can.
func TestServeWithACME(t *testing.T) {
	cache := t.TempDir()
	if err := os.Chmod(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "serve.yaml")
	text := "targets: [{to: docker.io/alice}]\ntls: {acme: {cache: '" + cache + "', hosts: [front.example.com]}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	want := "ghcr.io/imageferry/ferry"
	if front.ACMEIncluded {
		if want = "run chmod 700"; runtime.GOOS == "windows" {
			t.Skip("there are no modes")
		}
	}
	status, _, stderr := ferry(t, "", nil, "serve", "--config", file, "--listen", "127.0.0.1:0")
	if status != wiring.StatusUsage || !strings.Contains(stderr, "tls.acme") || !strings.Contains(stderr, want) {
		t.Errorf("status %d: %s", status, stderr)
	}
}
