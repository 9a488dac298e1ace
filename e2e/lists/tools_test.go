package lists

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/cli"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/wiring"
)

// serve runs a registry whose answers take a time, and gives its host.
func serve(t testing.TB, r *fakeregistry.Registry, delay time.Duration) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		time.Sleep(delay)
		r.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// ferry runs "ferry sync" on a list.
func ferry(t testing.TB, source, target, list string, more ...string) string {
	t.Helper()
	var out bytes.Buffer
	args := []string{"sync", list, "--quiet"}
	for _, host := range []string{source, target} {
		args = append(args, "--private", host, "--plain-http", host)
	}
	status := cli.Run(t.Context(), wiring.Env{
		Args: append(args, more...), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out,
		Getenv: func(string) string { return "" },
		Wait:   func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if status != wiring.StatusDone {
		t.Errorf("ferry: status %d: %s", status, out.String())
	}
	return out.String()
}

// regsync runs regsync on a list.
func regsync(t testing.TB, list string) string {
	t.Helper()
	program, err := exec.LookPath("regsync")
	if err != nil {
		t.Fatalf("the list is compared with regsync: install it, or let .ci/run tools do it: %v", err)
	}
	c := exec.CommandContext(t.Context(), program, "once", "-c", list)
	c.Env = []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("regsync: %v: %s", err, out)
	}
	return string(out)
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

var putTag = regexp.MustCompile(`^/v2/(.+)/manifests/([^:]+)$`)

// held are the tags that were put into a registry, with their digests.
func held(r *fakeregistry.Registry) []string {
	var all []string
	for _, q := range r.Requests() {
		m := putTag.FindStringSubmatch(q.Path)
		if q.Method != http.MethodPut || m == nil || q.Status != http.StatusCreated {
			continue
		}
		if _, body, ok := r.Manifest(m[1], m[2]); ok {
			all = append(all, fmt.Sprintf("%s:%s %s", m[1], m[2], fakeregistry.Digest(body)))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// list is a list of regsync; SOURCE and TARGET are the registries.
const list = `version: 1
creds:
  - {registry: "SOURCE", tls: disabled}
  - {registry: "TARGET", tls: disabled}
defaults: {parallel: 4, ratelimit: {min: 10}}
x-deny: &deny {deny: [".*-.*"]}
sync:
  - {source: "SOURCE/ns/a:1.0.0", target: "TARGET/m/image:renamed", type: image}
  - {source: "SOURCE/ns/a", target: "TARGET/m/latest", type: image}
  - {source: "SOURCE/ns/a", target: "TARGET/m/all", type: repository}
  - {source: "SOURCE/ns/a", target: "TARGET/m/allow", type: repository, tags: {allow: ["1\\.[01].*", "v2|latest"]}}
  - {source: "SOURCE/ns/a", target: "TARGET/m/deny", type: repository, tags: {<<: *deny}}
  - {source: "SOURCE/ns/a", target: "TARGET/m/range", type: repository, tags: {semverRange: ["^1.1", ">=2.0.0-rc.1 <2.0.0"]}}
  - {source: "SOURCE/ns/a", target: "TARGET/m/tilde", type: repository, tags: {semverRange: ["~1.2"], deny: [".*rc.*"]}}
  - {source: "SOURCE/ns/a", target: "TARGET/m/exact", type: repository, tags: {semverRange: ["1", "v2"]}}
  - source: SOURCE/ns/a
    target: 'TARGET/{{ "m" }}/{{ join (split "SETS-x" "-") "_" | lower | default "y" }}/{{ index (split .Sync.Source "/") 1 }}'
    type: repository
    tagSets:
      - {allow: ["latest"]}
      - {semverRange: [">1.2.10"]}
`

// TestSameTags: Ferry copies from a list what regsync copies, to the same names.
func TestSameTags(t *testing.T) {
	source := fakeregistry.New(fakeregistry.Options{})
	for i, tag := range strings.Fields("latest 1 1.0 1.0.0 1.1.0 1.2.0 1.2.9 1.2.10 1.2.10-alpine 1.2.11-rc1 v2 2.0.0-rc.1 2.0.0-rc.10 v2.0.0 3.0.0.1 nightly 01.2.3") {
		source.Add("ns/a", tag, fakeregistry.Generate(fakeregistry.Spec{Seed: uint64(i + 1), Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
	}
	from := serve(t, source, 0)
	theirs, ours := fakeregistry.New(fakeregistry.Options{}), fakeregistry.New(fakeregistry.Options{})
	at := serve(t, theirs, 0)
	file := filepath.Join(t.TempDir(), "list.yaml")
	write(t, file, strings.NewReplacer("SOURCE", from, "TARGET", at).Replace(list))
	said := regsync(t, file)
	at = serve(t, ours, 0)
	write(t, file, strings.NewReplacer("SOURCE", from, "TARGET", at).Replace(list))
	said += ferry(t, from, at, file)
	if diff := cmp.Diff(held(theirs), held(ours)); diff != "" || len(held(ours)) == 0 {
		t.Errorf("-regsync +ferry\n%s\n%s", diff, said)
	}
}

// TestUnchanged: a run in which nothing has changed takes one request to each
// registry for an image. It has 300 images in 30 repositories, at registries
// 30 ms away; -v shows its time and requests, and those of regsync.
func TestUnchanged(t *testing.T) {
	const images, away = 300, 30 * time.Millisecond
	source, target := fakeregistry.New(fakeregistry.Options{}), fakeregistry.New(fakeregistry.Options{})
	from, to := serve(t, source, away), serve(t, target, away)
	image := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{100}})
	text := fmt.Sprintf("version: 1\ncreds:\n  - {registry: %q, tls: disabled}\n  - {registry: %q, tls: disabled}\ndefaults: {parallel: 8}\nsync:\n", from, to)
	for i := range images {
		repository := fmt.Sprintf("ns/img%d", i%30)
		source.Add(repository, fmt.Sprint(i), image)
		target.Add(repository, fmt.Sprint(i), image)
		text += fmt.Sprintf("  - {source: %q, target: %q, type: image}\n", fmt.Sprintf("%s/%s:%d", from, repository, i), fmt.Sprintf("%s/%s:%d", to, repository, i))
	}
	list := filepath.Join(t.TempDir(), "list.yaml")
	write(t, list, text)
	measure := func(program string, run func()) (took time.Duration, asked [2]int) {
		source.Forget()
		target.Forget()
		began := time.Now()
		run()
		took = time.Since(began)
		asked = [2]int{len(source.Requests()), len(target.Requests())}
		t.Logf("%s: %v, %d + %d requests", program, took.Round(time.Millisecond), asked[0], asked[1])
		return took, asked
	}
	ours, asked := measure("ferry", func() { ferry(t, from, to, list) })
	if want := [2]int{images, images}; asked != want {
		t.Errorf("%d requests, not %d", asked, want)
	}
	theirs, _ := measure("regsync", func() { regsync(t, list) })
	t.Logf("%.1f times the time of ferry", float64(theirs)/float64(ours))
}

// TestFirstCopy: images that share ten bases are copied, and then one in ten that has
// moved. Ferry sends each blob once, and reads nothing of an unchanged image; -v shows its time
// and that of regsync. With 300 images, regsync takes a minute.
func TestFirstCopy(t *testing.T) {
	const images, repositories, bases, away = 100, 30, 10, 30 * time.Millisecond
	source := fakeregistry.New(fakeregistry.Options{})
	from := serve(t, source, away)
	add := func(i, seed int) {
		source.Add(fmt.Sprintf("ns/img%d", i%repositories), fmt.Sprint(i), fakeregistry.Generate(fakeregistry.Spec{
			Seed: uint64(seed), Platforms: []string{"linux/amd64"}, Layers: []int{20_000}, Shared: []int{200_000, 50_000}, Base: uint64(i % bases),
		}))
	}
	for i := range images {
		add(i, i)
	}
	regsyncs, ours := fakeregistry.New(fakeregistry.Options{}), fakeregistry.New(fakeregistry.Options{})
	theirs, at := serve(t, regsyncs, away), serve(t, ours, away)
	listFor := func(host string) string {
		text := fmt.Sprintf("version: 1\ncreds:\n  - {registry: %q, tls: disabled}\n  - {registry: %q, tls: disabled}\ndefaults: {parallel: 8}\nsync:\n", from, host)
		for i := range images {
			name := fmt.Sprintf("ns/img%d:%d", i%repositories, i)
			text += fmt.Sprintf("  - {source: %q, target: %q, type: image}\n", from+"/"+name, host+"/"+name)
		}
		file := filepath.Join(t.TempDir(), "list.yaml")
		write(t, file, text)
		return file
	}
	listOfTheirs, listOfOurs := listFor(theirs), listFor(at)
	compare := func(what string, manifests, blobs int) {
		began := time.Now()
		regsync(t, listOfTheirs)
		middle := time.Now()
		source.Forget()
		ours.Forget()
		ferry(t, from, at, listOfOurs)
		took := time.Since(middle)
		t.Logf("%s: ferry %v, regsync %.1f times that", what, took.Round(time.Millisecond), float64(middle.Sub(began))/float64(took))
		if m, b := source.Count("^GET .*/manifests/"), ours.Count("^PUT .*/blobs/"); m != manifests || b != blobs {
			t.Errorf("%s: %d manifests are read and %d blobs are sent, not %d and %d", what, m, b, manifests, blobs)
		}
	}
	compare("first copy", images, 2*images+2*bases) // a layer and a configuration of each
	for i := 0; i < images; i += 10 {
		add(i, images+i)
	}
	compare("one in ten moved", images/10, 2*images/10)
}
