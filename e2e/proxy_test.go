package e2e

import (
	"bytes"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/e2e/parts"
)

// clerk may use the proxy. His password must not show either.
var clerk = parts.Account{Username: "clerk", Password: "e2eProxyPasswordThatMustNotShow"}

// TestProxy stands behind a proxy with a password, at an address that nothing
// but a proxy may have. The proxy alone can resolve the source's name; it
// would resolve a public name that leads inside as well, if it were asked.
func TestProxy(t *testing.T) {
	parts.Registry(t, authority, "gcr.io", "registry.k8s.io")
	parts.Registry(t, authority, "quay.io")
	parts.DockerHub(t, authority, owner)
	proxy := parts.NewProxy(t, authority, clerk, "proxy.example.com", map[string]string{"registry.k8s.io": "gcr.io"})
	digest := push(t, "gcr.io/ns/img:1")
	push(t, "quay.io/ns/inside:1")

	opened := example(t, "issues", "opened")
	ferry := newBot(t, opened)
	ferry.env["HTTPS_PROXY"] = proxy.URL.String()
	issue := ferry.open(t, opened, "please", "registry.k8s.io/ns/img:1\nquay.io/ns/inside:1\n")
	if o := ferry.handle(t, "issues", opened); o.status != 0 { // the image that is refused is the requester's mistake
		t.Errorf("status %d, want 0", o.status)
	}
	mustHold(t, "docker.io/user/google-containers.ns.img:1", digest)
	mustLack(t, "docker.io/user/quay.ns.inside:1")
	if answer := ferry.answer(t, issue); !strings.Contains(answer, digest.String()) || !strings.Contains(answer, "address not allowed") {
		t.Error("the answer does not tell of both images")
	}
	want := []string{"api.github.com:443", "auth.docker.io:443", "registry-1.docker.io:443", "registry.k8s.io:443"}
	got := slices.DeleteFunc(proxy.Asked(), func(host string) bool { return host == "m.daocloud.io:443" }) // a public mirror, which nothing waits for
	if !slices.Equal(got, want) {
		t.Errorf("tunnels were asked for to %q, want %q", got, want)
	}
}

// TestProxyAtTheTerminal copies with a wrong password for the proxy, and with
// the right one.
func TestProxyAtTheTerminal(t *testing.T) {
	parts.Registry(t, authority, "gcr.io", "registry.k8s.io")
	parts.DockerHub(t, authority, owner)
	proxy := parts.NewProxy(t, authority, clerk, "proxy.example.com", map[string]string{"registry.k8s.io": "gcr.io"})
	digest := push(t, "gcr.io/ns/img:1")
	ferry := newBot(t, example(t, "issues", "opened"))
	copyBehind := func(proxy *url.URL) (int, string) {
		t.Helper()
		var out bytes.Buffer
		cmd := exec.CommandContext(t.Context(), ferryFile(), "copy", "registry.k8s.io/ns/img:1")
		cmd.Stdout, cmd.Stderr = &out, &out
		for _, name := range []string{"HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "FERRY_TARGET", "FERRY_USERNAME", "FERRY_PASSWORD"} {
			cmd.Env = append(cmd.Env, name+"="+ferry.env[name])
		}
		cmd.Env = append(cmd.Env, "https_proxy="+proxy.String())
		_ = cmd.Run() // the status tells
		if shown := out.String(); strings.Contains(shown, clerk.Password) || strings.Contains(shown, "another") {
			t.Errorf("the password of the proxy shows:\n%s", shown)
		}
		return cmd.ProcessState.ExitCode(), out.String()
	}
	wrong := *proxy.URL
	wrong.User = url.UserPassword(clerk.Username, "another")
	if status, said := copyBehind(&wrong); status != 1 || !strings.Contains(said, "407 Proxy Authentication Required") {
		t.Errorf("with a wrong password: status %d, want 1 and the proxy's answer:\n%s", status, said)
	}
	if status, said := copyBehind(proxy.URL); status != 0 {
		t.Errorf("status %d, want 0:\n%s", status, said)
	}
	mustHold(t, "docker.io/user/google-containers.ns.img:1", digest)
}
