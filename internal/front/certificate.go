package front

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"
)

// certificateAge is how long a certificate is used before its files are checked
// for changes.
const certificateAge = 10 * time.Second

// files is a certificate that is reloaded when its files change.
type files struct {
	certificate, key string
	log              *slog.Logger
	now              func() time.Time

	mu      sync.Mutex
	loaded  *tls.Certificate
	stamp   [2]time.Time // modification times of the loaded files
	checked time.Time
}

// CertificateFiles returns a TLS configuration with the certificate of two
// files. It is an error if they cannot be read. Later read errors keep the
// loaded certificate.
func CertificateFiles(certificate, key string, log *slog.Logger, now func() time.Time) (*tls.Config, error) {
	f := &files{certificate: certificate, key: key, log: log, now: now}
	if err := f.load(); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: f.get}, nil
}

func (f *files) load() error {
	var stamp [2]time.Time
	for i, name := range []string{f.certificate, f.key} {
		info, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("reading the certificate: %w", err)
		}
		stamp[i] = info.ModTime()
	}
	if f.loaded != nil && stamp == f.stamp {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(f.certificate, f.key)
	if err != nil {
		return fmt.Errorf("reading the certificate: %w", err)
	}
	f.loaded, f.stamp = &pair, stamp
	return nil
}

func (f *files) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); now.Sub(f.checked) > certificateAge {
		f.checked = now
		if err := f.load(); err != nil {
			f.log.Error("the certificate was not changed", "error", err.Error())
		}
	}
	return f.loaded, nil
}

// ACME are the settings for certificates that an authority issues by the protocol
// ACME (RFC 8555).
type ACME struct {
	Directory string // address of the authority; empty for Let's Encrypt
	Mail      string // to which the authority writes; may be empty
	Cache     string // folder for the account's key, and the certificates and their keys
	// Host reports whether a certificate may be requested for a host name in lower
	// case.
	Host      func(string) bool
	Transport http.RoundTripper
	UserAgent string
	Log       *slog.Logger
	Now       func() time.Time
}

// Verify makes c request certificates from clients and verify them by the
// authorities in a file. Clients without a certificate are accepted, but not
// identified by it.
func Verify(c *tls.Config, authorities string) error {
	pem, err := os.ReadFile(authorities)
	if err != nil {
		return fmt.Errorf("reading the authorities of clients: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return errors.New("reading the authorities of clients: the file has no certificate")
	}
	c.ClientCAs, c.ClientAuth = pool, tls.VerifyClientCertIfGiven
	return nil
}
