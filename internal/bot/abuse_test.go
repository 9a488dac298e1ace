package bot

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/wiring"
)

// These tests run the whole program between a hostile issue, a hostile registry
// and GitHub.

// trap returns the address of a server that must not be contacted.
func (w *world) trap() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.T.Fatal(err)
	}
	w.T.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			w.T.Error("a connection was made")
			conn.Close()
		}
	}()
	return listener.Addr().String()
}

// deafResolver makes every look-up of a name fail the test.
func deafResolver(t *testing.T) {
	usual := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = usual })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("a name was looked up")
		return nil, errors.New("there is no resolver")
	}}
}

// TestNothingMovesBeforeTheGate makes requests that are not allowed. No
// connection is made, no name is looked up, and every request is answered.
func TestNothingMovesBeforeTheGate(t *testing.T) {
	deafResolver(t)
	for _, text := range []string{
		"127.0.0.1/ns/img:1", "127.1/ns/img:1", "0x7f.1/ns/img:1", "2130706433/ns/img:1", "0177.0.0.1/ns/img:1",
		"169.254.169.254/latest/meta-data:1", "100.100.100.200/ns/img:1", "10.0.0.1:5000/ns/img:1", "[::1]:5000/ns/img:1", "[::ffff:127.0.0.1]/ns/img:1",
		"localhost/ns/img:1", "localhost:5000/ns/img:1", "registry.localhost/ns/img:1", "metadata.google.internal/ns/img:1", "metadata.tencentyun.com/ns/img:1",
		"harbor.lan/ns/img:1", "registry.corp/ns/img:1", "registry.default.svc.cluster.local/ns/img:1",
		"gcr.io.evil.example/ns/img:1", "evil-gcr.io/ns/img:1", "evil.example/gcr.io/ns/img:1", "gcr.io:8443/ns/img:1",
		"gcr.io@evil.example/ns/img:1", "https://gcr.io@evil.example/ns/img:1", "http://evil.example/ns/img:1",
		"gсr.io/ns/img:1", "ｇcr.io/ns/img:1", "xn--gr-nja.io/ns/img:1", "gcr。io/ns/img:1",
		"gcr.io/ns/../../../admin/img:1", "gcr.io/ns/%2e%2e/admin:1", "gcr.io/../v2/_catalog:1", "gcr.io//ns//img:1", `gcr.io/ns\..\admin:1`,
		"gcr.io/ns/img:../../1", "gcr.io/ns/img@sha256:../../1", "gcr.io/ns/img:1?x=y", "gcr.io/ns/img:1#x", "gcr.io/ns/img:1\x00.evil", "gcr.io/ns/img:1\r\nHost: evil.example",
		"file:///etc/passwd", "oci-layout:///etc", "docker-archive:/etc/passwd", "docker-daemon:nginx:1",
	} {
		t.Run(text, func(t *testing.T) {
			w := newWorld(t)
			// As on the internet: no source may have a private address.
			w.SetPolicy("targets:\n  - {to: registry.example.com/mirror, private: true, plain-http: true}\npublic-mirrors: []\n")
			trap := w.trap()
			for host := range strings.SplitSeq("127.0.0.1 127.1 0x7f.1 2130706433 0177.0.0.1 169.254.169.254 100.100.100.200 10.0.0.1 10.0.0.1:5000 ::1 "+
				"localhost localhost:5000 registry.localhost metadata.google.internal metadata.tencentyun.com harbor.lan registry.corp registry.default.svc.cluster.local "+
				"gcr.io.evil.example evil-gcr.io evil.example gcr.io gcr.io:8443 registry-1.docker.io auth.docker.io quay.io ghcr.io xn--gr-nja.io xn--gr-7cd.io", " ") {
				if strings.LastIndexByte(host, ':') > 0 {
					w.At[host] = trap
				} else {
					w.At[net.JoinHostPort(host, "443")], w.At[net.JoinHostPort(host, "80")] = trap, trap
				}
			}
			n := w.open(stranger, "please", text)
			w.happens("issues", "opened", n, nil)
			if m, ok := ledger.ParseMarker(w.comment(n)); !ok || m.State == ledger.Done {
				t.Errorf("the comment says %+v", m)
			}
			if got := w.Target.Count("^(PUT|POST|PATCH|DELETE) "); got > 0 {
				t.Errorf("the target was written to %d times", got)
			}
		})
	}
}

