package wiring

import (
	"encoding/pem"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOwnMachine(t *testing.T) {
	for _, test := range []struct {
		actions, environment string
		want                 bool
	}{
		{"", "", true}, {"", "github-hosted", true}, {"true", "self-hosted", true},
		{"true", "github-hosted", false}, {"true", "", false},
	} {
		env := Env{Getenv: func(key string) string {
			return map[string]string{"GITHUB_ACTIONS": test.actions, "RUNNER_ENVIRONMENT": test.environment}[key]
		}}
		if got := env.network().FakeIP; got != test.want {
			t.Errorf("GITHUB_ACTIONS=%s RUNNER_ENVIRONMENT=%s: fake-ip allowed: %v, want %v", test.actions, test.environment, got, test.want)
		}
	}
}

func TestTrust(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	write := func(text []byte) {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := Env{Getenv: func(string) string { return "" }}
	if _, err := env.Trust(file); err == nil {
		t.Error("a file that does not exist is trusted")
	}
	write([]byte("no certificate"))
	if _, err := env.Trust(file); err == nil || !strings.Contains(err.Error(), "-----BEGIN CERTIFICATE-----") {
		t.Errorf("error %v, want one that says what is wanted", err)
	}
	write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	env, err := env.Trust(file)
	if err != nil || env.network().Roots == nil || env.Transport() == nil {
		t.Errorf("the authority is not trusted: %v", err)
	}
}

func TestAllProxy(t *testing.T) {
	for _, c := range []struct {
		name string
		have map[string]string
		want string // HTTPS_PROXY and HTTP_PROXY
	}{
		{"none", nil, " "},
		{"for all", map[string]string{"ALL_PROXY": "http://127.0.0.1:7890"}, "http://127.0.0.1:7890 http://127.0.0.1:7890"},
		{"in lower case, of GNOME", map[string]string{"all_proxy": "socks://127.0.0.1:7891/"}, "socks5://127.0.0.1:7891/ socks5://127.0.0.1:7891/"},
		{"beside another", map[string]string{"ALL_PROXY": "socks5://a", "https_proxy": "http://b"}, " socks5://a"},
		{"beside both", map[string]string{"ALL_PROXY": "socks5://a", "HTTPS_PROXY": "http://b", "HTTP_PROXY": "http://c"}, "http://b http://c"},
		{"with # in a password", map[string]string{"HTTPS_PROXY": "http://me:p#ss@127.0.0.1:7890"}, "http://me:p%23ss@127.0.0.1:7890 "},
		{"with % in a password", map[string]string{"https_proxy": "http://me:100%@127.0.0.1:7890"}, "http://me:100%25@127.0.0.1:7890 "},
		{"with / and @ in a password", map[string]string{"ALL_PROXY": "me:a/b@c@proxy:7890"}, "http://me:a%2Fb%40c@proxy:7890 http://me:a%2Fb%40c@proxy:7890"},
		{"with / after digits in a password", map[string]string{"HTTPS_PROXY": "http://me:1/2@host"}, "http://me:1%2F2@host "},
		{"with ? after digits in a password", map[string]string{"HTTPS_PROXY": "http://me:1?2@host:80"}, "http://me:1%3F2@host:80 "},
		{"not valid", map[string]string{"HTTPS_PROXY": "http://127.0.0.1:port"}, "http://127.0.0.1:port "},
	} {
		env := maps.Clone(c.have)
		if env == nil {
			env = map[string]string{}
		}
		err := UseAllProxy(func(name string) string { return env[name] }, func(name, value string) error { env[name] = value; return nil })
		if got := env["HTTPS_PROXY"] + " " + env["HTTP_PROXY"]; err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
	}
}
