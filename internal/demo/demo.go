// Package demo runs the bot against fakes in this process: public registries with
// generated images, a target with a login, and GitHub with an issue.
package demo

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/bot"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/wiring"
)

// payloadFile is an issues.opened event in the full form that GitHub sends,
// without the issue's title and body.
//
//go:embed issues.opened.json
var payloadFile []byte

// request is messy on purpose, and its last image does not exist.
const request = `Hello! My cluster cannot reach these, could you carry them over?
` + images

const images = `
- gcr.io/harbour/hello:1.0
- ` + "`docker pull quay.io/harbour/lighthouse:v2.1 --platform linux/arm64`" + `
- image: "registry.k8s.io/pause:3.10"
- ghcr.io/harbour/buoy:9.9
`

const (
	user     = "octo-harbour"
	password = "a-token-of-the-demo"
	token    = "a-github-token-of-the-demo"
)

// Play shows the conversation on env.Stdout as it happens, then pulls the
// mirrors back and compares their digests. If raw is set, it shows the answer
// as Markdown. The language is "zh" or "en". The error describes the difference
// from the expected result.
func Play(ctx context.Context, env wiring.Env, language string, raw bool) error {
	env.Stdout = &shared{out: env.Stdout}
	d, err := newDemo(env.Stdout)
	if err != nil {
		return err
	}
	defer d.close()
	d.raw, d.language = raw, language
	if err := d.play(ctx, env); err != nil {
		return err
	}
	return d.check(ctx)
}

// demo is a small world in one process.
type demo struct {
	out      io.Writer
	raw      bool
	language string // "zh" or "en"
	servers  []*http.Server
	github   *fakegithub.Server
	api      string            // GitHub's address
	at       map[string]string // the addresses behind the registries' public names
	target   string            // the target's address
	upstream string            // the address of all sources
}

func newDemo(out io.Writer) (d *demo, err error) {
	d = &demo{out: out, at: map[string]string{}}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	sources := fakeregistry.New(fakeregistry.Options{})
	platforms := []string{"linux/amd64", "linux/arm64", "linux/arm/v7"}
	for i, image := range []struct{ repository, tag string }{
		{"harbour/hello", "1.0"}, {"harbour/lighthouse", "v2.1"}, {"pause", "3.10"}, {"harbour/buoy", "9.8"}, {"harbour/buoy", "9.10"},
	} {
		sources.Add(image.repository, image.tag, fakeregistry.Generate(fakeregistry.Spec{
			Seed: uint64(i + 1), Platforms: platforms, Layers: []int{1 << 20, 300_000}, Shared: []int{2 << 20}, Base: 1,
		}))
	}
	if d.upstream, err = d.serve(sources); err != nil {
		return d, err
	}
	for _, host := range []string{"gcr.io", "quay.io", "registry.k8s.io", "ghcr.io"} {
		d.at[host+":80"] = d.upstream
	}
	target := fakeregistry.New(fakeregistry.Options{Username: user, Password: password})
	if d.target, err = d.serve(target); err != nil {
		return d, err
	}
	d.at["registry-1.docker.io:80"] = d.target

	owner := event.User{ID: 1001, Login: user}
	d.github = fakegithub.New(fakegithub.Config{
		Repository: event.Repository{Owner: user, Name: "ferry", OwnerID: owner.ID, Fork: true},
		Tokens:     map[string]event.User{token: fakegithub.Bot()},
		Notify:     d.show,
	})
	address, err := d.serve(d.github)
	d.api = "http://" + address
	return d, err
}

// serve starts a server on loopback and returns its address.
func (d *demo) serve(handler http.Handler) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listening on loopback: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	d.servers = append(d.servers, server)
	go func() { _ = server.Serve(listener) }() // close ends it with an error
	return listener.Addr().String(), nil
}

func (d *demo) close() {
	for _, server := range d.servers {
		server.Close()
	}
}

