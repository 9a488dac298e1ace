package bot

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/wiring"
)

// wantIssue checks the state and label of an issue.
func (w *world) wantIssue(number int, open bool, reason, label string) {
	w.T.Helper()
	issue := w.github.Issue(number)
	if issue.Open != open || !open && issue.Reason != reason {
		w.T.Errorf("issue %d: open %v, reason %q; want %v, %q", number, issue.Open, issue.Reason, open, reason)
	}
	if !slices.Contains(issue.Labels, label) {
		w.T.Errorf("issue %d bears %q, want %q among them", number, issue.Labels, label)
	}
	for _, l := range issue.Labels {
		if strings.HasPrefix(l, "ferry/") && l != label {
			w.T.Errorf("issue %d bears %q as well as %q", number, l, label)
		}
	}
}

func TestIssueIsServed(t *testing.T) {
	w := newWorld(t)
	digest := w.Publish("ns/img", "1.0", 1)
	n := w.open(stranger, "[PORTER]gcr.io/ns/img:1.0", "")
	status, log := w.happens("issues", "opened", n, nil)
	w.WantStatus(status, wiring.StatusDone, log)
	w.wantIssue(n, false, "completed", "ferry/done")
	if got := w.Mirrored("ns.img", "1.0"); got != digest {
		t.Errorf("the mirror is %q, want %q", got, digest)
	}
	fakeworld.WantText(t, "the comment", w.comment(n), "gcr.io/ns/img:1.0",
		"docker pull registry.example.com/mirror/ns.img:1.0\ndocker tag registry.example.com/mirror/ns.img:1.0 gcr.io/ns/img:1.0")
	if got := w.github.Issue(n).Reactions; !slices.Equal(got, []string{"eyes", "rocket"}) {
		t.Errorf("reactions %q", got)
	}
	outputs, err := os.ReadFile(filepath.Join(w.Dir, "output"))
	if err != nil {
		t.Fatal(err)
	}
	fakeworld.WantText(t, "the outputs", string(outputs), digest, "\n1\n", "\n0\n", "issuecomment")
	summary, err := os.ReadFile(filepath.Join(w.Dir, "summary"))
	if err != nil {
		t.Fatal(err)
	}
	fakeworld.WantText(t, "the summary", string(summary), "gcr.io/ns/img:1.0", digest[:19])
}

// TestRegistriesAreAskedMeanwhile checks that the registries are read while the
// comment is being created, and that nothing is written before it is certain
// that no other run has created one.
func TestRegistriesAreAskedMeanwhile(t *testing.T) {
	asked := make(chan struct{})
	w := newWorld(t, func(c *fakegithub.Config) {
		fault := c.Fault
		c.Fault = func(n int, r *http.Request) fakegithub.Fault {
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/comments") {
				select {
				case <-asked:
				case <-time.After(20 * time.Second):
					t.Error("nobody is asked before the comment is there")
				}
			}
			return fault(n, r)
		}
	})
	w.Publish("ns/img", "1.0", 1)
	var once sync.Once
	var early int
	w.Source.Inject(fakeregistry.Fault{Match: "^GET .*/manifests/sha256:", Times: -1, Do: func(http.ResponseWriter, *http.Request) bool {
		once.Do(func() {
			early = w.Target.Count("^(POST|PUT|PATCH) ")
			close(asked)
		})
		return false
	}})
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	status, log := w.happens("issues", "opened", n, nil)
	w.WantStatus(status, wiring.StatusDone, log)
	if early > 0 {
		t.Errorf("%d requests had written something by then", early)
	}
}

// TestPrivateMirrors checks that new mirrors that need a login are reported,
// but existing ones are not.
func TestPrivateMirrors(t *testing.T) {
	for _, private := range []bool{false, true} {
		w := newWorld(t)
		w.Target = fakeregistry.New(fakeregistry.Options{Username: "mate", Password: "sesame-of-the-target", Private: private})
		w.At["registry.example.com:80"] = w.Serve(w.Target)
		w.Publish("ns/img", "1.0", 1)
		n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
		w.happens("issues", "opened", n, nil)
		w.wantIssue(n, false, "completed", "ferry/done")
		if told := strings.Contains(w.comment(n), "`docker login registry.example.com`"); told != private {
			t.Errorf("private %v, and the comment says so: %v\n%s", private, told, w.comment(n))
		}
	}
}

// TestPrivateOnPurpose: the target does not show whom it lets pull, but the owner
// has said that people log in, also for what was there before.
func TestPrivateOnPurpose(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	w.SetPolicy(strings.Replace(fakeworld.Policy, "plain-http: true}", "plain-http: true, pull: login}", 1))
	for range 2 {
		issue := w.open(harbour, "", "gcr.io/ns/img:1.0")
		status, log := w.happens("issues", "opened", issue, nil)
		w.WantStatus(status, wiring.StatusDone, log)
		fakeworld.WantText(t, "the answer", w.comment(issue), "docker login registry.example.com")
	}
}

// TestOwnersPlatforms checks that the owner's platforms are copied if a request
// names none.
func TestOwnersPlatforms(t *testing.T) {
	w := newWorld(t)
	w.Environ["FERRY_PLATFORMS"] = "linux/arm64"
	whole := w.Publish("ns/img", "1.0", 1)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.happens("issues", "opened", n, nil)
	if got := w.Mirrored("ns.img", "1.0"); got == "" || got == whole {
		t.Errorf("the mirror is %q, the whole image %s", got, whole)
	}
	fakeworld.WantText(t, "the comment", w.comment(n), "docker pull --platform linux/arm64 registry.example.com/mirror/ns.img:1.0", " · `arm64`\n")
	w.github.Edit(n, "please", "gcr.io/ns/img:1.0 linux/amd64")
	w.happens("issues", "edited", n, nil)
	fakeworld.WantText(t, "the comment", w.comment(n), "--platform linux/amd64", " · `amd64`, `arm64`\n") // existing platforms stay
}

// TestTitles checks that a meaningless title is replaced by the list of images.
func TestTitles(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	for title, want := range map[string]string{"[PORTER]": "gcr.io/ns/img:1.0", "": "gcr.io/ns/img:1.0", "for our cluster": "for our cluster"} {
		n := w.open(stranger, title, "gcr.io/ns/img:1.0")
		w.happens("issues", "opened", n, nil)
		if issue := w.github.Issue(n); issue.Title != want || issue.Body != "gcr.io/ns/img:1.0" {
			t.Errorf("%q becomes %q, the body %q", title, issue.Title, issue.Body)
		}
	}
}

