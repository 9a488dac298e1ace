// Package conformance is a test suite for a client of registries, the
// counterpart of the suite for registries of the OCI distribution
// specification. Registries and the proxies in front of them show known
// deviations, and the client must copy an image nevertheless, or fail with the
// right code and message.
//
// A row of its tables is the behaviour of one side (package fakeregistry has
// the behaviours) and the expected result of a copy. The tests run the suite
// with registries in memory; the end-to-end tests run it in front of real ones.
package conformance

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	fake "github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
)

// Run copies an image between registries of every kind. behind, if not nil,
// creates an empty registry, which then stores the content of the suite's
// registries behind their behaviours.
func Run(t *testing.T, behind func(*testing.T) http.Handler) {
	for _, b := range slices.Concat(behaviours(), variants(), rarities(), failures(), refusals(), optional(), places()) {
		if behind == nil || !b.memory {
			b.test(t, behind)
		}
	}
}

// test copies an image.
func (b behaviour) test(t *testing.T, behind func(*testing.T) http.Handler) {
	t.Run(b.name, func(t *testing.T) {
		t.Parallel()
		layers := b.layers
		if layers == nil {
			layers = []int{3000, 500}
		}
		tr := &trial{t: t, source: fake.New(b.source), target: fake.New(b.target), image: fake.Generate(fake.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: layers})}
		if behind != nil {
			tr.source.Before(behind(t))
			tr.target.Before(behind(t))
		}
		tr.clock.now = time.Now()
		tr.began = tr.clock.now
		tr.source.Add("ns/img", "1", tr.image)
		if _, _, ok := tr.source.Manifest("ns/img", "1"); !ok {
			t.Fatal("the source refuses the image")
		}
		other := httptest.NewServer(tr.target.Specified())
		t.Cleanup(func() { _ = other.Config.Close() }) // see run
		tr.other = &url.URL{Scheme: "http", Host: named(other)}
		o := tr.run(b.behave, b.target)
		if o.code() != b.want {
			t.Fatalf("it ended as %v, want %q", o.failure, b.want)
		}
		if o.failure != nil {
			b.read(t, o)
		}
		if b.want == "" && !tr.partial {
			_, body, _ := tr.source.Manifest("ns/img", "1")
			if _, got, ok := tr.target.Manifest("m/img", "1"); !ok || fake.Digest(got) != fake.Digest(body) {
				t.Error("the target's tag names something else")
			}
		}
		if b.check != nil {
			b.check(t, o)
		}
	})
}

// read checks the text of a failure for people.
func (b behaviour) read(t *testing.T, o outcome) {
	host := o.step.Image.Reference.Repository().Host()
	if o.failure.Side == failure.Target {
		host = o.step.Destinations[0].Mirror.Repository().Host()
	}
	results := []mirror.Result{{Image: &o.step.Image, Destination: &o.step.Destinations[0], Failure: o.failure}}
	for language, pattern := range map[string]string{"en": b.says.english, "zh": b.says.chinese} {
		text := report.Terminal{Language: language}.Copies(plan.Plan{Steps: []plan.Step{o.step}}, results)
		switch {
		case pattern == "" || !regexp.MustCompile(pattern).MatchString(text):
			t.Errorf("what is said in %q does not match %q:\n%s", language, pattern, text)
		case b.says.never != "" && regexp.MustCompile(b.says.never).MatchString(text):
			t.Errorf("what is said matches %q:\n%s", b.says.never, text)
		case !strings.Contains(strings.SplitN(text, "\n", 3)[1], host):
			t.Errorf("what is said does not name %s:\n%s", host, text)
		}
	}
}

// run copies the image.
func (tr *trial) run(behave func(*trial), opts fake.Options) outcome {
	behave(tr)
	serve := func(r *fake.Registry) *httptest.Server {
		server := httptest.NewServer(r)
		// It is not waited for: net/http keeps a connection for half a second after a
		// request of which it did not read all.
		tr.t.Cleanup(func() { _ = server.Config.Close() })
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
	return outcome{tr, step, result.Receipt, result.Failure, tr.clock.Now().Sub(tr.began)}
}

func (tr *trial) parse(text string) reference.Reference {
	tr.t.Helper()
	ref, err := reference.Parse(text)
	if err != nil {
		tr.t.Fatal(err)
	}
	return ref
}