// TestPathsStayInTheirRepository checks that no request reaches a registry with
// a path outside its repository.
func TestPathsStayInTheirRepository(t *testing.T) {
	w := newWorld(t)
	n := w.open(stranger, "gcr.io/ns/../../../admin/x:tag", strings.Join([]string{
		"gcr.io/ns/../../../admin/x:tag", "gcr.io/ns/./img:1", "gcr.io/ns/%2e%2e/x:1", "gcr.io/ns/img:1/../../manifests/2", "quay.io/a/b@sha256:" + strings.Repeat("../", 20),
	}, "\n"))
	w.happens("issues", "opened", n, nil)
	w.comment(n)
	clean := regexp.MustCompile(`^/v2/([a-z0-9]+(?:[._-][a-z0-9]+)*/)+(manifests|blobs|tags|referrers)/[A-Za-z0-9_][A-Za-z0-9._:-]*(\?n=[0-9]+)?$`)
	for _, r := range w.Source.Requests() {
		if !clean.MatchString(r.Path) || strings.Contains(r.Path, "..") || strings.Contains(r.Path, "admin") {
			t.Errorf("the source was asked for %s %s", r.Method, r.Path)
		}
	}
}

// TestPrivateAddressOfAPublicName checks an allowed host whose name resolves to
// an address in the runner's network.
func TestPrivateAddressOfAPublicName(t *testing.T) {
	w := newWorld(t)
	w.SetPolicy("targets:\n  - {to: registry.example.com/mirror, private: true, plain-http: true}\npublic-mirrors: []\n")
	w.At["gcr.io:443"] = w.trap()
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	status, log := w.happens("issues", "opened", n, nil)
	w.WantStatus(status, wiring.StatusDone, log)
	w.wantIssue(n, false, "not_planned", "ferry/refused")
}

// TestSourcesSeeNoLogin checks that a source that asks for a login gets none,
// although the machine has logins and the target has a password.
func TestSourcesSeeNoLogin(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	var shown []string
	asking := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if text := r.Header.Get("Authorization"); text != "" {
			shown = append(shown, text)
		}
		rw.Header().Set("WWW-Authenticate", `Basic realm="give it to me"`)
		rw.WriteHeader(http.StatusUnauthorized)
	})
	for _, host := range []string{"gcr.io", "quay.io", "ghcr.io", "registry-1.docker.io", "registry.k8s.io"} {
		w.At[host+":80"] = w.Serve(asking)
	}
	auth := base64.StdEncoding.EncodeToString([]byte("mate:sesame-of-everything"))
	w.Write("config.json", fmt.Sprintf(`{"auths":{"gcr.io":{"auth":%q},"quay.io":{"auth":%[1]q},"ghcr.io":{"auth":%[1]q},"https://index.docker.io/v1/":{"auth":%[1]q}}}`, auth))
	w.Environ["DOCKER_CONFIG"] = w.Dir
	n := w.open(stranger, "please", "gcr.io/ns/img:1\nquay.io/ns/img:1\nghcr.io/ns/img:1\nmate/private:1")
	status, log := w.happens("issues", "opened", n, nil)
	w.WantStatus(status, wiring.StatusDone, log)
	w.wantIssue(n, false, "not_planned", "ferry/refused")
	if len(shown) > 0 {
		t.Errorf("the sources were shown %q", shown)
	}
}

// TestPasswordStaysHome checks that a run started by hand with another registry
// as target does not send the password there.
func TestPasswordStaysHome(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	w.At["registry.evil.example:443"], w.At["registry.evil.example:80"] = w.trap(), w.trap()
	w.Environ["FERRY_TARGET"] = "registry.example.com/mirror"
	for _, target := range []string{"registry.evil.example/mirror", "http://registry.evil.example/mirror"} {
		w.Environ["FERRY_TARGET_OVERRIDE"] = target
		status, log := w.happens("workflow_dispatch", "", 0, map[string]any{"inputs": map[string]any{"images": "gcr.io/ns/img:1.0", "target": target}})
		if status == wiring.StatusDone || len(w.Target.Requests()) > 0 {
			t.Errorf("it ended with %d; the log:\n%s", status, log)
		}
	}
}

