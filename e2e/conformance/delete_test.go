package conformance

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/imageferry/ferry/e2e/parts"
	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// older starts CNCF distribution 2.8, which Debian has, and returns its address. It
// deletes by digest only.
func older(t *testing.T, deletes bool) string {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Fatal(err) // .ci/run installs it
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := l.Addr().String()
	l.Close()
	file := filepath.Join(t.TempDir(), "config.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage: {inmemory: {}, delete: {enabled: %v}}\nhttp: {addr: %q}\n", deletes, host)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	serve := exec.Command(program, "serve", file)
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = serve.Process.Kill(); _ = serve.Wait() })
	for range 200 {
		if resp, err := http.Get("http://" + host + "/v2/"); err == nil {
			resp.Body.Close()
			return host
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("docker-registry does not start")
	return ""
}

// TestDeleteAtDistribution deletes mirrors at two versions of CNCF distribution: one
// deletes by tag, the older one by digest only, and not unless it is configured.
func TestDeleteAtDistribution(t *testing.T) {
	type result = mirror.Removed
	for _, test := range []struct {
		name  string
		start func(*testing.T) string
		want  map[string]result
		left  []string
	}{
		{"3", func(t *testing.T) string {
			server := httptest.NewServer(parts.Memory(t))
			t.Cleanup(server.Close)
			return server.Listener.Addr().String()
		}, map[string]result{"old": mirror.Deleted, "new": mirror.Deleted, "whole": mirror.Deleted, "moved": mirror.Moved}, []string{"moved", "part", "twin"}},
		{"2.8", func(t *testing.T) string { return older(t, true) },
			map[string]result{"old": mirror.Shared, "new": mirror.Deleted, "whole": mirror.Deleted, "moved": mirror.Moved}, []string{"moved", "old", "part", "twin"}},
		{"2.8, deletion disabled", func(t *testing.T) string { return older(t, false) },
			map[string]result{"old": mirror.Shared, "new": mirror.ByHand, "whole": mirror.ByHand, "moved": mirror.Moved}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			host := test.start(t)
			stock := newStock(t, host)
			targets := registry.NewTargets([]config.Target{{Host: host, Namespace: "m", Private: true, PlainHTTP: true}}, nil, registry.Options{})
			t.Cleanup(targets.Close)
			tags := []string{"old", "new", "whole", "moved"}
			var removals []mirror.Removal
			for _, tag := range tags {
				ref, err := reference.Parse(host + "/m/tool:" + tag)
				if err != nil {
					t.Fatal(err)
				}
				digest := stock.digests[tag]
				if tag == "moved" {
					digest = stock.digests["new"] // as it was when it was mirrored
				}
				removals = append(removals, mirror.Removal{Mirror: ref, Digest: digest})
			}
			for i, got := range mirror.New(mirror.Options{Targets: targets}).Delete(t.Context(), removals) {
				if got != test.want[tags[i]] {
					t.Errorf("%s: %d, want %d", tags[i], got, test.want[tags[i]])
				}
			}
			left, err := remote.List(stock.repository)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(left)
			if test.left == nil {
				test.left = []string{"moved", "new", "old", "part", stock.signature, "twin", "whole"}
				slices.Sort(test.left)
			}
			if !slices.Equal(left, test.left) {
				t.Errorf("left are %v, want %v", left, test.left)
			}
			// What a tag has is complete; what none has is gone.
			for what, there := range map[v1.Hash]bool{
				stock.digests["twin"]: true, stock.shared: true, stock.digests["new"]: slices.Contains(left, "new"),
				stock.digests["whole"]: slices.Contains(left, "whole"), stock.own: slices.Contains(left, "whole"),
			} {
				if _, err := remote.Head(stock.repository.Digest(what.String())); (err == nil) != there {
					t.Errorf("%s is there: %v, want %v", what, !there, there)
				}
			}
		})
	}
}

// stock is a repository with tags: "old" and "twin" have one content; "whole" is an
// index of two images, of which "part" is one, with a signature beside it.
type stock struct {
	repository  name.Repository
	digests     map[string]v1.Hash
	shared, own v1.Hash // of the images in the index
	signature   string
}

func newStock(t *testing.T, host string) *stock {
	t.Helper()
	repository, err := name.NewRepository(host+"/m/tool", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	s := &stock{repository: repository, digests: map[string]v1.Hash{}}
	put := func(tag string, image v1.Image) {
		t.Helper()
		if err := remote.Write(repository.Tag(tag), image); err != nil {
			t.Fatal(err)
		}
		s.digests[tag], err = image.Digest()
		if err != nil {
			t.Fatal(err)
		}
	}
	var images [5]v1.Image
	for i := range images {
		if images[i], err = random.Image(500, 1); err != nil {
			t.Fatal(err)
		}
	}
	put("old", images[0])
	put("twin", images[0])
	put("new", images[1])
	put("moved", images[2])
	put("part", images[3])
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: images[3]}, mutate.IndexAddendum{Add: images[4]})
	if err := remote.WriteIndex(repository.Tag("whole"), index); err != nil {
		t.Fatal(err)
	}
	s.digests["whole"], err = index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	s.shared = s.digests["part"]
	if s.own, err = images[4].Digest(); err != nil {
		t.Fatal(err)
	}
	s.signature = fmt.Sprintf("sha256-%s.sig", s.digests["whole"].Hex)
	signature, err := random.Image(50, 1)
	if err != nil {
		t.Fatal(err)
	}
	put(s.signature, signature)
	return s
}
