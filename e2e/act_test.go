package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/e2e/parts"
)

// workspace is a copy of the repository as it would be pushed, for act to run
// its workflows in.
type workspace struct {
	dir   string
	cache string // what actions/cache would keep, over many runs
	home  string
}

// newWorkspace copies the repository: all that git would take, committed or not.
func newWorkspace(t *testing.T, p payload) workspace {
	t.Helper()
	w := workspace{dir: filepath.Join(t.TempDir(), "ferry"), cache: t.TempDir(), home: t.TempDir()}
	files := output(t, "..", "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	for file := range strings.SplitSeq(strings.TrimSuffix(files, "\x00"), "\x00") {
		info, err := os.Stat(filepath.Join("..", file))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, but not yet in a commit
		}
		if err != nil {
			t.Fatal(err)
		}
		w.write(t, file, read(t, filepath.Join("..", file)))
		if err := os.Chmod(filepath.Join(w.dir, file), info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	w.commit(t, p)
	return w
}

func (w workspace) write(t *testing.T, file, content string) {
	t.Helper()
	to := filepath.Join(w.dir, file)
	if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, []byte(content), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// commit makes the workspace a checkout of the repository that p is from. act
// reads the repository's name from the remote.
func (w workspace) commit(t *testing.T, p payload) {
	t.Helper()
	full, _ := p.object("repository")["full_name"].(string)
	output(t, w.dir, "git", "init", "--quiet", "--initial-branch=main")
	output(t, w.dir, "git", "remote", "add", "origin", "https://github.com/"+full+".git")
	output(t, w.dir, "git", "add", "--all")
	output(t, w.dir, "git", "-c", "user.name=e2e", "-c", "user.email=e2e@example.com", "commit", "--quiet", "--message=all")
}

// output runs a program to its end and gives its standard output.
func output(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	var complaint bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Stderr = dir, &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("running %s %v: %v: %s", program, args, err, complaint.Bytes())
	}
	return string(out)
}

// uses matches what a workflow or action runs of GitHub's actions: the
// repository, its name, the commit.
var uses = regexp.MustCompile(`uses: (actions/([\w-]+))(?:/[\w-]+)*@([0-9a-f]{40})`)

// standInActions are the flags that have act take our stand-ins for the
// actions of others, which it would fetch from GitHub.
func (w workspace) standInActions(t *testing.T) []string {
	t.Helper()
	stands, err := filepath.Abs(filepath.Join("testdata", "actions"))
	if err != nil {
		t.Fatal(err)
	}
	var flags []string
	for _, pattern := range []string{"action.yml", ".github/workflows/*.yml"} {
		files, err := filepath.Glob(filepath.Join(w.dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			for _, match := range uses.FindAllStringSubmatch(read(t, file), -1) {
				flags = append(flags, "--local-repository", fmt.Sprintf("%s@%s=%s", match[1], match[3], filepath.Join(stands, match[2])))
			}
		}
	}
	return flags
}

// act runs a workflow for an event, under a real workflow runner, and gives
// the exit status and the log. More arguments go to act as they are.
func (w workspace) act(t *testing.T, workflow, kind string, p payload, more ...string) (int, string) {
	t.Helper()
	return w.start(t, workflow, kind, p, more...).wait(t)
}

// start starts what act runs to its end.
func (w workspace) start(t *testing.T, workflow, kind string, p payload, more ...string) *job {
	t.Helper()
	args := []string{
		kind, "--workflows", filepath.Join(".github", "workflows", workflow), "--eventpath", p.write(t),
		"--platform", "ubuntu-latest=-self-hosted", "--no-cache-server", "--actor", author(p).Login,
		"--secret", "GITHUB_TOKEN=" + token,
		"--var", "FERRY_USERNAME=" + owner.Username,
		"--secret", "FERRY_PASSWORD=" + owner.Password,
	}
	args = append(args, w.standInActions(t)...)
	act := exec.CommandContext(t.Context(), "act", append(args, more...)...)
	act.Dir, act.Env = w.dir, []string{"HOME=" + w.home, "CACHE_STAND_IN=" + w.cache}
	for _, name := range []string{"PATH", "GOCACHE", "GOMODCACHE", "GOPROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"} {
		act.Env = append(act.Env, name+"="+os.Getenv(name))
	}
	return begin(t, kind, act)
}

// mustSay checks that a log has all texts.
func mustSay(t *testing.T, log string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(log, text) {
			t.Errorf("the log lacks %q", text)
		}
	}
}

// TestWorkflow runs the mirror workflow, unchanged: for an issue, which has to
// build Ferry; started by hand, which may fill the cache; for an issue again,
// which finds Ferry there.
func TestWorkflow(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	opened := example(t, "issues", "opened")
	ferry := newBot(t, opened)
	runner := newWorkspace(t, opened)

	carry := func(image, mirror string) string {
		digest := push(t, image)
		issue := ferry.open(t, opened, "please", image)
		status, log := runner.act(t, "mirror.yml", "issues", opened)
		if status != 0 {
			t.Errorf("status %d, want 0", status)
		}
		mustHold(t, mirror, digest)
		ferry.answer(t, issue)
		ferry.mustStand(t, issue, false, "completed")
		return log
	}

	if log := carry("gcr.io/ns/img:1", "docker.io/user/ns.img:1"); !strings.Contains(log, buildStep) {
		t.Error("the first run did not build Ferry: has the step another name now?")
	}

	digest := push(t, "gcr.io/ns/img:2")
	dispatch := example(t, "workflow_dispatch", "")
	dispatch["inputs"] = map[string]string{"images": "gcr.io/ns/img:2", "platforms": "", "target": "", "issue": ""}
	if status, _ := runner.act(t, "mirror.yml", "workflow_dispatch", dispatch); status != 0 {
		t.Errorf("started by hand: status %d, want 0", status)
	}
	mustHold(t, "docker.io/user/ns.img:2", digest)

	if log := carry("gcr.io/ns/img:3", "docker.io/user/ns.img:3"); strings.Contains(log, buildStep) {
		t.Error("Ferry was built although it was in the cache")
	}
}

// TestArchiveOfAnIssue has an issue ask for a file as well: the artifact holds what
// was mirrored, and the answer links to it. An archive above the owner's limit is
// not made, and the answer says so.
func TestArchiveOfAnIssue(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	opened := example(t, "issues", "opened")
	ferry := newBot(t, opened)
	runner := newWorkspace(t, opened)
	digest := push(t, "gcr.io/ns/img:1")
	ask := func(policy string) string {
		runner.write(t, ".github/ferry.yaml", "archives: {requests: anyone, "+policy+"}\n")
		issue := ferry.open(t, opened, "please", "gcr.io/ns/img:1 | linux/amd64,linux/s390x\n/archive")
		if status, _ := runner.act(t, "mirror.yml", "issues", opened); status != 0 && strings.HasPrefix(policy, "days: 5") {
			t.Errorf("status %d, want 0", status)
		}
		ferry.mustStand(t, issue, false, "completed")
		return ferry.answer(t, issue)
	}
	if answer := ask("days: 5"); !strings.Contains(answer, "[images.tar](https://github.com/") || !strings.Contains(answer, "docker load -i images.tar") {
		t.Errorf("the answer has no file: %s", answer)
	}
	file := filepath.Join(runner.cache, "artifacts", "images.tar")
	shell := parts.NewShell(t)
	if out := shell.Run(t, ferryFile()+" verify "+file); !strings.Contains(out, "gcr.io/ns/img:1") {
		t.Errorf("the file holds %s, want %s", out, digest)
	}
	answer := ask("days: 5, release: true")
	if len(ferry.releases.All) != 1 || ferry.releases.All[0].Draft || len(ferry.releases.All[0].Assets) != 5 {
		t.Fatalf("the releases are %+v", ferry.releases.All)
	}
	if want := "/releases/download/" + ferry.releases.All[0].Tag + "/images.tar)"; !strings.Contains(answer, want) || !strings.Contains(answer, "docker load -i images.tar") {
		t.Errorf("the answer has no release: %s", answer)
	}
	if answer := ask("bytes: 1KiB"); !strings.Contains(answer, "the limit is 1.0 kB") {
		t.Errorf("the answer does not say that the file is too large: %s", answer)
	}
}

// TestCatalogOfIssues has the workflow write down what three issues got.
func TestCatalogOfIssues(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	opened := example(t, "issues", "opened")
	ferry := newBot(t, opened)
	runner := newWorkspace(t, opened)
	for _, tag := range []string{"1", "2", "3"} {
		push(t, "gcr.io/ns/img:"+tag)
		ferry.open(t, opened, "please", "gcr.io/ns/img:"+tag)
		if o := ferry.handle(t, "issues", opened); o.status != 0 {
			t.Errorf("status %d, want 0", o.status)
		}
	}
	for _, want := range []string{"3 answers, 3 changes", "3 answers, 3 changes"} { // the stand-in for checkout does not get the branch
		tick := payload{"schedule": "11 5 * * *", "repository": opened["repository"], "workflow": ".github/workflows/catalog.yml"}
		if status, log := runner.act(t, "catalog.yml", "schedule", tick); status != 0 || !strings.Contains(log, want) {
			t.Errorf("status %d, want 0 and %q", status, want)
		}
	}
	files, _ := ferry.repository.Branch("catalog")
	if index := files["docs/api/v1/index.json"]; !strings.Contains(index, `"gcr.io/ns/img","docker.io/user/ns.img"`) || !strings.Contains(files["v1/mirrors.json"], `"docker.io/user/ns.img":3`) {
		t.Errorf("the branch has %s, %s", index, files["v1/mirrors.json"])
	}
}

// buildStep is how act tells that the action builds Ferry.
const buildStep = "Run Main Build Ferry"

// TestSweep lets the schedule finish what no run has answered.
func TestSweep(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	digest := push(t, "gcr.io/ns/img:1")
	opened := example(t, "issues", "opened")
	ferry := newBot(t, opened)
	issue := ferry.open(t, opened, "please", "gcr.io/ns/img:1")

	tick := payload{"schedule": "23 */2 * * *", "repository": opened["repository"], "workflow": ".github/workflows/sweep.yml"}
	if status, _ := newWorkspace(t, opened).act(t, "sweep.yml", "schedule", tick); status != 0 {
		t.Errorf("status %d, want 0", status)
	}
	mustHold(t, "docker.io/user/ns.img:1", digest)
	ferry.answer(t, issue)
	ferry.mustStand(t, issue, false, "completed")
}

// TestSync runs the workflow for lists: by its schedule, again when nothing has
// changed, and for a pull request, which copies nothing.
func TestSync(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	digest := push(t, "gcr.io/ns/img:1.0.0")
	opened := example(t, "issues", "opened")
	newBot(t, opened)
	runner := newWorkspace(t, opened)
	sync := func(kind, says string) {
		t.Helper()
		event := payload{"schedule": "41 3 * * *", "repository": opened["repository"], "workflow": ".github/workflows/sync.yml"}
		status, log := runner.act(t, "sync.yml", kind, event)
		if status != 0 || !strings.Contains(log, says) {
			t.Errorf("%s: status %d, want 0 and %q", kind, status, says)
		}
	}
	sync("schedule", "Job succeeded") // there is no list

	runner.write(t, "images.txt", "gcr.io/ns/img:>=1 newest 2\n")
	sync("schedule", "1 new image")
	mustHold(t, "docker.io/user/ns.img:1.0.0", digest)
	sync("schedule", "1 unchanged")

	push(t, "gcr.io/ns/img:1.1.0")
	sync("pull_request", "1 image to copy")
	if inspect, err := exec.CommandContext(t.Context(), "skopeo", "inspect", "--raw", "docker://docker.io/user/ns.img:1.1.0").CombinedOutput(); err == nil {
		t.Errorf("the pull request has copied %s", inspect)
	}
}

// list pushes n images to gcr.io, writes their names to images.txt, and returns their
// digests by the names of the mirrors.
func (w workspace) list(t *testing.T, n int) map[string]v1.Hash {
	t.Helper()
	var names strings.Builder
	digests := map[string]v1.Hash{}
	for i := range n {
		image := fmt.Sprintf("ns/img%d:1", i)
		digests[strings.Replace(image, "/", ".", 1)] = push(t, "gcr.io/"+image)
		fmt.Fprintln(&names, "gcr.io/"+image)
	}
	w.write(t, "images.txt", names.String())
	return digests
}

// TestFanOut runs the workflow for lists with several jobs: plan, shards and join,
// and again when nothing has changed.
func TestFanOut(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	opened := example(t, "issues", "opened")
	newBot(t, opened)
	runner := newWorkspace(t, opened)
	digests := runner.list(t, 9)
	event := payload{"repository": opened["repository"], "workflow": ".github/workflows/sync.yml", "ref": "refs/heads/main"}
	status, log := runner.act(t, "sync.yml", "push", event, "--var", "FERRY_JOBS=3-3")
	mustSay(t, log, "9 images for 3 jobs", "shard 1: ", "shard 2: ", "shard 3: ", "9 new images", "9 changes")
	if status != 0 {
		t.Errorf("status %d, want 0", status)
	}
	for image, digest := range digests {
		mustHold(t, "docker.io/user/"+image, digest)
	}
	// Nothing has changed: the matrix is empty, and nothing is joined.
	status, log = runner.act(t, "sync.yml", "push", event, "--var", "FERRY_JOBS=3-3")
	if status != 0 || !strings.Contains(log, "9 unchanged") || strings.Contains(log, "shard 1: ") {
		t.Errorf("without changes: status %d", status)
	}
}

// TestForeignLists: a workflow of another repository calls the workflow lists, which
// copies with several jobs and needs to read the repository alone.
func TestForeignLists(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	opened := example(t, "issues", "opened")
	newBot(t, opened)
	action := newWorkspace(t, opened)
	foreign := workspace{dir: filepath.Join(t.TempDir(), "foreign"), cache: t.TempDir(), home: t.TempDir()}
	called, err := os.ReadFile(filepath.Join(action.dir, ".github", "workflows", "lists.yml"))
	if err != nil {
		t.Fatal(err)
	}
	foreign.write(t, ".github/workflows/lists.yml", string(called)) // act would ask GitHub for that of another repository
	foreign.write(t, ".github/workflows/images.yml", `
on: push
permissions: {}
jobs:
  sync:
    permissions: { contents: read }
    uses: ./.github/workflows/lists.yml
    with: { target: docker.io/user, username: "${{ vars.FERRY_USERNAME }}", jobs: 3-3 }
    secrets: { password: "${{ secrets.FERRY_PASSWORD }}" }
`)
	digests := foreign.list(t, 6)
	foreign.commit(t, opened)
	event := payload{"repository": opened["repository"], "ref": "refs/heads/main"}
	flags := append(action.standInActions(t), "--local-repository", "imageferry/ferry@v1="+action.dir)
	status, log := foreign.act(t, "images.yml", "push", event, flags...)
	mustSay(t, log, "6 images for 3 jobs", "shard 1: ", "shard 2: ", "shard 3: ", "6 new images")
	if status != 0 {
		t.Errorf("status %d, want 0", status)
	}
	for image, digest := range digests {
		mustHold(t, "docker.io/user/"+image, digest)
	}
}

// TestFanOutAgain: one shard fails, because a layer is lost at the source. When it is
// back, "Re-run failed jobs" repeats that shard and the join, and no other.
func TestFanOutAgain(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	opened := example(t, "issues", "opened")
	newBot(t, opened)
	runner := newWorkspace(t, opened)
	digests := pushFamilies(t, 9)
	var list strings.Builder
	for i := range 9 {
		fmt.Fprintf(&list, "gcr.io/ns/img%d:1\n", i)
	}
	runner.write(t, "images.txt", list.String())
	lost, err := remote.Image(parse(t, "gcr.io/ns/img4:1"))
	if err != nil {
		t.Fatal(err)
	}
	layers, err := lost.Layers()
	if err != nil {
		t.Fatal(err)
	}
	layer := layers[len(layers)-1]
	digest, err := layer.Digest()
	if err != nil {
		t.Fatal(err)
	}
	held, err := layer.Compressed()
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(held)
	if err != nil {
		t.Fatal(err)
	}
	remove, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "https://gcr.io/v2/ns/img4/blobs/"+digest.String(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(remove)
	if err != nil || response.Body.Close() != nil || response.StatusCode != http.StatusAccepted {
		t.Fatalf("the layer is not removed: %v, %+v", err, response)
	}

	event := payload{"repository": opened["repository"], "workflow": ".github/workflows/sync.yml", "ref": "refs/heads/main"}
	status, log := runner.act(t, "sync.yml", "push", event, "--var", "FERRY_JOBS=3-3")
	failed := regexp.MustCompile(`shard (\d): 3 images of its own, 1 of them failed`).FindStringSubmatch(log)
	if status == 0 || failed == nil || !strings.Contains(log, "8 new images") || !strings.Contains(log, "1 failed") {
		t.Fatalf("the first attempt: status %d, %v", status, failed)
	}

	if err := remote.WriteLayer(parse(t, "gcr.io/ns/img4:1").Context(), static.NewLayer(content, types.DockerLayer)); err != nil {
		t.Fatal(err)
	}
	// act repeats no jobs: the plan's is replaced by what GitHub remembers of it.
	workflow := read(t, filepath.Join(runner.dir, ".github", "workflows", "sync.yml"))
	from, to := strings.Index(workflow, "  plan:\n"), strings.Index(workflow, "\n  # Copies a part")
	runner.write(t, ".github/workflows/again.yml", workflow[:from]+`  plan:
    runs-on: ubuntu-latest
    outputs:
      shards: "[`+failed[1]+`]"
      changed: "true"
    steps:
      - run: echo "::notice::remembered"
`+workflow[to:])
	status, log = runner.act(t, "again.yml", "push", event, "--env", "GITHUB_RUN_ATTEMPT=2")
	mustSay(t, log, "shard "+failed[1]+": 3 images of its own, 0 of them failed", "9 new images")
	if status != 0 || strings.Count(log, "images of its own") != 1 {
		t.Errorf("the second attempt: status %d, want 0", status)
	}
	mustHoldFamilies(t, digests)
}

// TestIssueOfManyImages divides an issue of 60 images among jobs, of which one never
// begins. There is one comment, and the sweep does not come in between.
func TestIssueOfManyImages(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	opened := example(t, "issues", "opened")
	ferry := newBot(t, opened)
	runner := newWorkspace(t, opened)
	runner.write(t, ".github/ferry.yaml", "limits: {images: 100}\n")
	digests := pushFamilies(t, 60)
	var list strings.Builder
	for i := range 60 {
		fmt.Fprintf(&list, "gcr.io/ns/img%d:1\n", i)
	}
	issue := ferry.open(t, opened, "please", list.String())
	status, log := runner.act(t, "mirror.yml", "issues", opened, "--var", "FERRY_JOBS=4-4", "--matrix", "shard:1", "--matrix", "shard:2", "--matrix", "shard:4")
	mustSay(t, log, "60 images for 4 jobs", "shard 1: ", "shard 2: ", "shard 4: ")
	if status != 0 || strings.Contains(log, "shard 3: ") {
		t.Errorf("status %d, want 0, and no third shard", status)
	}
	mustHoldFamilies(t, digests)
	if answer := ferry.answer(t, issue); !strings.Contains(answer, "Mirrored 60 images") || strings.Contains(answer, "already") {
		t.Error("the answer does not say that 60 images have arrived now")
	}
	ferry.mustStand(t, issue, false, "completed")
}

// TestDoctor checks the set-up by hand, as a new owner would.
func TestDoctor(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	opened := example(t, "issues", "opened")
	newBot(t, opened)
	runner := newWorkspace(t, opened)
	check := func(want int, says string) {
		t.Helper()
		status, log := runner.act(t, "doctor.yml", "workflow_dispatch", example(t, "workflow_dispatch", ""))
		if status != want || !strings.Contains(log, says) {
			t.Errorf("status %d, want %d and %q", status, want, says)
		}
	}
	check(0, "The set-up is complete")
	runner.write(t, ".github/ferry.yaml", "targets: [{to: docker.io/another}]\n")
	check(1, "is valid, but may not push there")
}

// TestForeignWorkflow uses the action from a repository that holds nothing but
// a workflow.
func TestForeignWorkflow(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	digest := push(t, "gcr.io/ns/img:1")
	opened := example(t, "issues", "opened")
	ferry := newBot(t, opened)
	issue := ferry.open(t, opened, "please", "gcr.io/ns/img:1")

	action := newWorkspace(t, opened)
	foreign := workspace{dir: filepath.Join(t.TempDir(), "foreign"), cache: t.TempDir(), home: t.TempDir()}
	foreign.write(t, ".github/workflows/images.yml", foreignWorkflow)
	foreign.commit(t, opened)
	flags := append(action.standInActions(t), "--local-repository", "imageferry/ferry@"+foreignPin+"="+action.dir)
	if status, _ := foreign.act(t, "images.yml", "issues", opened, flags...); status != 0 {
		t.Errorf("status %d, want 0", status)
	}
	mustHold(t, "docker.io/user/ns.img:1", digest)
	ferry.answer(t, issue)
	ferry.mustStand(t, issue, false, "completed")
}

const (
	foreignPin      = "0123456789012345678901234567890123456789"
	foreignWorkflow = `
on: { issues: { types: [opened] } }
permissions: {}
jobs:
  images:
    runs-on: ubuntu-latest
    permissions: { issues: write }
    steps:
      - uses: imageferry/ferry@` + foreignPin + `
        with:
          target: docker.io/user
          username: ${{ vars.FERRY_USERNAME }}
          password: ${{ secrets.FERRY_PASSWORD }}
`
)
