package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/imageferry/ferry/internal/catalog"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/wiring"
)

// newHarvest is a world with a repository in which Ferry has answered.
func newHarvest(t *testing.T, fault func(n int, r *http.Request) fakegithub.Fault) *world {
	w := newWorld(t)
	w.github = fakegithub.New(fakegithub.Config{
		Repository: event.Repository{Owner: harbour.Login, Name: "ferry", OwnerID: harbour.ID},
		Tokens:     map[string]event.User{"token-of-github": fakegithub.Bot(), "token-of-a-person": harbour},
		Fault:      fault,
	})
	w.Environ["GITHUB_API_URL"] = "http://" + w.Serve(w.github)
	w.Environ["GITHUB_REPOSITORY"], w.Environ["GITHUB_TOKEN"] = harbour.Login+"/ferry", "token-of-github"
	return w
}

// answered opens an issue with a comment of Ferry about an image.
func (w *world) answered(image string, digest int) {
	record, err := json.Marshal(map[string]any{
		"source": "docker.io/library/" + image, "mirror": "docker.io/me/docker." + image, "status": "copied",
		"source_digest": fmt.Sprintf("sha256:%064d", digest), "digest": fmt.Sprintf("sha256:%064d", digest), "platforms": []string{"linux/amd64"}, "size": 5,
	})
	if err != nil {
		w.T.Fatal(err)
	}
	w.says(fakegithub.Bot(), "\n<!-- ferry:records\n"+string(record)+"\n-->\n")
}

// says writes a comment with a marker on a new issue.
func (w *world) says(author event.User, text string) {
	n := w.github.Open(fakegithub.Draft{Author: harbour, Title: "please", Body: "nginx"})
	w.github.Comment(n, author, "<!-- ferry:v2 issue=1 request=- state=done tries=1 since=- run=1 -->\n✅ done\n"+text)
}

// checkout writes the files of the branch to the folder.
func (w *world) checkout() string {
	files, _ := w.github.Branch("catalog")
	for path, text := range files {
		if err := os.MkdirAll(filepath.Join(w.Dir, "catalog", filepath.Dir(path)), 0o755); err != nil {
			w.T.Fatal(err)
		}
		w.Write(filepath.Join("catalog", path), text)
	}
	return filepath.Join(w.Dir, "catalog")
}

// TestPolicyOnThePage: the page says who may make requests, and what the targets hold,
// as far as that is known.
func TestPolicyOnThePage(t *testing.T) {
	for _, test := range []struct {
		policy, config string
		want           []string
	}{
		{"targets:\n  - {to: docker.io/me, quota: {repositories: 300}}\n  - {to: quay.io/me}\nrequests: collaborators\n", "policy", []string{
			`Only the owner and collaborators may ask for images. &#34;docker.io/me&#34; has 2 of 300 repositories.</p>`, `只有所有者和协作者可以提请求。`, `镜像库 2 个（上限 300）`,
		}},
		{"requests: anyone\n", "policy", []string{`>Anyone may ask for images.`}},
		{"targets: [{to: docker.io/me, quota: {tags: 9}}]\n", "policy", []string{`<p data-zh="&#34;docker.io/me&#34; 已有标签 2 个（上限 9）。">&#34;docker.io/me&#34; has 2 of 9 tags.</p>`}},
		{"", "", nil}, // in a fork, it would not be anyone
		{"requests: everybody\n", "policy", nil},
	} {
		w := newHarvest(t, nil)
		w.answered("nginx:1", 1)
		w.answered("redis:7", 2)
		w.Environ["FERRY_CONFIG"] = ""
		if test.config != "" {
			w.Write(test.config, test.policy)
			w.Environ["FERRY_CONFIG"] = filepath.Join(w.Dir, test.config)
		}
		status, said := w.run(t.Context(), "catalog", "harvest", "--in", w.checkout())
		w.WantStatus(status, wiring.StatusDone, said)
		files, _ := w.github.Branch("catalog")
		page := files["docs/index.html"]
		fakeworld.WantText(t, "the page", page, test.want...)
		if test.want == nil && strings.Contains(page, "may ask") {
			t.Errorf("%q: the page says %s", test.policy, page)
		}
		status, said = w.run(t.Context(), "catalog", "check", "--in", w.checkout(), "-o", filepath.Join(w.checkout(), "docs"), "--request", harbour.Login+"/ferry")
		w.WantStatus(status, wiring.StatusDone, said)
	}
}

