package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// build builds Ferry as released and returns the file and its size in bytes.
func build(b *testing.B) (string, int64) {
	b.Helper()
	file := filepath.Join(b.TempDir(), "ferry")
	out, err := exec.Command(filepath.Join("..", "..", ".github", "scripts", "build"), file).CombinedOutput()
	if err != nil {
		b.Fatalf("building Ferry: %v\n%s", err, out)
	}
	info, err := os.Stat(file)
	if err != nil {
		b.Fatal(err)
	}
	return file, info.Size()
}

// BenchmarkStart measures the start of a run: the process, the event, the
// configuration. It ends with the first output, which is the version on
// standard output or the first request to GitHub.
func BenchmarkStart(b *testing.B) {
	file, size := build(b)
	b.Run("version", func(b *testing.B) {
		for b.Loop() {
			if err := exec.Command(file, "version").Run(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(size), "bytes")
	})
	b.Run("first-request", func(b *testing.B) {
		asked := make(chan time.Time)
		github := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case asked <- time.Now():
			case <-r.Context().Done():
			}
			<-r.Context().Done() // until the process is killed
		}))
		defer github.Close()
		environ := []string{
			"GITHUB_ACTIONS=true", "GITHUB_EVENT_NAME=issues", "GITHUB_EVENT_PATH=" + issue(b),
			"GITHUB_REPOSITORY=octo/ferry", "GITHUB_TOKEN=token", "GITHUB_API_URL=" + github.URL,
			"FERRY_USERNAME=octo", "FERRY_PASSWORD=password",
		}
		var waited time.Duration
		for b.Loop() {
			ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
			run := exec.CommandContext(ctx, file, "run")
			run.Env, run.Stdout, run.Stderr = environ, io.Discard, io.Discard
			began := time.Now()
			if err := run.Start(); err != nil {
				b.Fatal(err)
			}
			select {
			case at := <-asked:
				waited += at.Sub(began)
			case <-ctx.Done():
				b.Fatal("Ferry asked GitHub for nothing")
			}
			cancel()
			_ = run.Wait() // the process was killed
		}
		b.ReportMetric(float64(waited.Microseconds())/1000/float64(b.N), "ms/request")
	})
}

// issue writes a file with the event of an issue that names an image.
func issue(b *testing.B) string {
	b.Helper()
	user := map[string]any{"login": "octo", "id": 1, "type": "User"}
	event, err := json.Marshal(map[string]any{
		"action": "opened", "sender": user,
		"issue":      map[string]any{"number": 1, "title": "please", "body": "gcr.io/ns/img:1", "state": "open", "user": user},
		"repository": map[string]any{"name": "ferry", "full_name": "octo/ferry", "owner": user},
	})
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "event.json")
	if err := os.WriteFile(file, event, 0o600); err != nil {
		b.Fatal(err)
	}
	return file
}