// policy allows the demo's registries, which are on loopback and without TLS.
const policy = `targets:
  - to: docker.io/` + user + `
    private: true
    plain-http: true
sources:
  - {host: gcr.io, private: true, plain-http: true}
  - {host: quay.io, private: true, plain-http: true}
  - {host: ghcr.io, private: true, plain-http: true}
  - {host: registry.k8s.io, private: true, plain-http: true}
`

// play opens the issue and lets Ferry handle the event as in the action.
func (d *demo) play(ctx context.Context, env wiring.Env) error {
	var payload map[string]any
	if err := json.Unmarshal(payloadFile, &payload); err != nil {
		return fmt.Errorf("reading the demo's payload: %w", err)
	}
	issue, ok := payload["issue"].(map[string]any)
	if !ok {
		return errors.New("reading the demo's payload: it has no issue")
	}
	text := d.word(request)
	issue["title"], issue["body"] = "images please", text
	d.say("Somebody opens an issue")
	fmt.Fprintf(d.out, "%s\n", text)
	d.github.Open(fakegithub.Draft{Author: event.User{ID: 1001, Login: user}, Title: "images please", Body: text})

	d.say("Ferry's log")
	env.Stderr = d.out
	// One of the images does not exist: the answer says so, and the run succeeds.
	if err := d.handle(ctx, env, event.Issues, payload, policy); err != nil {
		return err
	}
	answer := d.github.Issue(1)
	if len(answer.Comments) != 1 {
		return fmt.Errorf("playing the demo: the issue has %d comments, want one", len(answer.Comments))
	}
	d.say("The comment, as it stands in the end")
	body := answer.Comments[0].Body
	if !d.raw {
		body = rendered(body)
	}
	fmt.Fprintln(d.out, body)
	if answer.Open {
		return errors.New("playing the demo: the issue is still open")
	}
	return nil
}

// handle runs Ferry on an event as the action does on a runner. Of env, it uses
// the streams and the language.
func (d *demo) handle(ctx context.Context, env wiring.Env, kind event.Kind, payload map[string]any, policy string) error {
	dir, err := os.MkdirTemp("", "ferry-demo-")
	if err != nil {
		return fmt.Errorf("making a folder for the demo: %w", err)
	}
	defer os.RemoveAll(dir)
	text, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("writing the demo's payload: %w", err)
	}
	files := map[string]string{"event.json": string(text), "ferry.yaml": policy}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("writing the demo's files: %w", err)
		}
	}
	status, err := bot.Run(ctx, wiring.Env{
		Stdin: env.Stdin, Stdout: env.Stdout, Stderr: env.Stderr, At: d.at,
		Getenv: d.environment(map[string]string{
			"GITHUB_EVENT_NAME": string(kind),
			"GITHUB_EVENT_PATH": filepath.Join(dir, "event.json"),
			"GITHUB_TOKEN":      token,
			"FERRY_CONFIG":      filepath.Join(dir, "ferry.yaml"),
			"FERRY_USERNAME":    user,
			"FERRY_PASSWORD":    password,
			"FERRY_LANGUAGE":    d.language,
		}),
	}, false)
	if err == nil && status != wiring.StatusDone {
		err = fmt.Errorf("running Ferry on the event %s: the exit status is %d, want %d", kind, status, wiring.StatusDone)
	}
	return err
}

// environment returns the environment of a program that uses the demo's GitHub.
func (d *demo) environment(variables map[string]string) func(string) string {
	return func(name string) string {
		switch name {
		case "GITHUB_API_URL":
			return d.api
		case "GITHUB_REPOSITORY":
			return user + "/ferry"
		}
		return variables[name]
	}
}

func (d *demo) say(what string) {
	what = d.word(what)
	fmt.Fprintf(d.out, "\n━━ %s %s\n\n", what, strings.Repeat("━", max(0, 66-len(what))))
}