// TestPolicyChanges: the page of the branch follows the policy file although the log has
// not changed, by one commit.
func TestPolicyChanges(t *testing.T) {
	w := newHarvest(t, nil)
	w.Environ["FERRY_CONFIG"] = filepath.Join(w.Dir, "policy")
	harvest := func(policy string, commits int, want string) {
		t.Helper()
		w.Write("policy", policy)
		status, said := w.run(t.Context(), "catalog", "harvest", "--in", w.checkout())
		w.WantStatus(status, wiring.StatusDone, said)
		files, n := w.github.Branch("catalog")
		fakeworld.WantText(t, "the page", files["docs/index.html"], want)
		if n != commits {
			t.Errorf("%d commits, want %d", n, commits)
		}
		for path, text := range files {
			if text == "" {
				t.Errorf("%s is empty", path)
			}
		}
	}
	harvest("requests: collaborators\n", 0, "")
	w.answered("nginx:1", 1)
	harvest("requests: collaborators\n", 1, "Only the owner and collaborators may ask")
	for range 2 {
		harvest("requests: anyone\n", 2, "Anyone may ask")
	}
}

// TestHarvest checks that the branch gets what issues got, once, and nothing that
// somebody else has written.
func TestHarvest(t *testing.T) {
	w := newHarvest(t, nil)
	w.answered("nginx:1", 1)
	w.answered("redis:7", 2)
	w.answered("nginx:1", 1) // asked for again
	w.answered("redis:7", 3) // moved
	forged := "\n<!-- ferry:records\n" + `{"source":"docker.io/library/forged:1","mirror":"docker.io/me/docker.forged:1","status":"copied","digest":"sha256:` + strings.Repeat("a", 64) + `"}` + "\n-->\n"
	w.says(harbour, forged)
	w.says(fakegithub.Bot(), "```text\n<! -- ferry:records\n```\n")
	run := func(want string) {
		t.Helper()
		status, said := w.run(t.Context(), "catalog", "harvest", "--in", w.checkout())
		w.WantStatus(status, wiring.StatusDone, said)
		fakeworld.WantText(t, "the output", said, want)
	}
	w.Environ["GITHUB_RUN_ID"] = "5"
	run("4 answers, 3 changes")
	files, commits := w.github.Branch("catalog")
	var log string
	for path, text := range files {
		if strings.HasSuffix(path, "/5-1.jsonl") {
			log = text
		}
	}
	changes, faults := catalog.Read([]byte(log))
	if len(changes) != 3 || len(faults) > 0 || changes[0].By != "#1" || changes[2].What != catalog.Moved || commits != 1 {
		t.Errorf("the log is %s, with %d commits", log, commits)
	}
	holdings, err := catalog.ReadHoldings([]byte(files[catalog.HoldingsFile]))
	if err != nil || len(holdings.Repositories) != 2 || holdings.Repositories["docker.io/me/docker.redis"] != 1 {
		t.Errorf("%v, %v", holdings, err)
	}
	if !strings.Contains(files["docs/api/v1/index.json"], "docker.io/library/redis") || strings.Contains(fmt.Sprint(files), "forged") {
		t.Error("the site is not that of the answers")
	}
	w.Environ["GITHUB_RUN_ID"] = "6"
	run("4 answers, 0 changes")
	w.answered("alpine:3", 4)
	run("5 answers, 1 changes")
	if _, commits := w.github.Branch("catalog"); commits != 2 {
		t.Errorf("%d commits, want 2", commits)
	}
	status, said := w.run(t.Context(), "catalog", "check", "--in", w.checkout(), "-o", filepath.Join(w.checkout(), "docs"))
	w.WantStatus(status, wiring.StatusDone, said)
}

// TestHarvestsAtOnce checks that of two runs at the same time none is lost, and that
// a run that ends before it moves the branch is made up for by the next one.
func TestHarvestsAtOnce(t *testing.T) {
	var mu sync.Mutex
	killed := true
	w := newHarvest(t, func(_ int, r *http.Request) fakegithub.Fault {
		mu.Lock()
		defer mu.Unlock()
		if killed && strings.HasSuffix(r.URL.Path, "/git/refs") {
			return fakegithub.Fault{Status: http.StatusForbidden}
		}
		return fakegithub.Fault{}
	})
	w.answered("nginx:1", 1)
	status, said := w.run(t.Context(), "catalog", "harvest", "--in", w.checkout())
	w.WantStatus(status, wiring.StatusFailed, said)
	if files, _ := w.github.Branch("catalog"); len(files) > 0 {
		t.Errorf("the branch has %v", files)
	}
	mu.Lock()
	killed = false
	mu.Unlock()
	var all sync.WaitGroup
	in := w.checkout()
	for _, run := range []string{"7", "8"} {
		all.Go(func() {
			other := *w.World
			other.Environ = maps.Clone(w.Environ)
			other.Environ["GITHUB_RUN_ID"] = run
			status, said := (&world{World: &other, github: w.github}).run(t.Context(), "catalog", "harvest", "--in", in)
			w.WantStatus(status, wiring.StatusDone, said)
		})
	}
	all.Wait()
	status, said = w.run(t.Context(), "catalog", "search", "nginx", "--in", w.checkout())
	w.WantStatus(status, wiring.StatusDone, said)
	status, said = w.run(t.Context(), "catalog", "check", "--in", w.checkout(), "-o", filepath.Join(w.checkout(), "docs"))
	w.WantStatus(status, wiring.StatusDone, said)
}

