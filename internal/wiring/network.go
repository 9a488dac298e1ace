package wiring

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/imageferry/ferry/internal/outbound"
)

// network are the options of the connections to registries.
func (env Env) network() outbound.Options {
	return outbound.Options{At: env.At, Proxy: env.Proxy, Roots: env.Roots, FakeIP: env.ownMachine()}
}

// Transport is for GitHub's API, nil for the usual one.
func (env Env) Transport() http.RoundTripper {
	if env.Roots == nil {
		return nil
	}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: env.Roots},
	}
}

// ownMachine reports whether Ferry runs on a machine of the person who runs it,
// rather than on one of GitHub's. On the former, names may resolve to addresses
// that a local proxy made up. On GitHub's they may not: a name that a stranger
// chose must not reach an internal network.
func (env Env) ownMachine() bool {
	return env.Getenv("GITHUB_ACTIONS") != "true" || env.Getenv("RUNNER_ENVIRONMENT") == "self-hosted"
}

// Trust adds the certificate authorities of a file, in PEM, to those that env
// trusts, which are the system's at first. Registries and proxies of a company
// often have certificates of its own authority.
func (env Env) Trust(file string) (Env, error) {
	roots := env.Roots
	if roots == nil {
		var err error
		if roots, err = x509.SystemCertPool(); err != nil {
			roots = x509.NewCertPool() // some systems have none
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return env, fmt.Errorf("reading certificates: %w", err)
	}
	if roots = roots.Clone(); !roots.AppendCertsFromPEM(text) {
		return env, fmt.Errorf("%s holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----", file)
	}
	env.Roots = roots
	return env, nil
}
