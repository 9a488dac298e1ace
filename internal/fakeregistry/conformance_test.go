package fakeregistry_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	. "github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/request"
)

// clock is a time that passes only while a client waits.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Wait(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

// trial copies one image from a source to a target, which behave as a test says.
type trial struct {
	t              *testing.T
	clock          clock
	source, target *Registry
	other          *url.URL // another host before the target
	image          *Image
	tls            bool // the target speaks TLS
	partial        bool // not all of the image arrives
	began          time.Time
}

// outcome is what became of the copy.
type outcome struct {
	trial   *trial
	receipt *mirror.Receipt
	failure *failure.Error
	waited  time.Duration
}

func (o outcome) code() failure.Code {
	if o.failure == nil {
		return ""
	}
	return o.failure.Code
}

const username, password = "mate", "sesame-of-the-target"

// behaviour is one row of the table: what the registries do, and what must become
// of a copy.
type behaviour struct {
	name           string
	source, target Options
	behave         func(*trial)
	layers         []int // of the image; some kilobytes if nil
	want           failure.Code
	check          func(*testing.T, outcome)
}

// behaviours are what registries and the proxies before them do, by
// docs/registries.md, and what a client makes of it: a copy, or a failure with
// the code that has the right words for people.
var behaviours = []behaviour{
	// Reading a manifest back.
	{name: "HEAD of manifests is 404", behave: onTarget(Refusing("^HEAD .*/manifests/", -1, 404, ""))},
	{name: "HEAD of manifests is 405", behave: onTarget(Refusing("^HEAD .*/manifests/", -1, 405, ""))},
	{name: "HEAD of manifests is 400", behave: onTarget(Refusing("^HEAD .*/manifests/", -1, 400, ""))},
	{name: "HEAD of manifests is 403", behave: onTarget(Refusing("^HEAD .*/manifests/", -1, 403, ""))},
	{name: "HEAD of manifests is 500", behave: onTarget(Refusing("^HEAD .*/manifests/", -1, 500, ""))},
	{name: "a tag appears after 2 s", behave: func(tr *trial) { tr.target.Behave(Lagging(tr.clock.Now, 2*time.Second)) },
		check: func(t *testing.T, o outcome) { wantChanges(t, o) }},
	{name: "a tag appears after a minute", behave: func(tr *trial) { tr.target.Behave(Lagging(tr.clock.Now, time.Minute)) },
		check: func(t *testing.T, o outcome) { wantChanges(t, o, mirror.Unconfirmed) }},
	{name: "a tag is the old one for 8 s", behave: func(tr *trial) { older(tr, 8*time.Second) },
		check: func(t *testing.T, o outcome) { wantChanges(t, o) }},
	{name: "a tag is the old one for a minute", behave: func(tr *trial) { older(tr, time.Minute) },
		check: func(t *testing.T, o outcome) { wantChanges(t, o, mirror.Unconfirmed) }},
	{name: "a login that may push and not pull", target: Options{Username: username, Password: password},
		behave: onTarget(Refusing("^(GET|HEAD) .*/manifests/", -1, 403, `{"errors":[{"code":"DENIED","message":"action: pull"}]}`)),
		check:  func(t *testing.T, o outcome) { wantChanges(t, o, mirror.Unconfirmed) }},

	// Refusals that pass.
	{name: "403 without a challenge, once", behave: onSource(Refusing("/manifests/1", 1, 403, ""))},
	{name: "403 of a page, twice", behave: onSource(Refusing("/manifests/1", 2, 403, "<html>403 Forbidden</html>"))},
	{name: "403 without a challenge, always", behave: onSource(Refusing("/manifests/1", -1, 403, "")), want: failure.Private},
	{name: "a page in place of a manifest, once", behave: onSource(Refusing("^GET .*/manifests/1", 1, 200, "<html>sign in</html>"))},
	{name: "404 of a page, once", behave: onSource(Refusing("/manifests/1", 1, 404, "<html>404 Not Found</html>"))},
	{name: "403 of the token server, once", source: Options{Tokens: true}, behave: onSource(Refusing("^GET /token", 1, 403, ""))},
	{name: "502 of a proxy, three times", behave: onSource(Refusing("^GET ", 3, 502, "<html>502 Bad Gateway</html>"))},
	{name: "429 without a time, four times", behave: onTarget(Refusing("^PUT .*/manifests/", 4, 429, "")),
		check: func(t *testing.T, o outcome) {
			if o.waited < 2*time.Second {
				t.Errorf("it waited %v, which is impolite", o.waited)
			}
		}},
	{name: "a token that is not valid yet", source: Options{Tokens: true},
		behave: func(tr *trial) { tr.source.Behave(Skewed(tr.clock.Now, 1200*time.Millisecond)) }},
	{name: "a token that is not valid yet, at the target", target: Options{Tokens: true, Username: username, Password: password},
		behave: func(tr *trial) { tr.target.Behave(Skewed(tr.clock.Now, 1200*time.Millisecond)) }},
	{name: "404 without a challenge", target: Options{Tokens: true, Username: username, Password: password}, behave: onTarget(Silent())},
	{name: "404 without a challenge, at a source with tokens", source: Options{Tokens: true}, behave: onSource(Silent())},

	// Challenges.
	{name: "Basic before Bearer in one header", source: Options{Tokens: true},
		behave: onSource(Challenging(`Basic realm="registry", Bearer realm="http://HOST/token",service="fake",scope="repository:REPOSITORY:pull"`))},
	{name: "Bearer before Basic, lower case", source: Options{Tokens: true},
		behave: onSource(Challenging(`bearer realm="http://HOST/token" , service="fake", basic realm="registry"`))},
	{name: "Negotiate beside Bearer", source: Options{Tokens: true},
		behave: onSource(Challenging(`Negotiate`, `NTLM TlRMTVNTUAAC==`, `Bearer service="fake",realm="http://HOST/token"`))},
	{name: "another scope than the path", behave: onSource(NamingScopes("img"))},
	{name: "expires_in is a string", source: Options{Tokens: true}, behave: onSource(AnsweringTokens(`{"token":"TOKEN","expires_in":"3600"}`))},
	{name: "expires_in is an object", source: Options{Tokens: true}, behave: onSource(AnsweringTokens(`{"access_token":"TOKEN","expires_in":{}}`))},
	{name: "an e-mail address for a user name", target: Options{Tokens: true, Username: "somebody", Password: "else"}, want: failure.LoginIsEmail,
		behave: func(*trial) {}},

	// Parts of blobs.
	{name: "Range is 400", layers: []int{3 << 20}, behave: onSource(farAway, RefusingRanges(400)), check: rangesOnce},
	{name: "Range is 403", layers: []int{3 << 20}, behave: onSource(farAway, RefusingRanges(403)), check: rangesOnce},
	{name: "Range is 416", layers: []int{3 << 20}, behave: onSource(farAway, RefusingRanges(416)), check: rangesOnce},
	{name: "Range is 501", layers: []int{3 << 20}, behave: onSource(farAway, RefusingRanges(501)), check: rangesOnce},
	{name: "Range breaks the connection", layers: []int{3 << 20}, behave: onSource(farAway, BreakingRanges())},

	// Uploads.
	{name: "a session without a location, twice", behave: onTarget(Refusing("^POST ", 2, 202, ""))},
	{name: "a session whose address must stay as it is", behave: func(tr *trial) {
		const state = "?_state=a;b=+/%2B"
		tr.target.Behave(Locating(func(at, _ string) string {
			if strings.Contains(at, "/uploads/") {
				at += state
			}
			return at
		}))
		tr.target.Behave(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/uploads/") {
					_, digest, ok := strings.Cut("?"+r.URL.RawQuery, state+"&")
					if !ok {
						tr.t.Errorf("the query is %q", r.URL.RawQuery)
					}
					r.URL.RawQuery = digest
				}
				next.ServeHTTP(w, r)
			})
		})
	}},
	{name: "a mount is 403", behave: onTarget(Refusing("^POST .*mount=", -1, 403, `{"errors":[{"code":"DENIED","message":"not allowed"}]}`))},
	{name: "a mount is 429, once", behave: onTarget(Refusing("^POST .*mount=", 1, 429, ""))},
	{name: "a mount is a page of a gateway", behave: onTarget(Refusing("^POST .*mount=", -1, 504, "<html>504 Gateway Time-out</html>"))},
	{name: "HEAD of manifests is 501", behave: onTarget(Refusing("^HEAD .*/manifests/", -1, 501, ""))},
	{name: "HEAD of manifests is 429", behave: onTarget(Refusing("^HEAD .*/manifests/", -1, 429, ""))},
	{name: "HEAD of blobs is 401", behave: onTarget(Refusing("^HEAD .*/blobs/", -1, 401, ""))},
	{name: "520 of a proxy, twice", behave: onSource(Refusing("^GET ", 2, 520, "<html>520</html>"))},
	{name: "425 to a manifest, once", behave: onTarget(Refusing("^PUT .*/manifests/", 1, 425, ""))},
	{name: "an upload is 503, once", behave: onTarget(Refusing("^PUT .*/blobs/", 1, 503, "<html>503</html>"))},
	{name: "referrers are 403", behave: onSource(Refusing("/referrers/", -1, 403, ""))},
	{name: "referrers are a page", behave: onSource(Refusing("/referrers/", -1, 200, "<html>sign in</html>"))},
	{name: "a blob is 403 of a page, once", behave: onSource(Refusing("^GET .*/blobs/", 1, 403, "<html>403</html>"))},
	{name: "the token server is 500, once", source: Options{Tokens: true}, behave: onSource(Refusing("^GET /token", 1, 500, ""))},
	{name: "the token server is 429, once", target: Options{Tokens: true, Username: username, Password: password}, behave: onTarget(Refusing("^GET /token", 1, 429, ""))},
	{name: "a mount is 500", behave: onTarget(Refusing("^POST .*mount=", -1, 500, ""))},
	{name: "a mount is 401", behave: onTarget(Refusing("^POST .*mount=", -1, 401, ""))},
	{name: "a mount is 404", behave: onTarget(Refusing("^POST .*mount=", -1, 404, ""))},
	{name: "a mount that is none", behave: onTarget(LyingAboutMounts())},
	{name: "a blob is committed by 202", behave: onTarget(AnsweringAs("^PUT .*/uploads/", 202))},
	{name: "a blob is committed by 200", behave: onTarget(AnsweringAs("^PUT .*/uploads/", 200))},
	{name: "a manifest is taken by 204", behave: onTarget(AnsweringAs("^PUT .*/manifests/", 204))},
	{name: "no HEAD of blobs", behave: onTarget(Refusing("^HEAD .*/blobs/", -1, 405, ""), AnsweringAs("^PUT .*/uploads/", 202))},
	{name: "uploads begin elsewhere", behave: func(tr *trial) {
		tr.target.Behave(RedirectingWrites("^POST ", tr.other))
	}},
	{name: "manifests are put elsewhere", behave: func(tr *trial) {
		tr.target.Behave(RedirectingWrites("^PUT .*/manifests/", tr.other))
	}},
	{name: "blobs are put elsewhere", behave: func(tr *trial) {
		tr.target.Behave(RedirectingWrites("^PUT .*/uploads/", tr.other))
	}},
	{name: "a proxy cuts long requests and keeps nothing", behave: onTarget(CuttingBodies(6 << 20)), layers: []int{20 << 20}},
	{name: "requests of 1 MiB at most", layers: []int{5 << 20}, behave: onTarget(LimitingBodies(1 << 20))},
	{name: "requests of 10 kB at most", layers: []int{1 << 20}, behave: onTarget(LimitingBodies(10_000)), want: failure.RequestLimit},
	{name: "locations without the port", behave: onTarget(Locating(func(at, host string) string {
		name, _, _ := strings.Cut(host, ":")
		return "http://" + name + at
	}))},
	{name: "locations without TLS", behave: func(tr *trial) {
		tr.tls = true
		tr.target.Behave(Locating(func(at, host string) string { return "http://" + host + at }))
	}},
	{name: "a realm without TLS", target: Options{Tokens: true, Username: username, Password: password}, behave: func(tr *trial) {
		tr.tls = true
		tr.target.Behave(Challenging(`Bearer realm="http://HOST/token",service="fake"`))
	}},

	// What the image or the registry is to blame for.
	{name: "an immutable tag", want: failure.TagImmutable,
		behave: func(tr *trial) {
			tr.target.Add("m/img", "1", Generate(Spec{Seed: 99, Platforms: []string{"linux/amd64"}, Layers: []int{10}}))
			tr.target.Behave(tr.target.Immutable())
		},
		check: func(t *testing.T, o outcome) {
			if tags := o.trial.target.Tags("m/img"); len(tags) != 1 || o.trial.target.Count("^PUT .*/manifests/1$") != 1 {
				t.Errorf("tags %v; the tag was put %d times", tags, o.trial.target.Count("^PUT .*/manifests/1$"))
			}
		}},
	{name: "manifests are rewritten", behave: onTarget(Rewriting()), want: failure.Rewritten},
	{name: "a manifest of 5 MiB", want: failure.ManifestTooLarge, behave: func(tr *trial) {
		root := tr.image.Root()
		tr.source.PutManifest("ns/img", "1", root.MediaType, append([]byte(strings.Repeat(" ", 5<<20)), root.Body...))
	}},
	{name: "manifests are compressed", source: Options{Tokens: true}, behave: onSource(Compressing())},
	{name: "a layer of another size", behave: func(tr *trial) {
		miscount(tr, func(m map[string]any) any { return m["layers"].([]any)[0] }, 1)
	}},
	{name: "a layer of a far larger size", want: failure.WrongSize, behave: func(tr *trial) {
		miscount(tr, func(m map[string]any) any { return m["layers"].([]any)[0] }, -100_000)
	}, layers: []int{200_000}},

	// Extras.
	{name: "referrers are 429 for a minute", behave: onSource(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/referrers/") {
				w.Header().Set("Retry-After", "60")
				distribution.WriteError(w, http.StatusTooManyRequests, distribution.TooManyRequests, "Rate exceeded")
				return
			}
			next.ServeHTTP(w, r)
		})
	}), check: func(t *testing.T, o outcome) {
		if wantChanges(t, o, mirror.ReferrersUnread); o.waited > 5*time.Second {
			t.Errorf("it waited %v for signatures", o.waited)
		}
	}},
	{name: "referrers are 500", behave: onSource(Refusing("/referrers/", -1, 500, "")),
		check: func(t *testing.T, o outcome) { wantChanges(t, o, mirror.ReferrersUnread) }},
}

