package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/bench/internal/peer"
	"github.com/imageferry/ferry/bench/internal/sandbox"
	"github.com/imageferry/ferry/bench/internal/site"
	"github.com/imageferry/ferry/bench/internal/wire"
	"github.com/imageferry/ferry/bench/internal/workload"
)

const (
	certificateFile = "cert.pem"
	loginFile       = "config.json"         // where docker login would leave it
	patience        = 5 * time.Minute       // with one run, and
	patiencePer     = 60 * time.Millisecond // for each of its images
)

// end is one end of the way: a registry, by the names that it goes by.
type end struct {
	name        string // in references
	api         []string
	tokens      string
	tokenServer site.TokenServer
	content     string // where it redirects readers of blobs to; may be empty
}

// way is where a copy goes from and to.
type way struct{ source, target end }

// The ways. Clients may know where famous registries have their tokens; of
// others they have to find out. Both lead to the same two registries.
var (
	famous = way{
		source: end{"registry.gitlab.com", []string{"registry.gitlab.com"}, "gitlab.com",
			site.TokenServer{Realm: "https://gitlab.com/jwt/auth", Service: "container_registry"}, "cdn.registry.gitlab-static.net"},
		target: end{"docker.io", []string{"docker.io", "index.docker.io", "registry-1.docker.io"}, "auth.docker.io",
			site.TokenServer{Realm: "https://auth.docker.io/token", Service: "registry.docker.io"}, ""},
	}
	unknown = way{
		source: end{"registry.source.test", []string{"registry.source.test"}, "auth.source.test",
			site.TokenServer{Realm: "https://auth.source.test/token", Service: "source"}, "cdn.source.test"},
		target: end{"registry.target.test", []string{"registry.target.test"}, "auth.target.test",
			site.TokenServer{Realm: "https://auth.target.test/token", Service: "target"}, ""},
	}
	plain = way{source: end{name: "localhost:5001"}, target: end{name: "localhost:5002"}}
)

func (e end) hosts() []string {
	if e.tokens == "" {
		return []string{e.name}
	}
	hosts := append([]string{e.tokens}, e.api...)
	if e.content != "" {
		hosts = append(hosts, e.content)
	}
	return hosts
}

// rig is the two registries, what the source holds and where things lie.
type rig struct {
	tools, dir     string
	source, target *site.Site
	pushed         map[string][]v1.Hash // digests by workload
	runs           int
}

// newRig must be called inside the sandbox: its addresses and names are the
// sandbox's own.
func newRig(ctx context.Context, tools, dir string, trace io.Writer) (*rig, error) {
	const sourceAddress, sourceTokens, sourceContent = "127.0.0.2", "127.0.0.3", "127.0.0.6"
	const targetAddress, targetTokens = "127.0.0.4", "127.0.0.5"
	addresses := map[string]string{}
	for _, w := range []way{famous, unknown} {
		for _, host := range w.source.api {
			addresses[host] = sourceAddress
		}
		for _, host := range w.target.api {
			addresses[host] = targetAddress
		}
		addresses[w.source.tokens], addresses[w.target.tokens] = sourceTokens, targetTokens
		addresses[w.source.content] = sourceContent
	}
	if err := sandbox.SetUp(dir, addresses); err != nil {
		return nil, err
	}
	certificate, pem, err := site.Certificate(slices.Sorted(maps.Keys(addresses))...)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, certificateFile), pem, 0o644); err != nil {
		return nil, fmt.Errorf("writing the certificate: %w", err)
	}
	if err := logIn(dir); err != nil {
		return nil, err
	}
	open := func(name, registry, tokens, content string, ends ...end) (*site.Site, error) {
		o := site.Options{
			Name: name, Storage: filepath.Join(dir, name), Certificate: certificate,
			Tokens: map[string]site.TokenServer{}, Contents: map[string]string{}, Trace: trace,
		}
		for _, e := range ends {
			for _, host := range e.api {
				o.Tokens[host], o.Contents[host] = e.tokenServer, e.content
			}
		}
		listeners := map[string]*net.Listener{ends[0].name: &o.Plain, registry + ":443": &o.Registry, tokens + ":443": &o.Token}
		if content != "" {
			listeners[content+":443"] = &o.Content
		}
		for address, listener := range listeners {
			if *listener, err = net.Listen("tcp", address); err != nil {
				return nil, fmt.Errorf("listening for the %s: %w", name, err)
			}
		}
		return site.Open(ctx, o), nil
	}
	r := &rig{tools: tools, dir: dir, pushed: map[string][]v1.Hash{}}
	if r.source, err = open("source", sourceAddress, sourceTokens, sourceContent, plain.source, famous.source, unknown.source); err != nil {
		return nil, err
	}
	if r.target, err = open("target", targetAddress, targetTokens, "", plain.target, famous.target, unknown.target); err != nil {
		return nil, err
	}
	return r, nil
}

