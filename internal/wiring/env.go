// Package wiring builds the parts that the commands, the bot and the demo need
// from an environment and a configuration: the clients of registries and of
// GitHub, the Mirror between them, the masks of the log.
package wiring

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/patience"
)

// The exit statuses of every command.
const (
	StatusDone    = 0 // everything is done
	StatusFailed  = 1 // something failed and was reported
	StatusUsage   = 2 // the command line or the configuration is wrong; nothing was done
	StatusNothing = 3 // no image was named

	StatusInterrupted = 130 // interrupted at a terminal
)

// ErrNothing is the reason for StatusNothing.
var ErrNothing = errors.New("no image is named")

// Env is a command's streams, arguments and environment. No other code of Ferry
// accesses those of the process.
type Env struct {
	Args           []string // without the program name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	// At redirects connections for "host:port" to another address. The demo
	// uses it to simulate gcr.io on loopback.
	At map[string]string
	// Proxy returns the proxy for a registry, like http.ProxyFromEnvironment;
	// nil for none.
	Proxy func(*http.Request) (*url.URL, error)
	// Roots are the certificate authorities to trust; nil for the system's.
	Roots *x509.CertPool
	// Now is the clock; nil for the real one.
	Now func() time.Time
	// Tick is how often a comment is updated while work runs, and how often a
	// file is checked for changes; zero for a second or two.
	Tick time.Duration
	// Wait waits before another attempt; nil for real waiting.
	Wait func(context.Context, time.Duration) error
}

// Sleep calls Wait or, if that is nil, waits in real time. It returns the error of
// ctx if that ends first.
func (env Env) Sleep(ctx context.Context, d time.Duration) error {
	if env.Wait != nil {
		return env.Wait(ctx, d)
	}
	return patience.Sleep(ctx, d)
}

// Time returns the current time.
func (env Env) Time() time.Time {
	if env.Now != nil {
		return env.Now()
	}
	return time.Now()
}

// Site returns the address of GitHub's site, without a slash at the end.
func (env Env) Site() string {
	if server := env.Getenv("GITHUB_SERVER_URL"); server != "" {
		return strings.TrimSuffix(server, "/")
	}
	return "https://github.com"
}

// API returns the address of GitHub's API, without a slash at the end.
func (env Env) API() string {
	if api := env.Getenv("GITHUB_API_URL"); api != "" {
		return strings.TrimSuffix(api, "/")
	}
	return "https://api.github.com"
}
