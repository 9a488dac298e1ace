package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

// list writes a list and gives its path.
func (w *world) list(name, text string) string {
	w.T.Helper()
	w.Write(name, text)
	return filepath.Join(w.Dir, name)
}

// The whole life of a list: first copies, then nothing to do, then a moved tag and
// one that is gone.
func TestSync(t *testing.T) {
	w := newWorld(t)
	for i, tag := range []string{"1.0.0", "1.1.0", "1.1.1", "1.2.0-rc1", "1.1.1-alpine", "latest"} {
		w.Publish("ns/img", tag, uint64(i+1))
	}
	w.Publish("ns/exact", "7", 20)
	file := w.list("images.txt", "gcr.io/ns/exact:7\ngcr.io/ns/img:>=1 newest 2 # the newest\n")

	status, out := w.run(t.Context(), "sync", file)
	w.WantStatus(status, wiring.StatusDone, out)
	fakeworld.WantText(t, "the output", out, "3 new images:", "gcr.io/ns/exact:7 → registry.example.com/mirror/ns.exact:7: sha256:", "gcr.io/ns/img:1.1.1 →", "gcr.io/ns/img:1.1.0 →")
	if w.Mirrored("ns.img", "1.0.0") != "" || w.Mirrored("ns.img", "1.1.1") == "" {
		t.Error("other tags are mirrored than were chosen")
	}

	w.Source.Forget()
	w.Target.Forget()
	status, out = w.run(t.Context(), "sync", file)
	w.WantStatus(status, wiring.StatusDone, out)
	fakeworld.WantText(t, "the output", out, "3 unchanged\n")
	for pattern, want := range map[string]int{"^HEAD .*/manifests/": 3, "^GET .*/tags/list": 1, "^GET .*/(manifests|blobs)/": 0} {
		if got := w.Source.Count(pattern); got != want {
			t.Errorf("%d requests %s at the source, want %d", got, pattern, want)
		}
	}
	if got := w.Target.Count("^HEAD .*/manifests/"); got != 3 || w.Target.Count("^(GET .*/manifests|PUT|POST|PATCH)") != 0 {
		t.Errorf("%d HEADs at the target, want 3 and nothing else: %v", got, w.Target.Requests())
	}

	before := w.Mirrored("ns.exact", "7")
	after := w.Publish("ns/exact", "7", 21)
	w.Publish("ns/img", "1.3.0", 22)
	w.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/img/manifests/1.1.1", Times: -1, Status: http.StatusNotFound, Body: `{"errors":[{"code":"MANIFEST_UNKNOWN"}]}`})
	status, out = w.run(t.Context(), "sync", file, "--check")
	w.WantStatus(status, wiring.StatusDone, out)
	fakeworld.WantText(t, "the output", out, "2 of 7 tags\n  + 1.3.0\n  + 1.1.1\n", "  - 1.1.0  not among the newest", "  - 1.1.1-alpine  another variant", "  - latest  not a version",
		"  - 1.2.0-rc1  a prerelease", "1 image to copy:\n  gcr.io/ns/img:1.3.0 → ", "1 tag has moved:\n  gcr.io/ns/exact:7 → registry.example.com/mirror/ns.exact:7: "+before,
		"1 image gone at the source, kept at the target:\n  gcr.io/ns/img:1.1.1")
	if w.Mirrored("ns.exact", "7") != before {
		t.Error("--check has copied")
	}

	status, out = w.run(t.Context(), "sync", file, "--json")
	w.WantStatus(status, wiring.StatusDone, out)
	var records []report.Record
	if err := json.Unmarshal([]byte(out[strings.Index(out, "["):]), &records); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	got := map[string]report.Record{}
	for _, r := range records {
		got[r.Source] = r
	}
	if r := got["gcr.io/ns/exact:7"]; r.Status != report.Copied || r.Before != before || r.Digest != after || r.List != file+":1" {
		t.Errorf("the moved tag: %+v", r)
	}
	if r := got["gcr.io/ns/img:1.1.1"]; r.Status != report.Gone || w.Mirrored("ns.img", "1.1.1") == "" {
		t.Errorf("the tag that is gone: %+v", r)
	}
	if r := got["gcr.io/ns/img:1.3.0"]; r.Status != report.Copied || r.Before != "" {
		t.Errorf("the new tag: %+v", r)
	}

	// What is there is not asked about at the source.
	w.Source.Forget()
	w.Publish("ns/exact", "7", 23)
	status, out = w.run(t.Context(), "sync", file, "--only-missing")
	w.WantStatus(status, wiring.StatusDone, out)
	fakeworld.WantText(t, "the output", out, "3 unchanged\n")
	if n := w.Source.Count("/manifests/"); n != 0 {
		t.Errorf("%d requests at the source: %v", n, w.Source.Requests())
	}
}

