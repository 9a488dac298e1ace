package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/wiring"
)

// TestSave saves from the sources and from the mirror: the same images give the
// same bytes, wherever they were read.
func TestSave(t *testing.T) {
	w := newWorld(t)
	w.Publish("library/nginx", "1.27", 1)
	w.Publish("ns/img", "2", 2)
	status, said := w.run(t.Context(), "copy", "nginx:1.27", "gcr.io/ns/img:2", "--to", "registry.example.com/mirror")
	w.WantStatus(status, wiring.StatusDone, said)
	file, again := filepath.Join(w.Dir, "images.tar"), filepath.Join(w.Dir, "again.tar")
	status, said = w.run(t.Context(), "save", "nginx:1.27", "gcr.io/ns/img:2", "-o", file)
	w.WantStatus(status, wiring.StatusDone, said)
	fakeworld.WantText(t, "the output", said, "docker.io/library/nginx:1.27: sha256:", "linux/amd64", "docker load -i "+file)
	delete(w.Environ, "FERRY_CONFIG") // which would name another mirror
	status, said = w.run(t.Context(), "save", "nginx:1.27", "gcr.io/ns/img:2", "-o", again, "--from", "registry.example.com/mirror",
		"--private", "registry.example.com", "--plain-http", "registry.example.com")
	w.WantStatus(status, wiring.StatusDone, said)
	one, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if two, err := os.ReadFile(again); err != nil || !bytes.Equal(one, two) {
		t.Errorf("the archives have %d and %d bytes: %v", len(one), len(two), err)
	}
}

// TestSaveTooLarge checks that an archive above the limit is not written, and that
// its size is told.
func TestSaveTooLarge(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "2", 2)
	dir := filepath.Join(w.Dir, "images")
	status, said := w.run(t.Context(), "save", "gcr.io/ns/img:2", "--max-size", "4KiB", "--json", "-o", dir+"/")
	w.WantStatus(status, wiring.StatusFailed, said)
	fakeworld.WantText(t, "the output", said, `"limit": 4096`, "more than the limit of 4.1 kB: nothing is saved")
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder is there")
	}
	status, said = w.run(t.Context(), "save", "gcr.io/ns/img:2", "--max-size", "4MiB", "--json", "-o", dir+"/")
	w.WantStatus(status, wiring.StatusDone, said)
	if strings.Contains(said, "limit") {
		t.Errorf("the output is %s", said)
	}
}

// TestSaveFolder cuts the archive of all platforms into parts.
func TestSaveFolder(t *testing.T) {
	w := newWorld(t)
	image := fakeregistry.Generate(fakeregistry.Spec{Seed: 3, Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{2 << 20}})
	w.Source.Add("ns/img", "2", image)
	dir := filepath.Join(w.Dir, "images")
	status, said := w.run(t.Context(), "save", "gcr.io/ns/img:2", "--platform", "all", "--split", "1500KiB", "--json", "-o", dir+"/")
	w.WantStatus(status, wiring.StatusDone, said)
	var printed, kept struct {
		Images []struct{ Image, Digest string }
		Files  []struct {
			File string
			Size int64
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "archive.json"))
	if err != nil {
		t.Fatal(err)
	}
	if json.Unmarshal([]byte(said), &printed) != nil || json.Unmarshal(text, &kept) != nil || len(kept.Files) != 3 || len(printed.Files) != 3 ||
		kept.Images[0].Digest != fakeregistry.Digest(image.Root().Body) {
		t.Errorf("printed %s, kept %s", said, text)
	}
}

// TestSaveFails: nothing is left of an archive that lacks an image, or a layer.
func TestSaveFails(t *testing.T) {
	w := newWorld(t)
	w.Publish("library/nginx", "1.27", 1)
	file := filepath.Join(w.Dir, "images.tar")
	status, said := w.run(t.Context(), "save", "nginx:1.27", "nginx:none", "-o", file)
	w.WantStatus(status, wiring.StatusFailed, said)
	fakeworld.WantText(t, "the output", said, "docker.io/library/nginx:none: not found", "nothing is saved")
	w.Source.Inject(fakeregistry.Fault{Match: "^GET .*/blobs/", Times: -1, Status: 404})
	status, said = w.run(t.Context(), "save", "nginx:1.27", "-o", file)
	w.WantStatus(status, wiring.StatusFailed, said)
	fakeworld.WantText(t, "the output", said, "docker.io/library/nginx:1.27: ", "nothing is saved")
	if found, err := filepath.Glob(filepath.Join(w.Dir, "images*")); err != nil || len(found) > 0 {
		t.Errorf("there are %v, %v", found, err)
	}
}

