package wiring

import (
	"encoding/pem"
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
