package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
)

// loadServe reads text as the file of a front. environ has pairs of names and
// values.
func loadServe(text string, environ ...string) (*Serve, Faults) {
	variables := map[string]string{}
	if text != "" {
		variables["FERRY_CONFIG"] = "serve.yaml"
	}
	for i := 0; i < len(environ); i += 2 {
		variables[environ[i]] = environ[i+1]
	}
	s, err := LoadServe(Options{
		Getenv: func(name string) string { return variables[name] },
		ReadFile: func(name string) ([]byte, error) {
			if name != "serve.yaml" {
				return nil, fs.ErrNotExist
			}
			return []byte(text), nil
		},
	})
	var faults Faults
	errors.As(err, &faults)
	return s, faults
}

func TestFrontNeedsOnlyATarget(t *testing.T) {
	s, faults := loadServe("", "FERRY_TARGET", "registry.cn-hangzhou.aliyuncs.com/alice")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if len(s.Listen) != 1 || s.Listen[0] != "127.0.0.1:5050" || !s.Anybody() || len(s.Places) != 1 || s.Places[0].Kind != PlaceMirror ||
		s.TagTTL != time.Minute || s.Stale != 24*time.Hour || s.Patience != 3*time.Second || len(s.Sources) < 10 {
		t.Errorf("%+v", s)
	}
	s, faults = loadServe("", "FERRY_TARGET", "registry.cn-hangzhou.aliyuncs.com/alice", "FERRY_MODE", "offshore", "FERRY_LISTEN", "[::1]:80")
	if len(faults) > 0 || len(s.Places) != 2 || s.Places[1].Kind != PlaceUpstream || s.Listen[0] != "[::1]:80" {
		t.Errorf("%v %+v", faults, s.Places)
	}
}

const aHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestFrontWithEveryKey(t *testing.T) {
	s, faults := loadServe(`
targets:
  - {to: harbor.example.com/mirror, profile: path, username: robot, password-env: HARBOR}
sources:
  - {host: registry.example.com:5000, label: example}
denied: [docker.io/evil/*]
allowed: [docker.io/library/*, gcr.io/*]
listen: [0.0.0.0:443, "[::]:443"]
metrics: 127.0.0.1:5051
names:
  - {name: gcr.front.example, source: gcr.io}
  - {name: "*.mirror.example"}
places:
  - {kind: mirror, at: harbor.example.com/mirror, fill: true, blobs: relay}
  - {kind: public, at: docker.m.example.cn, sources: [docker.io]}
  - {kind: public, at: m.example.cn, prefix: true}
  - {kind: front, at: http://front.lan:5050, username: any, password-env: FRONT}
  - {kind: upstream, sources: [gcr.io, quay.io], budget: 500}
guests:
  tokens:
    - {name: cluster, sha256: `+aHash+`, expires: 2027-01-31}
  networks: [10.0.0.0/8, 192.0.2.7]
  certificates: /etc/ferry/clients.pem
  requests-per-minute: 600
  bytes-per-minute: 10GiB
  blobs-at-once: 20
trusted-proxies: [192.0.2.1]
workflow: {repository: Alice/ferry.x, token-env: TOKEN, file: own.yaml, ref: feature/x, first: "linux/arm64/v8,linux/amd64", wait: 90s, images-per-hour: 5, images-per-day: 50}
tls: {certificate: /etc/ferry/tls.crt, key: /etc/ferry/tls.key}
relay-hosts: [blocked.example]
patience: 1s
tag-ttl: 5m
stale: 48h
grace: 10s
memory: 64MiB
`, "HARBOR", "secret-of-harbor", "FRONT", "secret-of-front", "TOKEN", "secret-of-github\n")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if w := s.Workflow; w.Owner != "Alice" || w.Name != "ferry.x" || w.Token.Reveal() != "secret-of-github" || w.File != "own.yaml" ||
		fmt.Sprint(w.First) != "[linux/arm64 linux/amd64]" || w.Ref != "feature/x" || w.Wait != 90*time.Second || w.Hourly != 5 || w.Daily != 50 {
		t.Errorf("%+v", w)
	}
	token := s.Guests.Tokens[0]
	if hex.EncodeToString(token.Hash[:]) != aHash || token.Expires.Format(time.DateOnly) != "2027-01-31" || token.Hash != sha256.Sum256(nil) {
		t.Errorf("%+v", token)
	}
	if s.Guests.Networks[1] != netip.MustParsePrefix("192.0.2.7/32") || s.Guests.Bytes != 10<<30 || s.Memory != 64<<20 || s.Grace != 10*time.Second || s.Anybody() {
		t.Errorf("%+v", s)
	}
	if len(s.Places) != 5 || !s.Places[0].Fill || s.Places[0].Blobs != "relay" || s.Places[1].Prefix || !s.Places[2].Prefix ||
		!s.Places[3].Prefix || !s.Places[3].Other.PlainHTTP || s.Places[3].Other.Password.Reveal() != "secret-of-front" || s.Places[4].Budget != 500 {
		t.Errorf("%+v", s.Places)
	}
}

