package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/front"
	"github.com/imageferry/ferry/internal/transfer"
	"github.com/imageferry/ferry/internal/wiring"
)

// uplink is the speed at which the target of BenchmarkMiss receives, in bytes a
// second.
const uplink = 8 << 20

// BenchmarkMiss compares "ferry copy" of an image of 5 layers and 20 MiB with a pull of
// the same image through a front that misses it, from the request to the manifest. The
// run that the front starts is "ferry copy" in this process: a runner that is already
// there.
func BenchmarkMiss(b *testing.B) {
	var copied, missed, started time.Duration
	for n := range b.N {
		w := fakeworld.New(b)
		for _, repository := range []string{"ns/copied", "ns/missed"} {
			w.Source.Add(repository, "1", fakeregistry.Generate(fakeregistry.Spec{
				Seed: uint64(n*2 + len(repository)), Platforms: []string{"linux/amd64"}, Layers: []int{4 << 20, 4 << 20, 4 << 20, 4 << 20, 4 << 20},
			}))
		}
		w.At["registry.example.com:80"] = w.Serve(&slow{next: w.Target})
		environ := func(key string) string { return w.Environ[key] }
		run := func(image string) {
			var out bytes.Buffer
			if status := Run(b.Context(), wiring.Env{Args: []string{"copy", image}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Getenv: environ, At: w.At}); status != wiring.StatusDone {
				b.Errorf("copying %s: status %d\n%s", image, status, &out)
			}
		}
		began := time.Now()
		run("gcr.io/ns/copied:1")
		copied += time.Since(began)

		var dispatched time.Time
		const token = "a-token-that-may-start-workflows"
		w.Environ["GITHUB_API_URL"] = "http://" + w.Serve(fakegithub.New(fakegithub.Config{
			Repository: event.Repository{Owner: "alice", Name: "ferry"},
			Tokens:     map[string]event.User{token: {ID: 1, Login: "alice"}},
			Workflows:  map[string]string{".github/workflows/mirror.yml": "active"},
			Notify: func(e fakegithub.Event) {
				dispatched = time.Now()
				go run(e.Text)
			},
		}))
		engine := transfer.New(transfer.Options{})
		f, err := wiring.NewFront(b.Context(), &config.Serve{
			Config: config.Config{
				Targets: []config.Target{{
					Host: "registry.example.com", Namespace: "mirror", Profile: "flat", Private: true, PlainHTTP: true,
					Username: w.Environ["FERRY_USERNAME"], Password: config.NewSecret(w.Environ["FERRY_PASSWORD"]),
				}},
				Sources: []config.Source{{Host: "gcr.io"}}, Limits: config.DefaultLimits(),
			},
			Places: []config.FrontPlace{{Kind: config.PlaceMirror, Blobs: "auto"}},
			Workflow: config.FrontWorkflow{
				Owner: "alice", Name: "ferry", File: "mirror.yml", Ref: "main", Token: config.NewSecret(token), Wait: time.Minute, Hourly: 1, Daily: 1,
			},
		}, wiring.Env{At: w.At, Getenv: environ}, wiring.FrontParts{Engine: engine, Memories: front.NewMemories(1 << 20), Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		began = time.Now()
		req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+w.Serve(f)+"/v2/gcr.io/ns/missed/manifests/1", nil)
		if err != nil {
			b.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		if resp.StatusCode != http.StatusOK {
			b.Errorf("pulling: %s", resp.Status)
		}
		resp.Body.Close()
		missed += time.Since(began)
		started += dispatched.Sub(began)
		f.Close()
		engine.Close()
	}
	each := func(d time.Duration) float64 { return d.Seconds() / float64(b.N) }
	b.ReportMetric(each(copied), "s/copy")
	b.ReportMetric(each(missed), "s/miss")
	b.ReportMetric(each(started), "s/start")
	b.ReportMetric(missed.Seconds()/copied.Seconds(), "miss/copy")
}

// slow is a registry behind a link of the speed uplink.
type slow struct {
	next http.Handler
	mu   sync.Mutex
	free time.Time // when the link has sent what it was given
}

func (s *slow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = struct {
		io.Reader
		io.Closer
	}{&slowBody{s, r.Context(), r.Body}, r.Body}
	s.next.ServeHTTP(w, r)
}

type slowBody struct {
	link *slow
	ctx  context.Context
	next io.Reader
}

func (b *slowBody) Read(p []byte) (int, error) {
	n, err := b.next.Read(p)
	b.link.mu.Lock()
	if now := time.Now(); b.link.free.Before(now) {
		b.link.free = now
	}
	b.link.free = b.link.free.Add(time.Duration(n) * time.Second / uplink)
	wait := time.Until(b.link.free)
	b.link.mu.Unlock()
	select {
	case <-time.After(wait):
	case <-b.ctx.Done():
		return n, fmt.Errorf("reading: %w", b.ctx.Err())
	}
	return n, err
}
