package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

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
	files := run1(t, "..", "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	for file := range strings.SplitSeq(strings.TrimSuffix(files, "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join("..", file))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, but not yet in a commit
		}
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join("..", file))
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(w.dir, file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, content, info.Mode())); err != nil {
			t.Fatal(err)
		}
	}
	// act reads the repository's name from the remote.
	full, _ := p.object("repository")["full_name"].(string)
	run1(t, w.dir, "git", "init", "--quiet", "--initial-branch=main")
	run1(t, w.dir, "git", "remote", "add", "origin", "https://github.com/"+full+".git")
	run1(t, w.dir, "git", "add", "--all")
	run1(t, w.dir, "git", "-c", "user.name=e2e", "-c", "user.email=e2e@example.com", "commit", "--quiet", "--message=all")
	return w
}

// run1 runs a program to its end and gives its standard output.
func run1(t *testing.T, dir, program string, args ...string) string {
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

// uses matches what a workflow or action runs of others: repository, path and
// commit.
var uses = regexp.MustCompile(`uses: ([\w-]+/([\w-]+))(?:/[\w-]+)*@([0-9a-f]{40})`)

// standInActions are the flags that have act take our stand-ins for the
// actions of others, which it would fetch from GitHub.
func (w workspace) standInActions(t *testing.T) []string {
	t.Helper()
	stands, err := filepath.Abs(filepath.Join("testdata", "actions"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(w.dir, ".github", "workflows", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var flags []string
	for _, file := range append(files, filepath.Join(w.dir, "action.yml")) {
		for _, match := range uses.FindAllStringSubmatch(read(t, file), -1) {
			flags = append(flags, "--local-repository", fmt.Sprintf("%s@%s=%s", match[1], match[3], filepath.Join(stands, match[2])))
		}
	}
	return flags
}

// act runs a workflow for an event, under a real workflow runner, and gives
// the exit status and the log. More arguments go to act as they are.
func (w workspace) act(t *testing.T, workflow, kind string, p payload, more ...string) (int, string) {
	t.Helper()
	args := []string{
		kind, "--workflows", filepath.Join(".github", "workflows", workflow), "--eventpath", p.write(t),
		"--platform", "ubuntu-latest=-self-hosted", "--no-cache-server", "--actor", author(p).Login,
		"--secret", "GITHUB_TOKEN=" + token,
		"--secret", "FERRY_USERNAME=" + owner.Username,
		"--secret", "FERRY_PASSWORD=" + owner.Password,
		"--env", "CACHE_STAND_IN=" + w.cache,
	}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		args = append(args, "--env", name+"="+os.Getenv(name))
	}
	args = append(args, w.standInActions(t)...)
	var log bytes.Buffer
	act := exec.CommandContext(t.Context(), "act", append(args, more...)...)
	act.Dir, act.Stdout, act.Stderr = w.dir, &log, &log
	act.Env = append(os.Environ(), "HOME="+w.home)
	err := act.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("act %s: status %d\n%s", kind, act.ProcessState.ExitCode(), log.Bytes())
		}
	})
	if strings.Contains(log.String(), token) || strings.Contains(log.String(), password) {
		t.Errorf("a secret shows in the log of act:\n%s", log.Bytes())
	}
	return act.ProcessState.ExitCode(), log.String()
}

// TestWorkflow runs the mirror workflow, unchanged, for an issue. The first
// run has to build Ferry; a dispatch fills the cache; the next has it.
func TestWorkflow(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	digest := push(t, "gcr.io/ns/img:1.2")

	opened := example(t, "issues", "opened")
	ferry := newBot(t, opened)
	issue := ferry.open(t, opened, "please", "gcr.io/ns/img:1.2")
	runner := newWorkspace(t, opened)
	if status, _ := runner.act(t, "mirror.yml", "issues", opened); status != 0 {
		t.Errorf("status %d, want 0", status)
	}
	mustHold(t, "user/ns.img:1.2", digest)
	ferry.answer(t, issue)
	ferry.mustStand(t, issue, false, "completed")
}
