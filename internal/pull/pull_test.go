package pull

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/clients"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

var (
	sum   = v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("a", 64)}
	other = v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("b", 64)}
)

func ref(t testing.TB, text string) reference.Reference {
	t.Helper()
	r, err := reference.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func client(t testing.TB, name string) clients.Client {
	t.Helper()
	all := clients.All()
	i := slices.IndexFunc(all, func(c clients.Client) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("there is no client %s", name)
	}
	return all[i]
}

// machine is a fake client: it records commands, and returns the digest held
// for every name.
type machine struct {
	mu     sync.Mutex
	ran    []string
	held   v1.Hash
	others map[string]v1.Hash // digests of names that are held instead
	fails  string             // part of the command that fails
	pause  func(args []string)
}

func (m *machine) run(_ context.Context, args []string) (string, error) {
	if m.pause != nil {
		m.pause(args)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	line := strings.Join(args, " ")
	m.ran = append(m.ran, line)
	if m.fails != "" && slices.Contains(args, m.fails) {
		return "", fmt.Errorf("%s: exit status 1", line)
	}
	out := "REF TYPE DIGEST\n" // of ctr
	at := slices.Index(args, "ls")
	if args[1] == "image" {
		out, at = "", 4
	}
	for _, name := range args[at+1:] {
		name = strings.TrimPrefix(name, "name==")
		held := m.held
		if other, ok := m.others[name]; ok {
			held = other
		}
		out += name + " x@" + held.String() + " \n"
	}
	return out, nil
}

// pulls pulls images and returns their results.
func (p *Puller) pulls(t *testing.T, images []Image, watch func(Result)) []Result {
	var results []Result
	for _, image := range images {
		results = append(results, Result{Image: image, Err: ErrNotMirrored})
	}
	p.Pull(t.Context(), results, watch)
	return results
}

// holdings are the digests at registries, by mirror name.
type holdings map[string]v1.Hash

func (h holdings) digest(_ context.Context, ref reference.Reference) (v1.Hash, error) {
	if digest, ok := h[ref.String()]; ok {
		return digest, nil
	}
	return v1.Hash{}, &failure.Error{Code: failure.NotFound, Side: failure.Source}
}

func TestPull(t *testing.T) {
	m := &machine{held: sum}
	p := &Puller{Client: client(t, "docker"), Run: m.run, Digest: holdings{"docker.io/u/a.b:1": sum}.digest}
	var told []Result
	results := p.pulls(t, []Image{{
		Source: ref(t, "gcr.io/a/b:1"), Mirrors: []reference.Reference{ref(t, "ghcr.io/u/a.b:1"), ref(t, "docker.io/u/a.b:1")},
	}}, func(r Result) { told = append(told, r) })
	if len(results) != 1 || results[0].Err != nil || results[0].Name != "gcr.io/a/b:1" || results[0].Digest != sum || len(told) != 1 {
		t.Errorf("got %+v, told %+v", results, told)
	}
	pinned := "docker.io/u/a.b@" + sum.String()
	want := []string{
		"docker pull -q " + pinned,
		"docker tag " + pinned + " gcr.io/a/b:1",
		"docker image inspect --format {{range .RepoDigests}}{{.}} {{end}} gcr.io/a/b:1",
		"docker rmi " + pinned,
	}
	if !slices.Equal(m.ran, want) {
		t.Errorf("ran\n%s\nwant\n%s", strings.Join(m.ran, "\n"), strings.Join(want, "\n"))
	}
}

func TestKeep(t *testing.T) {
	m := &machine{held: sum}
	p := &Puller{Client: client(t, "podman"), Run: m.run, Digest: holdings{"docker.io/u/a.b:1": sum}.digest, Keep: true}
	results := p.pulls(t, []Image{{Source: ref(t, "gcr.io/a/b:1"), Mirrors: []reference.Reference{ref(t, "docker.io/u/a.b:1")}}}, func(Result) {})
	if results[0].Err != nil || slices.ContainsFunc(m.ran, func(line string) bool { return strings.Contains(line, "rmi") }) {
		t.Errorf("%v, ran %q", results[0].Err, m.ran)
	}
}

// TestPullByDigest checks that a digest is looked up as such, because the
// mirror's tag may have moved.
func TestPullByDigest(t *testing.T) {
	m := &machine{held: sum}
	pinned := "docker.io/u/a.b:1@" + sum.String()
	p := &Puller{Client: client(t, "ctr"), Run: m.run, Digest: holdings{"docker.io/u/a.b:1": other, pinned: sum}.digest}
	results := p.pulls(t, []Image{{
		Source: ref(t, "gcr.io/a/b:1@"+sum.String()), Mirrors: []reference.Reference{ref(t, "docker.io/u/a.b:1")},
	}}, func(Result) {})
	if results[0].Err != nil || results[0].Digest != sum {
		t.Errorf("got %+v", results[0])
	}
	if want := "ctr -n k8s.io images tag --force docker.io/u/a.b@" + sum.String() + " gcr.io/a/b:1 gcr.io/a/b@" + sum.String(); !slices.Contains(m.ran, want) {
		t.Errorf("ran %q, want %q among it", m.ran, want)
	}
}

func TestPullFails(t *testing.T) {
	images := []Image{{Source: ref(t, "gcr.io/a/b:1"), Mirrors: []reference.Reference{ref(t, "docker.io/u/a.b:1")}}}
	pinned := []Image{{Source: ref(t, "gcr.io/a/b@"+sum.String()), Mirrors: []reference.Reference{ref(t, "docker.io/u/a.b:x")}}}
	has := holdings{"docker.io/u/a.b:1": sum}
	down := func(context.Context, reference.Reference) (v1.Hash, error) {
		return v1.Hash{}, &failure.Error{Code: failure.Unavailable, Side: failure.Source, Step: "reading digest"}
	}
	for _, test := range []struct {
		name   string
		images []Image
		m      *machine
		digest func(context.Context, reference.Reference) (v1.Hash, error)
		want   string
		ran    int // commands
	}{
		{"not mirrored", images, &machine{}, holdings{}.digest, "not mirrored yet", 0},
		{"registry down", images, &machine{}, down, "unavailable", 0},
		{"no digest", images, &machine{}, holdings{"docker.io/u/a.b:1": {}}.digest, "did not report the digest", 0},
		{"mirror lies about a digest", pinned, &machine{}, holdings{"docker.io/u/a.b:x@" + sum.String(): other}.digest, "instead of the requested digest", 0},
		{"pull fails", images, &machine{held: sum, fails: "pull"}, has.digest, "docker pull", 1},
		{"client holds something else", images, &machine{held: other}, has.digest, "docker has another image under gcr.io/a/b:1", 3},
		{"name stays", images, &machine{held: sum, fails: "rmi"}, has.digest, "the image was pulled, but", 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &Puller{Client: client(t, "docker"), Run: test.m.run, Digest: test.digest}
			results := p.pulls(t, test.images, func(Result) {})
			if err := results[0].Err; err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if len(test.m.ran) != test.ran {
				t.Errorf("ran %q, want %d commands", test.m.ran, test.ran)
			}
		})
	}
}

func TestPullCannotName(t *testing.T) {
	p := &Puller{Client: client(t, "crictl"), Run: (&machine{}).run, Digest: holdings{"docker.io/u/a.b:1": sum}.digest}
	results := p.pulls(t, []Image{{Source: ref(t, "gcr.io/a/b:1"), Mirrors: []reference.Reference{ref(t, "docker.io/u/a.b:1")}}}, func(Result) {})
	if results[0].Err == nil || errors.Is(results[0].Err, ErrNotMirrored) {
		t.Errorf("got %v", results[0].Err)
	}
}

// By its sha512 an image is looked for under the mirror's tags, and pulled by its
// sha256.
func TestPullBySHA512(t *testing.T) {
	m := &machine{held: sum}
	long := "sha512:" + strings.Repeat("c", 128)
	p := &Puller{Client: client(t, "docker"), Run: m.run, Digest: holdings{"docker.io/u/a.b:digest-x@" + long: sum}.digest}
	results := p.pulls(t, []Image{{
		Source: ref(t, "gcr.io/a/b:1@"+long), Mirrors: []reference.Reference{ref(t, "docker.io/u/a.b:1"), ref(t, "docker.io/u/a.b:digest-x")},
	}}, func(Result) {})
	if results[0].Err != nil || results[0].Digest != sum || results[0].Name != "gcr.io/a/b:1" {
		t.Errorf("got %+v", results[0])
	}
	if want := "docker pull -q docker.io/u/a.b@" + sum.String(); !slices.Contains(m.ran, want) {
		t.Errorf("ran %q, want %q among it", m.ran, want)
	}
}

// images returns n images that mirrors have.
func images(t *testing.T, n int) (images []Image, has holdings) {
	has = holdings{}
	for i := range n {
		mirror := fmt.Sprintf("docker.io/u/a.b%d:1", i)
		images = append(images, Image{Source: ref(t, fmt.Sprintf("gcr.io/a/b%d:1", i)), Mirrors: []reference.Reference{ref(t, mirror)}})
		has[mirror] = sum
	}
	return images, has
}

// TestManyImages: what is pulled is checked while others are pulled, and together, so
// that it takes hardly longer than the pulls alone, in few commands. A program starts in 40 ms here,
// and a pull takes 300.
func TestManyImages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const start, layer, n = 40 * time.Millisecond, 260 * time.Millisecond, 10
		m := &machine{held: sum, pause: func(args []string) {
			time.Sleep(start)
			if args[1] == "pull" {
				time.Sleep(layer)
			}
		}}
		all, has := images(t, n)
		p := &Puller{Client: client(t, "docker"), Run: m.run, Digest: func(ctx context.Context, ref reference.Reference) (v1.Hash, error) {
			time.Sleep(50 * time.Millisecond) // a round trip
			return has.digest(ctx, ref)
		}}
		began := time.Now()
		for _, r := range p.pulls(t, all, func(Result) {}) {
			if r.Err != nil {
				t.Error(r.Err)
			}
		}
		// Pulls alone, as many at once.
		if took, alone := time.Since(began), (n+atOnce-1)/atOnce*(start+layer); took > alone+50*time.Millisecond+3*start {
			t.Errorf("took %v, the pulls alone %v", took, alone)
		}
		if len(m.ran) != 2*n+4 {
			t.Errorf("ran %d commands:\n%s", len(m.ran), strings.Join(m.ran, "\n"))
		}
	})
}