// TestNothingTwice checks that events that arrive twice are answered and copied
// once.
func TestNothingTwice(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	w.Publish("ns/more", "2.0", 2)
	n := w.open(stranger, "image please", "gcr.io/ns/img:1.0")
	w.happens("issues", "opened", n, nil)
	before := w.comment(n)
	pushes := w.Target.Count("^(POST|PUT|PATCH) ")

	for _, action := range []string{"opened", "edited", "labeled"} {
		status, log := w.happens("issues", action, n, nil)
		w.WantStatus(status, wiring.StatusDone, log)
	}
	if w.comment(n) != before || w.Target.Count("^(POST|PUT|PATCH) ") != pushes {
		t.Error("the same request was served again")
	}

	w.github.Edit(n, "image please", "gcr.io/ns/img:1.0\nquay.io/ns/more:2.0")
	w.Target.Forget()
	status, log := w.happens("issues", "edited", n, nil)
	w.WantStatus(status, wiring.StatusDone, log)
	fakeworld.WantText(t, "the comment", w.comment(n), "gcr.io/ns/img:1.0", "quay.io/ns/more:2.0")
	if n := w.Target.Count("^(POST|PUT|PATCH) /v2/mirror/ns.img/"); n != 0 {
		t.Errorf("%d requests copied what was there", n)
	}
	w.wantIssue(n, false, "completed", "ferry/done")
}

func TestAnswers(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(*world)
		author  event.User
		body    string
		status  int
		open    bool
		reason  string
		label   string
		comment []string
	}{{
		name: "no image", author: stranger, body: "Hello, I would like to have the usual image.",
		status: wiring.StatusDone, reason: "not_planned", label: "ferry/refused",
		comment: []string{"registry.k8s.io/pause"},
	}, {
		name: "a form without an image", author: stranger, body: "### 镜像 / Images\n\nhow does this work?\n\n### 平台 / Platforms\n\n_No response_",
		status: wiring.StatusDone, reason: "not_planned", label: "ferry/refused",
		comment: []string{"how does this work?", "quay.io/prometheus/node-exporter"},
	}, {
		name: "one line of a form is no image", author: stranger, body: "### 镜像 / Images\n\ngcr.io/ns/img:1.0\nnode exporter\n\n### 平台 / Platforms\n\n_No response_",
		status: wiring.StatusDone, reason: "completed", label: "ferry/partial",
		comment: []string{"docker pull registry.example.com/mirror/ns.img:1.0", "`node exporter`"},
	}, {
		name: "one word of a list is no image", author: stranger, body: "docker pull gcr.io/ns/img:1.0, immich",
		status: wiring.StatusDone, reason: "completed", label: "ferry/partial",
		comment: []string{"docker pull registry.example.com/mirror/ns.img:1.0", "`immich`"},
	}, {
		name: "one of two does not exist", author: stranger, body: "gcr.io/ns/img:1.0\ngcr.io/ns/img:1.1",
		status: wiring.StatusDone, reason: "completed", label: "ferry/partial",
		comment: []string{"docker pull registry.example.com/mirror/ns.img:1.0", "`1.0`"},
	}, {
		name: "a registry that is not allowed", author: stranger, body: "evil.example/ns/img:1.0",
		status: wiring.StatusDone, reason: "not_planned", label: "ferry/refused",
		comment: []string{"evil.example"},
	}, {
		name: "a private image", author: stranger, body: "gcr.io/ns/secret:1",
		prepare: func(w *world) {
			w.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/secret/", Times: -1, Status: http.StatusUnauthorized,
				Body: `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`})
		},
		status: wiring.StatusDone, reason: "not_planned", label: "ferry/refused",
	}, {
		name: "the source is down", author: stranger, body: "gcr.io/ns/img:1.0",
		prepare: func(w *world) {
			w.Source.Inject(fakeregistry.Fault{Match: "/v2/", Times: -1, Status: http.StatusForbidden,
				Body: `{"errors":[{"code":"DENIED","message":"nobody gets anything"}]}`})
		},
		status: wiring.StatusDone, reason: "not_planned", label: "ferry/refused",
	}, {
		name: "no password", author: stranger, body: "gcr.io/ns/img:1.0",
		prepare: (*world).ForgetPassword,
		status:  wiring.StatusUsage, open: true, label: "ferry/set-up",
		comment: []string{"FERRY_PASSWORD", "https://github.com/octo-harbour/ferry/settings/secrets/actions"},
	}, {
		name: "a wrong password", author: stranger, body: "gcr.io/ns/img:1.0",
		prepare: func(w *world) { w.Environ["FERRY_PASSWORD"] = "wrong" },
		status:  wiring.StatusFailed, open: true, label: "ferry/set-up",
		comment: []string{"FERRY_PASSWORD"},
	}, {
		name: "a stranger on a fork", author: stranger, body: "gcr.io/ns/img:1.0",
		prepare: func(w *world) { w.fork = true },
		status:  wiring.StatusDone, reason: "not_planned", label: "ferry/refused",
		comment: []string{"`FERRY_REQUESTS`", "/ferry approve "},
	}, {
		name: "a collaborator on a fork", author: sailor, body: "gcr.io/ns/img:1.0",
		prepare: func(w *world) { w.fork = true },
		status:  wiring.StatusDone, reason: "completed", label: "ferry/done",
	}, {
		name: "the owner on a fork", author: harbour, body: "gcr.io/ns/img:1.0",
		prepare: func(w *world) { w.fork = true },
		status:  wiring.StatusDone, reason: "completed", label: "ferry/done",
	}} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.Publish("ns/img", "1.0", 1)
			if test.prepare != nil {
				test.prepare(w)
			}
			n := w.open(test.author, "please", test.body)
			status, log := w.happens("issues", "opened", n, nil)
			w.WantStatus(status, test.status, log)
			w.wantIssue(n, test.open, test.reason, test.label)
			fakeworld.WantText(t, "the comment", w.comment(n), test.comment...)
			if got := w.github.Issue(n).Body; got != test.body {
				t.Errorf("the issue's body was changed to %q", got)
			}
			if strings.Contains(log+w.comment(n), "sesame-of-the-target") && !strings.Contains(log, "::add-mask::") {
				t.Error("the password shows")
			}
		})
	}
}