func TestFaultsOfAFront(t *testing.T) {
	const target = "targets: [{to: docker.io/alice}]\n"
	for _, test := range []struct {
		text string
		want []string // parts of the faults, one each
	}{
		{"", []string{"nowhere to get images from"}},
		{"mode: onshore", []string{`mode is "onshore"`}},
		{target + "workflow: {}", []string{`workflow has no "repository"`}},
		{target + "workflow: {repository: alice}", []string{"workflow.repository is not a repository on GitHub"}},
		{target + "workflow: {repository: alice/../x}", []string{"workflow.repository is not a repository on GitHub"}},
		{target + "workflow: {repository: alice/ferry/x}", []string{"workflow.repository is not a repository on GitHub"}},
		{target + "workflow: {repository: alice/ferry, first: 'linux/arm64, linux/amd46'}", []string{`workflow.first is "linux/amd46", which is not a platform: did you mean "linux/amd64"?`, "has no token"}},
		{target + "workflow: {repository: alice/ferry, first: []}", []string{"workflow.first", "has no token"}},
		{target + "workflow: {repository: alice/ferry}", []string{"has no token in FERRY_GITHUB_TOKEN"}},
		{target + "workflow: {repository: alice/ferry, wait: 1h}", []string{"workflow.wait is not a time from 1s to 3m0s", "has no token"}},
		{target + "listen: 0.0.0.0:5050", []string{"no guests are configured", "TLS is not configured"}},
		{target + `listen: ":5050"`, []string{"no guests are configured", "TLS is not configured"}},
		{target + "listen: 192.168.1.1:5050\nplain-http: true", []string{"no guests are configured"}},
		{target + "listen: 192.168.1.1:5050\nplain-http: true\nguests: {tokens: [{name: a, sha256: " + aHash + "}]}", []string{"exposes the guests' tokens"}},
		{target + "listen: 192.168.1.1:5050\nplain-http: true\nguests: {networks: [192.168.0.0/16]}", nil},
		{target + "listen: 192.168.1.1:5050\nguests: {networks: [192.168.0.0/16]}\ntls: {certificate: a, key: b}", nil},
		{target + "listen: 192.168.1.1:5050\nguests: {networks: [192.168.0.0/16]}\ntrusted-proxies: [192.168.1.2]", nil},
		{target + "listen: 192.168.1.1:5050\nguests: {open: true}\ntls: {certificate: a, key: b}", []string{"without a limit"}},
		{target + "listen: 192.168.1.1:5050\nguests: {open: true, requests-per-minute: 60}\nallowed: [quay.io/*]\ntls: {certificate: a, key: b}", nil},
		{target + "listen: localhost:5050", nil},
		{target + "listen: localhost:5050\ntrusted-proxies: [127.0.0.1]", []string{"no guests are configured"}},
		{target + "listen: localhost:5050\ntrusted-proxies: [127.0.0.1]\nguests: {networks: [10.0.0.0/8]}", nil},
		{target + "listen: front.example:5050", []string{"is not an address with a port"}},
		{target + "listen: 127.0.0.1", []string{"is not an address with a port"}},
		{target + "listen: 127.0.0.1:http", []string{"is not an address with a port"}},
		{target + "tls: {certificate: a}", []string{"one of certificate and key"}},
		{target + "tls: {acme: {hosts: [front.example]}}", []string{`tls.acme has no "cache"`}},
		{target + "tls: {acme: {cache: a}}", []string{"no host name to request a certificate for"}},
		{target + "tls: {acme: {cache: a, hosts: [front.example]}, certificate: a, key: b}", []string{"both files and acme"}},
		{target + "tls: {acme: {cache: a, hosts: ['*.front.example']}}", []string{"is not a host name", "no host name to request"}},
		{target + "tls: {acme: {cache: a, hosts: [localhost, 192.0.2.1, Front.example, a.example]}}", []string{"is not a host name", "is not a host name", "write it in lower case"}},
		{target + "tls: {acme: {cache: a, hosts: [a.example], directory: 'http://ca.example'}}", []string{"begins with https://"}},
		{target + "tls: {acme: {cache: a, hosts: [a.example], directory: 'https://me@ca.example'}}", []string{"begins with https://"}},
		{target + "tls: {acme: {cache: a, hosts: [a.example], mail: mailto:me@example.com}}", []string{"is not a mail address"}},
		{target + "tls: {acme: {cache: a}}\nnames: [{name: '*.front.example'}]", nil},
		{target + "listen: 192.168.1.1:443\nguests: {networks: [192.168.0.0/16], certificates: c}\ntls: {acme: {cache: a, hosts: [a.example], directory: 'https://ca.example:9000/acme/acme/directory', mail: me@example.com}}", nil},
		{target + "guests: {certificates: a}", []string{"needs TLS"}},
		{target + "guests: {tokens: [{name: a, sha256: my-secret-token}]}", []string{"is not the SHA-256"}},
		{target + "guests: {tokens: [{name: a}]}", []string{`has no "sha256"`}},
		{target + "guests: {tokens: [{name: a, sha256: " + aHash + ", expires: soon}]}", []string{"is not a date"}},
		{target + "guests: {networks: [10.0.0.1/8]}", []string{"is not a network"}},
		{target + "names: [{name: gcr.front.example}]", []string{"either a star in the name or a source"}},
		{target + "names: [{name: '*.front.example', source: gcr.io}]", []string{"either a star in the name or a source"}},
		{target + "names: [{name: a.example, source: unknown.example}]", []string{"is not a source"}},
		{target + "places: [{kind: mirror, at: docker.io/bob}]", []string{"which is not a target"}},
		{target + "places: [{kind: mirror, fill: true}]", []string{"no login for docker.io"}},
		{target + "places: [{kind: upstream, fill: true}]", []string{"only possible for a mirror"}},
		{target + "places: [{kind: upstream, at: gcr.io}]", []string{"upstream and has an address"}},
		{target + "places: [{kind: public}]", []string{"has no host in the key at"}},
		{target + "places: [{kind: public, at: m.example}]", []string{"public mirror without its source"}},
		{target + "places: [{kind: upstream, sources: [unknown.example]}]", []string{"is not a source"}},
		{target + "places: [{kind: harbour}]", []string{`is "harbour"`}},
		{target + "places: [{at: x.example}]", []string{`has no "kind"`}},
		{target + "tag-ttl: 5", []string{"is not a time"}},
		{target + "tag-ttl: 1000h\nstale: x\npatience: 1ms\nrequests: anyone\nsomething: 1", []string{"tag-ttl", "stale", "patience", "requests is unknown", "something is unknown"}},
		{target + "metrics: 127.0.0.1:5050\nlisten: 127.0.0.1:5050", []string{"is the address of the front"}},
		{"places: [{kind: mirror}]", []string{"there is no target"}},
	} {
		_, faults := loadServe(test.text + "\n")
		if len(faults) != len(test.want) {
			t.Errorf("%q has %d faults, want %d:\n%v", test.text, len(faults), len(test.want), faults)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(faults[i].String(), want) {
				t.Errorf("%q: %v, want %q", test.text, faults[i], want)
			}
			if strings.Contains(faults[i].String(), "my-secret-token") {
				t.Error("a fault repeats a token")
			}
		}
	}
	if _, faults := loadServe("", "FERRY_CONFIG", "missing.yaml", "FERRY_TARGET", "docker.io/alice"); len(faults) != 1 || !strings.Contains(faults[0].String(), "does not exist") {
		t.Errorf("a file that is missing: %v", faults)
	}
	if _, faults := loadServe("", "FERRY_LISTEN", "0.0.0.0:5050", "FERRY_TARGET", "docker.io/alice"); len(faults) != 2 {
		t.Errorf("an open front by its flag: %v", faults)
	}
}

