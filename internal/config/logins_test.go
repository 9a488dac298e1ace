package config

import (
	"strings"
	"testing"
)

func TestGivenLogins(t *testing.T) {
	const policy = `
targets:
  - {to: docker.io/alice}
  - {to: docker.io/bob}
  - {to: registry.cn-hangzhou.aliyuncs.com/alice}
  - {to: quay.io/alice, username: robot, password-env: QUAY}
  - {to: ghcr.io/alice}
`
	c := inAction(policy, "FERRY_USERNAME", "own", "FERRY_PASSWORD", "own-password", "QUAY", "quay-password", "FERRY_LOGINS", `
# one a line
docker.io/bob bob bob-token
docker.io   alice  alice-token
registry.cn-hangzhou.aliyuncs.com alice@example.com acr-password
source docker.io reader read-token
source gcr.io _json_key key
`).load(t)
	want := map[string]string{
		"docker.io/alice": "alice alice-token", "docker.io/bob": "bob bob-token",
		"registry.cn-hangzhou.aliyuncs.com/alice": "alice@example.com acr-password",
		"quay.io/alice": "robot quay-password", "ghcr.io/alice": "own own-password",
	}
	for _, target := range c.Targets {
		if got := target.Username + " " + target.Password.Reveal(); got != want[target.String()] {
			t.Errorf("%s has the login %q, want %q", target, got, want[target.String()])
		}
	}
	for _, s := range c.Sources {
		want, requests := " ", Anyone
		switch s.Host {
		case "docker.io":
			want, requests = "reader read-token", Collaborators
		case "gcr.io":
			want, requests = "_json_key key", Collaborators
		}
		if got := s.Username + " " + s.Password.Reveal(); got != want || s.Requests != requests {
			t.Errorf("the source %s has the login %q and is for %s, want %q and %s", s.Host, got, s.Requests, want, requests)
		}
	}
}

// TestLoginFaults checks that faults name the line and quote nothing from it.
func TestLoginFaults(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"no password", "docker.io alice", "line 1 has 2 words"},
		{"a password with a space", "\ndocker.io alice s3cret word", "line 2 has 4 words"},
		{"no host", "s3cret! alice docker.io", "line 1 does not begin with a host"},
		{"twice", "docker.io alice s3cret\ndocker.io bob s3cret", "line 2 names the same registry as an earlier line"},
		{"a source that is not allowed", "docker.io alice x\nsource s3cret.example alice x", "line 2 names a registry that is not configured: correct the host, or add it to FERRY_SOURCES"},
		{"a source with a path", "docker.io alice x\nsource docker.io/s3cret alice x", "line 2 does not begin with a host"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := inAction("targets: [{to: docker.io/alice}]", "FERRY_USERNAME", "alice", "FERRY_PASSWORD", "p", "FERRY_LOGINS", test.text)
			lines := w.faults(t, w.options())
			text := strings.Join(lines, "\n")
			if !strings.Contains(text, "FERRY_LOGINS "+test.want) || strings.Contains(text, "s3cret") {
				t.Errorf("faults %q, want %q", text, test.want)
			}
		})
	}
}

// TestUnusedLogin: a login may be for a target that only lists of images name.
func TestUnusedLogin(t *testing.T) {
	w := inAction("targets: [{to: docker.io/alice}]", "FERRY_USERNAME", "alice", "FERRY_PASSWORD", "p", "FERRY_LOGINS", "s3cret.example alice x\ndocker.io alice y")
	c := w.load(t)
	want := "FERRY_LOGINS line 1 names a registry that is not configured: correct the host, or begin the line with \"source\" if images are read from it"
	if len(c.Notes) != 1 || c.Notes[0].String() != want {
		t.Errorf("notes %v, want %q", c.Notes, want)
	}
}
