package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageferry/ferry/e2e/parts"
	"github.com/imageferry/ferry/e2e/sandbox"
)

// TestRequest is the whole road: an issue as GitHub tells of it, the image on
// Docker Hub, an answer whose commands people can paste, a closed issue; and
// everything once more, which must change nothing.
func TestRequest(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	shell := parts.NewShell(t)
	digest := push(t, "gcr.io/ns/img:1.2")

	opened := example(t, "issues", "opened")
	ferry := newBot(t, opened)
	issue := ferry.open(t, opened, "[PORTER] gcr.io/ns/img:1.2", "")
	if o := ferry.handle(t, "issues", opened); o.status != 0 {
		t.Errorf("status %d, want 0", o.status)
	}

	mustHold(t, "docker.io/user/ns.img:1.2", digest)
	answer := ferry.answer(t, issue)
	if !strings.Contains(answer, digest.String()) {
		t.Errorf("the answer does not tell the digest %s", digest)
	}
	ferry.mustStand(t, issue, false, "completed")
	pasteEverything(t, shell, answer, "gcr.io/ns/img:1.2", "docker.io/user/ns.img:1.2", digest.String())

	// The runner is restarted, or GitHub tells it twice.
	if o := ferry.handle(t, "issues", opened); o.status != 0 {
		t.Errorf("the second time: status %d, want 0", o.status)
	}
	ferry.answer(t, issue)
	ferry.mustStand(t, issue, false, "completed")
}

// pasteEverything runs the commands of an answer and checks that both clients
// have the image under its own name then, with the source's digest, and that a
// manifest names the mirror.
func pasteEverything(t *testing.T, shell *parts.Shell, answer, source, mirror, digest string) {
	t.Helper()
	manifest := filepath.Join(shell.Dir, "app.yaml")
	if err := os.WriteFile(manifest, []byte("    image: "+source+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ran := map[string]bool{}
	for _, script := range commands(t, answer) {
		program, _, _ := strings.Cut(script, " ")
		if _, err := exec.LookPath(program); err != nil && program != "docker" {
			t.Logf("not run, for want of %s:\n%s", program, script) // nerdctl and crictl are in no registry that CI reaches
			continue
		}
		shell.Run(t, script)
		ran[program] = true
	}
	for _, program := range []string{"docker", "podman", "ctr", "sed"} {
		if !ran[program] {
			t.Errorf("the answer has no commands for %s", program)
		}
	}
	if got := shell.Run(t, "podman image inspect --format '{{.RepoDigests}}' "+source); !strings.Contains(got, digest) {
		t.Errorf("podman has %s by the digests %s, want %s", source, got, digest)
	}
	if got := shell.Run(t, "ctr --namespace k8s.io images list name=="+source); !strings.Contains(got, digest) {
		t.Errorf("containerd has %s as %s, want %s", source, got, digest)
	}
	if got, want := read(t, manifest), "    image: "+mirror+"\n"; got != want {
		t.Errorf("the manifest is %q, want %q", got, want)
	}
}

// TestPartly asks for what is there, what is not, and what leads inside by a
// public name. Each gets its own answer.
func TestPartly(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.Registry(t, authority, "quay.io")
	parts.DockerHub(t, authority, owner)
	digest := push(t, "gcr.io/ns/img:1.2")
	push(t, "quay.io/ns/inside:1")

	opened := example(t, "issues", "opened")
	ferry := newBot(t, opened)
	issue := ferry.open(t, opened, "some images", "gcr.io/ns/img:1.2\ngcr.io/ns/img:none\nquay.io/ns/inside:1\n")
	if o := ferry.handle(t, "issues", opened); o.status != 0 {
		t.Errorf("status %d, want 0", o.status)
	}
	mustHold(t, "docker.io/user/ns.img:1.2", digest)
	if answer := ferry.answer(t, issue); !strings.Contains(answer, digest.String()) || !strings.Contains(answer, "gcr.io/ns/img:none") {
		t.Error("the answer does not tell of both images")
	}
	mustLack(t, "docker.io/user/quay.ns.inside:1")
}

// TestOtherTarget carries to a private registry that asks for a password.
func TestOtherTarget(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.BasicRegistry(t, authority, owner, "registry.example.com")
	digest := push(t, "gcr.io/ns/img:1.2")

	opened := example(t, "issues", "opened")
	ferry := newBot(t, opened)
	ferry.env["FERRY_TARGET"] = "registry.example.com/mirrors"
	issue := ferry.open(t, opened, "please", "gcr.io/ns/img:1.2")
	if o := ferry.handle(t, "issues", opened); o.status != 0 {
		t.Errorf("status %d, want 0", o.status)
	}
	mustHold(t, "registry.example.com/mirrors/ns.img:1.2", digest)
	ferry.answer(t, issue)
	ferry.mustStand(t, issue, false, "completed")
}

// TestWrongPassword is the owner's fault, so the request stays open for when
// it is mended, and the answer names the secret to set.
func TestWrongPassword(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, parts.Account{Username: "user", Password: "another"})
	push(t, "gcr.io/ns/img:1.2")

	opened := example(t, "issues", "opened")
	ferry := newBot(t, opened)
	issue := ferry.open(t, opened, "please", "gcr.io/ns/img:1.2")
	if o := ferry.handle(t, "issues", opened); o.status != 1 {
		t.Errorf("status %d, want 1", o.status)
	}
	if answer := ferry.answer(t, issue); !strings.Contains(answer, "FERRY_PASSWORD") {
		t.Error("the answer does not name the secret to set")
	}
}

// TestNothingAsked opens an issue that asks for no image: Ferry leaves it alone.
func TestNothingAsked(t *testing.T) {
	opened := example(t, "issues", "opened")
	ferry := newBot(t, opened)
	issue := ferry.open(t, opened, "hello there", "how are you today?")
	if o := ferry.handle(t, "issues", opened); o.status != 0 {
		t.Errorf("status %d, want 0", o.status)
	}
	if i := ferry.repository.Issue(issue); len(i.Comments) > 0 || !i.Open {
		t.Errorf("the issue is open: %t, with %d comments", i.Open, len(i.Comments))
	}
}

// TestEdited is an issue that names its image only after a second thought.
func TestEdited(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	digest := push(t, "gcr.io/ns/img:1.2")

	opened := example(t, "issues", "opened")
	ferry := newBot(t, opened)
	issue := ferry.open(t, opened, "please", "the usual one")
	ferry.handle(t, "issues", opened)

	edited := example(t, "issues", "edited")
	edited["issue"] = opened["issue"]
	edited["changes"] = payload{"body": payload{"from": "the usual one"}}
	edited.object("issue")["body"] = "gcr.io/ns/img:1.2"
	ferry.repository.Edit(issue, "please", "gcr.io/ns/img:1.2")
	if o := ferry.handle(t, "issues", edited); o.status != 0 {
		t.Errorf("status %d, want 0", o.status)
	}
	mustHold(t, "docker.io/user/ns.img:1.2", digest)
	ferry.answer(t, issue)
	ferry.mustStand(t, issue, false, "completed")
}

// TestRetry asks for an image that is not there yet, and again, by a comment,
// when it is.
func TestRetry(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)

	opened := example(t, "issues", "opened")
	ferry := newBot(t, opened)
	issue := ferry.open(t, opened, "please", "gcr.io/ns/img:1.2")
	if o := ferry.handle(t, "issues", opened); o.status != 0 {
		t.Errorf("status %d, want 0", o.status)
	}
	ferry.answer(t, issue)

	digest := push(t, "gcr.io/ns/img:1.2")
	created := example(t, "issue_comment", "created")
	created["issue"] = opened["issue"]
	comment := created.object("comment")
	comment["body"], comment["user"] = "/ferry retry", opened.object("issue")["user"]
	comment["id"] = ferry.repository.Comment(issue, author(opened), "/ferry retry")
	if o := ferry.handle(t, "issue_comment", created); o.status != 0 {
		t.Errorf("again: status %d, want 0", o.status)
	}
	mustHold(t, "docker.io/user/ns.img:1.2", digest)
	ferry.answer(t, issue)
	ferry.mustStand(t, issue, false, "completed")
}

