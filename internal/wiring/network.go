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
	if err != nil {
		return env, fmt.Errorf("reading certificates: %w", err)
	}
	if roots = roots.Clone(); !roots.AppendCertsFromPEM(text) {
		return env, fmt.Errorf("%s holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----", file)
	}
	env.Roots = roots
	return env, nil
}