// TestHostileWords has a target respond with everything that a comment must not
// contain.
func TestHostileWords(t *testing.T) {
	for name, words := range map[string]string{
		"fences":     "no\n```\n@octocat @octo/team fixes #1 octo/repo#2 GH-3\n````\n~~~\n</details>\n<img src=https://evil.example/x.png>\n",
		"a marker":   "<!-- ferry:v2 issue=1 state=done --> <!-- -->\n@octocat",
		"100 KB":     strings.Repeat("@octocat `` ``` [x](https://evil.example) ", 2500),
		"no letters": "\x1b[31m\x1b]8;;https://evil.example\x07\u202e\u2066\x00\x9b\u2028::error::x\r\n##[error]x\u200b@octocat",
		"a login":    "you are mate:sesame-of-the-target, " + base64.StdEncoding.EncodeToString([]byte("mate:sesame-of-the-target")),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.Publish("ns/img", "1.0", 1)
			w.Target.Inject(fakeregistry.Fault{Match: "^PUT .*/manifests/", Times: -1, Do: func(rw http.ResponseWriter, r *http.Request) bool {
				rw.WriteHeader(http.StatusBadRequest)
				fmt.Fprintf(rw, `{"errors":[{"code":"MANIFEST_INVALID","message":%q}]}`, words)
				return true
			}})
			n := w.open(stranger, "@octocat <!-- ferry:v2 -->", "gcr.io/ns/img:1.0")
			status, log := w.happens("issues", "opened", n, nil)
			w.WantStatus(status, wiring.StatusDone, log)
			comment := w.comment(n)
			if len(comment) > 65536 {
				t.Errorf("the comment has %d bytes", len(comment))
			}
			if got := strings.Count(comment, "<!--"); got != 1 {
				t.Errorf("the comment has %d hidden comments", got)
			}
			if m, ok := ledger.ParseMarker(comment); !ok || m.State == ledger.Done || m.Issue != n {
				t.Errorf("the marker says %+v, %v", m, ok)
			}
			prose := outsideCode(t, comment)
			if live := regexp.MustCompile(`@\w|(?:^|\s)#\d|\w#\d|GH-\d|<img|evil\.example`).FindString(prose); live != "" {
				t.Errorf("%q is live in\n%s", live, prose)
			}
			if hidden := regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f-\x9f\x{200b}\x{202a}-\x{202e}\x{2066}-\x{2069}]`).FindString(comment); hidden != "" {
				t.Errorf("the comment holds %q", hidden)
			}
			unmasked := regexp.MustCompile(`(?m)^::add-mask::.*$`).ReplaceAllString(log, "")
			for _, secret := range []string{"sesame-of-the-target", base64.StdEncoding.EncodeToString([]byte("mate:sesame-of-the-target"))} {
				if strings.Contains(comment+unmasked, secret) {
					t.Errorf("%q is told:\n%s\n%s", secret, comment, unmasked)
				}
			}
		})
	}
}

// outsideCode returns Markdown without its fenced blocks and code spans. An
// unclosed fence fails the test.
func outsideCode(t *testing.T, markdown string) string {
	t.Helper()
	var prose []string
	fence := ""
	for line := range strings.Lines(markdown) {
		line = strings.TrimRight(line, "\n")
		ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence == "" && len(ticks) >= 3:
			fence = ticks
		case fence != "" && len(ticks) >= len(fence) && strings.Trim(line, "` ") == "":
			fence = ""
		case fence == "":
			prose = append(prose, line)
		}
	}
	if fence != "" {
		t.Error("a fence is not closed")
	}
	text := strings.Join(prose, "\n")
	for _, ticks := range []string{"```", "``", "`"} {
		text = regexp.MustCompile(ticks+"[^\n]*?"+ticks).ReplaceAllString(text, "x")
	}
	return text
}

