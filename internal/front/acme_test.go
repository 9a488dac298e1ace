//go:build !release

package front

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageferry/ferry/internal/fakeworld"
)

// certifier is a certificate authority with an account for everybody that refuses
// all orders.
type certifier struct {
	orders int
	refuse http.Header // headers of the refusal
	kind   string      // type of the problem
}

func (c *certifier) RoundTrip(r *http.Request) (*http.Response, error) {
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Replay-Nonce": {"bm9uY2U"}, "Content-Type": {"application/json"}}, Request: r}
	body := ""
	switch r.URL.Path {
	case "/directory":
		body = `{"newNonce":"https://ca.example/nonce","newAccount":"https://ca.example/account","newOrder":"https://ca.example/order"}`
	case "/account":
		resp.StatusCode = http.StatusCreated
		resp.Header.Set("Location", "https://ca.example/account/1")
		body = `{"status":"valid"}`
	case "/order":
		c.orders++
		resp.StatusCode = http.StatusTooManyRequests
		resp.Header.Set("Content-Type", "application/problem+json")
		maps.Copy(resp.Header, c.refuse)
		body = `{"type":"urn:ietf:params:acme:error:` + c.kind + `","detail":"too many certificates for example.com"}`
	}
	resp.Body = io.NopCloser(strings.NewReader(body))
	return resp, nil
}

// issue returns the function that gives clients their certificates, and its log.
func issue(t *testing.T, authority http.RoundTripper, dir string) (func(*tls.ClientHelloInfo) (*tls.Certificate, error), *fakeworld.Output) {
	t.Helper()
	var log fakeworld.Output
	config, err := ACME{
		Directory: "https://ca.example/directory", Cache: dir, Transport: authority, Now: time.Now,
		Host: func(host string) bool { return strings.HasSuffix(host, "front.example") }, Log: slog.New(slog.NewTextHandler(&log, nil)),
	}.Config()
	if err != nil {
		t.Fatal(err)
	}
	return config.GetCertificate, &log
}

func hello(host string) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{ServerName: host, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
}

// keep writes a certificate into a folder as autocert does.
func keep(t *testing.T, dir, host string, ends time.Duration) {
	t.Helper()
	der, key := selfSigned(t, &x509.Certificate{DNSNames: []string{host}, NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(ends)})
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	if err := os.WriteFile(filepath.Join(dir, host), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRefusedCertificates checks that an authority that refuses is left alone for
// longer and longer times, and that stored certificates are used meanwhile.
func TestRefusedCertificates(t *testing.T) {
	for _, test := range []struct {
		name, kind string
		refuse     http.Header
		rests      []time.Duration
	}{
		{"for a time", "rateLimited", http.Header{"Retry-After": {"1800"}}, []time.Duration{30 * time.Minute, time.Hour, time.Hour}},
		{"for ever", "rejectedIdentifier", nil, []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Chmod(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				keep(t, dir, "gcr.front.example", 60*24*time.Hour)
				ca := &certifier{kind: test.kind, refuse: test.refuse}
				get, log := issue(t, ca, dir)
				for n, rest := range test.rests {
					for range 3 {
						if c, err := get(hello("front.example")); err == nil || c != nil {
							t.Fatalf("got a certificate: %v", err)
						}
						if c, err := get(hello("GCR.front.example.")); err != nil || c == nil {
							t.Fatalf("the stored certificate is not used: %v", err)
						}
					}
					if ca.orders != n+1 {
						t.Fatalf("%d orders after %d rests", ca.orders, n)
					}
					time.Sleep(rest - time.Second)
					if _, err := get(hello("front.example")); err == nil || ca.orders != n+1 {
						t.Fatalf("%d orders before %s had passed: %v", ca.orders, rest, err)
					}
					time.Sleep(2 * time.Second)
				}
				for _, want := range []string{"too many certificates for example.com", "no certificate obtained", "host=front.example"} {
					if !strings.Contains(log.String(), want) {
						t.Errorf("the log lacks %q:\n%s", want, log)
					}
				}
			})
		})
	}
}

// TestCertificatesOfOthers checks that no certificate is requested for host names
// that are not configured.
func TestCertificatesOfOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	ca := &certifier{}
	get, log := issue(t, ca, dir)
	for _, host := range []string{"", "evil.example", "127.0.0.1", "front.example.evil", "localhost"} {
		if c, err := get(hello(host)); err != nil || c != nil {
			t.Errorf("%q: %v %v", host, c, err)
		}
	}
	challenge := hello("evil.example")
	challenge.SupportedProtos = []string{"acme-tls/1"}
	if c, err := get(challenge); err == nil || c != nil {
		t.Errorf("a challenge of somebody else is answered: %v", err)
	}
	if ca.orders != 0 || strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "not configured") {
		t.Errorf("%d orders, log:\n%s", ca.orders, log)
	}
}

func TestLateRenewal(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		keep(t, dir, "front.example", time.Hour)
		get, log := issue(t, &certifier{kind: "malformed"}, dir)
		for range 3 {
			if c, err := get(hello("front.example")); err != nil || c == nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if strings.Count(log.String(), "a certificate was not renewed") != 1 || !strings.Contains(log.String(), "type=urn:ietf:params:acme:error:malformed") {
			t.Errorf("log:\n%s", log)
		}
	})
}

// TestRenewalIsNotLate has a certificate for a year, which is renewed in its last month.
func TestRenewalIsNotLate(t *testing.T) {
	const day = 24 * time.Hour
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ends := time.Now().Add(364 * day)
		keep(t, dir, "front.example", time.Until(ends))
		get, log := issue(t, &certifier{kind: "malformed"}, dir)
		for _, test := range []struct {
			left time.Duration
			late bool
		}{{50 * day, false}, {20 * day, false}, {10 * day, true}} {
			time.Sleep(time.Until(ends) - test.left)
			if c, err := get(hello("front.example")); err != nil || c == nil {
				t.Fatal(err)
			}
			if late := strings.Contains(log.String(), "a certificate was not renewed"); late != test.late {
				t.Errorf("%v before the end: late is %v", test.left, late)
			}
		}
	})
}

func TestCertificateFolders(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(dir, "open")
	if err := os.Mkdir(open, 0o755); err != nil {
		t.Fatal(err)
	}
	folders := map[string]string{
		file:                           "cannot be created",
		filepath.Join(file, "x"):       "cannot be created",
		open:                           "run chmod 700",
		filepath.Join(dir, "new/more"): "",
	}
	if runtime.GOOS == "windows" { // it has no modes
		folders[open] = ""
	}
	for folder, want := range folders {
		_, err := ACME{Cache: folder}.Config()
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), strconv.Quote(folder))) {
			t.Errorf("%s: %v, want %q", folder, err, want)
		}
	}
}
