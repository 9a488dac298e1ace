//go:build !release

package front

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/imageferry/ferry/internal/reference"
)

// ACMEIncluded reports whether the binary can request certificates. The action and
// the archives "ferry" of releases cannot, because that takes 434 kB.
const ACMEIncluded = true

const (
	// firstRest and longestRest are how long no certificate is requested for a
	// host after failures; the time doubles with each. Let's Encrypt permits five
	// failed validations of a host in an hour.
	firstRest, longestRest = time.Minute, time.Hour
	// longestRenewal is the longest time before the end of a certificate in which
	// autocert renews it: a third of its lifetime, but not more.
	longestRenewal = 30 * 24 * time.Hour
	// acmeTime limits the time of one exchange with the authority.
	acmeTime = 30 * time.Second
	// maxProblem limits what an authority says, in the log, in bytes.
	maxProblem = 400
	// maxAnswer limits the part of an authority's answer that is looked at for
	// the log, in bytes.
	maxAnswer = 64 << 10
)

// issuer obtains certificates and renews them.
type issuer struct {
	ACME
	manager *autocert.Manager

	mu      sync.Mutex
	resting map[string]rest // by host; bounded because all are configured
	said    map[string]time.Time
}

// rest is the time after a failure.
type rest struct {
	until, next time.Time // next: twice as long if the next request fails before it
	length      time.Duration
	err         error
}

// Config returns a TLS configuration that obtains certificates when clients first
// use a host name, and renews them when a third of their lifetime is left, at most
// 30 days. It proves by TLS-ALPN-01 (RFC 8737), on the listeners of the front, that the
// names are the owner's. It is an error if the folder cannot be used.
func (a ACME) Config() (*tls.Config, error) {
	if err := usable(a.Cache); err != nil {
		return nil, fmt.Errorf("tls.acme.cache is %q, which %w", a.Cache, err)
	}
	i := &issuer{ACME: a, resting: map[string]rest{}, said: map[string]time.Time{}}
	i.manager = &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: logged{autocert.DirCache(a.Cache), i}, Email: a.Mail,
		HostPolicy: func(_ context.Context, host string) error {
			if !a.Host(strings.TrimSuffix(host, ".")) {
				return errors.New("no such host name is configured")
			}
			return nil
		},
		Client: &acme.Client{
			DirectoryURL: a.Directory, UserAgent: a.UserAgent,
			HTTPClient:   &http.Client{Transport: told{a.Transport, i}, Timeout: acmeTime},
			RetryBackoff: backoff,
		},
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, GetCertificate: i.get, NextProtos: []string{"h2", "http/1.1", acme.ALPNProto},
	}, nil
}

// backoff is how long to wait before a request to the authority is sent again; zero
// for never. A refusal for a limit is not worth waiting for while a client does.
func backoff(n int, _ *http.Request, resp *http.Response) time.Duration {
	if n > 3 || resp.StatusCode == http.StatusTooManyRequests {
		return 0
	}
	return time.Duration(n) * time.Second
}