// TestShellWordsAreOnlyText checks that text of an issue is never run or
// expanded, nor repeated where it could be.
func TestShellWordsAreOnlyText(t *testing.T) {
	w := newWorld(t)
	digest := w.Publish("ns/img", "1.0", 1)
	text := "gcr.io/ns/img:1.0\n'; touch /tmp/forged; '\n$(forged)\n`forged`\n${{ secrets.FORGED }}\n; forged\n| forged\n&& forged\n"
	n := w.open(stranger, "'; forged; ' $(forged) ${{ github.token }}", text)
	_, log := w.happens("issues", "opened", n, nil)
	if got := w.Mirrored("ns.img", "1.0"); got != digest {
		t.Errorf("the mirror is %q; the log:\n%s", got, log)
	}
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(w.comment(n), -1) {
		if strings.Contains(block[1], "forged") {
			t.Errorf("people are told to run\n%s", block[1])
		}
	}
}

func manyImages(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "gcr.io/ns/img-%d:1\n", i)
	}
	return b.String()
}

// TestHugeRequests checks that requests beyond all limits get one answer of
// limited size.
func TestHugeRequests(t *testing.T) {
	for name, body := range map[string]string{
		"2,000 images":      manyImages(2_000),
		"a megabyte":        "gcr.io/ns/img:1?" + strings.Repeat("x", 1<<20),
		"a line of slashes": "gcr.io/" + strings.Repeat("a/", 100_000) + "b:1",
		"a tag of letters":  "gcr.io/ns/img:" + strings.Repeat("1", 200_000),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			n := w.open(stranger, "please", body)
			w.happens("issues", "opened", n, nil)
			if comment := w.comment(n); len(comment) > 65536 {
				t.Errorf("the comment has %d bytes", len(comment))
			}
			asked := map[string]bool{} // more than once each on a busy machine
			for _, q := range w.Source.Requests() {
				if q.Method == http.MethodGet && strings.Contains(q.Path, "/manifests/") {
					asked[q.Path] = true
				}
			}
			if len(asked) > 40 { // 30 images, and a few to check HEAD
				t.Errorf("%d images were asked for", len(asked))
			}
		})
	}
}

// TestTheRequestIsWithinItsLimit checks that the owner's limit on the bytes of
// a request is enforced and reported.
func TestTheRequestIsWithinItsLimit(t *testing.T) {
	w := newWorld(t)
	w.SetPolicy(fakeworld.Policy + "limits: {request-bytes: 60KB}\n")
	w.Publish("ns/a", "1", 1)
	w.Publish("ns/b", "1", 2)
	n := w.open(stranger, "please", "gcr.io/ns/a:1\ngcr.io/ns/b:1")
	status, log := w.happens("issues", "opened", n, nil)
	w.WantStatus(status, wiring.StatusDone, log)
	fakeworld.WantText(t, "the comment", w.comment(n), "60000")
	var sent int64
	for _, r := range w.Target.Requests() {
		sent += r.Received
	}
	if sent > 60_000 || sent < 40_000 {
		t.Errorf("%d bytes were sent, want those of one image", sent)
	}
}

// TestEditsCountAsRequests checks that editing and repeating one issue does not
// bypass the daily limit.
func TestEditsCountAsRequests(t *testing.T) {
	w := newWorld(t)
	w.SetPolicy(fakeworld.Policy + "limits: {requests-per-day: 3}\n")
	for i := range 6 {
		w.Publish(fmt.Sprintf("ns/img-%d", i), "1", uint64(i+1))
	}
	n := w.open(stranger, "please", "gcr.io/ns/img-0:1")
	served := 0
	for i := range 6 {
		body := fmt.Sprintf("gcr.io/ns/img-%d:1", i)
		action := "edited"
		if i == 0 {
			action = "opened"
		}
		w.github.Edit(n, "please", body)
		w.happens("issues", action, n, nil)
		if w.Mirrored(fmt.Sprintf("ns.img-%d", i), "1") != "" {
			served++
		}
	}
	if served != 3 {
		t.Errorf("%d requests were served, want 3", served)
	}
	fakeworld.WantText(t, "the comment", w.comment(n), "repeats=5")
	// Cancelling does not reset the count.
	w.says(stranger, n, "/ferry cancel")
	fakeworld.WantText(t, "the comment", w.comment(n), "repeats=5")
	// The next day does.
	for range 24 {
		w.later()
	}
	w.says(stranger, n, "/ferry retry")
	w.wantIssue(n, false, "completed", "ferry/done")
}

