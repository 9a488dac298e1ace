package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

func TestCopy(t *testing.T) {
	w := newWorld(t)
	digest := w.Publish("ns/img", "1.0", 1)
	delete(w.Environ, "FERRY_CONFIG")
	base := []string{"copy", "--to", "registry.example.com/mirror", "--plain-http", "registry.example.com", "--private", "registry.example.com",
		"--private", "gcr.io", "--plain-http", "gcr.io"}
	status, out := w.run(t.Context(), append(base, "gcr.io/ns/img:1.0", "--json")...)
	w.WantStatus(status, wiring.StatusDone, out)
	var records []report.Record
	if err := json.Unmarshal([]byte(out), &records); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if len(records) != 1 || records[0].Digest != digest || records[0].Mirror != "registry.example.com/mirror/ns.img:1.0" || records[0].Status != report.Copied {
		t.Errorf("got %+v", records)
	}
	if got := w.Mirrored("ns.img", "1.0"); got != digest {
		t.Errorf("the mirror is %q, want %q", got, digest)
	}

	// What is there already has a size, too.
	size := records[0].Size
	status, out = w.run(t.Context(), append(base, "gcr.io/ns/img:1.0", "--json")...)
	w.WantStatus(status, wiring.StatusDone, out)
	if err := json.Unmarshal([]byte(out), &records); err != nil || records[0].Status != report.Present || records[0].Size != size || size == 0 {
		t.Errorf("got %+v (%v), want the size %d", records, err, size)
	}

	status, out = w.run(t.Context(), append(base, "gcr.io/ns/img:1.0", "gcr.io/ns/img:none")...)
	w.WantStatus(status, wiring.StatusFailed, out)
	fakeworld.WantText(t, "the output", out, digest, "gcr.io/ns/img:none")

	raised := slices.Clone(base)
	raised[2] = "registry.example.com/Mirror"
	status, out = w.run(t.Context(), append(raised, "gcr.io/ns/img:1.0")...)
	w.WantStatus(status, wiring.StatusDone, out)
	fakeworld.WantText(t, "the output", out, `warning: --to has capital letters, which repositories cannot have: write "registry.example.com/mirror"`)

	// Sources on private addresses must be allowed by a flag.
	status, out = w.run(t.Context(), "copy", "--to", "registry.example.com/mirror", "--plain-http", "registry.example.com", "--private", "registry.example.com",
		"--plain-http", "gcr.io", "gcr.io/ns/img:1.0")
	w.WantStatus(status, wiring.StatusFailed, out)
}

