package front

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateAge is how long a certificate is used before its files are looked at
// again.
const certificateAge = 10 * time.Second

// files is a certificate that is read again when its files change.
type files struct {
	certificate, key string
	log              *slog.Logger
	now              func() time.Time

	mu      sync.Mutex
	loaded  *tls.Certificate
	stamp   [2]time.Time // of the files that loaded is from
	checked time.Time
}

// CertificateFiles is TLS with the certificate of two files. Files that cannot
// be read are an error now, and later leave the certificate as it is.
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
			f.log.Error("the certificate is kept as it was", "error", err.Error())
		}
	}
	return f.loaded, nil
}

// Verify has c ask clients for a certificate by the authorities of a file. One
// that is shown has to be good; who shows none is no guest by it.
func Verify(c *tls.Config, authorities string) error {
	pem, err := os.ReadFile(authorities)
	if err != nil {
		return fmt.Errorf("reading the authorities of clients: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return errors.New("reading the authorities of clients: no certificate is in the file")
	}
	c.ClientCAs, c.ClientAuth = pool, tls.VerifyClientCertIfGiven
	return nil
}
