package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// Authority is a certificate authority that everything in the sandbox trusts.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewAuthority makes an authority and, through the environment, the only one
// that this process and those it starts trust.
func NewAuthority() (*Authority, error) {
	a, der, err := newAuthority("Ferry's end-to-end suite")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(Dir(), "authority.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"SSL_CERT_FILE":       file,
		"SSL_CERT_DIR":        filepath.Join(Dir(), "none"),
		"CURL_CA_BUNDLE":      file,
		"NODE_EXTRA_CA_CERTS": file,
	} {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// newAuthority makes an authority, and returns its own certificate too.
func newAuthority(name string) (*Authority, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := certificate(name)
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, fmt.Errorf("signing the authority: %w", err)
	}
	parsed, err := x509.ParseCertificate(der)
	return &Authority{parsed, key}, der, err
}

// Files are the names of PEM files.
type Files struct{ Authority, Certificate, Key string }

// SignedBy writes the files of a server in a folder: a certificate for a host of
// an authority that nothing trusts, and its key.
func SignedBy(host, dir string) (Files, error) {
	files := Files{filepath.Join(dir, "authority.pem"), filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")}
	a, der, err := newAuthority("a private authority")
	if err != nil {
		return files, err
	}
	settings, err := a.Vouch(host)
	if err != nil {
		return files, err
	}
	pair := settings.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		return files, err
	}
	return files, errors.Join(
		os.WriteFile(files.Authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644),
		os.WriteFile(files.Certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), 0o644),
		os.WriteFile(files.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600),
	)
}

// Vouch gives a server's settings with a certificate for hosts.
func (a *Authority) Vouch(hosts ...string) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := certificate(hosts[0])
	template.DNSNames = hosts
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("signing for %v: %w", hosts, err)
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
	}, nil
}

func certificate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
}