// TestServePage checks that docs/serve.md describes the keys of the
// reader and that its examples load.
func TestServePage(t *testing.T) {
	d := &decoder{fault: func(Fault) {}, note: func(Fault) {}}
	for _, page := range []string{"../../docs/serve.md", "../../docs/serve.zh-CN.md"} {
		text := document(t, page)
		for object, known := range map[string]keys{
			"": d.serveKeys(&Serve{}, &policy{}, &[]listedPlace{}, new(string)), "names": d.nameKeys(&FrontName{}), "places": d.placeKeys(&listedPlace{}),
			"guests": d.guestKeys(&Guests{}), "tokens": d.tokenKeys(&FrontToken{}), "tls": d.tlsKeys(&TLS{}), "acme": d.acmeKeys(&ACME{}),
			"workflow": d.workflowKeys(&FrontWorkflow{}),
		} {
			for key := range known {
				if !regexp.MustCompile("`[^`]*\\b" + regexp.QuoteMeta(key) + "\\b[^`]*`").MatchString(text) {
					t.Errorf("%s does not describe the key %s of %q", page, key, object)
				}
			}
		}
		files := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(text, -1)
		if len(files) < 2 {
			t.Errorf("%s has %d files", page, len(files))
		}
		for _, file := range files {
			if _, faults := loadServe(strings.ReplaceAll("\n"+file[1], "\n   ", "\n"), "HARBOR_PASSWORD", "x", "FERRY_GITHUB_TOKEN", "x"); len(faults) > 0 {
				t.Errorf("%s: %v in\n%s", page, faults, file[1])
			}
		}
	}
	if _, faults := loadServe(document(t, "../../examples/serve/serve.yaml"), "HARBOR_PASSWORD", "x", "HUB_PASSWORD", "x"); len(faults) > 0 {
		t.Errorf("the example: %v", faults)
	}
}