func onSource(all ...Behaviour) func(*trial) {
	return func(tr *trial) {
		for _, b := range all {
			tr.source.Behave(b)
		}
	}
}

func onTarget(all ...Behaviour) func(*trial) {
	return func(tr *trial) {
		for _, b := range all {
			tr.target.Behave(b)
		}
	}
}

// older puts another image at the target's tag, which it gives out for d after it
// has got the new one.
func older(tr *trial, d time.Duration) {
	tr.target.Add("m/img", "1", Generate(Spec{Seed: 99, Platforms: []string{"linux/amd64"}, Layers: []int{10}}))
	tr.target.Behave(tr.target.Stale(tr.clock.Now, d))
}

// farAway takes its time, so that a client asks for parts.
func farAway(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(8 * time.Millisecond)
		next.ServeHTTP(w, r)
	})
}

// rangesOnce: a registry that refuses parts is asked for few.
func rangesOnce(t *testing.T, o outcome) {
	if n := o.trial.source.Count("^GET .*/blobs/"); n > 10 {
		t.Errorf("blobs were asked for %d times", n)
	}
}

func wantChanges(t *testing.T, o outcome, want ...mirror.Change) {
	t.Helper()
	if o.receipt != nil && fmt.Sprint(o.receipt.Changes) != fmt.Sprint(want) {
		t.Errorf("changes are %v, want %v", o.receipt.Changes, want)
	}
}