// TestChecksTogether: of images that are checked with one command, each gets its own
// result.
func TestChecksTogether(t *testing.T) {
	for _, test := range []struct {
		name, client, fails string
		others              map[string]v1.Hash
		want                map[int]string // errors
	}{
		{"one is another", "docker", "", map[string]v1.Hash{"gcr.io/a/b1:1": other}, map[int]string{1: "docker has another image under gcr.io/a/b1:1"}},
		{"one is another, in ctr", "ctr", "", map[string]v1.Hash{"gcr.io/a/b1:1": other}, map[int]string{1: "ctr has another image under gcr.io/a/b1:1"}},
		{"one is gone", "docker", "gcr.io/a/b1:1", nil, map[int]string{1: "exit status 1"}},
		{"names stay", "docker", "rmi", nil, map[int]string{0: "but its mirror name could not be removed", 1: "but its", 2: "but its"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := &machine{held: sum, others: test.others}
			p := &Puller{Client: client(t, test.client), Run: m.run}
			all, _ := images(t, 3)
			var batch []*pulled
			for _, i := range all {
				taking, _ := p.Client.Take(clients.Mirror{Source: i.Source, Name: i.Mirrors[0], Digest: sum})
				batch = append(batch, &pulled{taking: taking, digest: sum})
			}
			m.fails = test.fails
			p.check(t.Context(), batch)
			p.remove(t.Context(), batch)
			for i, one := range batch {
				if want := test.want[i]; (one.err == nil) != (want == "") || one.err != nil && !strings.Contains(one.err.Error(), want) {
					t.Errorf("image %d: %v, want %q", i, one.err, want)
				}
			}
		})
	}
}