// TestNobodyCanBeAnswered checks that the run tells the owner what to fix if
// the issue cannot be answered.
func TestNobodyCanBeAnswered(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*fakegithub.Config)
		want   string
	}{
		{"a token that may not write", func(c *fakegithub.Config) { c.ReadOnly = true }, "issues: write"},
		{"no valid token", func(c *fakegithub.Config) { c.Tokens = nil }, "`github-token`"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.change)
			w.Publish("ns/img", "1.0", 1)
			n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
			status, log := w.happens("issues", "opened", n, nil)
			w.WantStatus(status, wiring.StatusFailed, log)
			summary, err := os.ReadFile(filepath.Join(w.Dir, "summary"))
			if err != nil {
				t.Fatal(err)
			}
			fakeworld.WantText(t, "the summary", string(summary), test.want, "https://github.com/octo-harbour/ferry/tree/HEAD/.github/workflows")
			if got := strings.Count(log, "::error"); got != 2 || !strings.Contains(log, "::error title=set-up::") {
				t.Errorf("%d errors, want what GitHub said and what to do:\n%s", got, log)
			}
		})
	}
}

// TestOtherForms checks that issues written with other forms are not answered.
func TestOtherForms(t *testing.T) {
	files, err := filepath.Glob("../../.github/ISSUE_TEMPLATE/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	firstLabel := regexp.MustCompile(`(?m)^      label: (.*)$`)
	w := newWorld(t)
	tried := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		label := firstLabel.FindStringSubmatch(string(text))
		if filepath.Base(file) == "mirror.yml" || label == nil { // config.yml is not a form
			continue
		}
		tried++
		n := w.open(stranger, "it fails", "### "+label[1]+"\n\ngcr.io/ns/img:1.0 fails")
		status, log := w.happens("issues", "opened", n, nil)
		w.WantStatus(status, wiring.StatusDone, log)
		if c := w.github.Issue(n).Comments; len(c) != 0 {
			t.Errorf("%s was answered: %+v", file, c)
		}
	}
	if tried != len(otherForms) {
		t.Errorf("%d forms were tried, want %d", tried, len(otherForms))
	}
}

func TestNotOurs(t *testing.T) {
	bot := map[string]any{"sender": map[string]any{"login": "renovate[bot]", "id": 9, "type": "Bot"}}
	for _, test := range []struct {
		name, kind, action string
		labels             []string
		extra              map[string]any
	}{
		{"a bot", "issues", "opened", nil, bot},
		{"a bug report", "issues", "opened", []string{"bug"}, nil},
		{"a deleted issue", "issues", "deleted", nil, nil},
		{"a comment that is no command", "issue_comment", "created", nil, map[string]any{
			"comment": map[string]any{"id": 5, "body": "thanks!", "user": map[string]any{"login": "stranger", "id": stranger.ID}},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			n := w.open(stranger, "gcr.io/ns/img:1.0", "gcr.io/ns/img:1.0", test.labels...)
			status, log := w.happens(test.kind, test.action, n, test.extra)
			w.WantStatus(status, wiring.StatusDone, log)
			if c := w.github.Issue(n).Comments; len(c) != 0 {
				t.Errorf("it was answered: %+v", c)
			}
		})
	}
}

// TestProse checks that prose without a wish stays as it is: no comment, no label,
// open, also in a sweep and when it is reopened. It is answered when it becomes a
// request or if somebody asks for that.
func TestProse(t *testing.T) {
	for title, body := range map[string]string{
		"a question":                      "Hello, how does this work?",
		"hello there":                     "how are you today?",
		"Feature: support S3 as a target": "It would be great if Ferry could also write an OCI layout to S3. Happy to send a PR. Is that in scope?",
		"doctor crashes":                  "Running doctor crashes.\n\n1. docker pull gcr.io/ns/img:1.0 works\n2. ferry copy gcr.io/ns/img:1.0 panics",
		"想法：能否在评论里用 /ferry copy": "例如\n\n    docker pull gcr.io/ns/img:1.0\n\n然后机器人自动回复。",
	} {
		t.Run(title, func(t *testing.T) {
			w := newWorld(t)
			digest := w.Publish("ns/img", "1.0", 1)
			n := w.open(stranger, title, body)
			for _, action := range []string{"opened", "edited", "reopened", "labeled"} {
				status, log := w.happens("issues", action, n, nil)
				w.WantStatus(status, wiring.StatusDone, log)
			}
			status, log := w.happens("schedule", "", n, nil)
			w.WantStatus(status, wiring.StatusDone, log)
			if i := w.github.Issue(n); len(i.Comments)+len(i.Labels)+len(i.Reactions) != 0 || !i.Open || w.Mirrored("ns.img", "1.0") != "" {
				t.Fatalf("it was not left alone: %+v", i)
			}
			w.github.Edit(n, "please", "gcr.io/ns/img:1.0")
			status, log = w.happens("issues", "edited", n, nil)
			w.WantStatus(status, wiring.StatusDone, log)
			w.wantIssue(n, false, "completed", "ferry/done")
			if got := w.Mirrored("ns.img", "1.0"); got != digest {
				t.Errorf("the mirror is %q", got)
			}
		})
	}
	w := newWorld(t)
	n := w.open(stranger, "hello there", "how are you today?")
	id := w.github.Comment(n, stranger, "/ferry retry")
	status, log := w.happens("issue_comment", "created", n, map[string]any{"comment": commented(stranger, id, "/ferry retry")})
	w.WantStatus(status, wiring.StatusDone, log)
	fakeworld.WantText(t, "the comment", w.comment(n), "registry.k8s.io/pause")
}

func TestCommands(t *testing.T) {
	for _, test := range []struct {
		name, command string
		author        event.User
		served        bool
		reaction      string
	}{
		{"retry by the author", "/ferry retry", stranger, true, "eyes"},
		{"retry by a collaborator", "/ferry retry", sailor, true, "eyes"},
		{"approval without a fingerprint", "/ferry approve", sailor, false, "eyes"},
		{"retry by somebody else", "/ferry retry", event.User{ID: 77, Login: "passer-by"}, false, ""},
		{"help", "/ferry help", stranger, false, "eyes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
			if status, log := w.happens("issues", "opened", n, nil); status != wiring.StatusDone {
				t.Fatalf("status %d: %s", status, log)
			}
			digest := w.Publish("ns/img", "1.0", 1) // it exists now
			id := w.github.Comment(n, test.author, test.command)
			status, log := w.happens("issue_comment", "created", n, map[string]any{"comment": commented(test.author, id, test.command)})
			w.WantStatus(status, wiring.StatusDone, log)
			if got := w.Mirrored("ns.img", "1.0"); (got == digest) != test.served {
				t.Errorf("the mirror is %q", got)
			}
			for _, c := range w.github.Issue(n).Comments {
				if c.ID == id && strings.Join(c.Reactions, "") != test.reaction {
					t.Errorf("the command has the reactions %q, want %q", c.Reactions, test.reaction)
				}
			}
			w.comment(n)
		})
	}
}