// miscount adds to the size that the image's manifest gives for something.
func miscount(tr *trial, part func(map[string]any) any, more float64) {
	var m map[string]any
	if err := json.Unmarshal(tr.image.Root().Body, &m); err != nil {
		tr.t.Fatal(err)
	}
	d := part(m).(map[string]any)
	d["size"] = d["size"].(float64) + more
	body, err := json.Marshal(m)
	if err != nil {
		tr.t.Fatal(err)
	}
	tr.source.PutManifest("ns/img", "1", tr.image.Root().MediaType, body)
}

// TestClientsCope copies an image between registries of every kind.
func TestClientsCope(t *testing.T) {
	for _, b := range slices.Concat(behaviours, variants) {
		b.test(t)
	}
}

// test copies an image.
func (b behaviour) test(t *testing.T) {
	t.Run(b.name, func(t *testing.T) {
		t.Parallel()
		layers := b.layers
		if layers == nil {
			layers = []int{3000, 500}
		}
		tr := &trial{t: t, source: New(b.source), target: New(b.target), image: Generate(Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: layers})}
		tr.clock.now = time.Now()
		tr.began = tr.clock.now
		tr.source.Add("ns/img", "1", tr.image)
		other := httptest.NewServer(tr.target.Specified())
		t.Cleanup(other.Close)
		tr.other = &url.URL{Scheme: "http", Host: named(other)}
		o := tr.run(b.behave, b.target)
		if o.code() != b.want {
			t.Fatalf("it ended as %v, want %q", o.failure, b.want)
		}
		if b.want == "" && !tr.partial {
			_, body, _ := tr.source.Manifest("ns/img", "1")
			if _, got, ok := tr.target.Manifest("m/img", "1"); !ok || Digest(got) != Digest(body) {
				t.Error("the target's tag names something else")
			}
		}
		if b.check != nil {
			b.check(t, o)
		}
	})
}