// TestSyncQuota: the output says what the target holds of what it may hold.
func TestSyncQuota(t *testing.T) {
	w := newWorld(t)
	w.SetPolicy(strings.Replace(fakeworld.Policy, "{to:", "{quota: {repositories: 5}, to:", 1))
	for n, name := range []string{"a", "b", "c", "d"} {
		w.Publish("ns/"+name, "1", uint64(n+1))
	}
	for _, test := range []struct{ list, want string }{
		{"gcr.io/ns/a:1\n", "has 1 of 5 repositories."},
		{"gcr.io/ns/a:1\ngcr.io/ns/b:1\ngcr.io/ns/c:1\ngcr.io/ns/d:1\n", "has 4 of 5 repositories. What exceeds the limit is refused"},
	} {
		w.Target = fakeregistry.New(fakeregistry.Options{Username: "mate", Password: "sesame-of-the-target", Tokens: true, Catalog: true})
		w.At["registry.example.com:80"] = w.Serve(w.Target)
		status, out := w.run(t.Context(), "sync", w.list("images.txt", test.list))
		w.WantStatus(status, wiring.StatusDone, out)
		fakeworld.WantText(t, "the output", out, `"registry.example.com/mirror" `+test.want)
	}
}

// One bad entry, repository or image does not stop the others, and the exit status
// tells of it.
func TestSyncFailures(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0.0", 1)
	w.Publish("ns/many", "1.0.0", 2)
	w.Publish("ns/many", "1.0.1", 3)
	w.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/secret/", Times: -1, Status: http.StatusForbidden, Body: `{"errors":[{"code":"DENIED"}]}`})
	file := w.list("images.txt", `gcr.io/ns/img:1.0.0
gcr.io/ns/img:>=1 newst 2
gcr.io/ns/none:1
gcr.io/ns/none:2
gcr.io/ns/secret:*
gcr.io/ns/many:*
gcr.io/ns/img:>=9
gcr.io/ns/none:>=9
gcr.io/ns/many:1.0.0 -> img:1
gcr.io/ns/many:1.0.1 -> img:1
`)
	status, out := w.run(t.Context(), "sync", file, "--limit", "1")
	w.WantStatus(status, wiring.StatusFailed, out)
	fakeworld.WantText(t, "the output", out, file+`:2: has "newst", which is not allowed here; did you mean "newest"?`,
		"2 new images:\n", "3 failed:\n", "gcr.io/ns/none:1 →", "gcr.io/ns/none:2 →", "gcr.io/ns/many:1.0.1",
		"3 selections without a result:\n", file+":5 gcr.io/ns/secret: ", file+":6 gcr.io/ns/many: selects 2 tags; the limit is 1",
		"warning: "+file+":7: selects none of the 1 tags of gcr.io/ns/img", file+":8 gcr.io/ns/none: ")
	if w.Mirrored("ns.img", "1.0.0") == "" {
		t.Error("the good image is not mirrored")
	}
}

// TestSyncInAction: as a step of a workflow it sets outputs, masks passwords, and
// prints nothing else that the runner would execute.
func TestSyncInAction(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1", 1)
	w.Environ["GITHUB_OUTPUT"] = filepath.Join(w.Dir, "output")
	w.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/secret/", Times: -1, Status: http.StatusForbidden,
		Body: "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no ##[set-output name=images]forged\\n::set-output name=images::forged\"}]}"})
	status, out := w.run(t.Context(), "sync", w.list("images.txt", "gcr.io/ns/img:1\ngcr.io/ns/secret:1\n"))
	w.WantStatus(status, wiring.StatusFailed, out)
	fakeworld.WantText(t, "the output", out, "::add-mask::sesame-of-the-target", "forged")
	for line := range strings.Lines(out) {
		if strings.Contains(line, "##[") || strings.HasPrefix(strings.TrimSpace(line), "::") && !strings.HasPrefix(line, "::add-mask::") {
			t.Errorf("the runner would execute %q", line)
		}
	}
	for file, want := range map[string]string{"output": `"status":"copied"`, "summary": "1 new image:\n  gcr.io/ns/img:1"} {
		text, err := os.ReadFile(filepath.Join(w.Dir, file))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, %s", file, err, text)
		}
	}
}