func TestSaveMistakes(t *testing.T) {
	w := newWorld(t)
	for args, want := range map[string]string{
		"":                                  "set -o to a file",
		"-o images.tar.gz":                  "use images.tar",
		"-o images.tgz":                     "use images.tar",
		"-o images.tar --split 1GiB":        "--split needs a folder",
		"-o images/ --split much":           `--split is "much"`,
		"-o images/ --split 1000":           "1 MiB or more",
		"-o images.tar --platform linux/no": `--platform is "linux/no"`,
		"-o - --json":                       "--json cannot be used",
		"-o images.tar --profile flat":      "--from",
	} {
		status, said := w.run(t.Context(), append([]string{"save", "nginx"}, strings.Fields(args)...)...)
		w.WantStatus(status, wiring.StatusUsage, said)
		fakeworld.WantText(t, args, said, want)
	}
}

// TestCopyFromArchive pushes an archive of all platforms into a registry, without
// the source: the digests are those of the source.
func TestCopyFromArchive(t *testing.T) {
	w := newWorld(t)
	nginx, img := w.Publish("library/nginx", "1.27", 1), w.Publish("ns/img", "2", 2)
	file, dir := filepath.Join(w.Dir, "images.tar"), filepath.Join(w.Dir, "images")
	for _, output := range []string{file, dir + "/"} {
		status, said := w.run(t.Context(), "save", "nginx:1.27", "gcr.io/ns/img:2", "--platform", "all", "-o", output)
		w.WantStatus(status, wiring.StatusDone, said)
	}
	status, said := w.run(t.Context(), "verify", file, dir)
	w.WantStatus(status, wiring.StatusDone, said)
	fakeworld.WantText(t, "the output", said, "docker.io/library/nginx:1.27: "+nginx, "intact")
	asked := len(w.Source.Requests())
	status, said = w.run(t.Context(), "copy", dir)
	w.WantStatus(status, wiring.StatusDone, said)
	if more := len(w.Source.Requests()) - asked; more > 0 {
		t.Errorf("the sources were asked %d times", more)
	}
	if got := w.Mirrored("docker.nginx", "1.27"); got != nginx {
		t.Errorf("the mirror has %s, the source %s", got, nginx)
	}
	if got := w.Mirrored("ns.img", "2"); got != img {
		t.Errorf("the mirror has %s, the source %s", got, img)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)-1530] ^= 1 // in the last layer
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	status, said = w.run(t.Context(), "verify", file)
	w.WantStatus(status, wiring.StatusFailed, said)
	fakeworld.WantText(t, "the output", said, "is damaged")
	w.SetPolicy(strings.ReplaceAll(fakeworld.Policy, "/mirror", "/other"))
	status, said = w.run(t.Context(), "copy", file, "--to", "registry.example.com/other")
	w.WantStatus(status, wiring.StatusDone, said)
	fakeworld.WantText(t, "the output", said, "without `linux/arm64`")
	for args, want := range map[string]string{
		"copy none.tar":                   "there is no file none.tar",
		"copy " + file + " nginx":         "copy it alone",
		"copy " + dir + "/images.tar.001": "there is no file",
		"verify":                          "there is no archive",
	} {
		status, said := w.run(t.Context(), strings.Fields(args)...)
		w.WantStatus(status, wiring.StatusUsage, said)
		fakeworld.WantText(t, args, said, want)
	}
}