// named is the host of a server by name, for a reference has no address for one.
func named(s *httptest.Server) string {
	return strings.Replace(s.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
}

// run copies the image.
func (tr *trial) run(behave func(*trial), opts Options) outcome {
	behave(tr)
	serve := func(r *Registry) *httptest.Server {
		server := httptest.NewServer(r)
		tr.t.Cleanup(server.Close)
		return server
	}
	ropts := registry.Options{Wait: tr.clock.Wait}
	from := named(serve(tr.source))
	var to string
	if tr.tls {
		server := httptest.NewTLSServer(tr.target)
		tr.t.Cleanup(server.Close)
		_, port, _ := strings.Cut(server.Listener.Addr().String(), ":")
		to = "example.com:" + port // which the server's certificate names
		ropts.Network.At = map[string]string{to: server.Listener.Addr().String()}
		ropts.Network.Roots = x509.NewCertPool()
		ropts.Network.Roots.AddCert(server.Certificate())
	} else {
		to = named(serve(tr.target))
	}
	target := config.Target{Host: to, Private: true, PlainHTTP: !tr.tls, Username: opts.Username, Password: config.NewSecret(opts.Password)}
	if opts.Username != username {
		target.Username = "mate@example.com"
	}
	sources := []config.Source{{Host: from, Private: true, PlainHTTP: true}, {Host: tr.other.Host, Private: true, PlainHTTP: true}}
	m := mirror.New(mirror.Options{
		Sources: registry.NewSources(sources, ropts), Targets: registry.NewTargets([]config.Target{target}, sources, ropts),
		ImageBytes: 1 << 30, RequestBytes: 1 << 30, IndexManifests: 50, Referrers: true,
	})
	tr.t.Cleanup(m.Close)
	step := plan.Step{
		Image:        request.Image{Reference: tr.parse(from + "/ns/img:1")},
		Destinations: []plan.Destination{{Mirror: tr.parse(to + "/m/img:1")}},
	}
	result := m.Run(tr.t.Context(), []plan.Step{step}, nil)[0]
	return outcome{tr, result.Receipt, result.Failure, tr.clock.Now().Sub(tr.began)}
}

func (tr *trial) parse(text string) reference.Reference {
	tr.t.Helper()
	ref, err := reference.Parse(text)
	if err != nil {
		tr.t.Fatal(err)
	}
	return ref
}