// Lists of other programs go where they say, or all to one target.
func TestSyncOtherFormats(t *testing.T) {
	w := newWorld(t)
	digest := w.Publish("ns/img", "1.0.0", 1)
	w.Publish("ns/img", "1.0.1", 2)
	syncer := w.list("syncer.yaml", `gcr.io/ns/img:1.0.0,1.0.1: registry.example.com/mirror/renamed:a,b
gcr.io/ns/img:/1$/:
  - registry.example.com/mirror/expression
  - registry.example.com/mirror/second
`)
	status, out := w.run(t.Context(), "sync", syncer)
	w.WantStatus(status, wiring.StatusDone, out)
	if w.Mirrored("renamed", "a") != digest || w.Mirrored("renamed", "b") == "" || w.Mirrored("expression", "1.0.1") == "" || w.Mirrored("second", "1.0.1") == "" {
		t.Errorf("not all destinations are there: %s", out)
	}

	skopeo := w.list("skopeo.yaml", "gcr.io:\n  images-by-semver: {ns/img: \"<1.0.1\"}\n  credentials: {username: u, password: hunter2secret}\n")
	status, out = w.run(t.Context(), "sync", skopeo, "--to", "registry.example.com/mirror", "--profile", "last")
	w.WantStatus(status, wiring.StatusDone, out)
	fakeworld.WantText(t, "the output", out, "warning: "+skopeo+":3: has a login for gcr.io")
	if w.Mirrored("img", "1.0.0") != digest || w.Mirrored("img", "1.0.1") != "" || strings.Contains(out, "hunter2") {
		t.Errorf("not what skopeo's list says: %s", out)
	}

	status, out = w.run(t.Context(), "sync", syncer, "--to", "registry.example.com/mirror")
	w.WantStatus(status, wiring.StatusDone, out)
	fakeworld.WantText(t, "the output", out, "gcr.io/ns/img:1.0.0 → registry.example.com/mirror/ns.img:1.0.0")

	for _, variable := range []string{"FERRY_TARGET_OVERRIDE", "FERRY_ELSEWHERE"} {
		w.Environ[variable] = "registry.example.com/mirror"
		status, out = w.run(t.Context(), "sync", syncer)
		w.WantStatus(status, wiring.StatusDone, out)
		if !strings.Contains(out, "2 unchanged") {
			t.Errorf("%s: the list's own destinations are used: %s", variable, out)
		}
		delete(w.Environ, variable)
	}
}

func TestSyncUsage(t *testing.T) {
	w := newWorld(t)
	t.Chdir(w.Dir)
	status, out := w.run(t.Context(), "sync")
	w.WantStatus(status, wiring.StatusUsage, out)
	fakeworld.WantText(t, "the output", out, "there is no list")
	status, out = w.run(t.Context(), "sync", "none.txt")
	w.WantStatus(status, wiring.StatusUsage, out)
	status, out = w.run(t.Context(), "sync", w.list("pod.yaml", "apiVersion: v1\nkind: Pod\n"))
	w.WantStatus(status, wiring.StatusUsage, out)
	fakeworld.WantText(t, "the output", out, "is a manifest of Kubernetes", "cannot be read as a list")
	w.list("images.txt", "\n# nothing yet\n")
	status, out = w.run(t.Context(), "sync")
	w.WantStatus(status, wiring.StatusDone, out)
	delete(w.Environ, "FERRY_CONFIG")
	delete(w.Environ, "FERRY_USERNAME")
	status, out = w.run(t.Context(), "sync", w.list("images.txt", "nginx:1\n"))
	w.WantStatus(status, wiring.StatusUsage, out)
	fakeworld.WantText(t, "the output", out, "there is no target")
}