// TestRebuild makes a lost log anew of what issues got, what a list names, and what the
// target holds besides. What it cannot know it says.
func TestRebuild(t *testing.T) {
	w := newHarvest(t, nil)
	// The target lists its repositories, and has a name that is not Ferry's.
	w.Target = fakeregistry.New(fakeregistry.Options{Catalog: true})
	w.At["registry.example.com:80"] = w.Serve(w.Target)
	w.SetPolicy(fakeworld.Policy)
	hold := func(repository, tag string, seed uint64) string {
		image := fakeregistry.Generate(fakeregistry.Spec{Seed: seed, Platforms: []string{"linux/amd64"}, Layers: []int{100}})
		w.Target.Add("mirror/"+repository, tag, image)
		return fakeregistry.Digest(image.Root().Body)
	}
	digests := map[string]string{
		"gcr.io/ns/listed:1":          hold("ns.listed", "1", 1),
		"gcr.io/ns/unlisted:1":        hold("ns.unlisted", "1", 2),
		"docker.io/library/nginx:1":   hold("docker.nginx", "1", 3),
		"docker.io/library/moved:1":   hold("docker.moved", "1", 4),
		"docker.io/library/deleted:1": "",
		"gcr.io/ns/absent:1":          "",
	}
	hold("not--ferrys--name", "1", 5)
	hold("ns.listed", "sha256-"+strings.Repeat("a", 64)+".sig", 6) // no image
	answer := func(name, digest string) {
		w.says(fakegithub.Bot(), fmt.Sprintf("\n<!-- ferry:records\n{\"source\":\"docker.io/library/%s:1\",\"mirror\":\"registry.example.com/mirror/docker.%[1]s:1\",\"status\":\"copied\",\"digest\":%q,\"platforms\":[\"linux/amd64\"],\"size\":5}\n-->\n", name, digest))
	}
	answer("nginx", digests["docker.io/library/nginx:1"])
	answer("moved", "sha256:"+strings.Repeat("1", 64))
	answer("deleted", "sha256:"+strings.Repeat("2", 64))
	w.says(fakegithub.Bot(), "nothing was mirrored")
	list := w.list("images.txt", "gcr.io/ns/listed:1\ngcr.io/ns/absent:1\n")
	in := filepath.Join(w.Dir, "new")
	status, said := w.run(t.Context(), "catalog", "rebuild", "--in", in, list)
	w.WantStatus(status, wiring.StatusDone, said)
	fakeworld.WantText(t, "the output", said, "3 answers, 3 changes", "1 comments have no records", "5 changes; 1 others are left out",
		"not known: the sources of 1 names at registry.example.com/mirror", "not known: what mirrors had before")
	if requests := w.Source.Requests(); len(requests) > 0 {
		t.Errorf("sources are asked: %v", requests)
	}
	if strings.Contains(said, "does not list it") {
		t.Errorf("the target has a list:\n%s", said)
	}
	for image, digest := range digests {
		status, said := w.run(t.Context(), "catalog", "search", image, "--in", in)
		if digest == "" {
			w.WantStatus(status, wiring.StatusFailed, said)
		} else if w.WantStatus(status, wiring.StatusDone, said); !strings.Contains(said, digest) {
			t.Errorf("%s is %s, want %s", image, said, digest)
		}
	}
	status, said = w.run(t.Context(), "catalog", "rebuild", "--in", in, list)
	w.WantStatus(status, wiring.StatusUsage, said)
	fakeworld.WantText(t, "the output", said, "has a log already")
}

// TestRebuildWithLittle makes a log of what there is: without GitHub, without a list,
// with a target that lists nothing or does not answer.
func TestRebuildWithLittle(t *testing.T) {
	w := newHarvest(t, nil)
	w.answered("nginx:1", 1)
	rebuild := func(want int, text ...string) {
		t.Helper()
		status, said := w.run(t.Context(), "catalog", "rebuild", "--in", filepath.Join(t.TempDir(), "new"))
		w.WantStatus(status, want, said)
		fakeworld.WantText(t, "the output", said, text...)
	}
	rebuild(wiring.StatusDone, "not known: what lists name", "not known: what else registry.example.com/mirror has", "1 changes; 0 others", "not known: whether 1 mirrors exist") // docker.io/me is no target
	// The plan refuses the second image. No registry has been asked for it.
	w.Write("images.txt", "gcr.io/a/b:1 -> c:1\ngcr.io/a/d:1 -> c:1\n")
	w.Environ["FERRY_LISTS"] = filepath.Join(w.Dir, "images.txt")
	rebuild(wiring.StatusDone, "1 changes; 0 others", "not known: whether 1 mirrors exist")
	delete(w.Environ, "GITHUB_TOKEN")
	rebuild(wiring.StatusDone, "not known: what issues got", "0 changes")
}