// TestSaveList saves the images of a list, with the tags that a range chooses.
func TestSaveList(t *testing.T) {
	w := newWorld(t)
	for n, tag := range []string{"1.25.0", "1.26.0", "1.27.0", "2.0.0"} {
		w.Publish("library/nginx", tag, uint64(n))
	}
	w.Publish("ns/img", "2", 9)
	file := filepath.Join(w.Dir, "images.tar")
	w.Write("images.txt", "nginx:>=1.26 <2\ngcr.io/ns/img:2\n")
	status, said := w.run(t.Context(), "save", "--list", filepath.Join(w.Dir, "images.txt"), "-o", file)
	w.WantStatus(status, wiring.StatusDone, said)
	fakeworld.WantText(t, "the output", said, "nginx:1.26.0: ", "nginx:1.27.0: ", "gcr.io/ns/img:2: ")
	if strings.Contains(said, "1.25.0") || strings.Contains(said, "2.0.0") {
		t.Error(said)
	}
	for list, want := range map[string]string{
		"nginx:>=3":        "selects none of the 4 tags",
		"nginx:1.27.0\n??": "not everything could be read",
	} {
		w.Write("images.txt", list+"\n")
		status, said := w.run(t.Context(), "save", "--list", filepath.Join(w.Dir, "images.txt"), "-o", file)
		w.WantStatus(status, wiring.StatusFailed, said)
		fakeworld.WantText(t, list, said, want)
	}
	w.Write("images.txt", "nginx:>=1\n")
	status, said = w.run(t.Context(), "save", "--list", filepath.Join(w.Dir, "images.txt"), "-o", file, "--from", "registry.example.com/mirror")
	w.WantStatus(status, wiring.StatusUsage, said)
	fakeworld.WantText(t, "a range at a mirror", said, "name the tags")
}

// TestSaveFromPrivateMirror: a mirror at a host that is not a source is read, with
// the login for the target, by the name that the label of the source gives it.
func TestSaveFromPrivateMirror(t *testing.T) {
	w := newWorld(t)
	w.SetPolicy(strings.Replace(fakeworld.Policy, "host: docker.io,", "host: docker.io, label: hub,", 1))
	w.Publish("library/nginx", "1.27", 1)
	status, said := w.run(t.Context(), "copy", "nginx:1.27", "--to", "registry.example.com/mirror")
	w.WantStatus(status, wiring.StatusDone, said)
	status, said = w.run(t.Context(), "save", "nginx:1.27", "-o", filepath.Join(w.Dir, "images.tar"), "--from", "registry.example.com/mirror")
	w.WantStatus(status, wiring.StatusDone, said)
}

