package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// made is an image under a name.
func made(t *testing.T, name string, image *fakeregistry.Image) Image {
	t.Helper()
	ref, err := reference.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	blobs := map[string][]byte{}
	for _, b := range image.Blobs {
		blobs[fakeregistry.Digest(b)] = b
	}
	i := Image{Name: ref, Open: func(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
		text, ok := blobs[d.Digest.String()]
		if !ok {
			return nil, errors.New("no blob " + d.Digest.String())
		}
		return io.NopCloser(bytes.NewReader(text)), nil
	}}
	for _, m := range image.Manifests {
		i.Manifests = append(i.Manifests, registry.NewManifest(types.MediaType(m.MediaType), m.Body))
	}
	return i
}

func spec(seed uint64, platforms ...string) fakeregistry.Spec {
	return fakeregistry.Spec{Seed: seed, Platforms: platforms, Layers: []int{20_000, 513}, Shared: []int{4096}, Base: 7}
}

// written is the archive of images.
func written(t *testing.T, images ...Image) []byte {
	t.Helper()
	l, err := NewLayout(images)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	told := int64(0)
	if err := l.Write(t.Context(), &b, func(_ int, n int64) { told += n }); err != nil {
		t.Fatal(err)
	}
	var all int64
	for i := range images {
		all += l.BytesOf(i)
	}
	if int64(b.Len()) != l.Size() || told != all {
		t.Errorf("%d bytes, %d were said; %d of blobs, %d were said", b.Len(), l.Size(), all, told)
	}
	return b.Bytes()
}

// files are those of a tar, by the standard library.
func files(t *testing.T, text []byte) map[string]string {
	t.Helper()
	all := map[string]string{}
	for r := tar.NewReader(bytes.NewReader(text)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, again := all[h.Name]; again {
			t.Errorf("%s is there twice", h.Name)
		}
		all[h.Name] = string(content)
	}
}

// TestWrite: both kinds of readers find every image by its full name, and every
// blob is there once.
func TestWrite(t *testing.T) {
	one, two := fakeregistry.Generate(spec(1, "linux/amd64")), fakeregistry.Generate(spec(2, "linux/arm64", "linux/amd64"))
	digest := fakeregistry.Digest(two.Root().Body)
	images := []Image{
		made(t, "nginx:1.27", one), made(t, "gcr.io/a/b:2", two), made(t, "quay.io/same/image:3", one), made(t, "quay.io/pinned/image@"+digest, two),
		made(t, "quay.io/both/of:them@"+digest, two),
	}
	text := written(t, images...)
	all := files(t, text)
	for name, content := range all {
		if hash, ok := strings.CutPrefix(name, "blobs/sha256/"); ok && hash != "" {
			if sum := sha256.Sum256([]byte(content)); hex.EncodeToString(sum[:]) != hash {
				t.Errorf("%s has other content", name)
			}
		}
	}
	var list struct {
		Manifests []struct {
			Digest      string
			Annotations map[string]string
		}
	}
	var docker []struct {
		Config           string
		RepoTags, Layers []string
	}
	if err := errors.Join(json.Unmarshal([]byte(all["index.json"]), &list), json.Unmarshal([]byte(all["manifest.json"]), &docker)); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range list.Manifests {
		if m.Annotations["io.containerd.image.name"] != m.Annotations["org.opencontainers.image.ref.name"] {
			t.Errorf("the names differ: %v", m.Annotations)
		}
		got[m.Annotations["io.containerd.image.name"]] = m.Digest
	}
	root := fakeregistry.Digest(one.Root().Body)
	if diff := cmp.Diff(map[string]string{
		"docker.io/library/nginx:1.27": root, "gcr.io/a/b:2": digest, "quay.io/same/image:3": root, "quay.io/pinned/image@" + digest: digest,
		"quay.io/both/of:them": digest, "quay.io/both/of@" + digest: digest,
	}, got); diff != "" {
		t.Error(diff)
	}
	var tags []string
	for _, d := range docker {
		tags = append(tags, d.RepoTags...)
		var config struct{ Architecture string }
		if err := json.Unmarshal([]byte(all[d.Config]), &config); err != nil || config.Architecture != "amd64" {
			t.Errorf("docker gets %s: %v", config.Architecture, err)
		}
		if len(d.Layers) != 3 || slices.ContainsFunc(d.Layers, func(l string) bool { return all[l] == "" }) {
			t.Errorf("docker gets the layers %v", d.Layers)
		}
	}
	if diff := cmp.Diff([]string{"docker.io/library/nginx:1.27", "gcr.io/a/b:2", "quay.io/same/image:3", "quay.io/both/of:them"}, tags); diff != "" {
		t.Error(diff)
	}
	if !bytes.Equal(text, written(t, images...)) {
		t.Error("the same images gave other bytes")
	}
}

// TestNoImage: what is no container image is in the layout alone, since docker
// would refuse the whole file because of it.
func TestNoImage(t *testing.T) {
	one := fakeregistry.Generate(spec(1, "linux/amd64"))
	artifact := fakeregistry.Signature(one.Root(), 1)
	if all := files(t, written(t, made(t, "gcr.io/a/chart:1", artifact))); all["manifest.json"] != "" || all["index.json"] == "" {
		t.Errorf("%v", all)
	}
}