// TestSyncOfPullRequest: a list that a pull request changes is checked without secrets,
// whatever the inputs say: nothing is written but the summary.
func TestSyncOfPullRequest(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1", 1)
	summary, planned := filepath.Join(w.Dir, "summary"), filepath.Join(w.Dir, "plan.json")
	maps.Copy(w.Environ, map[string]string{"GITHUB_EVENT_NAME": "pull_request", "GITHUB_STEP_SUMMARY": summary, "FERRY_PLAN": planned, "FERRY_JOBS": "2-2", "FERRY_SEEN": planned + ".seen", "FERRY_PASSWORD": ""})
	status, out := w.run(t.Context(), "sync", w.list("images.txt", "gcr.io/ns/img:1\nredis newst 3\n"))
	w.WantStatus(status, wiring.StatusFailed, out)
	fakeworld.WantText(t, "the output", out, "1 image to copy", `did you mean "newest"?`)
	text, err := os.ReadFile(summary)
	if err != nil {
		t.Fatal(err)
	}
	fakeworld.WantText(t, "the summary", string(text), "gcr.io/ns/img")
	if n := w.Target.Count("^(PUT|POST|PATCH|DELETE) "); n > 0 {
		t.Errorf("%d requests write to the target", n)
	}
	for _, file := range []string{planned, planned + ".seen"} {
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%s is written", file)
		}
	}
}

// TestSyncUnchanged: a list of a thousand images that are all there costs one
// request a side and image, and some for tokens.
func TestSyncUnchanged(t *testing.T) {
	w := newWorld(t)
	var list strings.Builder
	image := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Layers: []int{100}})
	const images = 1000
	for i := range images {
		w.Source.Add(fmt.Sprintf("ns/img%d", i%40), fmt.Sprint(i), image)
		w.Target.Add(fmt.Sprintf("mirror/ns.img%d", i%40), fmt.Sprint(i), image)
		fmt.Fprintf(&list, "gcr.io/ns/img%d:%d\n", i%40, i)
	}
	status, out := w.run(t.Context(), "sync", w.list("images.txt", list.String()))
	w.WantStatus(status, wiring.StatusDone, out)
	fakeworld.WantText(t, "the output", out, "1000 unchanged\n")
	for side, r := range map[string]*fakeregistry.Registry{"source": w.Source, "target": w.Target} {
		if all, heads := len(r.Requests()), r.Count("^HEAD .*/manifests/"); heads != images || all > images+10 {
			t.Errorf("%d requests at the %s, %d of them HEADs of manifests; want %d", all, side, heads, images)
		}
	}
}

// TestSyncPages: the newest of 50,000 tags cost the pages and one HEAD each, an exact tag
// one HEAD.
func TestSyncPages(t *testing.T) {
	const all = 50_000
	var tags []string
	for i := range all {
		tags = append(tags, fmt.Sprintf("1.%d.%d", i/100, i%100))
	}
	slices.Sort(tags)
	image := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Layers: []int{100}})
	for _, size := range []int{50, 1000} {
		w := newWorld(t)
		for _, tag := range []string{"1.499.99", "1.499.98", "1.499.97"} {
			w.Source.Add("ns/img", tag, image)
			w.Target.Add("mirror/ns.img", tag, image)
		}
		w.Source.Behave(fakeregistry.Intercept("^GET .*/tags/list", func(rw http.ResponseWriter, r *http.Request, _ http.Handler) {
			first, found := slices.BinarySearch(tags, r.URL.Query().Get("last"))
			if found {
				first++
			}
			page := tags[first:min(first+size, all)]
			if first+size < all {
				rw.Header().Set("Link", fmt.Sprintf(`</v2/ns/img/tags/list?last=%s>; rel="next"`, page[size-1]))
			}
			_ = json.NewEncoder(rw).Encode(map[string]any{"tags": page})
		}))
		for _, test := range []struct {
			list        string
			pages, tags int
		}{{"gcr.io/ns/img:* newest 3\n", all / size, 3}, {"gcr.io/ns/img:1.499.99\n", 0, 1}} {
			w.Source.Forget()
			status, out := w.run(t.Context(), "sync", w.list("images.txt", test.list))
			w.WantStatus(status, wiring.StatusDone, out)
			fakeworld.WantText(t, "the output", out, fmt.Sprintf("%d unchanged\n", test.tags))
			if pages, others := w.Source.Count("/tags/list"), w.Source.Count("^(HEAD|GET) .*/manifests/"); pages != test.pages || others != test.tags {
				t.Errorf("%q in pages of %d: %d pages and %d other requests, want %d and %d", test.list, size, pages, others, test.pages, test.tags)
			}
		}
	}
}