// TestCommandLetsARequestThrough checks that a stranger's request on a fork is
// refused until a person with write access approves it.
func TestCommandLetsARequestThrough(t *testing.T) {
	w := newWorld(t)
	w.fork = true
	digest := w.Publish("ns/img", "1.0", 1)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.happens("issues", "opened", n, nil)
	w.wantIssue(n, false, "not_planned", "ferry/refused")
	approve := w.approval(n)
	for _, command := range []struct {
		author event.User
		text   string
		lets   bool
	}{
		{stranger, "/ferry retry", false},
		{sailor, "/ferry retry", false}, // has the rights of the requester
		{stranger, approve, false},
		{sailor, approve[:len(approve)-1] + "x", false},
		{sailor, approve, true},
	} {
		w.says(command.author, n, command.text)
		if got := w.Mirrored("ns.img", "1.0"); (got == digest) != command.lets {
			t.Errorf("after %s by %s the mirror is %q", command.text, command.author.Login, got)
		}
	}
	w.wantIssue(n, false, "completed", "ferry/done")
}

// askedOf returns a world with published images, of which only those of a pattern
// are allowed to everybody, and the issue of a stranger that was answered.
func askedOf(t *testing.T, allowed, text string, published ...string) (*world, int) {
	t.Helper()
	w := newWorld(t)
	w.SetPolicy(fakeworld.Policy + "allowed: [" + allowed + "]\n")
	for i, name := range published {
		w.Publish(name, "1.0", uint64(i+1))
	}
	n := w.open(stranger, "please", text)
	w.happens("issues", "opened", n, nil)
	return w, n
}

// approval returns the command that Ferry's answer offers for approving the
// request.
func (w *world) approval(number int) string {
	w.T.Helper()
	command := regexp.MustCompile("(?m)^/ferry approve [0-9a-f]{64}$").FindString(w.comment(number))
	if command == "" {
		w.T.Fatalf("no approval is offered: %s", w.comment(number))
	}
	return command
}

// TestApprovalIsOfWhatWasSeen checks that an approval covers neither later
// edits nor anything that the approver may not ask for.
func TestApprovalIsOfWhatWasSeen(t *testing.T) {
	w := newWorld(t)
	w.SetPolicy(strings.Replace(fakeworld.Policy, "host: quay.io, private: true, plain-http: true, requests: anyone", "host: quay.io, private: true, plain-http: true, requests: owner", 1))
	w.fork = true
	w.Publish("ns/img", "1.0", 1)
	w.Publish("ns/secret", "1.0", 2)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.happens("issues", "opened", n, nil)
	approve := w.approval(n)
	fakeworld.WantText(t, "the offer", w.comment(n), "- `gcr.io/ns/img:1.0`\n")
	w.github.Edit(n, "please", "gcr.io/ns/secret:1.0") // just before the comment
	w.says(sailor, n, approve)
	w.wantIssue(n, false, "not_planned", "ferry/refused")
	if got := w.approval(n); got == approve {
		t.Error("the offer has stayed as it was")
	}
	w.github.Edit(n, "please", "gcr.io/ns/img:1.0\nquay.io/ns/secret:1.0")
	w.happens("issues", "edited", n, nil)
	w.says(sailor, n, w.approval(n))
	w.wantIssue(n, false, "completed", "ferry/partial")
	if w.Mirrored("ns.img", "1.0") == "" || w.Mirrored("ns.secret", "1.0")+w.Mirrored("quay.ns.secret", "1.0") != "" {
		t.Errorf("the mirror has img %q, secret %q %q", w.Mirrored("ns.img", "1.0"), w.Mirrored("ns.secret", "1.0"), w.Mirrored("quay.ns.secret", "1.0"))
	}
}

// TestApprovalOfACommand approves what a command has added to a request, as the
// answer lists it. The approval covers neither another command's images nor the
// text alone.
func TestApprovalOfACommand(t *testing.T) {
	w, n := askedOf(t, "gcr.io/ns/*", "gcr.io/ns/img:1.0", "ns/img", "other/img", "other/secret")
	w.says(stranger, n, "/ferry add gcr.io/other/img:1.0")
	approve := w.approval(n)
	fakeworld.WantText(t, "the offer", w.comment(n), "- `gcr.io/other/img:1.0`\n")
	w.says(stranger, n, "/ferry add gcr.io/other/secret:1.0")
	w.says(stranger, n, approve)
	if w.Mirrored("other.img", "1.0") != "" {
		t.Error("a stranger lets himself in")
	}
	w.says(sailor, n, approve)
	w.wantIssue(n, false, "completed", "ferry/done")
	if w.Mirrored("other.img", "1.0") == "" || w.Mirrored("other.secret", "1.0") != "" {
		t.Errorf("the mirror has img %q, secret %q", w.Mirrored("other.img", "1.0"), w.Mirrored("other.secret", "1.0"))
	}
	w.says(sailor, n, "/ferry approve "+ledger.Fingerprint(request.Parse(request.Input{Title: "please", Body: "gcr.io/ns/img:1.0\ngcr.io/other/secret:1.0"})))
	w.wantIssue(n, false, "completed", "ferry/done")
	if w.Mirrored("other.secret", "1.0") == "" {
		t.Errorf("the second command cannot be approved: %s", w.comment(n))
	}
}

// TestApprovalEndsWithAnEdit edits the text while the approved request is being
// copied. The newer text is served with the rights of its author.
func TestApprovalEndsWithAnEdit(t *testing.T) {
	w := newWorld(t)
	w.fork = true
	w.Publish("ns/img", "1.0", 1)
	w.Publish("ns/secret", "1.0", 2)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.happens("issues", "opened", n, nil)
	w.Target.Inject(fakeregistry.Fault{Match: "^POST .*/uploads/", Times: 1, Do: func(http.ResponseWriter, *http.Request) bool {
		w.github.Edit(n, "please", "gcr.io/ns/secret:1.0")
		return false
	}})
	w.says(sailor, n, w.approval(n))
	w.wantIssue(n, false, "not_planned", "ferry/refused")
	if w.Mirrored("ns.img", "1.0") == "" || w.Mirrored("ns.secret", "1.0") != "" {
		t.Errorf("the mirror has img %q, secret %q", w.Mirrored("ns.img", "1.0"), w.Mirrored("ns.secret", "1.0"))
	}
}

