package archive

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
)

// kept puts an archive into a file.
func kept(t *testing.T, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), TarFile)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// tarOf is a tar of files, in the order of their names.
func tarOf(t testing.TB, all map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.Write(tarHeader(name, int64(len(all[name]))))
		b.WriteString(all[name])
		b.Write(tarEnd[:padded(int64(len(all[name])))-int64(len(all[name]))])
	}
	b.Write(tarEnd)
	return b.Bytes()
}

func faultsOf(t *testing.T, path string) []string {
	t.Helper()
	r, err := Verify(t.Context(), path)
	if err != nil {
		return []string{err.Error()}
	}
	var all []string
	for _, f := range r.Faults {
		all = append(all, f.Error())
	}
	return all
}

// pair are two images, one of them for two platforms.
func pair(t *testing.T) []byte {
	t.Helper()
	return written(t, made(t, "nginx:1", fakeregistry.Generate(spec(1, "linux/amd64"))),
		made(t, "gcr.io/a/b:2", fakeregistry.Generate(spec(2, "linux/arm64", "linux/amd64"))))
}

func TestVerify(t *testing.T) {
	text := pair(t)
	r, err := Verify(t.Context(), kept(t, text))
	if err != nil || len(r.Faults) > 0 {
		t.Fatalf("%v, %v", r.Faults, err)
	}
	var names []string
	for _, s := range r.Images {
		names = append(names, s.Name.String())
	}
	if diff := cmp.Diff([]string{"docker.io/library/nginx:1", "gcr.io/a/b:2"}, names); diff != "" {
		t.Error(diff)
	}
}

// TestEveryDamageIsFound: no byte of an archive can be another without notice, but
// for those of its own lists, which the checksums of a folder cover, and those
// that nobody reads.
func TestEveryDamageIsFound(t *testing.T) {
	text := pair(t)
	for at := 2000; at < len(text); at += 997 {
		damaged := bytes.Clone(text)
		damaged[at] ^= 0x40
		inBlob := false
		_ = scan(bytes.NewReader(text), int64(len(text)), func(e tarEntry) error {
			inBlob = inBlob || strings.HasPrefix(e.name, blobFolder) && int64(at) >= e.offset && int64(at) < e.offset+e.size
			return nil
		})
		if found := faultsOf(t, kept(t, damaged)); inBlob && len(found) == 0 {
			t.Errorf("a wrong byte at %d was not found", at)
		}
	}
	for _, end := range []int{0, 100, 512, 600, 5000, len(text) / 2, len(text) - 1025} {
		if found := faultsOf(t, kept(t, text[:end])); len(found) == 0 {
			t.Errorf("the first %d of %d bytes were taken for an archive", end, len(text))
		}
	}
}

// TestPartsAreOne: a folder with parts is read as if they were one file, and a part
// that is damaged or missing is named.
func TestPartsAreOne(t *testing.T) {
	text := pair(t)
	for _, limit := range []int64{700, 4096, 1 << 20} {
		dir := t.TempDir()
		_, parts := furnish(t, dir, text, limit)
		if found := faultsOf(t, dir); len(found) > 0 {
			t.Errorf("limit %d: %v", limit, found)
		}
		last := filepath.Join(dir, parts[len(parts)-1].Name)
		if err := os.Truncate(last, 10); err != nil {
			t.Fatal(err)
		}
		if found := faultsOf(t, dir); len(found) != 1 || !strings.Contains(found[0], last+" is damaged") {
			t.Errorf("limit %d: %v", limit, found)
		}
		if err := os.Remove(last); err != nil {
			t.Fatal(err)
		}
		if found := faultsOf(t, dir); len(found) != 1 || !strings.Contains(found[0], last) {
			t.Errorf("limit %d: %v", limit, found)
		}
	}
}