// TestSyncSeen: a mirror of one platform has another digest than its source. What
// the last run compared is not read again.
func TestSyncSeen(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1", 1)
	w.Publish("ns/other", "1", 2)
	file := w.list("images.txt", "gcr.io/ns/img:1 linux/amd64\ngcr.io/ns/other:1\n")
	seen := filepath.Join(w.Dir, "kept", "seen")
	status, out := w.run(t.Context(), "sync", file, "--seen", seen)
	w.WantStatus(status, wiring.StatusDone, out)
	for _, again := range []int{0, 0} {
		w.Source.Forget()
		w.Target.Forget()
		status, out = w.run(t.Context(), "sync", file, "--seen", seen)
		w.WantStatus(status, wiring.StatusDone, out)
		fakeworld.WantText(t, "the output", out, "2 unchanged\n")
		if got := w.Source.Count("^GET .*/(manifests|blobs)/") + w.Target.Count("^GET .*/(manifests|blobs)/"); got != again {
			t.Errorf("%d manifests and blobs were read", got)
		}
	}

	// Other platforms, a moved tag and a lost file are looked at.
	status, out = w.run(t.Context(), "sync", w.list("images.txt", "gcr.io/ns/img:1 linux/amd64,linux/arm64\n"), "--seen", seen)
	w.WantStatus(status, wiring.StatusDone, out)
	fakeworld.WantText(t, "the output", out, "1 moved tag copied again")
	w.Publish("ns/img", "1", 3)
	file = w.list("images.txt", "gcr.io/ns/img:1 linux/arm64\n")
	status, out = w.run(t.Context(), "sync", file, "--seen", seen)
	w.WantStatus(status, wiring.StatusDone, out)
	fakeworld.WantText(t, "the output", out, "1 moved tag copied again")
	if err := os.Remove(seen); err != nil {
		t.Fatal(err)
	}
	status, out = w.run(t.Context(), "sync", file, "--seen", seen)
	w.WantStatus(status, wiring.StatusDone, out)
	fakeworld.WantText(t, "the output", out, "1 unchanged\n")
}

// TestSyncFollowsUpstreams: texts outside of the list are read, their images are
// copied with the version they come from, and one that fails does not stop the
// others.
func TestSyncFollowsUpstreams(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1", 1)
	w.Publish("ns/img", "2", 2)
	web := http.NewServeMux()
	web.HandleFunc("POST github.com/ns/tool.git/git-upload-pack", func(w http.ResponseWriter, _ *http.Request) {
		for _, tag := range []string{"v1.0.0", "v1.1.0", "v2.0.0"} {
			line := strings.Repeat("1", 40) + " refs/tags/" + tag + "\n"
			fmt.Fprintf(w, "%04x%s", len(line)+4, line)
		}
		fmt.Fprint(w, "0000")
	})
	web.HandleFunc("github.com/ns/tool/releases/download/v1.1.0/images.txt", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "gcr.io/ns/img:1\n") })
	web.HandleFunc("files.example.com/list", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "gcr.io/ns/img:2\nno image\n") })
	web.HandleFunc("files.example.com/many", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "gcr.io/ns/img:1\ngcr.io/ns/img:2\ngcr.io/ns/img:3\n")
	})
	at, certificate := fakeworld.ServeTLS(t, web, "github.com", "files.example.com")
	w.At["github.com:443"], w.At["files.example.com:443"] = at, at
	w.Write("ca.pem", string(certificate))
	file := w.list("images.txt", "release ns/tool ^1 images.txt\ntext https://files.example.com/list\ntext https://files.example.com/none\n")

	status, out := w.run(t.Context(), "sync", file, "--check", "--ca", filepath.Join(w.Dir, "ca.pem"))
	w.WantStatus(status, wiring.StatusFailed, out)
	fakeworld.WantText(t, "the output", out, file+":1 ns/tool: 1 of 3 tags\n  + v1.1.0\n  - v2.0.0  not in the range\n  - v1.0.0  not among the newest\n", "2 images to copy")

	// A text may not name more than an entry may select, and a pull request starts no Helm.
	w.Environ["GITHUB_EVENT_NAME"] = "pull_request"
	many := w.list("many.txt", "text https://files.example.com/many\nchart https://files.example.com/charts a\n")
	status, out = w.run(t.Context(), "sync", many, "--limit", "2", "--ca", filepath.Join(w.Dir, "ca.pem"))
	w.WantStatus(status, wiring.StatusFailed, out)
	fakeworld.WantText(t, "the output", out, many+":1: has 3 images in https://files.example.com/many; the limit is 2", "warning: "+many+":2: is not followed for a pull request")
	delete(w.Environ, "GITHUB_EVENT_NAME")

	status, out = w.run(t.Context(), "sync", file, "--json", "--ca", filepath.Join(w.Dir, "ca.pem"))
	w.WantStatus(status, wiring.StatusFailed, out)
	fakeworld.WantText(t, "the output", out,
		file+`:2: has "no image", which cannot be read (unread): it is in https://files.example.com/list`,
		file+`:3: https://files.example.com/none answers 404`,
		`"list": "`+file+`:1 ns/tool v1.1.0"`, `"list": "`+file+`:2 https://files.example.com/list"`)
	if w.Mirrored("ns.img", "1") == "" || w.Mirrored("ns.img", "2") == "" {
		t.Error("the images of the texts are not mirrored")
	}
}