// TestForgedMarker checks that a marker written by another workflow as the same
// bot gives no rights.
func TestForgedMarker(t *testing.T) {
	w := newWorld(t)
	w.fork = true
	w.Publish("ns/img", "1.0", 1)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	m := ledger.Marker{Issue: n, Request: ledger.Fingerprint(request.Parse(request.Input{Title: "please", Body: "gcr.io/ns/img:1.0"})),
		State: ledger.Retry, Tries: 1, Since: w.clock(), Run: 1, Asker: config.Owner}
	w.github.Comment(n, fakegithub.Bot(), m.String()+"\nretold")
	w.happens("schedule", "", 0, nil)
	w.wantIssue(n, false, "not_planned", "ferry/refused")
	if got := w.Mirrored("ns.img", "1.0"); got != "" {
		t.Errorf("it was mirrored: %s", got)
	}
}

// says posts a command on an issue.
func (w *world) says(author event.User, number int, text string) (status int, log string) {
	w.T.Helper()
	id := w.github.Comment(number, author, text)
	return w.happens("issue_comment", "created", number, map[string]any{"comment": commented(author, id, text)})
}

// commented returns a comment as it is in a payload.
func commented(author event.User, id int64, text string) map[string]any {
	return map[string]any{"id": id, "body": text, "user": map[string]any{"login": author.Login, "id": author.ID, "type": "User"}}
}

func TestRefreshCommand(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.happens("issues", "opened", n, nil)
	moved := w.Publish("ns/img", "1.0", 2)
	status, log := w.says(stranger, n, "/ferry refresh")
	w.WantStatus(status, wiring.StatusDone, log)
	if got := w.Mirrored("ns.img", "1.0"); got != moved {
		t.Errorf("the mirror is %q, want %q", got, moved)
	}
	fakeworld.WantText(t, "the comment", w.comment(n), moved[:19])
	w.wantIssue(n, false, "completed", "ferry/done")
}

// TestRefreshTakesNamesBack checks that, if sources share names, only a
// collaborator's refresh replaces the image of another source.
func TestRefreshTakesNamesBack(t *testing.T) {
	w := newWorld(t)
	w.Environ["FERRY_PROFILE"] = "last"
	want := w.Publish("ns/img", "1.0", 1)
	other := fakeregistry.Generate(fakeregistry.Spec{Seed: 2, Platforms: []string{"linux/amd64"}, Layers: []int{10}})
	w.Target.Add("mirror/img", "1.0", other)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.happens("issues", "opened", n, nil)
	for _, asker := range []event.User{stranger, sailor} {
		w.says(asker, n, "/ferry refresh")
		if got := w.Mirrored("img", "1.0"); (got == want) != (asker == sailor) {
			t.Errorf("after the refresh of %s the mirror is %s", asker.Login, got)
		}
	}
}

func TestPlatformCommand(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.happens("issues", "opened", n, nil)
	status, log := w.says(stranger, n, "/ferry platform linux/arm64")
	w.WantStatus(status, wiring.StatusDone, log)
	fakeworld.WantText(t, "the comment", w.comment(n), "`amd64`, `arm64`\n", "--platform linux/arm64")
	w.wantIssue(n, false, "completed", "ferry/done")
}

// TestPullRequest checks that pull requests, which GitHub also treats as
// issues, are left alone.
func TestPullRequest(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	n := w.github.Open(fakegithub.Draft{Author: stranger, Title: "gcr.io/ns/img:1.0", Body: "gcr.io/ns/img:1.0", PullRequest: true})
	id := w.github.Comment(n, stranger, "/ferry retry")
	issue := map[string]any{
		"number": n, "title": "gcr.io/ns/img:1.0", "body": "gcr.io/ns/img:1.0", "state": "open", "pull_request": map[string]any{"url": "x"},
		"user": map[string]any{"login": stranger.Login, "id": stranger.ID, "type": "User"},
	}
	w.happens("issues", "opened", n, map[string]any{"issue": issue})
	w.happens("issue_comment", "created", n, map[string]any{"issue": issue, "comment": commented(stranger, id, "/ferry retry")})
	w.happens("workflow_dispatch", "", 0, map[string]any{"inputs": map[string]any{"issue": fmt.Sprint(n)}})
	w.happens("schedule", "", 0, nil)
	if got := w.github.Issue(n); len(got.Comments) != 1 || len(got.Reactions)+len(got.Comments[0].Reactions)+len(got.Labels) > 0 || w.Mirrored("ns.img", "1.0") != "" {
		t.Errorf("something was done: %+v", got)
	}
}

func TestCancelCommand(t *testing.T) {
	w := newWorld(t)
	w.ForgetPassword() // so that the issue stays open
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.happens("issues", "opened", n, nil)
	_, log := w.says(stranger, n, "/ferry cancel")
	if issue := w.github.Issue(n); issue.Open || issue.Reason != "not_planned" {
		t.Errorf("the issue is open %v, %q: %s", issue.Open, issue.Reason, log)
	}
	if m, ok := ledger.ParseMarker(w.comment(n)); !ok || m.State != ledger.Withdrawn {
		t.Errorf("the comment says %+v", m)
	}
}

// TestCancelWhileRunning checks that a cancel command ends the work of the
// running run.
func TestCancelWhileRunning(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	began, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.Source.Inject(fakeregistry.Fault{Match: "^GET .*/blobs/", Times: -1, Do: func(_ http.ResponseWriter, r *http.Request) bool {
		once.Do(func() { close(began) })
		select {
		case <-release:
		case <-r.Context().Done():
		}
		return false
	}})
	ended := make(chan string)
	go func() {
		_, log := w.happens("issues", "opened", n, nil)
		ended <- log
	}()
	<-began
	w.says(stranger, n, "/ferry cancel")
	log := <-ended
	close(release)
	fakeworld.WantText(t, "the log", log, "withdrawn")
	if m, _ := ledger.ParseMarker(w.comment(n)); m.State != ledger.Withdrawn {
		t.Errorf("the comment says %+v", m)
	}
	w.wantIssue(n, false, "not_planned", "ferry/refused")
	if got := w.Mirrored("ns.img", "1.0"); got != "" {
		t.Errorf("it was mirrored all the same: %s", got)
	}
}

