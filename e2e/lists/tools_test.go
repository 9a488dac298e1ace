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

// tool is a program that Ferry reads the lists of.
type tool struct {
	module string // to install it from
	args   func(list string) []string
}

var tools = map[string]tool{
	"regsync": {"github.com/regclient/regclient/cmd/regsync@v0.11.7", func(list string) []string { return []string{"once", "-c", list} }},
}

// find gives the path of a tool. CI does not have them all.
func find(t testing.TB, name string) string {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not here: go install %s", name, tools[name].module)
	}
	return program
}

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

// run runs the tool on a list.
func (o tool) run(t testing.TB, name, list string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), find(t, name), o.args(list)...)
	c.Env = []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v: %s", name, err, out)
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

// lists are lists of the tools; SOURCE and TARGET are the registries.
var lists = map[string][]string{
	"regsync": {`version: 1
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
    target: 'TARGET/{{ "m" }}/sets'
    type: repository
    tagSets:
      - {allow: ["latest"]}
      - {semverRange: [">1.2.10"]}
`},
}

// TestSameTags: Ferry copies from a list what the tool copies, to the same names.
func TestSameTags(t *testing.T) {
	for name, o := range tools {
		t.Run(name, func(t *testing.T) {
			find(t, name)
			source := fakeregistry.New(fakeregistry.Options{})
			for i, tag := range strings.Fields("latest 1 1.0 1.0.0 1.1.0 1.2.0 1.2.9 1.2.10 1.2.10-alpine 1.2.11-rc1 v2 2.0.0-rc.1 2.0.0-rc.10 v2.0.0 3.0.0.1 nightly 01.2.3") {
				source.Add("ns/a", tag, fakeregistry.Generate(fakeregistry.Spec{Seed: uint64(i + 1), Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
			}
			from := serve(t, source, 0)
			for _, list := range lists[name] {
				list = strings.ReplaceAll(list, `{{ "m" }}`, "m")
				theirs, ours := fakeregistry.New(fakeregistry.Options{}), fakeregistry.New(fakeregistry.Options{})
				at := serve(t, theirs, 0)
				file := filepath.Join(t.TempDir(), "list.yaml")
				write(t, file, strings.NewReplacer("SOURCE", from, "TARGET", at).Replace(list))
				said := o.run(t, name, file)
				at = serve(t, ours, 0)
				write(t, file, strings.NewReplacer("SOURCE", from, "TARGET", at).Replace(list))
				said += ferry(t, from, at, file)
				if diff := cmp.Diff(held(theirs), held(ours)); diff != "" || len(held(ours)) == 0 {
					t.Errorf("-%s +ferry\n%s\n%s", name, diff, said)
				}
			}
		})
	}
}

// TestUnchanged compares the time and the requests of a run in which nothing has
// changed: 300 images in 30 repositories, at registries 30 ms away. It asserts
// nothing; -v shows the figures.
func TestUnchanged(t *testing.T) {
	const images, away = 300, 30 * time.Millisecond
	source, target := fakeregistry.New(fakeregistry.Options{}), fakeregistry.New(fakeregistry.Options{})
	from, to := serve(t, source, away), serve(t, target, away)
	image := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{100}})
	regsync := fmt.Sprintf("version: 1\ncreds:\n  - {registry: %q, tls: disabled}\n  - {registry: %q, tls: disabled}\ndefaults: {parallel: 8}\nsync:\n", from, to)
	for i := range images {
		repository := fmt.Sprintf("ns/img%d", i%30)
		source.Add(repository, fmt.Sprint(i), image)
		target.Add(repository, fmt.Sprint(i), image)
		regsync += fmt.Sprintf("  - {source: %q, target: %q, type: image}\n", fmt.Sprintf("%s/%s:%d", from, repository, i), fmt.Sprintf("%s/%s:%d", to, repository, i))
	}
	list := filepath.Join(t.TempDir(), "list.yaml")
	for name, text := range map[string]string{"regsync": regsync} {
		t.Run(name, func(t *testing.T) {
			find(t, name)
			write(t, list, text)
			measure := func(who string, run func() string) time.Duration {
				source.Forget()
				target.Forget()
				began := time.Now()
				run()
				took := time.Since(began)
				t.Logf("%s: %v, %d + %d requests", who, took.Round(time.Millisecond), len(source.Requests()), len(target.Requests()))
				return took
			}
			ours := measure("ferry", func() string { return ferry(t, from, to, list) })
			theirs := measure(name, func() string { return tools[name].run(t, name, list) })
			t.Logf("%.1f times the time of ferry", float64(theirs)/float64(ours))
		})
	}
}