// TestSyncKeepsTheOld: the old content of a moved tag gets a dated tag before the tag
// is moved, and if that fails the tag is not moved.
func TestSyncKeepsTheOld(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1", 1)
	w.Publish("ns/other", "1", 2)
	file := w.list("images.txt", "gcr.io/ns/img:1 keep-old\ngcr.io/ns/other:1\n")
	status, out := w.run(t.Context(), "sync", file)
	w.WantStatus(status, wiring.StatusDone, out)
	before := w.Mirrored("ns.img", "1")
	after := w.Publish("ns/img", "1", 3)
	w.Publish("ns/other", "1", 4)

	var refuse atomic.Bool
	refuse.Store(true)
	w.Target.Inject(fakeregistry.Fault{Match: "^PUT /v2/mirror/ns.img/manifests/1-20", Times: -1, Do: func(w http.ResponseWriter, _ *http.Request) bool {
		if refuse.Load() {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"errors":[{"code":"DENIED"}]}`)
		}
		return refuse.Load()
	}})
	status, out = w.run(t.Context(), "sync", file)
	w.WantStatus(status, wiring.StatusFailed, out)
	if w.Mirrored("ns.img", "1") != before {
		t.Error("the tag was moved although the old content could not be kept")
	}

	refuse.Store(false)
	w.Target.Forget()
	status, out = w.run(t.Context(), "sync", file)
	w.WantStatus(status, wiring.StatusDone, out)
	m := regexp.MustCompile(`registry\.example\.com/mirror/ns\.img:(1-\d{8}-\d{4})\n`).FindStringSubmatch(out)
	fakeworld.WantText(t, "the output", out, "1 moved tag copied again:", "    the old content is kept as registry.example.com/mirror/ns.img:1-")
	if m == nil || w.Mirrored("ns.img", m[1]) != before || w.Mirrored("ns.img", "1") != after {
		t.Errorf("%q is %s, want %s; the tag is %s", m, w.Mirrored("ns.img", m[1]), before, w.Mirrored("ns.img", "1"))
	}
	if n := w.Target.Count("^PUT .*/ns.other/manifests/1-"); n != 0 {
		t.Error("the old content of another image is kept, too")
	}
}

// TestSyncImmutable: an image that does not change is asked about once a week, and at
// once if the day of the last look is not known or in the future.
func TestSyncImmutable(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0.0", 1)
	w.Publish("ns/img", "1", 2)
	file := w.list("images.yaml", "version: 1\ndefaults: {immutable: '*.*.*'}\nimages: [gcr.io/ns/img:1.0.0, gcr.io/ns/img:1]\n")
	now := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	run := func(asked int) {
		t.Helper()
		w.Source.Forget()
		w.Target.Forget()
		var out fakeworld.Output
		status := Run(t.Context(), wiring.Env{
			Args: []string{"sync", file, "--seen", filepath.Join(w.Dir, "seen")}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out,
			Getenv: func(key string) string { return w.Environ[key] }, At: w.At, Now: func() time.Time { return now },
		})
		w.WantStatus(status, wiring.StatusDone, out.String())
		if source, target := w.Source.Count("^HEAD .*/1.0.0"), w.Target.Count("^HEAD .*/1.0.0"); source != asked || target != asked {
			t.Errorf("%s: asked %d times at the source and %d at the target, want %d", now.Format(time.DateOnly), source, target, asked)
		}
		if n := w.Source.Count("^HEAD .*/manifests/1$"); n != 1 {
			t.Errorf("asked %d times about the tag that may move", n)
		}
	}
	w.run(t.Context(), "sync", file)
	run(1)
	for range 7 {
		now = now.AddDate(0, 0, 1)
		run(0)
	}
	now = now.AddDate(0, 0, 1)
	run(1)
	run(0)
	now = now.AddDate(0, 0, -1) // a clock that was wrong
	run(1)
}