func TestDispatch(t *testing.T) {
	w := newWorld(t)
	digest := w.Publish("ns/img", "1.0", 1)
	status, log := w.happens("workflow_dispatch", "", 0, map[string]any{"inputs": map[string]any{"images": "gcr.io/ns/img:1.0"}})
	w.WantStatus(status, wiring.StatusDone, log)
	if got := w.Mirrored("ns.img", "1.0"); got != digest {
		t.Errorf("the mirror is %q, want %q", got, digest)
	}

	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	status, log = w.happens("workflow_dispatch", "", 0, map[string]any{"inputs": map[string]any{"issue": "1"}})
	w.WantStatus(status, wiring.StatusDone, log)
	w.wantIssue(n, false, "completed", "ferry/done")

	status, log = w.happens("workflow_dispatch", "", 0, map[string]any{"inputs": map[string]any{"images": "", "issue": ""}})
	w.WantStatus(status, wiring.StatusNothing, log)
}

// TestDispatchToAnotherTarget takes the target of one run from the input and,
// under its old name, from the environment.
func TestDispatchToAnotherTarget(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	inputs := map[string]any{"images": "gcr.io/ns/img:1.0", "target": "registry.example.com/Other"}
	status, log := w.happens("workflow_dispatch", "", 0, map[string]any{"inputs": inputs})
	w.WantStatus(status, wiring.StatusDone, log)
	fakeworld.WantText(t, "the log", log, "::warning::FERRY_TARGET_OVERRIDE has capital letters", "registry.example.com/other/ns.img:1.0")

	w.Environ["FERRY_ELSEWHERE"] = "registry.example.com/third"
	delete(inputs, "target")
	status, log = w.happens("workflow_dispatch", "", 0, map[string]any{"inputs": inputs})
	w.WantStatus(status, wiring.StatusDone, log)
	fakeworld.WantText(t, "the log", log, "::warning::FERRY_ELSEWHERE is the old name", "registry.example.com/third/ns.img:1.0")
}

// TestInputUnderAnyEvent checks workflows that use the action, which any event
// may start.
func TestInputUnderAnyEvent(t *testing.T) {
	w := newWorld(t)
	digest := w.Publish("ns/img", "1.0", 1)
	w.Environ["FERRY_IMAGES"] = "gcr.io/ns/img:1.0"
	for _, kind := range []string{"release", "push", "schedule"} {
		status, log := w.happens(kind, "", 0, nil)
		w.WantStatus(status, wiring.StatusDone, log)
		if got := w.Mirrored("ns.img", "1.0"); got != digest {
			t.Errorf("%s: the mirror is %q, want %q", kind, got, digest)
		}
	}
}

func TestSweep(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	never := w.open(stranger, "never seen", "gcr.io/ns/img:1.0")
	bug := w.open(stranger, "gcr.io/ns/img:1.0 is broken", "gcr.io/ns/img:1.0", "bug")
	interrupted := w.open(sailor, "interrupted", "quay.io/ns/img:1.0")
	ctx, cancel := context.WithCancel(t.Context())
	w.Source.Inject(fakeregistry.Fault{Match: "^GET .*/blobs/", Times: 1, Do: func(http.ResponseWriter, *http.Request) bool {
		cancel()
		return false
	}})
	status, log := w.happensIn(ctx, "issues", "opened", interrupted, nil)
	w.WantStatus(status, wiring.StatusFailed, log)
	w.wantIssue(interrupted, true, "", "ferry/retry")
	if m, _ := ledger.ParseMarker(w.comment(interrupted)); m.State != ledger.Interrupted {
		t.Errorf("the comment says %+v", m)
	}

	status, log = w.happens("schedule", "", 0, map[string]any{"schedule": "23 */2 * * *"})
	w.WantStatus(status, wiring.StatusDone, log)
	w.wantIssue(never, false, "completed", "ferry/done")
	w.wantIssue(interrupted, false, "completed", "ferry/done")
	if c := w.github.Issue(bug).Comments; len(c) != 0 {
		t.Errorf("the bug report was answered: %+v", c)
	}
	w.comment(never)
	w.comment(interrupted)
}

// TestGivingUp checks that a temporary failure is retried by every sweep until
// the owner's limit, and that the mirrored images are still listed.
func TestGivingUp(t *testing.T) {
	w := newWorld(t)
	w.SetPolicy(fakeworld.Policy + "limits: {retry-hours: 3}\n")
	w.Publish("ns/img", "1.0", 1)
	w.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/down/", Times: -1, Status: http.StatusServiceUnavailable})
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0\ngcr.io/ns/down:1.0")
	w.happens("issues", "opened", n, nil)
	for hour := 1; hour <= 3; hour++ {
		w.wantIssue(n, true, "", "ferry/retry")
		w.later()
		w.happens("schedule", "", 0, nil)
	}
	w.wantIssue(n, true, "", "ferry/retry")
	w.later()
	w.happens("schedule", "", 0, nil)
	w.wantIssue(n, false, "completed", "ferry/partial")
	fakeworld.WantText(t, "the comment", w.comment(n), "after 5 tries", "docker pull registry.example.com/mirror/ns.img:1.0", "ns/down:1.0")
}

// TestGivingUpWithoutAnAnswerFromGitHub checks that a requester whose earlier
// requests cannot be found out is not looked up for ever, and gets one
// explanation. The permission is not needed if everybody may make requests.
func TestGivingUpWithoutAnAnswerFromGitHub(t *testing.T) {
	for _, lost := range []string{"/collaborators/stranger/permission", "/issues?creator=stranger"} {
		for _, status := range []int{http.StatusForbidden, http.StatusInternalServerError} {
			t.Run(fmt.Sprint(lost, " ", status), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, func(c *fakegithub.Config) {
					c.Fault = func(_ int, r *http.Request) fakegithub.Fault {
						path, query, _ := strings.Cut(lost, "?")
						if strings.HasSuffix(r.URL.Path, path) && strings.Contains(r.URL.RawQuery, query) {
							return fakegithub.Fault{Status: status}
						}
						return fakegithub.Fault{}
					}
				})
				w.SetPolicy(fakeworld.Policy + "limits: {retry-hours: 3}\n")
				w.Publish("ns/img", "1.0", 1)
				n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
				w.happens("issues", "opened", n, nil)
				if strings.HasPrefix(lost, "/collaborators/") {
					w.wantIssue(n, false, "completed", "ferry/done")
					return
				}
				for range 4 {
					w.wantIssue(n, true, "", "ferry/retry")
					w.later()
					w.happens("schedule", "", 0, nil)
				}
				w.wantIssue(n, false, "not_planned", "ferry/refused")
				fakeworld.WantText(t, "the comment", w.comment(n), "after 5 tries", "To start over, comment `/ferry retry`")
			})
		}
	}
}