// TestSaveArtifacts saves a Helm chart and a WASM module, which are no container
// images, next to an image, and copies all of them into a registry. An image with a
// layer that only its vendor may distribute is not saved.
func TestSaveArtifacts(t *testing.T) {
	w := newWorld(t)
	w.Publish("library/nginx", "1.27", 1)
	add := func(repository, config, layer, more string) string {
		parts := []string{`{"name":"` + repository + `"}`, "content of " + repository}
		body := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":%q,"digest":%q,"size":%d},"layers":[{"mediaType":%q,"digest":%q,"size":%d%s}]}`,
			config, fakeregistry.Digest([]byte(parts[0])), len(parts[0]), layer, fakeregistry.Digest([]byte(parts[1])), len(parts[1]), more)
		w.Source.Add(repository, "1", &fakeregistry.Image{
			Manifests: []fakeregistry.Part{{MediaType: "application/vnd.oci.image.manifest.v1+json", Body: []byte(body)}},
			Blobs:     [][]byte{[]byte(parts[0]), []byte(parts[1])},
		})
		return fakeregistry.Digest([]byte(body))
	}
	chart := add("ns/chart", "application/vnd.cncf.helm.config.v1+json", "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "")
	wasm := add("ns/wasm", "application/vnd.wasm.config.v0+json", "application/wasm", "")
	add("ns/foreign", "application/vnd.oci.image.config.v1+json", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", `,"urls":["https://mcr.example/layer"]`)
	file := filepath.Join(w.Dir, "images.tar")
	status, said := w.run(t.Context(), "save", "gcr.io/ns/chart:1", "gcr.io/ns/wasm:1", "nginx:1.27", "-o", file)
	w.WantStatus(status, wiring.StatusDone, said)
	status, said = w.run(t.Context(), "verify", file)
	w.WantStatus(status, wiring.StatusDone, said)
	status, said = w.run(t.Context(), "copy", file)
	w.WantStatus(status, wiring.StatusDone, said)
	for repository, want := range map[string]string{"ns.chart": chart, "ns.wasm": wasm} {
		if got := w.Mirrored(repository, "1"); got != want {
			t.Errorf("%s has %s, want %s", repository, got, want)
		}
	}
	if w.Mirrored("docker.nginx", "1.27") == "" {
		t.Error("the image is not there")
	}
	status, said = w.run(t.Context(), "save", "gcr.io/ns/foreign:1", "-o", filepath.Join(w.Dir, "foreign.tar"))
	w.WantStatus(status, wiring.StatusFailed, said)
	fakeworld.WantText(t, "a foreign layer", said, "ns/foreign:1: ", "unsupported type", "foreign.diff", "nothing is saved")
}

// TestSaveReferrers saves an image with what refers to it, by cosign's tags and by the API,
// and pushes all of it into a registry, without the source. Clients see one image.
func TestSaveReferrers(t *testing.T) {
	w := newWorld(t)
	image := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{20_000}})
	w.Source.Add("ns/img", "1", image)
	root, amd64 := fakeregistry.Digest(image.Root().Body), fakeregistry.Digest(image.Manifests[0].Body)
	tagOf := func(digest, suffix string) string { return strings.Replace(digest, ":", "-", 1) + suffix }
	ofAPI := fakeregistry.Signature(image.Root(), 1)
	w.Source.Add("ns/img", "", ofAPI)
	w.Source.Add("ns/img", tagOf(root, ".sig"), fakeregistry.Signature(fakeregistry.Part{}, 2))
	w.Source.Add("ns/img", tagOf(amd64, ".att"), fakeregistry.Signature(fakeregistry.Part{}, 3))
	plain, full := filepath.Join(w.Dir, "plain.tar"), filepath.Join(w.Dir, "full.tar")
	for file, flags := range map[string][]string{plain: nil, full: {"--referrers"}, full + "2": {"--referrers"}} {
		status, said := w.run(t.Context(), append([]string{"save", "gcr.io/ns/img:1", "--platform", "all", "-o", file}, flags...)...)
		w.WantStatus(status, wiring.StatusDone, said)
	}
	one, err := os.ReadFile(full)
	two, again := os.ReadFile(full + "2")
	if err != nil || again != nil || !bytes.Equal(one, two) {
		t.Errorf("the same image gives other bytes: %v, %v", err, again)
	}
	status, said := w.run(t.Context(), "verify", plain, full)
	w.WantStatus(status, wiring.StatusDone, said)
	if n := strings.Count(said, "ns/img"); n != 2 || strings.Contains(said, ".sig") {
		t.Errorf("the archives have %d images: %s", n, said)
	}
	names, _, _ := bytes.Cut(one, []byte("referrers.json")) // which clients do not read
	if bytes.Contains(one, []byte(`"RepoTags":["gcr.io/ns/img:sha256`)) || bytes.Count(names, []byte("io.containerd.image.name")) != 1 {
		t.Error("clients would load a signature as an image")
	}
	delete(w.At, "gcr.io:80")
	for file, want := range map[string]bool{plain: false, full: true} {
		w.SetPolicy(strings.ReplaceAll(fakeworld.Policy, "/mirror", "/"+strings.TrimSuffix(filepath.Base(file), ".tar")))
		status, said = w.run(t.Context(), "copy", file)
		w.WantStatus(status, wiring.StatusDone, said)
		repository := strings.TrimSuffix(filepath.Base(file), ".tar") + "/ns.img"
		for _, ref := range []string{tagOf(root, ".sig"), tagOf(amd64, ".att"), fakeregistry.Digest(ofAPI.Root().Body)} {
			if _, _, there := w.Target.Manifest(repository, ref); there != want {
				t.Errorf("from %s, %s is there: %v", file, ref, there)
			}
		}
	}
	// A damaged signature is found.
	at := bytes.Index(one, []byte(`{"seed":2}`))
	one[at+8] = '7'
	if err := os.WriteFile(full, one, 0o644); err != nil {
		t.Fatal(err)
	}
	status, said = w.run(t.Context(), "verify", full)
	w.WantStatus(status, wiring.StatusFailed, said)
}
