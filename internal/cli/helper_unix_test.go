//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/wiring"
)

// TestCopyAsksTheCredentialHelper copies with the login that only a credential
// helper has, as Docker Desktop stores logins. In a workflow it is not run.
func TestCopyAsksTheCredentialHelper(t *testing.T) {
	w := newWorld(t)
	digest := w.Publish("ns/img", "1.0", 1)
	username, password := w.Environ["FERRY_USERNAME"], w.Environ["FERRY_PASSWORD"]
	for _, name := range []string{"FERRY_USERNAME", "FERRY_PASSWORD", "FERRY_CONFIG", "GITHUB_ACTIONS"} {
		delete(w.Environ, name)
	}
	w.Environ["DOCKER_CONFIG"] = w.Dir
	w.Write("config.json", `{"auths": {"registry.example.com": {}}, "credsStore": "harbour"}`)
	helper := filepath.Join(w.Dir, "docker-credential-harbour")
	script := "#!/bin/sh\nread -r server\n[ \"$server\" = registry.example.com ] && echo '{\"Username\":\"" + username + "\",\"Secret\":\"" + password + "\"}'\n"
	if err := os.WriteFile(helper, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", w.Dir+string(os.PathListSeparator)+os.Getenv("PATH"))

	args := []string{"copy", "gcr.io/ns/img:1.0", "--to", "registry.example.com/mirror", "--private", "gcr.io", "--plain-http", "gcr.io",
		"--private", "registry.example.com", "--plain-http", "registry.example.com", "--quiet"}
	w.Environ["GITHUB_ACTIONS"] = "true"
	status, out := w.run(t.Context(), args...)
	if status == wiring.StatusDone || w.Mirrored("ns.img", "1.0") != "" {
		t.Errorf("the helper was run in a workflow: %s", out)
	}
	delete(w.Environ, "GITHUB_ACTIONS")
	status, out = w.run(t.Context(), args...)
	w.WantStatus(status, wiring.StatusDone, out)
	if got := w.Mirrored("ns.img", "1.0"); got != digest {
		t.Errorf("the mirror is %q, want %q", got, digest)
	}

	w.Environ["FERRY_LANGUAGE"] = "zh"
	w.Write("config.json", `{"credsStore": "absent"}`)
	status, out = w.run(t.Context(), "copy", "nginx", "--to", "docker.io/me")
	w.WantStatus(status, wiring.StatusUsage, out)
	fakeworld.WantText(t, "the output", out, "为空，也没有 docker.io 的其他登录账号（凭据助手 docker-credential-absent 没有安装，或者不在 PATH 里）", `或者用 "docker login" 登录`)
}