// TestGivingUpWhatNeverEnds checks that a request whose runs always end before
// its image is finished is given up, too.
func TestGivingUpWhatNeverEnds(t *testing.T) {
	w := newWorld(t)
	w.SetPolicy(fakeworld.Policy + "limits: {retry-hours: 1}\n")
	w.Publish("ns/img", "1.0", 1)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		// Nothing but the manifest is requested from the source, so no late
		// response of one run can end the next.
		w.Source.Inject(fakeregistry.Fault{Match: "^GET .*/manifests/", Times: 1, Do: func(http.ResponseWriter, *http.Request) bool {
			cancel()
			return false
		}})
		w.happensIn(ctx, "schedule", "", 0, nil)
		cancel()
		w.later()
	}
	w.wantIssue(n, false, "not_planned", "ferry/refused")
	fakeworld.WantText(t, "the comment", w.comment(n), "after 3 tries", "The run was stopped")
}

// TestPatienceBeginsWithTheSetUp checks that waiting for the owner does not
// count as trying.
func TestPatienceBeginsWithTheSetUp(t *testing.T) {
	w := newWorld(t)
	w.ForgetPassword()
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.happens("issues", "opened", n, nil)
	for range 60 {
		w.later()
	}
	w.happens("schedule", "", 0, nil)
	w.wantIssue(n, true, "", "ferry/set-up")
	w.Environ["FERRY_PASSWORD"] = "sesame-of-the-target"
	w.SetPolicy(fakeworld.Policy)
	w.Source.Inject(fakeregistry.Fault{Match: "/v2/", Times: -1, Status: http.StatusServiceUnavailable})
	w.happens("schedule", "", 0, nil)
	w.wantIssue(n, true, "", "ferry/retry")
}

// TestCommandOfUnknownStanding checks that a command of an issue's author is
// not lost if GitHub does not return the permission: the sweep executes it.
func TestCommandOfUnknownStanding(t *testing.T) {
	w := newWorld(t)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.happens("issues", "opened", n, nil)
	w.wantIssue(n, false, "not_planned", "ferry/refused")
	w.Publish("ns/img", "1.0", 1) // it exists now
	w.disturb(func(i int) fakegithub.Fault {
		if i == 1 {
			return fakegithub.Fault{Status: http.StatusForbidden}
		}
		return fakegithub.Fault{}
	})
	w.says(stranger, n, "/ferry retry")
	w.disturb(nil)
	w.later()
	w.happens("schedule", "", 0, nil)
	w.wantDone(n, "after the sweep")
}

// TestSweepByHand checks that the sweep's workflow, which has no inputs, can be
// started by hand.
func TestSweepByHand(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	status, log := w.happens("workflow_dispatch", "", 0, map[string]any{"inputs": nil})
	w.WantStatus(status, wiring.StatusDone, log)
	w.wantIssue(n, false, "completed", "ferry/done")
}

// TestSweepElsewhere checks that, in a repository that only uses the action,
// other issues are left alone.
func TestSweepElsewhere(t *testing.T) {
	var dying atomic.Bool
	w := newWorld(t, func(c *fakegithub.Config) {
		c.Fault = func(_ int, r *http.Request) fakegithub.Fault {
			return fakegithub.Fault{Cut: r.Method == http.MethodPatch && dying.Load()}
		}
	})
	w.Environ["FERRY_ACTION_REPOSITORY"] = "imageferry/ferry"
	w.Publish("ns/img", "1.0", 1)
	var others []int
	for range 250 {
		others = append(others, w.open(stranger, "nginx crashes", "nginx:1.27 crashes, see gcr.io/ns/img:1.0"))
	}
	ours := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	dying.Store(true)
	w.happens("issues", "opened", ours, nil) // dies after its greeting
	dying.Store(false)
	w.later()
	status, log := w.happens("schedule", "", 0, nil)
	w.WantStatus(status, wiring.StatusDone, log)
	w.wantIssue(ours, false, "completed", "ferry/done")
	for _, n := range others {
		if c := w.github.Issue(n).Comments; len(c) != 0 {
			t.Errorf("it was answered: %+v", c)
		}
	}
}

// TestSweepBesideARun checks that the sweep leaves requests of working runs
// alone, and takes over those of dead runs.
func TestSweepBesideARun(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	// The run dies after its greeting.
	w.disturb(func(i int) fakegithub.Fault { return fakegithub.Fault{Cut: i > 6} })
	w.happens("issues", "opened", n, nil)
	w.disturb(nil)
	if m, _ := ledger.ParseMarker(w.comment(n)); m.State != ledger.Working {
		t.Fatalf("the comment says %+v", m)
	}
	w.Source.Forget()
	status, log := w.happens("schedule", "", 0, nil)
	w.WantStatus(status, wiring.StatusDone, log)
	if got := len(w.Source.Requests()); got != 0 {
		t.Errorf("the sweep made %d requests for what another run is at", got)
	}
	w.later()
	w.happens("schedule", "", 0, nil)
	w.wantIssue(n, false, "completed", "ferry/done")
}

func TestPushChecksSetUp(t *testing.T) {
	w := newWorld(t)
	status, log := w.happens("push", "", 0, nil)
	w.WantStatus(status, wiring.StatusDone, log)
	fakeworld.WantText(t, "the log", log, "ready")
	w.ForgetPassword()
	status, log = w.happens("push", "", 0, nil)
	w.WantStatus(status, wiring.StatusDone, log)
	fakeworld.WantText(t, "the log", log, "FERRY_PASSWORD")
	summary, err := os.ReadFile(filepath.Join(w.Dir, "summary"))
	if err != nil {
		t.Fatal(err)
	}
	fakeworld.WantText(t, "the summary", string(summary), "FERRY_PASSWORD")
}

func TestDryRun(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	delete(w.Environ, "GITHUB_ACTIONS") // dry run is the default outside of Actions
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	status, log := w.happens("issues", "opened", n, nil)
	w.WantStatus(status, wiring.StatusDone, log)
	fakeworld.WantText(t, "the preview", log, "gcr.io/ns/img:1.0 → registry.example.com/mirror/ns.img:1.0")
	if len(w.github.Issue(n).Comments) != 0 || len(w.Target.Requests()) != 0 || len(w.Source.Requests()) != 0 {
		t.Error("a dry run had effects")
	}
	_, log = w.happens("issues", "opened", w.open(stranger, "a question", "how does this work?"), nil)
	if strings.Contains(log, "The comment:") || !strings.Contains(log, "gets no comment") {
		t.Errorf("the preview of a question: %s", log)
	}
	w.Environ["FERRY_LANGUAGE"] = "zh"
	_, log = w.happens("issues", "opened", n, nil)
	fakeworld.WantText(t, "the preview in Chinese", log, "识别结果：", "如果由所有者请求", "评论：")
	_, log = w.happens("issues", "opened", w.open(stranger, "a question", "how does this work?"), nil)
	fakeworld.WantText(t, "the preview of a question in Chinese", log, "无：没有写镜像", "不会回复，也不会关闭")
}