// usable creates a folder that only this user can read, and checks that it can be
// written to. The error is a clause about the folder.
func usable(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cannot be created: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	// Windows has no such mode.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return fmt.Errorf("has mode %#o, so that others can use it, and keys are stored there: run chmod 700 on it", mode)
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return fmt.Errorf("cannot be written to: %w", err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// get returns the certificate for the host name that a client uses. Without one,
// the client gets the alert "unrecognized name".
func (i *issuer) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	switch {
	case slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}):
		return i.manager.GetCertificate(hello) // it answers for the names of its own orders only
	case !i.Host(host):
		i.say("no certificate for a host name that is not configured", "host", reference.Clip(host, maxHostName))
		return nil, nil
	}
	if err := i.rests(host); err != nil {
		return nil, err
	}
	certificate, err := i.manager.GetCertificate(hello)
	if err != nil {
		i.failed(host, err)
		return nil, err
	}
	if leaf := certificate.Leaf; leaf != nil && leaf.NotAfter.Sub(i.Now()) < min(leaf.NotAfter.Sub(leaf.NotBefore)/3, longestRenewal)/2 {
		i.say("a certificate was not renewed", "host", host, "ends", leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return certificate, nil
}

// maxHostName is the size limit of a host name in the log, in bytes.
const maxHostName = 80

// rests returns the last failure for a host if it is too early to request a
// certificate again.
func (i *issuer) rests(host string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if r := i.resting[host]; i.Now().Before(r.until) {
		return r.err
	}
	return nil
}

// failed remembers and logs that no certificate was obtained for a host.
func (i *issuer) failed(host string, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	now, r := i.Now(), i.resting[host]
	if now.Before(r.until) {
		return // by another client at the same time
	}
	r.length *= 2
	if now.After(r.next) {
		r.length = firstRest
	}
	if refusal, ok := errors.AsType[*acme.Error](err); ok {
		if wait, limited := acme.RateLimit(refusal); limited {
			r.length = max(r.length, wait)
		}
	}
	r.length = min(r.length, longestRest)
	r.until, r.err = now.Add(r.length), err
	r.next = r.until.Add(r.length)
	i.resting[host] = r
	i.Log.Error("no certificate obtained", "host", host, "error", reference.Clip(err.Error(), maxProblem), "again", r.until.UTC().Format(time.RFC3339))
}

// say logs a warning, the same one once in a minute at most.
func (i *issuer) say(message string, about ...any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if now := i.Now(); now.Sub(i.said[message]) >= time.Minute {
		i.said[message] = now
		i.Log.Warn(message, about...)
	}
}

// told is a transport that logs what the authority refuses and why, because
// autocert does not return the reason of a failed validation or renewal.
type told struct {
	http.RoundTripper
	i *issuer
}

// RoundTrip sends a request to the authority.
func (t told) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(req)
	if err != nil {
		t.i.say("the certificate authority cannot be reached", "error", reference.Clip(err.Error(), maxProblem))
		return nil, err
	}
	if !strings.Contains(resp.Header.Get("Content-Type"), "json") {
		return resp, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, errors.Join(err, resp.Body.Close())
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
	type problem struct{ Type, Detail string }
	var answer struct { // a problem document (RFC 9457) or an authorization (RFC 8555, section 7.1.4)
		problem
		Status     any
		Challenges []struct{ Error problem }
	}
	_ = json.Unmarshal(body, &answer) // what cannot be read is an error for autocert
	problems := []problem{answer.problem}
	for _, c := range answer.Challenges {
		problems = append(problems, c.Error)
	}
	for _, p := range problems {
		if p.Detail != "" && !strings.HasSuffix(p.Type, ":badNonce") {
			t.i.say("the certificate authority refused", "type", reference.Clip(p.Type, maxHostName), "detail", reference.Clip(p.Detail, maxProblem))
		}
	}
	return resp, nil
}

// logged is a cache that logs what it stores and what it cannot store, which
// autocert does not return.
type logged struct {
	autocert.Cache
	i *issuer
}

// Get returns what is stored under a name. A file that cannot be read counts as
// missing, so that a new one is written.
func (l logged) Get(ctx context.Context, name string) ([]byte, error) {
	data, err := l.Cache.Get(ctx, name)
	if err != nil && !errors.Is(err, autocert.ErrCacheMiss) {
		l.i.say("a certificate could not be read", "file", filepath.Join(l.i.ACME.Cache, name), "error", err.Error())
	}
	return data, err
}

// Put stores data under a name.
func (l logged) Put(ctx context.Context, name string, data []byte) error {
	err := l.Cache.Put(ctx, name, data)
	switch {
	case err != nil:
		l.i.say("a certificate could not be stored, and will be requested again after the next start", "name", name, "error", err.Error())
	case !strings.Contains(name, "+"):
		l.i.Log.Info("certificate obtained", "host", name)
	}
	return err
}
