package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/e2e/parts"
)

// TestShards copies 300 images that share bases, of which a tenth does not exist,
// with five shards: one is killed, and one never starts.
func TestShards(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	const images = 300
	dir := t.TempDir()
	var list strings.Builder
	digests := pushFamilies(t, images)
	for i := range images {
		tag := "1"
		if i%10 == 9 {
			tag = "none"
			delete(digests, fmt.Sprintf("img%d", i))
		}
		fmt.Fprintf(&list, "gcr.io/ns/img%d:%s\n", i, tag)
	}
	if err := os.WriteFile(filepath.Join(dir, "images.txt"), []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	ferry := func(args ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), ferryFile(), append([]string{"sync"}, args...)...)
		c.Dir, c.Env = dir, append(os.Environ(), "FERRY_TARGET=docker.io/"+owner.Username, "FERRY_USERNAME="+owner.Username, "FERRY_PASSWORD="+owner.Password)
		return c
	}
	run := func(status int, args ...string) string {
		t.Helper()
		began := time.Now()
		c := ferry(args...)
		out, _ := c.CombinedOutput()
		if got := c.ProcessState.ExitCode(); got != status {
			t.Errorf("sync %v: status %d, want %d: %s", args, got, status, out)
		}
		t.Logf("sync %v: %v", args, time.Since(began).Round(time.Millisecond))
		return string(out)
	}
	run(0, "images.txt", "--plan", "plan.json", "--jobs", "5-5")

	dying := ferry("--plan", "plan.json", "--shard", "1")
	if err := dying.Start(); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	outs := make([]string, 5)
	for shard := 2; shard <= 4; shard++ { // the fifth never starts
		all.Go(func() { outs[shard] = run(0, "--plan", "plan.json", "--shard", fmt.Sprint(shard)) })
	}
	receipts := filepath.Join(dir, "ferry-receipts", "shard-1.jsonl")
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if text, err := os.ReadFile(receipts); err == nil && bytes.Count(text, []byte("\n")) > 5 {
			break
		}
	}
	if err := dying.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = dying.Wait() // it was killed
	all.Wait()
	helped := 0
	for _, m := range regexp.MustCompile(`helped with (\d+) images`).FindAllStringSubmatch(strings.Join(outs, "\n"), -1) {
		var n int
		if _, err := fmt.Sscan(m[1], &n); err == nil {
			helped += n
		}
	}
	if helped < len(digests)/5 {
		t.Errorf("the others have helped with %d images: %v", helped, outs)
	}

	joined := run(1, "--plan", "plan.json", "--join", "ferry-receipts")
	for _, want := range []string{"270 new images:", "30 failed:"} {
		if !strings.Contains(joined, want) {
			t.Errorf("the summary lacks %q:\n%s", want, joined)
		}
	}
	mustHoldFamilies(t, digests)
	if again := run(1, "images.txt"); !strings.Contains(again, "270 unchanged") {
		t.Errorf("the run after it:\n%s", again)
	}
}

// pushFamilies pushes images that share ten bases, and gives their digests.
func pushFamilies(t *testing.T, images int) map[string]v1.Hash {
	t.Helper()
	bases := make([]v1.Image, 10)
	for i := range bases {
		base, err := random.Image(50_000, 3)
		if err != nil {
			t.Fatal(err)
		}
		bases[i] = base
	}
	digests := map[string]v1.Hash{}
	var mu sync.Mutex
	var all sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i := range images {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			layer, err := random.Layer(10_000, types.DockerLayer)
			if err != nil {
				t.Error(err)
				return
			}
			image, err := mutate.AppendLayers(bases[i%len(bases)], layer)
			if err == nil {
				err = remote.Write(parse(t, fmt.Sprintf("gcr.io/ns/img%d:1", i)), image)
			}
			digest, wrong := image.Digest()
			if err != nil || wrong != nil {
				t.Error(err, wrong)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			digests[fmt.Sprintf("img%d", i)] = digest
		})
	}
	all.Wait()
	return digests
}

// mustHoldFamilies wants the target to have what pushFamilies has pushed.
func mustHoldFamilies(t *testing.T, digests map[string]v1.Hash) {
	t.Helper()
	for name, digest := range digests {
		ref := parse(t, "docker.io/user/ns."+name+":1")
		if held, err := remote.Head(ref, remote.WithAuth(&authn.Basic{Username: owner.Username, Password: owner.Password})); err != nil || held.Digest != digest {
			t.Errorf("%s: %v, want %s; %v", ref, held, digest, err)
		}
	}
}