// TestIssuesGiveNoWorkflowCommands checks that text of an issue never becomes a command to
// the runner.
func TestIssuesGiveNoWorkflowCommands(t *testing.T) {
	w := newWorld(t)
	w.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/img/", Times: -1, Status: http.StatusForbidden,
		Body: "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\\n::set-output name=images::forged\\r##[add-mask]a ::stop-commands::x\"}]}"})
	n := w.open(stranger, "::add-mask::e", "gcr.io/ns/img:1.0\n::set-output name=x::y\n##[error]z\n'; id; '\n$(id)\n${{ github.token }}")
	_, log := w.happens("issues", "opened", n, nil)
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "##[") {
			t.Errorf("the runner would execute %q", line)
		}
		if rest, ok := strings.CutPrefix(line, "::"); ok {
			name, _, _ := strings.Cut(rest, " ")
			name, _, _ = strings.Cut(name, "::")
			if name == "set-output" || name == "stop-commands" || strings.HasPrefix(rest, "add-mask::e") || strings.HasPrefix(rest, "add-mask::a\n") {
				t.Errorf("the runner would execute %q", line)
			}
		}
	}
	if strings.Contains(w.comment(n), "@team") {
		t.Error("a mention came through")
	}
}

// TestTwoAccountsAtOneRegistry checks that each of two accounts at one registry
// is used with its own login.
func TestTwoAccountsAtOneRegistry(t *testing.T) {
	w := newWorld(t)
	w.Target = fakeregistry.New(fakeregistry.Options{})
	w.At["registry.example.com:80"] = w.Serve(w.Target)
	for _, namespace := range []string{"alice", "bob"} {
		w.Target.Inject(fakeregistry.Fault{Match: " /v2/" + namespace + "/", Times: -1, Do: func(rw http.ResponseWriter, r *http.Request) bool {
			username, password, _ := r.BasicAuth()
			if username == namespace && password == "sesame-of-"+namespace {
				return false
			}
			rw.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			rw.WriteHeader(http.StatusUnauthorized)
			return true
		}})
	}
	w.Environ["FERRY_USERNAME"], w.Environ["FERRY_PASSWORD"], w.Environ["BOB_PASSWORD"] = "alice", "sesame-of-alice", "sesame-of-bob"
	_, sources, _ := strings.Cut(fakeworld.Policy, "sources:")
	w.SetPolicy(`
targets:
  - {to: registry.example.com/alice, private: true, plain-http: true}
  - {to: registry.example.com/bob, private: true, plain-http: true, username: bob, password-env: BOB_PASSWORD}
sources:` + sources)
	digest := w.Publish("ns/img", "1.0", 1)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	status, log := w.happens("issues", "opened", n, nil)
	w.WantStatus(status, wiring.StatusDone, log)
	for _, namespace := range []string{"alice", "bob"} {
		if _, body, _ := w.Target.Manifest(namespace+"/ns.img", "1.0"); fakeregistry.Digest(body) != digest {
			t.Errorf("%s has not got it:\n%s", namespace, w.comment(n))
		}
	}
}

// TestTongue checks that a request of names alone is answered in the language of
// the repository: that of most recent requests, if neither the configuration nor
// the target tells one.
func TestTongue(t *testing.T) {
	for _, test := range []struct {
		name   string
		before []string
		body   string
		want   string
	}{
		{"none before", nil, "gcr.io/ns/img:1.0", "Pull and retag"},
		{"mostly Chinese", []string{"请同步 gcr.io/ns/img:1.0", "求搬运 gcr.io/ns/img:1.0", "please mirror gcr.io/ns/img:1.0", "gcr.io/ns/img:1.0"}, "gcr.io/ns/img:1.0", "拉取"},
		{"mostly English", []string{"请同步 gcr.io/ns/img:1.0", "could you add gcr.io/ns/img:1.0", "please mirror gcr.io/ns/img:1.0"}, "gcr.io/ns/img:1.0", "Pull and retag"},
		{"its own language", []string{"请同步 gcr.io/ns/img:1.0"}, "please mirror gcr.io/ns/img:1.0", "Pull and retag"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.Publish("ns/img", "1.0", 1)
			for _, body := range test.before {
				w.happens("issues", "opened", w.open(sailor, "", body), nil)
			}
			n := w.open(stranger, "", test.body)
			w.happens("issues", "opened", n, nil)
			fakeworld.WantText(t, "the comment", w.comment(n), test.want)
		})
	}
}

// TestTongueStays checks that a request of names alone keeps its language when a
// command or a sweep continues it, and when it cannot be served.
func TestTongueStays(t *testing.T) {
	for _, test := range []struct {
		name, body string
		down       bool
		then       func(w *world, issue int)
		want       string
	}{
		{"no image", "gcr.io/ns/img:${TAG}", false, func(*world, int) {}, "无法确定"},
		{"help", "gcr.io/ns/img:1.0", false, func(w *world, n int) { w.says(stranger, n, "/ferry help") }, "显示这份列表"},
		{"cancelled", "gcr.io/ns/img:1.0", false, func(w *world, n int) { w.says(stranger, n, "/ferry cancel") }, "请求已取消"},
		{"repeated", "gcr.io/ns/img:1.0", false, func(w *world, n int) { w.says(stranger, n, "/ferry retry") }, "拉取"},
		{"swept", "gcr.io/ns/img:1.0", true, func(w *world, _ int) { w.sweepLater() }, "拉取"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.Publish("ns/img", "1.0", 1)
			w.happens("issues", "opened", w.open(sailor, "", "请同步 gcr.io/ns/img:1.0"), nil)
			var down atomic.Bool
			down.Store(test.down)
			w.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/img", Times: -1, Do: func(a http.ResponseWriter, _ *http.Request) bool {
				if down.Load() {
					a.WriteHeader(http.StatusServiceUnavailable)
				}
				return down.Load()
			}})
			n := w.open(stranger, "", test.body)
			w.happens("issues", "opened", n, nil)
			if m, _ := ledger.ParseMarker(w.comment(n)); test.down != (m.State == ledger.Retry) {
				t.Fatalf("the state is %s", m.State)
			}
			down.Store(false)
			test.then(w, n)
			fakeworld.WantText(t, "the comment", w.comment(n), test.want)
		})
	}
}
