package wiring

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/outbound"
)

// UseAllProxy makes ALL_PROXY, which curl and git read and net/http does not, the
// proxy for schemes that have none of their own. It must be called before the
// first request. GNOME writes "socks://" for "socks5://".
func UseAllProxy(getenv func(string) string, setenv func(name, value string) error) error {
	all := cmp.Or(getenv("ALL_PROXY"), getenv("all_proxy"))
	if host, ok := strings.CutPrefix(all, "socks://"); ok {
		all = "socks5://" + host
	}
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY"} {
		given := cmp.Or(getenv(name), getenv(strings.ToLower(name)))
		proxy := escaped(cmp.Or(given, all))
		if proxy == given {
			continue
		}
		if err := setenv(name, proxy); err != nil {
			return fmt.Errorf("setting the proxy: %w", err)
		}
	}
	return nil
}

// escaped returns the address of a proxy with percent codes in its user name and
// password, if it is not valid without them. net/http would ignore the address.
func escaped(proxy string) string {
	if u, err := url.Parse(proxy); err == nil && u.Host != "" && u.Fragment == "" && !strings.Contains(u.RequestURI(), "@") {
		return proxy
	}
	scheme, rest, found := strings.Cut(proxy, "://")
	if !found {
		scheme, rest = "http", proxy
	}
	at := strings.LastIndexByte(rest, '@')
	if at < 0 {
		return proxy
	}
	name, password, _ := strings.Cut(rest[:at], ":")
	return scheme + "://" + url.UserPassword(name, password).String() + rest[at:]
}

// network returns the options of connections to registries.
func (env Env) network() outbound.Options {
	return outbound.Options{At: env.At, Proxy: env.Proxy, Roots: env.Roots, FakeIP: env.ownMachine()}
}

// Transport returns the transport for GitHub's API; nil for the default one.
func (env Env) Transport() http.RoundTripper {
	if env.Roots == nil {
		return nil
	}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: env.Roots},
	}
}

// ownMachine reports whether Ferry runs on a machine of its user rather than on
// one of GitHub's. There, names may resolve to addresses that a local proxy
// made up. On GitHub's machines they may not, because a name that a stranger
// chose must not reach an internal network.
func (env Env) ownMachine() bool {
	return env.Getenv("GITHUB_ACTIONS") != "true" || env.Getenv("RUNNER_ENVIRONMENT") == "self-hosted"
}

// Trust adds the certificate authorities of a PEM file to those that env
// trusts, by default those of the system. Registries and proxies of companies
// often have certificates of their own authority.
func (env Env) Trust(file string) (Env, error) {
	roots := env.Roots
	if roots == nil {
		var err error
		if roots, err = x509.SystemCertPool(); err != nil {
			roots = x509.NewCertPool() // some systems have none
		}
	}
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return env, fmt.Errorf("is %q, which does not exist", file)
	case err != nil:
		return env, fmt.Errorf("cannot be read: %w", err)
	}
	if roots = roots.Clone(); !roots.AppendCertsFromPEM(text) {
		return env, fmt.Errorf("is %q, which holds no certificate in PEM; one begins with -----BEGIN CERTIFICATE-----", file)
	}
	env.Roots = roots
	return env, nil
}