// logIn gives all peers a login for the target, as one has for a registry that
// one pushes to. The token host lets everybody in.
func logIn(dir string) error {
	auth := map[string][]byte{"auth": []byte("bench:bench")}
	login, err := json.Marshal(map[string]any{"auths": map[string]any{
		"https://index.docker.io/v1/": auth, unknown.target.name: auth, plain.target.name: auth,
	}})
	if err != nil {
		return fmt.Errorf("encoding the login: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, loginFile), login, 0o644); err != nil {
		return fmt.Errorf("writing the login: %w", err)
	}
	return nil
}

// provide puts a workload into the source registry, once.
func (r *rig) provide(w workload.Workload) error {
	if r.pushed[w.Name] != nil {
		return nil
	}
	digests, err := w.Push(plain.source.name)
	if err != nil {
		return err
	}
	r.pushed[w.Name] = digests
	return nil
}

// attempt is one run of one peer and what came of it.
type attempt struct {
	usage
	source, target site.Traffic
	err            error   // the peer's own failure
	foreign        float64 // share of the machine that other programs used meanwhile
	exact          bool    // every image is tagged at the target with the source's digest
}

var errDigest = errors.New("the target's digests are not the source's")

// scene is what a run meets.
type scene struct {
	workload                   workload.Workload
	way                        way
	source, target             wire.Path
	sourceHabits, targetHabits site.Habits
	sourceFaults, targetFaults []site.Fault
	present, save              bool
	kill                       int64
	load                       int // programs that keep the processor busy
}

// run lets a peer copy a workload into a fresh namespace.
func (r *rig) run(ctx context.Context, p peer.Peer, s scene) (attempt, error) {
	r.runs++
	namespace := fmt.Sprintf("r%04d", r.runs)
	dir := filepath.Join(r.dir, namespace)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return attempt{}, fmt.Errorf("making a folder for the run: %w", err)
	}
	defer os.RemoveAll(dir)
	defer r.target.Forget(namespace)

	job := peer.Job{
		Tools: r.tools, Dir: dir, Source: s.way.source.name, Target: s.way.target.name, Namespace: namespace,
		Plain: s.way.source.tokens == "", Hosts: slices.Concat(s.way.source.hosts(), s.way.target.hosts()),
	}
	for _, image := range s.workload.Images {
		job.Repositories = append(job.Repositories, image.Repository)
	}
	commands, err := p.Commands(job)
	if err != nil {
		return attempt{}, err
	}
	env := r.environment(dir)
	ctx, cancel := context.WithTimeout(ctx, patience+time.Duration(len(s.workload.Images))*patiencePer)
	defer cancel()
	if s.present { // the same commands fill the target beforehand, at full speed
		r.begin(scene{})
		if _, err := execute(ctx, commands, p.Processes, env); err != nil {
			return attempt{}, fmt.Errorf("filling the target: %w", err)
		}
	}
	r.begin(s)
	if s.kill > 0 {
		r.executeAndKill(ctx, s.kill, commands, env)
	}
	var a attempt
	before, begin := currentLoad(), time.Now()
	relax := strain(s.load)
	a.usage, a.err = execute(ctx, commands, p.Processes, env)
	relax()
	a.foreign = foreignSince(before, time.Since(begin))
	a.source, a.target = r.source.Traffic(), r.target.Traffic()
	if a.exact = true; s.save {
		return a, nil
	}
	tagged, err := r.target.Tagged(namespace)
	if err != nil {
		return attempt{}, err
	}
	for _, digest := range r.pushed[s.workload.Name] {
		a.exact = a.exact && tagged[digest]
	}
	if a.err == nil && !a.exact {
		a.err = errDigest
	}
	return a, nil
}

func (r *rig) begin(s scene) {
	r.source.Drain()
	r.target.Drain()
	r.source.Begin(s.source, s.sourceHabits, s.sourceFaults...)
	r.target.Begin(s.target, s.targetHabits, s.targetFaults...)
}

// strain keeps so many processors busy until relax is called.
func strain(n int) (relax func()) {
	ctx, kill := context.WithCancel(context.Background())
	var g sync.WaitGroup
	for range n {
		g.Go(func() {
			exec.CommandContext(ctx, "/bin/sh", "-c", "while :; do :; done").Run() // until it is killed
		})
	}
	return func() {
		kill()
		g.Wait()
	}
}

// executeAndKill runs commands until the target has received so many bytes.
func (r *rig) executeAndKill(ctx context.Context, bytes int64, commands []peer.Command, env []string) {
	ctx, kill := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		execute(ctx, commands, 1, env) // it is meant to fail
	}()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for r.target.Traffic().Received < bytes {
		select {
		case <-done: // before it could be killed: the table will show it
			kill()
			return
		case <-tick.C:
		}
	}
	kill()
	<-done
}

// environment gives a program a home of its own, the rig's certificate and
// nothing of the caller's.
func (r *rig) environment(home string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + home, "TMPDIR=" + home,
		"DOCKER_CONFIG=" + r.dir, "REGISTRY_AUTH_FILE=" + filepath.Join(r.dir, loginFile),
		"XDG_RUNTIME_DIR=" + home, "XDG_DATA_HOME=" + home,
		"_CONTAINERS_ROOTLESS_UID=1000", // skopeo's blob cache goes below XDG_DATA_HOME then, too
		"SSL_CERT_FILE=" + filepath.Join(r.dir, certificateFile), "SSL_CERT_DIR=" + home,
	}
}