func TestNotWritten(t *testing.T) {
	one, two := fakeregistry.Generate(spec(1, "linux/amd64")), fakeregistry.Generate(spec(2, "linux/amd64"))
	if _, err := NewLayout([]Image{made(t, "nginx:1", one), made(t, "nginx:1", two)}); err == nil || !strings.Contains(err.Error(), "two images have the name docker.io/library/nginx:1") {
		t.Errorf("two images of one name: %v", err)
	}
	broken := made(t, "nginx:1", one)
	open := broken.Open
	for name, short := range map[string]bool{"short": true, "failing": false} {
		broken.Open = func(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
			r, err := open(ctx, d)
			if d.Size != 513 || err != nil {
				return r, err
			}
			if short {
				return io.NopCloser(io.LimitReader(r, 100)), nil
			}
			return io.NopCloser(io.MultiReader(io.LimitReader(r, 100), brokenReader{})), nil
		}
		l, err := NewLayout([]Image{broken, made(t, "redis:2", two)})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Write(t.Context(), io.Discard, func(int, int64) {}); err == nil {
			t.Errorf("a blob that is %s was written", name)
		}
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

// TestOutput cuts a file into parts, which have their names only when all is there.
func TestOutput(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789"), 100)
	for _, limit := range []int64{0, 7, 100, 500, 1000, 5000} {
		dir := t.TempDir()
		o := Create(filepath.Join(dir, TarFile), limit)
		for piece := range slices.Chunk(text, 33) {
			if _, err := o.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		if names := list(t, dir); slices.ContainsFunc(names, func(n string) bool { return !strings.HasSuffix(n, partial) }) {
			t.Errorf("before the end there are %v", names)
		}
		whole, parts, err := o.Finish()
		if err != nil {
			t.Fatal(err)
		}
		if err := Furnish(dir, o, Record{Size: whole.Size, SHA256: whole.SHA256, Files: parts}); err != nil {
			t.Fatal(err)
		}
		if err := o.Close(); err != nil {
			t.Error(err)
		}
		sums, err := readSums(dir)
		if err != nil {
			t.Fatal(err)
		}
		var joined []byte
		for i, f := range sums {
			part, err := os.ReadFile(filepath.Join(dir, f.Name))
			if err != nil {
				t.Fatal(err)
			}
			if sum := sha256.Sum256(part); hex.EncodeToString(sum[:]) != f.SHA256 || limit > 0 && int64(len(part)) > limit || int64(len(part)) != parts[i].Size {
				t.Errorf("limit %d: %+v has %d bytes", limit, f, len(part))
			}
			joined = append(joined, part...)
		}
		if sum := sha256.Sum256(joined); !bytes.Equal(joined, text) || hex.EncodeToString(sum[:]) != whole.SHA256 {
			t.Errorf("limit %d: %d bytes", limit, len(joined))
		}
	}
}

// furnish makes a folder with an archive, in pieces of at most limit bytes.
func furnish(t *testing.T, dir string, text []byte, limit int64) (whole File, parts []File) {
	t.Helper()
	o := Create(filepath.Join(dir, TarFile), limit)
	defer o.Close()
	if _, err := o.Write(text); err != nil {
		t.Fatal(err)
	}
	whole, parts, err := o.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if err := Furnish(dir, o, Record{Size: whole.Size, SHA256: whole.SHA256, Files: parts}); err != nil {
		t.Fatal(err)
	}
	return whole, parts
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestFurnishAgain: a smaller archive in the place of a larger one leaves no part
// of it, and one that was stopped leaves the earlier one as it was.
func TestFurnishAgain(t *testing.T) {
	dir := t.TempDir()
	furnish(t, dir, []byte("abcdefgh"), 2)
	if err := os.WriteFile(filepath.Join(dir, "mine.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	stopped := Create(filepath.Join(dir, TarFile), 2)
	if _, err := io.WriteString(stopped, "xyzxyzxyz"); err != nil {
		t.Fatal(err)
	}
	if err := stopped.Close(); err != nil {
		t.Fatal(err)
	}
	if sums, err := readSums(dir); err != nil || len(sums) != 4 {
		t.Errorf("%v, %v", sums, err)
	}
	furnish(t, dir, []byte("abc"), 2)
	if diff := cmp.Diff([]string{SumsFile, RecordFile, "images.tar.001", "images.tar.002", "load.ps1", "load.sh", "mine.txt"}, list(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestSums(t *testing.T) {
	sum := strings.Repeat("0", 64)
	for text, want := range map[string]string{
		"":                        "is empty",
		sum + "  ../images.tar\n": "invalid line",
		sum + "  /etc/passwd\n":   "invalid line",
		strings.ToUpper("a"+sum[1:]) + "  images.tar\n": "invalid line",
		"images.tar\n": "invalid line",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, SumsFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := readSums(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := readSums(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not an archive") {
		t.Errorf("an empty folder: %v", err)
	}
}

func layerHash(t *testing.T, text []byte) v1.Hash {
	t.Helper()
	digest, err := v1.NewHash(fakeregistry.Digest(text))
	if err != nil {
		t.Fatal(err)
	}
	return digest
}