// TestRequestsOfADay counts the requests of a person in the whole repository:
// earlier requests are served first, even if no run saw them when they came,
// and a request that has begun is not refused because of later ones.
func TestRequestsOfADay(t *testing.T) {
	world := func(t *testing.T) *world {
		w := newWorld(t)
		w.SetPolicy(fakeworld.Policy + "limits: {requests-per-day: 2}\n")
		w.Publish("ns/img", "1.0", 1)
		return w
	}
	const done, refused = "ferry/done", "ferry/refused"
	t.Run("as they come", func(t *testing.T) {
		w := world(t)
		w.open(stranger, "it crashes", "gcr.io/ns/img:1.0", "bug") // not a request
		for _, label := range []string{done, done, refused} {
			n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
			w.happens("issues", "opened", n, nil)
			if got := w.github.Issue(n).Labels; !slices.Equal(got, []string{label}) {
				t.Errorf("issue %d bears %q, want %s", n, got, label)
			}
		}
	})
	t.Run("all at once, to the sweep", func(t *testing.T) {
		w := world(t)
		for range 4 {
			w.open(stranger, "please", "gcr.io/ns/img:1.0")
		}
		w.happens("schedule", "", 0, nil)
		for n, label := range []string{done, done, refused, refused} {
			if got := w.github.Issue(n + 1).Labels; !slices.Equal(got, []string{label}) {
				t.Errorf("issue %d bears %q, want %s", n+1, got, label)
			}
		}
	})
	t.Run("one that has to be tried again", func(t *testing.T) {
		w := world(t)
		w.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/img/", Times: -1, Status: http.StatusServiceUnavailable})
		first := w.open(stranger, "please", "gcr.io/ns/img:1.0")
		w.happens("issues", "opened", first, nil)
		for range 3 {
			w.happens("issues", "opened", w.open(stranger, "please", "gcr.io/ns/other:1.0"), nil)
		}
		w.later()
		w.happens("schedule", "", 0, nil)
		w.wantIssue(first, true, "", "ferry/retry")
	})
	t.Run("by edits of issues of old", func(t *testing.T) {
		w := world(t)
		for range 3 {
			w.happens("issues", "opened", w.open(stranger, "please", "gcr.io/ns/img:1.0"), nil)
			for range 25 {
				w.later()
			}
		}
		w.Publish("ns/img", "2.0", 2)
		for n, label := range []string{done, done, refused} {
			w.github.Edit(n+1, "please", "gcr.io/ns/img:2.0")
			w.happens("issues", "edited", n+1, nil)
			if got := w.github.Issue(n + 1).Labels; !slices.Equal(got, []string{label}) {
				t.Errorf("issue %d bears %q, want %s", n+1, got, label)
			}
		}
	})
}

// TestLetThroughStaysSo checks that an approved request is not refused by the
// sweep that finishes it, and that the approval does not cover later changes by
// its author.
func TestLetThroughStaysSo(t *testing.T) {
	w := newWorld(t)
	w.fork = true
	w.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/img/", Times: -1, Status: http.StatusServiceUnavailable})
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.happens("issues", "opened", n, nil)
	w.wantIssue(n, false, "not_planned", "ferry/refused")
	w.says(sailor, n, w.approval(n))
	w.later()
	w.happens("schedule", "", 0, nil)
	w.wantIssue(n, true, "", "ferry/retry")
	w.says(stranger, n, "/ferry retry")
	w.wantIssue(n, false, "not_planned", "ferry/refused")
	w.says(sailor, n, w.approval(n))
	w.github.Edit(n, "please", "gcr.io/ns/img:2.0")
	w.happens("issues", "edited", n, nil)
	w.wantIssue(n, false, "not_planned", "ferry/refused")
}