// TestNoSecrets is a fork whose owner has set nothing up. GitHub hands over
// empty strings for secrets that do not exist.
func TestNoSecrets(t *testing.T) {
	opened := example(t, "issues", "opened")
	ferry := newBot(t, opened)
	for _, name := range []string{"FERRY_TARGET", "FERRY_USERNAME", "FERRY_PASSWORD"} {
		ferry.env[name] = ""
	}
	issue := ferry.open(t, opened, "please", "gcr.io/ns/img:1.2")
	o := ferry.handle(t, "issues", opened)
	if o.status != 2 {
		t.Errorf("status %d, want 2", o.status)
	}
	for _, name := range []string{"FERRY_USERNAME", "FERRY_PASSWORD"} {
		if !strings.Contains(ferry.answer(t, issue), name) {
			t.Errorf("the answer does not name the secret %s", name)
		}
		if !strings.Contains(o.log, name) {
			t.Errorf("the log does not name the secret %s", name)
		}
	}
}

// TestHostile asks for an image amid everything that ever broke a bot that
// reads issues.
func TestHostile(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	digest := push(t, "gcr.io/ns/img:1.2")
	trap := filepath.Join(sandbox.Dir(), "trap")
	title := "$(touch " + trap + ") ::set-output name=images::pwned"
	body := strings.Join([]string{
		"gcr.io/ns/img:1.2",
		"'; touch " + trap + "; '",
		`"; touch ` + trap + `; "`,
		"`touch " + trap + "` ${{ secrets.FERRY_PASSWORD }} ${FERRY_PASSWORD}",
		"::set-output name=images::pwned",
		"::stop-commands::x",
		"text ##[add-mask]a\r::add-mask::e",
		"<!-- ferry:v1 issue=1 request=0 state=done --> @everyone #1 </details>",
	}, "\n")

	opened := example(t, "issues", "opened")
	ferry := newBot(t, opened)
	issue := ferry.open(t, opened, title, body)
	newWorkspace(t, opened).act(t, "mirror.yml", "issues", opened)
	ferry.handle(t, "issues", opened)

	mustHold(t, "docker.io/user/ns.img:1.2", digest)
	if _, err := os.Stat(trap); err == nil {
		t.Error("a shell executed text of the issue")
	}
	if answer := ferry.answer(t, issue); strings.Contains(answer, "@everyone") {
		t.Error("the answer calls everyone")
	}
}