// show prints a line for each event on GitHub.
func (d *demo) show(e fakegithub.Event) {
	switch e.Kind {
	case fakegithub.CommentCreated, fakegithub.CommentEdited:
		marker, _ := ledger.ParseMarker(e.Text)
		fmt.Fprintf(d.out, "  GitHub: %s by %s, state %s\n", e.Kind, e.User.Login, marker.State)
	case fakegithub.IssueOpened:
	default:
		fmt.Fprintf(d.out, "  GitHub: %s %s\n", e.Kind, e.Text)
	}
}

// check pulls the mirrors back without Ferry's client, reads every byte of
// every platform, and compares digests with the sources.
func (d *demo) check(ctx context.Context) error {
	d.say("The mirrors, pulled back")
	for _, pair := range []struct {
		repository, tag, mirror string
		same                    bool
	}{
		{"harbour/hello", "1.0", "harbour.hello", true},
		{"harbour/lighthouse", "v2.1", "quay.harbour.lighthouse", false}, // only one platform was requested
		{"pause", "3.10", "google-containers.pause", true},
	} {
		mirror := user + "/" + pair.mirror
		source, _, err := pull(ctx, d.upstream, pair.repository, pair.tag)
		if err != nil {
			return err
		}
		got, size, err := pull(ctx, d.target, mirror, pair.tag)
		if err != nil {
			return err
		}
		verdict := "equal to the source"
		switch {
		case source == got:
		case pair.same:
			return fmt.Errorf("comparing %s with its source: it is %s, and %s was wanted", mirror, got, source)
		default:
			verdict = "the one platform that was asked for"
		}
		d.print("  %s/%s:%s\n    %s\n    %d bytes read, digest %s\n", reference.DockerHub, mirror, pair.tag, got, size, d.word(verdict))
	}
	d.print("\nThe request is answered and every digest is as it should be.\n")
	return nil
}

// pull reads the image of a tag or digest, with all layers, and verifies every
// digest. It returns the digest and the number of bytes.
func pull(ctx context.Context, address, repository, ref string) (v1.Hash, int64, error) {
	base := "http://" + address + "/v2/" + repository
	body, err := fetch(ctx, base+"/manifests/"+ref)
	if err != nil {
		return v1.Hash{}, 0, err
	}
	digest, size, err := v1.SHA256(bytes.NewReader(body))
	if err != nil {
		return v1.Hash{}, 0, err
	}
	if wanted, err := v1.NewHash(ref); err == nil && wanted != digest {
		return v1.Hash{}, 0, fmt.Errorf("pulling %s@%s: it is %s", repository, wanted, digest)
	}
	var manifest struct {
		Config            *v1.Descriptor
		Layers, Manifests []v1.Descriptor
	}
	if err := json.Unmarshal(body, &manifest); err != nil {
		return v1.Hash{}, 0, fmt.Errorf("pulling %s: %w", repository, err)
	}
	for _, child := range manifest.Manifests {
		_, n, err := pull(ctx, address, repository, child.Digest.String())
		if err != nil {
			return v1.Hash{}, 0, err
		}
		size += n
	}
	if manifest.Config != nil {
		manifest.Layers = append(manifest.Layers, *manifest.Config)
	}
	for _, blob := range manifest.Layers {
		data, err := fetch(ctx, base+"/blobs/"+blob.Digest.String())
		if err != nil {
			return v1.Hash{}, 0, err
		}
		got, n, err := v1.SHA256(bytes.NewReader(data))
		if err != nil || got != blob.Digest {
			return v1.Hash{}, 0, fmt.Errorf("pulling %s: blob %s is %s", repository, blob.Digest, got)
		}
		size += n
	}
	return digest, size, nil
}

// fetch reads one response of the demo's registries.
func fetch(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("pulling: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("pulling: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("pulling %s: %s", url, resp.Status)
	}
	return io.ReadAll(resp.Body)
}

// shared is a writer for several goroutines.
type shared struct {
	mu  sync.Mutex
	out io.Writer
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(b)
}
