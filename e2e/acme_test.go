package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/imageferry/ferry/e2e/parts"
	"github.com/imageferry/ferry/e2e/sandbox"
)

// certifier is Pebble, the small authority of Let's Encrypt for tests, at
// acme.example.com.
type certifier struct {
	files sandbox.Files // of its own certificate
	end   func()
}

// certify starts an authority whose certificates live for so many seconds. It has
// not heard of earlier accounts.
func certify(t *testing.T, seconds int) certifier {
	t.Helper()
	const host = "acme.example.com"
	dir := t.TempDir()
	files, err := sandbox.SignedBy(host, dir)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": hosts[host] + ":443", "managementListenAddress": hosts[host] + ":15000", "certificate": files.Certificate, "privateKey": files.Key,
		"httpPort": 80, "tlsPort": 443, "domainBlocklist": []string{"refused.example.com"},
		"profiles": map[string]any{"default": map[string]any{"description": "for tests", "validityPeriod": seconds}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "pebble.json"), string(settings))
	pebble := exec.Command("pebble", "-strict", "-config", filepath.Join(dir, "pebble.json"))
	pebble.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	if err := pebble.Start(); err != nil {
		t.Fatal(err)
	}
	c := certifier{files, func() {
		_ = pebble.Process.Kill()
		_ = pebble.Wait() // it was killed
	}}
	t.Cleanup(c.end)
	for range 200 {
		if conn, err := net.Dial("tcp", hosts[host]+":15000"); err == nil {
			conn.Close()
			return c
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("pebble does not listen")
	return c
}

// root returns the authority's root certificate, which changes with each start.
func (c certifier) root(t *testing.T) *x509.CertPool {
	t.Helper()
	own, err := os.ReadFile(c.files.Authority)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(own)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	resp, err := client.Get("https://acme.example.com:15000/roots/0")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	pem, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("no certificate: %s", pem)
	}
	return roots
}

// leafOf returns the certificate that the front shows for a host name.
func leafOf(host string, roots *x509.CertPool) (*x509.Certificate, error) {
	conn, err := tls.Dial("tcp", hosts["front.example.com"]+":443", &tls.Config{ServerName: host, RootCAs: roots, MinVersion: tls.VersionTLS12})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

// acmeFront starts a front that gets its certificates from c and keeps them in a
// folder.
func acmeFront(t *testing.T, c certifier, cache string) *front {
	t.Helper()
	t.Setenv("FERRY_CA", c.files.Authority)
	config := filepath.Join(t.TempDir(), "serve.yaml")
	writeFile(t, config, "targets: [{to: docker.io/user}]\nlisten: "+hosts["front.example.com"]+":443\nguests: {networks: [1.2.3.0/24]}\n"+
		"names: [{name: \"*.front.example.com\"}]\n"+
		"tls: {acme: {hosts: [front.example.com, refused.example.com], cache: "+cache+", mail: owner@example.com, directory: \"https://acme.example.com/dir\"}}\n")
	return serveBuild(t, completeFile(), "--config", config)
}

// TestServeACME has a front get its certificates from an authority, for the host
// names that are configured and no others, and keep them.
func TestServeACME(t *testing.T) {
	parts.DockerHub(t, authority, owner)
	digest := push(t, "docker.io/user/ns.img:1.2", remote.WithAuth(&authn.Basic{Username: owner.Username, Password: owner.Password}))
	ca := certify(t, 90*24*60*60)
	roots := ca.root(t)
	cache := filepath.Join(t.TempDir(), "acme")
	serials := map[string]string{}
	t.Run("first", func(t *testing.T) {
		f := acmeFront(t, ca, cache)
		client := http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
		for _, uri := range []string{"https://gcr.front.example.com/v2/ns/img/manifests/1.2", "https://front.example.com/v2/gcr.io/ns/img/manifests/1.2"} {
			resp, err := client.Get(uri)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK || resp.Header.Get("Docker-Content-Digest") != digest.String() || resp.ProtoMajor != 2 {
				t.Errorf("%s: %s %v", uri, resp.Status, resp.Header)
			}
			leaf := resp.TLS.PeerCertificates[0]
			serials[leaf.DNSNames[0]] = leaf.SerialNumber.String()
		}
		for _, host := range []string{"api.github.com", "unknown.front.example.com", "1.2.3.6"} {
			if _, err := leafOf(host, roots); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
				t.Errorf("%s: %v", host, err)
			}
		}
		if _, err := leafOf("refused.example.com", roots); err == nil {
			t.Error("the authority did not refuse")
		}
		said := ""
		for line := range f.lines {
			if said += line; strings.Contains(line, `"no certificate obtained"`) {
				break
			}
		}
		for _, want := range []string{`"no certificate obtained"`, "rejectedIdentifier", `"host":"refused.example.com"`, `"certificate obtained","host":"gcr.front.example.com"`} {
			if !strings.Contains(said, want) {
				t.Errorf("the log lacks %s:\n%s", want, said)
			}
		}
	})
	ca.end()
	t.Run("stored", func(t *testing.T) { // without the authority
		acmeFront(t, ca, cache)
		for host, serial := range serials {
			if leaf, err := leafOf(host, roots); err != nil || leaf.SerialNumber.String() != serial {
				t.Errorf("%s has another certificate: %v", host, err)
			}
		}
	})
	files, err := filepath.Glob(filepath.Join(cache, "*"))
	if err != nil || len(files) != 3 {
		t.Errorf("%d files: %v", len(files), err)
	}
	for _, file := range append(files, cache) {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others can read %s: %v", file, err)
		}
	}
}

// TestServeACMERenewal has certificates that end soon, which are renewed at once.
func TestServeACMERenewal(t *testing.T) {
	parts.DockerHub(t, authority, owner)
	ca := certify(t, 60)
	roots := ca.root(t)
	acmeFront(t, ca, filepath.Join(t.TempDir(), "acme"))
	first, err := leafOf("front.example.com", roots)
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		leaf, err := leafOf("front.example.com", roots)
		if err != nil {
			t.Fatal(err)
		}
		if leaf.SerialNumber.Cmp(first.SerialNumber) != 0 {
			break
		}
		if time.Since(began) > 2*time.Minute {
			t.Fatal("the certificate was not renewed")
		}
	}
}