// TestCopyPlatforms: platforms of the command line are wanted, those of the
// environment are a default.
func TestCopyPlatforms(t *testing.T) {
	w := newWorld(t)
	whole := w.Publish("ns/img", "1.0", 1)
	w.Source.Add("ns/one", "1.0", fakeregistry.Generate(fakeregistry.Spec{Seed: 2, Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
	delete(w.Environ, "FERRY_CONFIG")
	base := []string{"copy", "--to", "registry.example.com/mirror", "--plain-http", "registry.example.com", "--private", "registry.example.com",
		"--private", "gcr.io", "--plain-http", "gcr.io"}
	const lacks = `Available platforms: "linux/amd64", "linux/arm64"`
	for _, test := range []struct {
		name, owners string
		args         []string
		status       int
		says, tag    string // what is said; the tag that is there after it
	}{
		{"a platform that it lacks", "", []string{"gcr.io/ns/img:1.0", "-p", "linux/s390x"}, wiring.StatusFailed, lacks, ""},
		{"one of two", "", []string{"gcr.io/ns/img:1.0", "-p", "linux/arm64,linux/s390x"}, wiring.StatusFailed, lacks, ""},
		{"a single platform that it lacks", "", []string{"gcr.io/ns/one:1.0", "-p", "linux/arm64"}, wiring.StatusFailed, `Available platforms: "linux/amd64"`, ""},
		{"a single platform", "", []string{"gcr.io/ns/one:1.0", "-p", "linux/amd64"}, wiring.StatusDone, "ns.one", ""},
		{"the owner's default", "linux/s390x", []string{"gcr.io/ns/img:1.0"}, wiring.StatusDone, "ns.img", whole},
		{"although all are there", "", []string{"gcr.io/ns/img:1.0", "-p", "linux/s390x"}, wiring.StatusFailed, lacks, whole},
		{"no platform", "", []string{"gcr.io/ns/img:1.0", "-p", ","}, wiring.StatusUsage, "--platform is", whole},
		{"all", "linux/s390x", []string{"gcr.io/ns/img:1.0", "-p", "all"}, wiring.StatusDone, "ns.img", whole},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.Environ["FERRY_PLATFORMS"] = test.owners
			status, out := w.run(t.Context(), append(slices.Clone(base), test.args...)...)
			w.WantStatus(status, test.status, out)
			fakeworld.WantText(t, "the output", out, test.says)
			if got := w.Mirrored("ns.img", "1.0"); got != test.tag {
				t.Errorf("the mirror is %q, want %q", got, test.tag)
			}
		})
	}
}

// TestCopyHasNoLimit: limits are for strangers, not for the own command line.
func TestCopyHasNoLimit(t *testing.T) {
	w := newWorld(t)
	delete(w.Environ, "FERRY_CONFIG")
	args := []string{"copy", "--to", "registry.example.com/mirror", "--plain-http", "registry.example.com", "--private", "registry.example.com",
		"--private", "gcr.io", "--plain-http", "gcr.io", "--quiet"}
	const images = 40
	for i := range images {
		tag := fmt.Sprint(i)
		w.Publish("ns/img", tag, uint64(i))
		args = append(args, "gcr.io/ns/img:"+tag)
	}
	status, out := w.run(t.Context(), args...)
	w.WantStatus(status, wiring.StatusDone, out)
	for i := range images {
		if w.Mirrored("ns.img", fmt.Sprint(i)) == "" {
			t.Fatalf("image %d is not there: %s", i, out)
		}
	}
}

// TestCopySpeaks checks the advice at a terminal, in both languages.
func TestCopySpeaks(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	policyFile := w.Environ["FERRY_CONFIG"]
	delete(w.Environ, "FERRY_CONFIG")
	target := []string{"copy", "--to", "registry.example.com/mirror", "--plain-http", "registry.example.com", "--private", "registry.example.com"}
	source := []string{"--private", "gcr.io", "--plain-http", "gcr.io", "gcr.io/ns/img:1.0"}

	status, out := w.run(t.Context(), append(target, "--plain-http", "gcr.io", "gcr.io/ns/img:1.0")...)
	w.WantStatus(status, wiring.StatusFailed, out)
	fakeworld.WantText(t, "the output", out, "gcr.io", "blocked by DNS")

	delete(w.Environ, "FERRY_PASSWORD")
	w.Environ["DOCKER_CONFIG"], w.Environ["FERRY_CONFIG"] = w.Dir, policyFile
	status, out = w.run(t.Context(), "copy", "gcr.io/ns/img:1.0")
	w.WantStatus(status, wiring.StatusFailed, out)
	fakeworld.WantText(t, "the output", out, "no login", "Run `docker login` for it")

	w.Environ["LANG"] = "zh_CN.UTF-8"
	_, out = w.run(t.Context(), "copy", "gcr.io/ns/img:1.0")
	fakeworld.WantText(t, "the output", out, "没有登录账号", "请运行 `docker login`")

	delete(w.Environ, "FERRY_CONFIG")
	w.Environ["FERRY_LANGUAGE"], w.Environ["FERRY_PASSWORD"] = "en", "sesame-of-the-target"
	status, out = w.run(t.Context(), append(append(target, "--commands"), source...)...)
	w.WantStatus(status, wiring.StatusDone, out)
	fakeworld.WantText(t, "the output", out, "\n    docker pull registry.example.com/mirror/ns.img:1.0\n    docker tag registry.example.com/mirror/ns.img:1.0 gcr.io/ns/img:1.0\n")

	status, out = w.run(t.Context(), append(append(target, "--quiet"), source...)...)
	w.WantStatus(status, wiring.StatusDone, out)
	if out != "" {
		t.Errorf("--quiet printed %q", out)
	}

	stopped, stop := context.WithCancel(t.Context())
	stop()
	status, out = w.run(stopped, append(target, source...)...)
	w.WantStatus(status, wiring.StatusInterrupted, out)
	fakeworld.WantText(t, "the output", out, "ferry copy: stopped; data that was copied is kept")
}

func TestCopyUsage(t *testing.T) {
	for _, test := range []struct {
		name    string
		environ map[string]string
		args    []string
		status  int
		stderr  string
	}{
		{"no target", nil, []string{"gcr.io/ns/img:1"}, wiring.StatusUsage, "there is no target: set --to, for example --to docker.io/USER"},
		{"neither", nil, nil, wiring.StatusUsage, "no image is given"},
		{"no login", nil, []string{"--to", "ghcr.io/alice", "gcr.io/ns/img:1"}, wiring.StatusUsage, "ferry copy: FERRY_PASSWORD is empty"},
		{"a target without a namespace", nil, []string{"--to", "ghcr.io", "gcr.io/ns/img:1"}, wiring.StatusUsage, `ferry copy: --to is "ghcr.io", which has no namespace`},
		{"two faults", map[string]string{"FERRY_USERNAME": "u", "FERRY_PASSWORD": "p"}, []string{"--profile", "flt", "--platform", "toaster", "gcr.io/ns/img:1"}, wiring.StatusUsage, "\nferry copy: --p"},
		{"no words", map[string]string{"FERRY_USERNAME": "u", "FERRY_PASSWORD": "p"}, []string{""}, wiring.StatusNothing, "ferry copy: no image is named"},
		{"no image", map[string]string{"FERRY_USERNAME": "u", "FERRY_PASSWORD": "p"}, nil, wiring.StatusUsage, "no image is given"},
		{"bad platform", map[string]string{"FERRY_USERNAME": "u", "FERRY_PASSWORD": "p"}, []string{"--platform", "toaster", "gcr.io/ns/img:1"}, wiring.StatusUsage, "toaster"},
		{"source and target", map[string]string{"FERRY_TARGET": "docker.io/me", "FERRY_PASSWORD": "p"}, []string{"quay.io/a/b:1", "docker.io/me/b:1"}, wiring.StatusUsage,
			`docker.io/me/b:1 is at the target: leave it out, because Ferry makes the name; for another name, write "quay.io/a/b:1 -> b:1"`},
		{"source and namespace", nil, []string{"nginx:1", "docker.io/me"}, wiring.StatusUsage, "write: ferry copy nginx:1 --to docker.io/me\n"},
		{"source and short namespace", nil, []string{"nginx:1", "me/b:1"}, wiring.StatusUsage, "write: ferry copy nginx:1 --to docker.io/me\n"},
		{"source and namespace elsewhere", nil, []string{"nginx:1", "ghcr.io/me"}, wiring.StatusUsage, "write: ferry copy nginx:1 --to ghcr.io/me\n"},
		{"source and namespace with a login", map[string]string{"FERRY_USERNAME": "bob"}, []string{"nginx:1", "docker.io/me"}, wiring.StatusUsage, "write: ferry copy nginx:1 --to docker.io/me\n"},
		{"source and another namespace", map[string]string{"FERRY_TARGET": "docker.io/me"}, []string{"nginx:1", "ghcr.io/me"}, wiring.StatusUsage, "write: ferry copy nginx:1 --to ghcr.io/me\n"},
		{"two sources with a login", map[string]string{"FERRY_USERNAME": "bob"}, []string{"nginx:1", "docker.io/redis"}, wiring.StatusUsage, "FERRY_PASSWORD is empty"},
		{"two sources", nil, []string{"nginx:1", "redis:7"}, wiring.StatusUsage, "there is no target: set --to"},
		{"source and the target", map[string]string{"FERRY_TARGET": "docker.io/me", "FERRY_PASSWORD": "p"}, []string{"nginx:1", "docker.io/me"}, wiring.StatusUsage, "docker.io/me is the target already: leave it out"},
		{"source and the short target", map[string]string{"FERRY_TARGET": "me", "FERRY_PASSWORD": "p"}, []string{"nginx:1", "docker.io/me/b:1"}, wiring.StatusUsage, "docker.io/me/b:1 is at the target"},
		{"a target that looks like another", nil, []string{"--to", "quay.oi/me", "nginx:1"}, wiring.StatusUsage, `--to is "quay.oi/me": did you mean "quay.io/me"? if not, write the port as well: quay.oi:443/me`},
		{"a target with a port", nil, []string{"--to", "quay.oi:443/me", "nginx:1"}, wiring.StatusUsage, "there is no other login for quay.oi:443"},
		{"a misspelt target", nil, []string{"--to", "dokcer.io/me", "nginx:1"}, wiring.StatusUsage, `--to is "dokcer.io/me": did you mean "docker.io/me"?`},
		{"a host that looks like another", map[string]string{"FERRY_TARGET": "docker.io/me"}, []string{"grc.io/a/b:1"}, wiring.StatusFailed, `Write "gcr.io/a/b:1"`},
		{"bad profile", map[string]string{"FERRY_USERNAME": "u", "FERRY_PASSWORD": "p"}, []string{"--profile", "flt", "gcr.io/ns/img:1"}, wiring.StatusUsage, `"flat"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			environ := map[string]string{"DOCKER_CONFIG": t.TempDir()}
			maps.Copy(environ, test.environ)
			status, _, stderr := ferry(t, "", environ, append([]string{"copy"}, test.args...)...)
			if status != test.status || !strings.Contains(stderr, test.stderr) {
				t.Errorf("status %d, stderr %q", status, stderr)
			}
		})
	}
}

// TestRegistriesGiveNoWorkflowCommands checks that a command in a workflow prints nothing
// that the runner would execute.
func TestRegistriesGiveNoWorkflowCommands(t *testing.T) {
	w := newWorld(t)
	delete(w.Environ, "FERRY_CONFIG")
	w.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/img/", Times: -1, Status: http.StatusForbidden,
		Body: "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no ##[set-output name=images]forged\\n::set-output name=images::forged\"}]}"})
	for _, more := range []string{"--platform=linux/amd64", "--json"} {
		_, out := w.run(t.Context(), "copy", "--to", "registry.example.com/mirror", "--plain-http", "registry.example.com", "--private", "registry.example.com",
			"--private", "gcr.io", "--plain-http", "gcr.io", "gcr.io/ns/img:1.0", more)
		if more != "--json" && !strings.Contains(out, "forged") {
			t.Errorf("the registry's words are not shown: %s", out)
		}
		for line := range strings.Lines(out) {
			if strings.Contains(line, "##[") || strings.HasPrefix(strings.TrimSpace(line), "::") {
				t.Errorf("the runner would execute %q", line)
			}
		}
	}
}

// TestCauses: a well-known host that does not resolve is not misspelt.
func TestCauses(t *testing.T) {
	for host, want := range map[string]report.Cause{
		"registry-1.docker.io": report.Unresolved, "quay.io": report.Unresolved, "nowhere.example": report.UnknownHost,
	} {
		f := &failure.Error{Code: failure.Network, Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
		if got := causes(&config.Config{})(f); got != want {
			t.Errorf("the cause for %s is %q, want %q", host, got, want)
		}
	}
	for address, want := range map[string]report.Cause{"0.0.0.0": report.Blocked, "::": report.Blocked, "127.0.0.1": report.Blocked, "10.0.0.1": ""} {
		f := &failure.Error{Code: failure.HostForbidden, Hints: []string{address}}
		if got := causes(&config.Config{})(f); got != want {
			t.Errorf("the cause for %s is %q, want %q", address, got, want)
		}
	}
	f := &failure.Error{Code: failure.TargetLogin}
	if got := causes(&config.Config{Targets: []config.Target{{NoLogin: "no helper"}}})(f); got != report.NoLogin || f.Hints[0] != "no helper" {
		t.Errorf("the cause is %q, because of %q", got, f.Hints)
	}
	for said, want := range map[string]report.Cause{
		"Client sent an HTTP request to an HTTPS server.": report.OnlyTLS, "<html>The plain HTTP request was sent to HTTPS port</html>": report.OnlyTLS,
		"You're speaking plain HTTP to an SSL-enabled server port.": report.OnlyTLS, "bad request": "",
	} {
		f := &failure.Error{Code: failure.TargetRefused, Err: errors.New("status 400: " + said)}
		if got := causes(&config.Config{})(f); got != want {
			t.Errorf("the cause for %q is %q, want %q", said, got, want)
		}
	}
	for hints, want := range map[[2]string]report.Cause{{"cdn.quay.io", "0.0.0.0"}: report.Refers, {"cdn.quay.io", "10.0.0.1"}: "", {"", "cdn.quay.io"}: ""} {
		f := &failure.Error{Code: failure.BadAddress, Hints: hints[:], Err: errors.New("not allowed")}
		if got := causes(&config.Config{})(f); got != want {
			t.Errorf("the cause for %q is %q, want %q", hints, got, want)
		}
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	_, refused := (&net.Dialer{}).DialContext(t.Context(), "tcp", closed.Addr().String())
	for want, err := range map[report.Cause]error{
		report.Expired: &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}, report.OtherName: &tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "quay.io"}},
		report.Certificate: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}},
		report.NoServer:    refused, report.OldTLS: &net.OpError{Op: "remote error", Err: errors.New("tls: protocol version not supported")},
		report.NoHandshake: fmt.Errorf("asking: %w", outbound.ErrNoHandshake),
		report.OnlyTLS:     errors.New(`malformed HTTP response "\x15\x03\x01\x00\x02\x02\x16"`), "": &net.OpError{Op: "read", Err: errors.New("connection reset by peer")},
	} {
		if got := causes(&config.Config{})(&failure.Error{Code: failure.Network, Err: err}); got != want {
			t.Errorf("the cause for %v is %q, want %q", err, got, want)
		}
	}
}