// TestHostile changes the files of a good archive.
func TestHostile(t *testing.T) {
	good := files(t, pair(t))
	delete(good, "blobs/")
	delete(good, "blobs/sha256/")
	var list index
	if err := json.Unmarshal([]byte(good[indexFile]), &list); err != nil {
		t.Fatal(err)
	}
	indexOf := func(change func(*index)) string {
		var l index
		_ = json.Unmarshal([]byte(good[indexFile]), &l)
		change(&l)
		text, err := encode(l)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	child := func() string { // the last manifest of the index
		var d struct{ Manifests []struct{ Digest string } }
		_ = json.Unmarshal([]byte(good[blobPath(list.Manifests[1].Digest)]), &d)
		return blobFolder + strings.TrimPrefix(d.Manifests[0].Digest, "sha256:")
	}()
	for name, test := range map[string]struct {
		change map[string]string // a file's content; "-" for none
		want   string            // empty for no fault
	}{
		"nothing":               {nil, ""},
		"further files":         {map[string]string{"repositories": "{}", "readme": "hello"}, ""},
		"without docker's list": {map[string]string{dockerFile: "-"}, ""},
		"an outside name":       {map[string]string{"../../etc/passwd": "x"}, `has a path outside the archive: "../../etc/passwd"`},
		"an absolute name":      {map[string]string{"/etc/passwd": "x"}, "has a path outside the archive"},
		"no index":              {map[string]string{indexFile: "-"}, "has no OCI image layout"},
		"neither":               {map[string]string{indexFile: "-", dockerFile: "-"}, "is not an archive of images"},
		"no JSON":               {map[string]string{indexFile: "<html>"}, "has a file index.json that cannot be read"},
		"a huge index":          {map[string]string{indexFile: strings.Repeat(" ", maxJSON+1)}, "the limit is"},
		"no image":              {map[string]string{indexFile: `{"schemaVersion":2,"manifests":[]}`}, "has no images"},
		"a name that is none": {map[string]string{indexFile: indexOf(func(l *index) { l.Manifests[0].Annotations[imageName] = "a b/../c" })},
			"has an image with an invalid name"},
		"two of one name": {map[string]string{indexFile: indexOf(func(l *index) {
			l.Manifests[1].Annotations[imageName] = l.Manifests[0].Annotations[imageName]
		})}, "has two images with the name docker.io/library/nginx:1"},
		"another digest in the name": {map[string]string{indexFile: indexOf(func(l *index) {
			l.Manifests[1].Annotations[imageName] = "gcr.io/a/b@" + l.Manifests[0].Digest.String()
		})}, "under the name gcr.io/a/b@"},
		"names swapped": {map[string]string{indexFile: indexOf(func(l *index) {
			l.Manifests[0].Annotations, l.Manifests[1].Annotations = l.Manifests[1].Annotations, l.Manifests[0].Annotations
		})}, "different images with the name docker.io/library/nginx:1"},
		"a tag alone as the name": {map[string]string{indexFile: indexOf(func(l *index) {
			l.Manifests[0].Annotations = map[string]string{refName: "1.27"}
		})}, ""},
		"an index without children": {map[string]string{child: "-"}, "is not in the archive"},
		"a damaged manifest":        {map[string]string{child: good[child] + " "}, "is damaged"},
		"docker's list broken":      {map[string]string{dockerFile: "{}"}, "has a file manifest.json that cannot be read"},
		"docker's list elsewhere":   {map[string]string{dockerFile: `[{"Config":"../x","RepoTags":null,"Layers":["blobs/sha256/zz"]}]`}, `manifest.json names "../x"`},
		"referrers broken":          {map[string]string{referrersFile: "{"}, "has a file referrers.json that cannot be read"},
		"a referrer is missing": {map[string]string{referrersFile: `{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:` + strings.Repeat("1", 64) + `","size":5}]}`},
			"is not in the archive"},
		"docker's names": {map[string]string{dockerFile: `[{"Config":"` + child + `","RepoTags":["A B"],"Layers":[]}]`}, "manifest.json has an invalid name"},
	} {
		all := maps.Clone(good)
		for file, text := range test.change {
			all[file] = text
			if text == "-" {
				delete(all, file)
			}
		}
		found := strings.Join(faultsOf(t, kept(t, tarOf(t, all))), "\n")
		if test.want == "" && found != "" || !strings.Contains(found, test.want) {
			t.Errorf("%s: found %q, want %q", name, found, test.want)
		}
	}
	twice := append(tarOf(t, good)[:len(tarOf(t, good))-len(tarEnd)], tarOf(t, map[string]string{indexFile: "{}"})...)
	if found := faultsOf(t, kept(t, twice)); len(found) != 1 || !strings.Contains(found[0], `"index.json" twice`) {
		t.Errorf("a file twice: %v", found)
	}
	var link bytes.Buffer
	w := tar.NewWriter(&link)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: "index.json", Linkname: "/etc/passwd"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if found := faultsOf(t, kept(t, link.Bytes())); len(found) != 1 || !strings.Contains(found[0], "not a regular file") {
		t.Errorf("a link: %v", found)
	}
	if found := faultsOf(t, kept(t, []byte("\x1f\x8b0123456789"))); len(found) != 1 || !strings.Contains(found[0], "unpack it first with gunzip") {
		t.Errorf("compressed: %v", found)
	}
}

// TestIndexBomb: indexes that name one another a thousand times each take no longer
// than they are large.
func TestIndexBomb(t *testing.T) {
	image := fakeregistry.Generate(spec(1, "linux/amd64"))
	all := map[string]string{}
	put := func(text string) string {
		digest := fakeregistry.Digest([]byte(text))
		all[blobFolder+strings.TrimPrefix(digest, "sha256:")] = text
		return digest
	}
	for _, b := range image.Blobs {
		put(string(b))
	}
	text, mediaType := string(image.Root().Body), image.Root().MediaType
	for range maxDepth {
		digest := put(text)
		entry, err := json.Marshal(map[string]any{"mediaType": mediaType, "digest": digest, "size": len(text)})
		if err != nil {
			t.Fatal(err)
		}
		mediaType = "application/vnd.oci.image.index.v1+json"
		text = `{"schemaVersion":2,"mediaType":"` + mediaType + `","manifests":[` + strings.Repeat(string(entry)+",", maxChildren-1) + string(entry) + `]}`
	}
	all[indexFile] = text
	if found := faultsOf(t, kept(t, tarOf(t, all))); len(found) > 0 {
		t.Errorf("%v", found)
	}
}

// TestAsSource reads an archive as a place to copy from.
func TestAsSource(t *testing.T) {
	image := fakeregistry.Generate(spec(2, "linux/arm64", "linux/amd64"))
	in := made(t, "gcr.io/a/b:2", image)
	a, err := Open(kept(t, written(t, in)))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	m, err := a.Manifest(t.Context(), in.Name)
	if err != nil || !bytes.Equal(m.Body, image.Root().Body) {
		t.Fatalf("%v, %v", m, err)
	}
	other, err := in.Name.Repository().Tagged("3")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Manifest(t.Context(), other); failure.CodeOf(err) != failure.NotFound {
		t.Errorf("another tag: %v", err)
	}
	layer := image.Blobs[0]
	digest := layerHash(t, layer)
	r, err := a.Blob(in.Name.Repository(), digest, int64(len(layer))).Open(t.Context(), 10, 100)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, layer[10:100]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := a.Blob(in.Name.Repository(), digest, 7).Open(t.Context(), 0, 7); failure.CodeOf(err) != failure.WrongSize {
		t.Errorf("a wrong size: %v", err)
	}
}

// FuzzOpen: whatever a file is, it gets an answer.
func FuzzOpen(f *testing.F) {
	one := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{100}})
	all := map[string]string{
		layoutFile: layoutText, dockerFile: "[]",
		indexFile: `{"schemaVersion":2,"manifests":[{"mediaType":"` + one.Root().MediaType + `","digest":"` + fakeregistry.Digest(one.Root().Body) + `","size":1}]}`,
		blobFolder + strings.TrimPrefix(fakeregistry.Digest(one.Root().Body), "sha256:"): string(one.Root().Body),
	}
	f.Add(tarOf(f, all))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := read(bytes.NewReader(text), int64(len(text)))
		if err == nil {
			a.faults(t.Context())
		}
	})
}
