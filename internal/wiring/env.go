// Package wiring makes the parts that every entry to Ferry needs (the commands,
// the bot, the demo) out of an environment and a configuration: the clients of
// registries and of GitHub, the Mirror between them, the masks of the log.
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
)

// The exit statuses of every command.
const (
	StatusDone    = 0 // all that was asked for is done
	StatusFailed  = 1 // something failed, and was said
	StatusUsage   = 2 // the command line or the configuration is wrong; nothing was done
	StatusNothing = 3 // nothing was asked for

	StatusInterrupted = 130 // it was interrupted at a terminal
)

// ErrNothing says what StatusNothing means.
var ErrNothing = errors.New("no image is named")

// Env has a command's streams, arguments and environment. No other code of Ferry
// reads those of the process.
type Env struct {
	Args           []string // without the program's name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	// At sends connections for "host:port" to another address. The demo uses it
	// to play gcr.io on loopback.
	At map[string]string
	// Proxy names the proxy through which a registry is reached, as
	// http.ProxyFromEnvironment does; nil for none.
	Proxy func(*http.Request) (*url.URL, error)
	// Roots are the certificate authorities to trust; nil for the system's.
	Roots *x509.CertPool
	// Now is the clock; nil for the real one.
	Now func() time.Time
	// Tick is how often a comment is looked after while work runs, and a file that
	// may change; zero for a second or two.
	Tick time.Duration
	// Wait waits before another try of what has failed; nil for the real thing.
	Wait func(context.Context, time.Duration) error
}

// Time is the time of day.
func (env Env) Time() time.Time {
	if env.Now != nil {
		return env.Now()
	}
	return time.Now()
}

// Site is the address of GitHub's site, without a slash at the end.
func (env Env) Site() string {
	if server := env.Getenv("GITHUB_SERVER_URL"); server != "" {
		return strings.TrimSuffix(server, "/")
	}
	return "https://github.com"
}

// API is the address of GitHub's API, without a slash at the end.
func (env Env) API() string {
	if api := env.Getenv("GITHUB_API_URL"); api != "" {
		return strings.TrimSuffix(api, "/")
	}
	return "https://api.github.com"
}
