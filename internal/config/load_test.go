package config

import (
	"errors"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/fakecloud"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/suggest"
)

// world is an environment and a file system for Load.
type world struct {
	env   map[string]string
	files map[string]string
}

// inAction returns the environment of a workflow in a repository with this
// policy file.
func inAction(policy string, env ...string) world {
	w := world{
		env: map[string]string{
			"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "octo-org/mirrors", "GITHUB_WORKSPACE": "/work", "HOME": "/home/runner",
		},
		files: map[string]string{},
	}
	if policy != "" {
		w.files[filepath.FromSlash("/work/"+DefaultPath)] = policy
	}
	for i := 0; i < len(env); i += 2 {
		w.env[env[i]] = env[i+1]
	}
	return w
}

func (w world) options() Options {
	return Options{
		Getenv: func(k string) string { return w.env[k] },
		ReadFile: func(name string) ([]byte, error) {
			if data, ok := w.files[name]; ok {
				return []byte(data), nil
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		},
		Copies: true,
	}
}

func (w world) load(t *testing.T) *Config {
	t.Helper()
	c, err := Load(w.options())
	if err != nil {
		t.Fatalf("loading: %v", err)
	}
	return c
}

// faults returns the lines of the error, which must not be nil.
func (w world) faults(t *testing.T, o Options) []string {
	t.Helper()
	c, err := Load(o)
	if c == nil {
		t.Fatal("there is no Config")
	}
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatalf("the error is %v (%T), not Faults", err, err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(faults) {
		t.Errorf("%d faults have %d lines", len(faults), len(lines))
	}
	return lines
}

func (w world) expect(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, w.faults(t, w.options())); diff != "" {
		t.Errorf("faults: -want +got\n%s", diff)
	}
}

// same compares configurations, and secrets by their values.
var same = cmp.Options{
	cmp.Comparer(func(a, b Secret) bool { return a.Reveal() == b.Reveal() }),
	cmp.Comparer(func(a, b name.Pattern) bool { return a == b }),
}

func patterns(t *testing.T, texts ...string) []name.Pattern {
	t.Helper()
	all := make([]name.Pattern, len(texts))
	for i, text := range texts {
		var err error
		if all[i], err = name.ParsePattern(text); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestTwoSettingsAreEnough(t *testing.T) {
	c := inAction("", "FERRY_USERNAME", "Alice\n", "FERRY_PASSWORD", " token \r\n", "GITHUB_TOKEN", "ghs").load(t)
	want := &Config{
		Targets:     []Target{{Host: "docker.io", Namespace: "alice", Profile: "flat", Username: "Alice", Password: NewSecret("token")}},
		Requests:    Anyone,
		CustomNames: Collaborators,
		Limits:      DefaultLimits(),
		Language:    "auto",
		Referrers:   true,
		Public:      publicMirrors(everything()),
		Token:       NewSecret("ghs"),
	}
	want.Sources = everything()
	if diff := cmp.Diff(want, c, same); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// everything returns the sources without a policy file.
func everything() []Source {
	var all []Source
	for _, host := range known.Allowed() {
		all = append(all, Source{Host: host, Requests: Anyone})
	}
	return all
}

func TestForksAreClosedUntilTheOwnerOpensThem(t *testing.T) {
	for _, test := range []struct {
		policy, variable string
		fork             bool
		want             Who
	}{
		{"", "", false, Anyone},
		{"", "", true, Collaborators},
		{"requests: anyone", "", true, Anyone},
		{"", "anyone", true, Anyone},
		{"requests: anyone", "owner", true, Owner},
		{"requests: owner", "", false, Owner},
		{"language: zh", "", true, Collaborators},
	} {
		w := inAction(test.policy, "FERRY_USERNAME", "u", "FERRY_PASSWORD", "p", "FERRY_REQUESTS", test.variable)
		o := w.options()
		o.Fork = test.fork
		c, err := Load(o)
		if err != nil || c.Requests != test.want {
			t.Errorf("%+v: %s may ask, %v", test, c.Requests, err)
		}
	}
}

const fullPolicy = `
targets:
  - to: docker.io/alice
    profile: host
  - to: registry.cn-hangzhou.aliyuncs.com/alice
    platforms: [linux/amd64, arm64]
    username: alice@example.com
    password-env: ACR_PASSWORD
    token-server: Auth.example.com:8443
  - to: http://localhost:5000/a/b
    username-env: LOCAL_USER
    password-env: LOCAL_PASSWORD
sources:
  - host: Registry.Example.com:8443
    label: example
    private: true
    plain-http: true
    username: robot
    password-env: EXAMPLE_PASSWORD
  - host: quay.io
    label: q
    requests: owner
  - host: registry.lan.example
    private: true
requests: anyone
custom-names: owner
denied: [nginx, evil/*, docker.io/foo/bar, quay.io/*]
allowed: [docker.io/*]
limits:
  images: 5
  images-per-job: 4
  image-bytes: 2GiB
  request-bytes: 10 GB
  requests-per-day: 3
  bytes-per-day: 5GiB
  repositories-per-day: 4
  index-manifests: 40
  retry-hours: 6
language: zh
referrers: false
keep: {newest: 3, days: 90, asked: 30, listed: true, platforms: [linux/amd64]}
public-mirrors:
  - {at: m.example.com, images: [docker.io/*, quay.io/a/b]}
  - {at: "m.example.com:5000/x", names: last, images: [registry.k8s.io/pause]}
`

// TestPublicMirrors reads the built-in table and those of the file.
func TestPublicMirrors(t *testing.T) {
	sample := map[string]string{
		"m.daocloud.io": "m.daocloud.io/docker.io/library/nginx:1",
		"registry.aliyuncs.com/google_containers": "registry.aliyuncs.com/google_containers/coredns:v1",
		"docker.1ms.run": "docker.1ms.run/library/nginx:1",
	}
	c := inAction("", "FERRY_USERNAME", "alice", "FERRY_PASSWORD", "hub").load(t)
	for i, row := range known.Answering {
		if _, err := name.NewPublic(row.At, name.Naming(row.Names), nil); err != nil || !slices.Contains(namings(), row.Names) {
			t.Errorf("%s: %v", row.At, err)
		}
		for k, text := range row.Images {
			if c.Public[i].Images[k].String() != text {
				t.Errorf("%s has the pattern %q", row.At, text)
			}
		}
		found := ""
		for _, text := range []string{"nginx:1", "registry.k8s.io/coredns/coredns:v1"} {
			ref, err := reference.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if there, ok := c.Public[i].Of(ref); ok && found == "" {
				found = there.String()
			}
		}
		if found != sample[row.At] {
			t.Errorf("an image at %s is %q", row.At, found)
		}
	}
	secret := "sources: [{host: docker.io, private: true}, {host: quay.io, username: a, password-env: P}, {host: ghcr.io, username: a, password-env: P, requests: anyone}]"
	c = inAction(secret, "FERRY_USERNAME", "alice", "FERRY_PASSWORD", "hub", "P", "p").load(t)
	for text, want := range map[string]bool{"nginx": false, "quay.io/a/b": false, "ghcr.io/a/b": true, "gcr.io/a/b": true} {
		ref, err := reference.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := c.Public[0].Of(ref); ok != want {
			t.Errorf("built-in mirrors are told of %s: %v", text, ok)
		}
	}
	if c := inAction("public-mirrors: []", "FERRY_USERNAME", "alice", "FERRY_PASSWORD", "hub").load(t); len(c.Public) > 0 {
		t.Errorf("an empty list is %v", c.Public)
	}
}

func TestEveryKey(t *testing.T) {
	c := inAction(fullPolicy, "FERRY_USERNAME", "alice", "FERRY_PASSWORD", "hub", "ACR_PASSWORD", "acr", "LOCAL_USER", "lu", "LOCAL_PASSWORD", "lp",
		"EXAMPLE_PASSWORD", "robots", "FERRY_SOURCES", "http://cache.example.com, quay.io").load(t)
	amd, arm := reference.Platform{OS: "linux", Architecture: "amd64"}, reference.Platform{OS: "linux", Architecture: "arm64"}
	want := &Config{
		Targets: []Target{
			{Host: "docker.io", Namespace: "alice", Profile: "host", Username: "alice", Password: NewSecret("hub")},
			{Host: "registry.cn-hangzhou.aliyuncs.com", Namespace: "alice", Profile: "flat", Platforms: []reference.Platform{amd, arm},
				Username: "alice@example.com", Password: NewSecret("acr"), TokenServer: "auth.example.com:8443"},
			{Host: "localhost:5000", Namespace: "a/b", Profile: "flat", Private: true, PlainHTTP: true, Username: "lu", Password: NewSecret("lp")},
		},
		Requests:    Anyone,
		CustomNames: Owner,
		Denied:      patterns(t, "docker.io/library/nginx", "docker.io/evil/*", "docker.io/foo/bar", "quay.io/*"),
		Allowed:     patterns(t, "docker.io/*"),
		Limits:      Limits{Images: 5, ImagesPerJob: 4, ImageBytes: 2 << 30, RequestBytes: 10_000_000_000, RequestsPerDay: 3, BytesPerDay: 5 << 30, RepositoriesPerDay: 4, IndexManifests: 40, RetryHours: 6},
		Language:    "zh",
		Keep:        Keep{Newest: 3, Days: 90, Asked: 30, Listed: true, Platforms: []reference.Platform{amd}},
		Public: []name.Public{
			{At: "m.example.com", Names: name.Prefix, Images: patterns(t, "docker.io/*", "quay.io/a/b")},
			{At: "m.example.com:5000/x", Names: name.LastSegment, Images: patterns(t, "registry.k8s.io/pause")},
		},
	}
	for _, host := range known.Allowed() {
		if host != "quay.io" {
			want.Sources = append(want.Sources, Source{Host: host, Requests: Anyone})
		}
	}
	want.Sources = append(want.Sources,
		Source{Host: "registry.example.com:8443", Label: "example", Private: true, PlainHTTP: true, Username: "robot", Password: NewSecret("robots"), Requests: Collaborators},
		Source{Host: "quay.io", Label: "q", Requests: Owner},
		Source{Host: "registry.lan.example", Private: true, Requests: Collaborators},
		Source{Host: "cache.example.com", PlainHTTP: true, Requests: Anyone},
	)
	if diff := cmp.Diff(want, c, same); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	inAction(`targets:
  - to: docker.io/alice
    profil: flat
    profile: flatt
    password: hunter2
  - platforms: linux/amd64
  - to: docker.io/alice
    private: yes
    platforms: [linux/amd46]
sources:
  - host: "*.example.com"
  - label: Bad_Label
    host: registry.example.com
    username: robot
  - just text
request: anyone
custom-names: everybody
denied: ["a b", 7: 8]
limits: {images: 0, image-bytes: 20 gigs, index-manifests: 1e3, images: 4}
language: &l chinese
referrers: *l
`, "FERRY_ISSUE", "seven", "FERRY_PLATFORMS", "linux/amd64,plan9/x", "FERRY_PROFILE", "paht", "FERRY_SOURCES", "ok.example.com -bad-", "FERRY_LANGUAGE", "ch").expect(t,
		`.github/ferry.yaml:3: targets[0].profil is unknown: did you mean "profile"? the keys allowed here are oidc, password-env, plain-http, platforms, private, profile, pull, quota, to, token-server, username, username-env`,
		`.github/ferry.yaml:4: targets[0].profile is "flatt": did you mean "flat"? valid values: flat, host, last, path, one`,
		`.github/ferry.yaml:5: targets[0].password must not be in the file: store it as a secret, and set "password-env" to the name of the environment variable that holds it`,
		`.github/ferry.yaml:6: targets[1].platforms is a single value, not a list: begin each item with "- "`,
		`.github/ferry.yaml:6: targets[1] has no "to"`,
		`.github/ferry.yaml:8: targets[2].private is not true or false: write true`,
		`.github/ferry.yaml:9: targets[2].platforms[0] is "linux/amd46", which is not a platform: did you mean "linux/amd64"?`,
		`.github/ferry.yaml:7: targets[2] repeats the target of line 2`,
		`.github/ferry.yaml:11: sources[0].host is "*.example.com", which is not a host name: write one host, such as registry.example.com; patterns are not supported`,
		`.github/ferry.yaml:12: sources[1].label is not letters and digits joined by single dashes`,
		`.github/ferry.yaml:12: sources[1] has an incomplete login: set password-env and either username or username-env`,
		`.github/ferry.yaml:15: sources[2] is a single value, not keys with values: write "host:" in front of it`,
		`.github/ferry.yaml:16: request is unknown: did you mean "requests"? the keys allowed here are allowed, archives, attest, custom-names, denied, front, keep, language, limits, public-mirrors, referrers, requests, sources, targets, verify`,
		`.github/ferry.yaml:17: custom-names is "everybody": write "anyone", "collaborators" or "owner"`,
		`.github/ferry.yaml:18: denied[0] is "a b", which is not a repository: write "docker.io/user/name", "docker.io/user/*" or "quay.io/*"`,
		`.github/ferry.yaml:18: denied[1] is an object, not text`,
		`.github/ferry.yaml:19: limits.images is not a number from 1 to 1000`,
		`.github/ferry.yaml:19: limits.image-bytes is not a size: write bytes or a unit, such as "20GiB"`,
		`.github/ferry.yaml:19: limits.index-manifests is not a number from 1 to 1000`,
		`.github/ferry.yaml:19: limits.images appears twice, first on line 19`,
		`.github/ferry.yaml:20: language is "chinese": write "auto", "zh" or "en"`,
		`.github/ferry.yaml:21: referrers is not true or false: write true or false`,
		`FERRY_LANGUAGE is "ch": write "auto", "zh" or "en"`,
		`FERRY_ISSUE is "seven", not the number of an issue`,
		`FERRY_PLATFORMS has "plan9/x", which is not a platform: write os/arch or os/arch/variant, such as linux/arm64`,
		`FERRY_PROFILE is "paht": did you mean "path"? valid values: flat, host, last, path, one`,
		`FERRY_PASSWORD is empty and there is no other login for docker.io: add the secret FERRY_PASSWORD at https://github.com/octo-org/mirrors/settings/secrets/actions`,
		`FERRY_SOURCES has "-bad-", which is not a host name: write hosts, such as registry.example.com`,
	)
}

func TestFaultsOfFiles(t *testing.T) {
	for name, test := range map[string]struct{ policy, want string }{
		"not YAML":                {"a: b: c", `.github/ferry.yaml:1: is not YAML: mapping values are not allowed in this context: put quotes around a value that contains ": ", and begin keys of one object in the same column`},
		"tab":                     {"limits:\n\timages: 1", `.github/ferry.yaml:2: is not YAML: found character that cannot start any token: indent with spaces: YAML does not allow tabs`},
		"full-width colon":        {"language：zh", `.github/ferry.yaml:1: is a single value, not keys with values: ` + suggest.WideColonCure},
		"open bracket":            {"targets: [{to: ghcr.io/x", `.github/ferry.yaml:1: is not YAML: did not find expected ',' or '}': a [ or { that begins here is not closed`},
		"expression":              {"targets: [{to: ghcr.io/x, password-env: '${{ secrets.X }}'}]", `.github/ferry.yaml:1: targets[0].password-env contains an expression: this file is not a workflow, so expressions are not evaluated: write the name of an environment variable, and set that variable from the secret in the workflow`},
		"expression for a user":   {"targets: [{to: ghcr.io/x, username: '${{ secrets.X }}'}]", `.github/ferry.yaml:1: targets[0].username contains an expression: this file is not a workflow, so expressions are not evaluated: write username-env with the name of an environment variable, and set that variable from the secret in the workflow`},
		"expression for a flag":   {"referrers: ${{ vars.X }}", `.github/ferry.yaml:1: referrers contains an expression: this file is not a workflow, so expressions are not evaluated: write the value`},
		"expression in a list":    {"denied: ['docker.io/${{ vars.X }}/*']", `.github/ferry.yaml:1: denied[0] contains an expression: this file is not a workflow, so expressions are not evaluated: write the value`},
		"front":                   {"front: front.example.com/x", `.github/ferry.yaml:1: front is not the address of a front: write a scheme and a host, such as https://front.example.com`},
		"front without TLS":       {"front: http://front.example.com", `.github/ferry.yaml:1: front does not use TLS, so anyone on the network path could change images: write a scheme and a host, such as https://front.example.com`},
		"yes":                     {"referrers: yes", `.github/ferry.yaml:1: referrers is not true or false: write true`},
		"off":                     {"referrers: Off", `.github/ferry.yaml:1: referrers is not true or false: write false`},
		"quoted flag":             {`referrers: "true"`, `.github/ferry.yaml:1: referrers is not true or false: write true without quotes`},
		"other flag":              {"referrers: maybe", `.github/ferry.yaml:1: referrers is not true or false: write true or false`},
		"item":                    {"targets:\n  - to: ghcr.io/x\n   private: true", `.github/ferry.yaml:1: is not YAML: did not find expected '-' indicator: in the list that begins here, begin each "-" in the same column, and the keys of an item below its first key`},
		"open quote":              {"language: 'zh\nrequests: owner", `.github/ferry.yaml:2: is not YAML: found unexpected end of stream: close the quote that is open here or above`},
		"quotes":                  {"language: \"zh\nrequests: \"owner\"", `.github/ferry.yaml:1: is not YAML: did not find expected key: begin keys of one object in the same column, and close each quote`},
		"no colon":                {"denied:\n  - a\n  b", `.github/ferry.yaml:3: is not YAML: could not find expected ':': write ":" and a space after each key, and "- " before each item of a list`},
		"at sign":                 {"language: @zh", `.github/ferry.yaml:1: is not YAML: found character that cannot start any token: put quotes around a value that begins with a sign such as @, %, & or *`},
		"star":                    {"denied:\n- *.x", `.github/ferry.yaml:2: is not YAML: did not find expected alphabetic or numeric character: put quotes around a value that begins with a sign such as @, %, & or *`},
		"escape":                  {`language: "\q"`, `.github/ferry.yaml:1: is not YAML: found unknown escape character: write \\ for a backslash, or use single quotes`},
		"capital label":           {"sources: [{host: a.example, label: Example}]", `.github/ferry.yaml:1: sources[0].label is not letters and digits joined by single dashes: write it in lower case`},
		"list":                    {"- targets", `.github/ferry.yaml:1: is a list, not keys with values`},
		"text":                    {"hello", `.github/ferry.yaml:1: is a single value, not keys with values`},
		"two documents":           {"language: zh\n---\nlanguage: en", `.github/ferry.yaml:2: has a second document; only one is allowed`},
		"not UTF-8":               {"language: \xff", `.github/ferry.yaml: is not UTF-8`},
		"too large":               {strings.Repeat("#", maxFile+1), `.github/ferry.yaml: has 65537 bytes; the limit is 65536`},
		"merge key":               {"limits: &a {images: 1}\n<<: *a", `.github/ferry.yaml:2: << is unknown: the keys allowed here are allowed, archives, attest, custom-names, denied, front, keep, language, limits, public-mirrors, referrers, requests, sources, targets, verify`},
		"alias of a list":         {"denied: &a [nginx]\ntargets: *a", `.github/ferry.yaml:2: targets is an alias, which is not supported, not a list: begin each item with "- "`},
		"list for a word":         {"language: [zh]", `.github/ferry.yaml:1: language is a list, not text`},
		"no text":                 {`language: ""`, `.github/ferry.yaml:1: language is empty`},
		"large number":            {"limits: {images: 99999999999999999999}", `.github/ferry.yaml:1: limits.images is not a number from 1 to 1000`},
		"large size":              {"limits: {request-bytes: 999999TiB}", `.github/ferry.yaml:1: limits.request-bytes is not from 1 byte to 10240 GiB`},
		"namespace":               {"targets: [{to: docker.io/a/b, username: a, password-env: P}]", `.github/ferry.yaml:1: targets[0] cannot be used: reading a target's namespace: docker.io has repositories of two components, so the namespace "a/b" must be one`},
		"only a host":             {"targets: [{to: quay.io}]", `.github/ferry.yaml:1: targets[0].to is "quay.io", which has no namespace: write a registry and a namespace, such as docker.io/user`},
		"a look-alike":            {"targets: [{to: quay.oi/a, password-env: Q}]", `.github/ferry.yaml:1: targets[0] is "quay.oi/a": did you mean "quay.io/a"? if not, write the port as well: quay.oi:443/a`},
		"a source's look-alike":   {"sources:\n- host: quay.oi", `.github/ferry.yaml:2: sources[0] is "quay.oi": did you mean "quay.io"? if not, write the port as well: quay.oi:443`},
		"a denied look-alike":     {"denied: [quay.oi/*]", `.github/ferry.yaml:1: denied[0] is "quay.oi/*": did you mean "quay.io/*"? if not, write the port as well: quay.oi:443/*`},
		"a source as it is":       {"sources: [{host: 'quay.oi:443'}]\nlanguage: [zh]", `.github/ferry.yaml:2: language is a list, not text`},
		"login in address":        {"targets: [{to: 'https://a:hunter2@quay.io/a'}]", `.github/ferry.yaml:1: targets[0].to contains an @: credentials must not be part of it: write a registry and a namespace, such as docker.io/user`},
		"secret for name":         {"targets: [{to: quay.io/a, password-env: 'hunter2!'}]", `.github/ferry.yaml:1: targets[0].password-env is not the name of an environment variable`},
		"same label twice":        {"sources: [{host: a.example, label: x}, {host: b.example, label: x}]", `.github/ferry.yaml:1: sources[1] cannot be used: reading labels: a.example and b.example have one, "x"`},
		"same host twice":         {"sources:\n- host: a.example\n- host: A.example", `.github/ferry.yaml:3: sources[1] repeats the source of line 2`},
		"public mirror nowhere":   {"public-mirrors: [{images: [docker.io/*]}]", `.github/ferry.yaml:1: public-mirrors[0] has no "at"`},
		"public mirror of none":   {"public-mirrors: [{at: m.example.com}]", `.github/ferry.yaml:1: public-mirrors[0] has no "images"`},
		"public mirror at a page": {"public-mirrors: [{at: 'https://m.example.com', images: [docker.io/*]}]", `.github/ferry.yaml:1: public-mirrors[0] is at "https://m.example.com", which is not a registry: write a registry, such as m.example.com`},
		"public mirror's names":   {"public-mirrors: [{at: m.example.com, names: lst, images: [docker.io/*]}]", `.github/ferry.yaml:1: public-mirrors[0].names is "lst": did you mean "last"? valid values: prefix, path, last`},
	} {
		t.Run(name, func(t *testing.T) {
			w := inAction(test.policy, "FERRY_USERNAME", "alice", "FERRY_PASSWORD", "hub", "P", "p")
			got := w.faults(t, w.options())
			if got[0] != test.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), test.want)
			}
			if strings.Contains(strings.Join(got, "\n"), "hunter2") {
				t.Errorf("a password is shown: %s", got)
			}
		})
	}
}

func TestEmptyFiles(t *testing.T) {
	for _, policy := range []string{"", " ", "# nothing\n", "---\n", "null", "{}", "targets:\nlimits:\nlanguage: ~\n", "\ufefflanguage: auto"} {
		c := inAction(policy, "FERRY_USERNAME", "alice", "FERRY_PASSWORD", "hub").load(t)
		if c.Language != "auto" || c.Limits != DefaultLimits() || len(c.Targets) != 1 {
			t.Errorf("%q gives %+v", policy, c)
		}
	}
}

func TestPathOfTheFile(t *testing.T) {
	w := inAction("", "FERRY_USERNAME", "alice", "FERRY_PASSWORD", "hub", "FERRY_CONFIG", "conf/my.yaml")
	w.expect(t, `FERRY_CONFIG is "conf/my.yaml", which does not exist: the path is relative to the root of the repository, which must be checked out`)
	w.files[filepath.FromSlash("/work/conf/my.yaml")] = "languge: zh"
	w.expect(t, `conf/my.yaml:1: languge is unknown: did you mean "language"? the keys allowed here are allowed, archives, attest, custom-names, denied, front, keep, language, limits, public-mirrors, referrers, requests, sources, targets, verify`)

	o := w.options()
	o.ReadFile = func(string) ([]byte, error) { return nil, fs.ErrPermission }
	if got := w.faults(t, o); got[0] != "conf/my.yaml: cannot be read: permission denied" {
		t.Errorf("an unreadable file gives %q", got)
	}
}

func TestTargets(t *testing.T) {
	const hub = "\ntargets: [{to: docker.io/alice, profile: host, username: alice, password-env: HUB}, {to: quay.io/alice, username: bob, password-env: QUAY}]"
	for name, test := range map[string]struct {
		policy, target, username string
		want                     string // targets and their users
	}{
		"the user's on Docker Hub":    {"", "", "alice", "docker.io/alice alice:FP flat"},
		"a namespace on Docker Hub":   {"", "team", "alice", "docker.io/team alice:FP flat"},
		"an alias of Docker Hub":      {"", "index.docker.io/team", "alice", "docker.io/team alice:FP flat"},
		"a registry":                  {"", "ghcr.io/Alice", "alice", "ghcr.io/alice alice:FP flat"},
		"a registry, nested":          {"", "harbor.example.com/a/b/", "alice", "harbor.example.com/a/b alice:FP flat"},
		"an address":                  {"", "https://quay.io/alice", "alice", "quay.io/alice alice:FP flat"},
		"a host alone":                {"", "ghcr.io", "Alice", "ghcr.io/alice Alice:FP flat"},
		"the website of Docker Hub":   {"", "https://hub.docker.com/u/alice", "alice", ""},
		"the file's":                  {hub, "", "alice", "docker.io/alice alice:HP host, quay.io/alice bob:QP flat"},
		"one of the file's":           {hub, "quay.io/alice", "alice", "quay.io/alice bob:QP flat"},
		"another than the file's":     {hub, "quay.io/carol", "carol", "quay.io/carol carol:FP flat"},
		"the file's, without a login": {"targets: [{to: quay.io/team}]", "", "alice", "quay.io/team alice:FP flat"},
		"the file's, with a user":     {"targets: [{to: quay.io/team, username: team+robot}]", "", "alice", "quay.io/team team+robot:FP flat"},
		"the file's, with a password": {"targets: [{to: docker.io/alice}, {to: docker.io/team, password-env: QUAY}]", "", "alice", "docker.io/alice alice:FP flat, docker.io/team alice:QP flat"},
		"two accounts at one host":    {"targets: [{to: docker.io/alice}, {to: docker.io/bob, username: bob, password-env: QUAY}]", "", "alice", "docker.io/alice alice:FP flat, docker.io/bob bob:QP flat"},
		"an e-mail address":           {"", "", "alice@example.com", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := inAction(test.policy, "FERRY_TARGET", test.target, "FERRY_USERNAME", test.username, "FERRY_PASSWORD", "FP", "HUB", "HP", "QUAY", "QP")
			c, err := Load(w.options())
			var got []string
			for _, target := range c.Targets {
				got = append(got, target.String()+" "+target.Username+":"+target.Password.Reveal()+" "+target.Profile)
			}
			if joined := strings.Join(got, ", "); joined != test.want || (err != nil) != (test.want == "") {
				t.Errorf("got %s, %v\nwant %s", joined, err, test.want)
			}
		})
	}
}

func TestInputsTakePrecedence(t *testing.T) {
	c := inAction("targets: [{to: docker.io/a, profile: flat, platforms: [linux/amd64]}]\nlanguage: en",
		"FERRY_USERNAME", "a", "FERRY_PASSWORD", "p", "FERRY_PROFILE", "last", "FERRY_PLATFORMS", "arm64, linux/s390x", "FERRY_LANGUAGE", "zh",
		"FERRY_IMAGES", " nginx\nquay.io/a/b ", "FERRY_ISSUE", "#12", "FERRY_FIRST", "linux/arm64").load(t)
	target := c.Targets[0]
	if target.Profile != "last" || len(target.Platforms) != 2 || target.Platforms[1].String() != "linux/s390x" || c.Language != "zh" || c.Images != "nginx\nquay.io/a/b" || c.Issue != 12 || len(c.First) != 1 || c.First[0].String() != "linux/arm64" {
		t.Errorf("got %+v", c)
	}
	if c := inAction("", "FERRY_PLATFORMS", "all", "FERRY_USERNAME", "a", "FERRY_PASSWORD", "p").load(t); c.Targets[0].Platforms != nil {
		t.Errorf("all platforms are %v", c.Targets[0].Platforms)
	}
}

func TestTargetSpellings(t *testing.T) {
	for text, want := range map[string]string{
		"ghcr.io/MyOrg": "ghcr.io/myorg", "Alice": "docker.io/alice", "https://ghcr.io/MyOrg/": "ghcr.io/myorg", "docker://ghcr.io/o": "ghcr.io/o", "quay.io/a/b//": "quay.io/a/b",
		"GHCR.io/x": "ghcr.io/x", "quay.io": "quay.io/me", " ghcr.io/me\n": "ghcr.io/me", `"ghcr.io/me"`: "ghcr.io/me",
		"https://index.docker.io/v1/": "docker.io/me", "https://index.docker.io/v1/alice": "docker.io/alice", "https://quay.io/v2/": "quay.io/me",
	} {
		if got, err := ParseTarget(text, "Me"); err != nil || got.String() != want {
			t.Errorf("%s is %s, %v; want %s", text, got, err, want)
		}
	}
}

// TestNotes checks that each setting that is not read literally is noted once.
func TestNotes(t *testing.T) {
	const renamed = "FERRY_ELSEWHERE is the old name of FERRY_TARGET_OVERRIDE: rename it to FERRY_TARGET_OVERRIDE"
	for name, test := range map[string]struct {
		policy string
		env    []string
		want   []string
	}{
		"as written":      {"", []string{"FERRY_TARGET", "GHCR.io/my-org"}, nil},
		"a host alone":    {"", []string{"FERRY_TARGET", "ghcr.io"}, nil},
		"the new name":    {"", []string{"FERRY_TARGET_OVERRIDE", "docker.io/team"}, nil},
		"the old name":    {"", []string{"FERRY_ELSEWHERE", "docker.io/team"}, []string{renamed}},
		"both names":      {"", []string{"FERRY_ELSEWHERE", "x.example/Y", "FERRY_TARGET_OVERRIDE", "docker.io/team"}, []string{"FERRY_ELSEWHERE is not used, because FERRY_TARGET_OVERRIDE is set: remove it"}},
		"a variable":      {"", []string{"FERRY_TARGET", "https://ghcr.io/MyOrg/"}, []string{`FERRY_TARGET has capital letters, which repositories cannot have: write "ghcr.io/myorg", which is used instead`}},
		"a namespace":     {"", []string{"FERRY_TARGET", "Alice"}, []string{`FERRY_TARGET has capital letters, which repositories cannot have: write "docker.io/alice", which is used instead`}},
		"the old, raised": {"", []string{"FERRY_ELSEWHERE", "docker.io/Team"}, []string{renamed, `FERRY_ELSEWHERE has capital letters, which repositories cannot have: write "docker.io/team", which is used instead`}},
		"the file": {"targets:\n  - to: docker.io/a\n  - to: quay.io/MyOrg\n    password-env: P\n    username: u\n", []string{"P", "p"},
			[]string{`.github/ferry.yaml:3: targets[1].to has capital letters, which repositories cannot have: write "quay.io/myorg", which is used instead`}},
	} {
		t.Run(name, func(t *testing.T) {
			w := inAction(test.policy, append([]string{"FERRY_USERNAME", "Me", "FERRY_PASSWORD", "p"}, test.env...)...)
			var got []string
			for _, note := range w.load(t).Notes {
				got = append(got, note.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestInvalidTargets(t *testing.T) {
	const cure = ": write a registry and a namespace, such as docker.io/user"
	for target, want := range map[string]string{
		"https://hub.docker.com/u/alice":    `is "https://hub.docker.com/u/alice", but hub.docker.com is a website; its registry is docker.io`,
		"docker.com/alice":                  `is "docker.com/alice", but docker.com is a website; its registry is docker.io`,
		"github.com/alice":                  `is "github.com/alice", but github.com is a website; its registry is ghcr.io`,
		"registry.cn-hangzhou.aliyuncs.com": `is "registry.cn-hangzhou.aliyuncs.com", which has no namespace`,
		"docker.io/al ice":                  `is "docker.io/al ice", which is not a registry and namespace`,
		"docker.io/al:ice":                  `is "docker.io/al:ice", which has a tag, but a target is a registry and namespace`,
	} {
		inAction("", "FERRY_TARGET", target, "FERRY_USERNAME", "alice@example.com", "FERRY_PASSWORD", "p").expect(t, "FERRY_TARGET "+want+cure)
	}
}

func TestMissingSettings(t *testing.T) {
	const secrets = "at https://github.com/octo-org/mirrors/settings/secrets/actions"
	const variables = "at https://github.com/octo-org/mirrors/settings/variables/actions"
	inAction("").expect(t, "FERRY_USERNAME is empty, so there is no target: add the variable FERRY_USERNAME "+variables+"; for another registry than Docker Hub, set the variable FERRY_TARGET as well",
		"FERRY_PASSWORD is empty, but required with FERRY_USERNAME: add the secret FERRY_PASSWORD "+secrets)
	inAction("", "FERRY_USERNAME", "alice").expect(t, "FERRY_PASSWORD is empty and there is no other login for docker.io: add the secret FERRY_PASSWORD "+secrets)
	inAction("", "FERRY_TARGET", "quay.io/a", "FERRY_PASSWORD", "p").expect(t, "FERRY_USERNAME is empty, so Ferry cannot log in to quay.io: add the variable FERRY_USERNAME "+variables)
	inAction("targets: [{to: quay.io/a, username: a, password-env: QUAY_TOKEN}]", "GITHUB_SERVER_URL", "https://git.example.com").expect(t,
		"QUAY_TOKEN is empty and there is no other login for quay.io: add the secret QUAY_TOKEN at https://git.example.com/octo-org/mirrors/settings/secrets/actions")
	inAction("targets: [{to: docker.io/a}, {to: quay.io/a}]", "FERRY_USERNAME", "a", "FERRY_PASSWORD", "p").expect(t,
		".github/ferry.yaml:1: targets[0] cannot be used, because more than one target has no login of its own, and there is no other login for docker.io: add a line for each to the secret FERRY_LOGINS",
		".github/ferry.yaml:1: targets[1] cannot be used, because more than one target has no login of its own, and there is no other login for quay.io: add a line for each to the secret FERRY_LOGINS")
	inAction("sources: [{host: a.example, username-env: A_USER, password-env: A_PASSWORD}]", "FERRY_USERNAME", "a", "FERRY_PASSWORD", "p").expect(t,
		"A_USER is empty, so Ferry cannot log in to a.example: add the secret A_USER "+secrets,
		"A_PASSWORD is empty, so Ferry cannot log in to a.example: add the secret A_PASSWORD "+secrets)

	w := inAction("", "GITHUB_ACTIONS", "")
	w.expect(t, "FERRY_USERNAME is empty, so there is no target: set it in the environment; for another registry than Docker Hub, set the variable FERRY_TARGET as well",
		"FERRY_PASSWORD is empty, but required with FERRY_USERNAME: set it in the environment")
	inAction("", "GITHUB_ACTIONS", "", "FERRY_TARGET", "ghcr.io/alice").expect(t,
		`FERRY_PASSWORD is empty and there is no other login for ghcr.io: set it in the environment, or log in with "docker login ghcr.io"`)
	inAction("", "GITHUB_ACTIONS", "", "FERRY_TARGET", "alice").expect(t,
		`FERRY_PASSWORD is empty and there is no other login for docker.io: set it in the environment, or log in with "docker login"`)
	helper := inAction("", "GITHUB_ACTIONS", "", "FERRY_TARGET", "alice")
	helper.files[filepath.FromSlash("/home/runner/.docker/config.json")] = `{"credsStore": "desktop"}`
	helper.expect(t, "FERRY_PASSWORD is empty and there is no other login for docker.io (Docker keeps its logins in a credential helper, and Ferry runs such helpers only if FERRY_CREDENTIAL_HELPERS is true): set it in the environment")

	o := inAction("", "FERRY_USERNAME", "a", "FERRY_PASSWORD", "p").options()
	o.Answers = true
	if got := w.faults(t, o); got[0] != "GITHUB_TOKEN is empty, so no issue can be answered: leave the input github-token at its default" {
		t.Errorf("without a token: %q", got)
	}
}

func TestNoLoginNeededWithoutCopies(t *testing.T) {
	o := inAction("targets: [{to: quay.io/a, username: a, password-env: P}]\nsources: [{host: a.example, username: a, password-env: P}]").options()
	o.Copies = false
	if c, err := Load(o); err != nil || len(c.Targets) != 1 {
		t.Errorf("got %v, %v", c.Targets, err)
	}
	if c := inAction("", "FERRY_TARGET", "http://localhost:5000/mirror").load(t); !c.Targets[0].Private || !c.Targets[0].PlainHTTP || !c.Targets[0].Password.IsZero() {
		t.Errorf("a registry on this machine needs no login: %+v", c.Targets)
	}
}

func TestLogins(t *testing.T) {
	const (
		alice = `{"auth": "YWxpY2U6aHVudGVyMg=="}` // alice:hunter2
		bob   = `{"username": "bob", "password": "hunter3"}`
	)
	for name, test := range map[string]struct {
		target, file string
		want         string // the login, or a part of the fault
	}{
		"Docker Hub's old key":      {"docker.io/a", `{"auths": {"https://index.docker.io/v1/": ` + alice + `}}`, "alice:hunter2"},
		"Docker Hub's host":         {"docker.io/a", `{"auths": {"docker.io": ` + bob + `}}`, "bob:hunter3"},
		"the exact host":            {"ghcr.io/a", `{"auths": {"evil.ghcr.io": ` + bob + `, "ghcr.io": ` + alice + `}}`, "alice:hunter2"},
		"with a port":               {"r.example:8443/a", `{"auths": {"r.example": ` + bob + `, "r.example:8443": ` + alice + `}}`, "alice:hunter2"},
		"another host":              {"ghcr.io/a", `{"auths": {"ghcr.io.evil.example": ` + bob + `, "docker.io": ` + alice + `}}`, "no other login for ghcr.io"},
		"the namespace":             {"ghcr.io/a/b", `{"auths": {"ghcr.io": ` + alice + `, "ghcr.io/a": ` + bob + `}}`, "bob:hunter3"},
		"another namespace":         {"ghcr.io/a", `{"auths": {"ghcr.io/a/b": ` + bob + `, "ghcr.io/ab": ` + bob + `}}`, "no other login for ghcr.io"},
		"a helper for the host":     {"ghcr.io/a", `{"credHelpers": {"ghcr.io": "gh"}}`, "runs such helpers only if FERRY_CREDENTIAL_HELPERS is true"},
		"a helper for another host": {"ghcr.io/a", `{"credHelpers": {"gcr.io": "gcloud"}}`, "no other login for ghcr.io: add"},
		"a helper for all":          {"ghcr.io/a", `{"auths": {"ghcr.io": {}}, "credsStore": "desktop"}`, "runs such helpers only if FERRY_CREDENTIAL_HELPERS is true"},
		"an identity token":         {"r.example/a", `{"auths": {"r.example": {"auth": "MDA6", "identitytoken": "x"}}}`, "<token>:x"},
		"broken base64":             {"ghcr.io/a", `{"auths": {"ghcr.io": {"auth": "?"}}}`, "no other login for ghcr.io"},
		"not JSON":                  {"ghcr.io/a", `{`, "cannot be read"},
		"no file":                   {"ghcr.io/a", "", "no other login for ghcr.io"},
	} {
		t.Run(name, func(t *testing.T) {
			w := inAction("", "FERRY_TARGET", test.target)
			if test.file != "" {
				w.files[filepath.FromSlash("/home/runner/.docker/config.json")] = test.file
			}
			c, err := Load(w.options())
			got := c.Targets[0].Username + ":" + c.Targets[0].Password.Reveal()
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter") {
				t.Errorf("a password is shown: %v", err)
			}
		})
	}
}

// TestPodmanLogins checks that logins are looked for where podman, skopeo and
// buildah store them, after Docker's file.
func TestPodmanLogins(t *testing.T) {
	const login = `{"auths": {"quay.io": {"auth": "Ym9iOnBvZG1hbg=="}, "quay.io/other": {"auth": "b3RoZXI6b3RoZXI="}}}`
	for _, test := range []struct {
		name  string
		env   []string
		files map[string]string
		want  string
	}{
		{"in the home", nil, map[string]string{"/home/runner/.config/containers/auth.json": login}, "bob:podman"},
		{"of the session", []string{"XDG_RUNTIME_DIR", "/run/user/1"}, map[string]string{"/run/user/1/containers/auth.json": login}, "bob:podman"},
		{"named", []string{"REGISTRY_AUTH_FILE", "/etc/auth.json"}, map[string]string{"/etc/auth.json": login}, "bob:podman"},
		{"named, and nowhere else", []string{"REGISTRY_AUTH_FILE", "/etc/auth.json"}, map[string]string{"/home/runner/.config/containers/auth.json": login}, "no other login for quay.io"},
		{"in the variable", []string{"DOCKER_AUTH_CONFIG", `{"auths": {"quay.io": {"auth": "Ym9iOmRvY2tlcg=="}}}`}, map[string]string{"/home/runner/.docker/config.json": login}, "bob:docker"},
		{"Docker's first", nil, map[string]string{
			"/home/runner/.docker/config.json":          `{"auths": {"quay.io": {"auth": "Ym9iOmRvY2tlcg=="}}}`,
			"/home/runner/.config/containers/auth.json": login,
		}, "bob:docker"},
		{"not JSON", nil, map[string]string{"/home/runner/.config/containers/auth.json": "{"}, "auth.json, which holds logins, cannot be read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := inAction("", append([]string{"FERRY_TARGET", "quay.io/a"}, test.env...)...)
			for name, text := range test.files {
				w.files[filepath.FromSlash(name)] = text
			}
			c, err := Load(w.options())
			got := c.Targets[0].Username + ":" + c.Targets[0].Password.Reveal()
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestCredentialHelpers checks that helpers are run if the owner allows it, for
// the exact host.
func TestCredentialHelpers(t *testing.T) {
	for name, test := range map[string]struct {
		target, file string
		asked, want  string
	}{
		"for the host":   {"ghcr.io/a", `{"credHelpers": {"ghcr.io": "gh"}, "credsStore": "desktop"}`, "gh ghcr.io", "carol:hunter4"},
		"for all":        {"docker.io/a", `{"credsStore": "desktop"}`, "desktop https://index.docker.io/v1/", "carol:hunter4"},
		"a path":         {"ghcr.io/a", `{"credsStore": "../../evil"}`, "", "invalid credential helper"},
		"not there":      {"ghcr.io/a", `{"credsStore": "missing"}`, "missing ghcr.io", "docker-credential-missing is not installed, or not in PATH"},
		"without a word": {"ghcr.io/a", `{"credsStore": "empty"}`, "empty ghcr.io", "has no login for it"},
	} {
		t.Run(name, func(t *testing.T) {
			w := inAction("", "FERRY_TARGET", test.target)
			w.files[filepath.FromSlash("/home/runner/.docker/config.json")] = test.file
			options, asked := w.options(), ""
			options.Helper = func(name, server string) (string, string, error) {
				asked = name + " " + server
				switch name {
				case "empty":
					return "", "", nil
				case "missing":
					return "", "", exec.ErrNotFound
				}
				return "carol", "hunter4", nil
			}
			c, err := Load(options)
			got := c.Targets[0].Username + ":" + c.Targets[0].Password.Reveal()
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, test.want) || asked != test.asked {
				t.Errorf("got %q after asking %q, want %q and %q", got, asked, test.want, test.asked)
			}
		})
	}
}

// TestSourcesAskNoHelper checks that helpers are asked for the login of a target
// alone, even if a source has an identity, and that a person without a login is
// told to log in.
func TestSourcesAskNoHelper(t *testing.T) {
	w := inAction("targets: [{to: quay.io/a}]\nsources: [{host: "+ecr+", oidc: \""+fakecloud.Role+"\"}]", "GITHUB_ACTIONS", "")
	w.files[filepath.FromSlash("/home/runner/.docker/config.json")] = `{"credsStore": "desktop"}`
	options := w.options()
	var asked []string
	options.Helper = func(_, server string) (string, string, error) {
		asked = append(asked, server)
		return "", "", errors.New("credentials not found")
	}
	_, err := Load(options)
	if want := []string{"quay.io"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
	if want := `or log in with "docker login quay.io"`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q in it", err, want)
	}
}

func TestWhichLoginWins(t *testing.T) {
	w := inAction("", "FERRY_USERNAME", "alice", "DOCKER_CONFIG", "/elsewhere")
	w.files[filepath.FromSlash("/elsewhere/config.json")] = `{"auths": {"docker.io": {"username": "bob", "password": "pb"}}}`
	if target := w.load(t).Targets[0]; target.Username != "bob" || target.Namespace != "alice" {
		t.Errorf("Docker's login is not used as a whole: %+v", target)
	}
	w.env["FERRY_PASSWORD"] = "pa"
	if target := w.load(t).Targets[0]; target.Username != "alice" || target.Password.Reveal() != "pa" {
		t.Errorf("the inputs do not win: %+v", target)
	}
	// A source never gets a login of "docker login".
	for _, s := range w.load(t).Sources {
		if !s.Password.IsZero() || s.Username != "" {
			t.Errorf("%s has a login", s.Host)
		}
	}
}

// TestElsewhere checks that a run started by hand may use another target, but
// not send the password to another host.
func TestElsewhere(t *testing.T) {
	const policy = `
targets:
  - to: docker.io/alice
  - {to: quay.io/alice, username: alice+robot, password-env: QUAY_PASSWORD}
`
	for _, test := range []struct {
		policy, target, elsewhere string
		want                      string // the target and its password, or a part of the fault
	}{
		{"", "", "docker.io/team", "docker.io/team hub"},
		{"", "", "team", "docker.io/team hub"},
		{"", "ghcr.io/alice", "ghcr.io/team", "ghcr.io/team hub"},
		{"", "ghcr.io/alice", "docker.io/alice", "another registry than the usual target"},
		{"", "", "ghcr.io/alice", "another registry than the usual target"},
		{"", "", "evil.example/alice", "another registry than the usual target"},
		{"", "", "docker.io.evil.example/alice", `did you mean "docker.io/alice"?`},
		{"", "docker.io:8443/alice", "docker.io/alice", "another registry than the usual target"},
		{"", "", "http://docker.io/alice", "docker.io/alice hub"}, // its marks are those of the known one
		{"", "", "localhost:5000/alice", "localhost:5000/alice "},
		{"", "", "registry.example.com/alice", "registry.example.com/alice example"}, // by "docker login"
		{policy, "", "docker.io/team", "docker.io/team hub"},
		{policy, "", "quay.io/team", "quay.io/team quay"},
		{policy, "docker.io/alice", "quay.io/alice", "quay.io/alice quay"},
		{policy, "ghcr.io/alice", "docker.io/alice", "no other login for docker.io"},
		{policy, "", "https://user:pass@docker.io/alice", "credentials must not be part of it"},
	} {
		w := inAction(test.policy, "FERRY_USERNAME", "alice", "FERRY_PASSWORD", "hub", "QUAY_PASSWORD", "quay",
			"FERRY_TARGET", test.target, "FERRY_TARGET_OVERRIDE", test.elsewhere)
		w.files[filepath.FromSlash("/home/runner/.docker/config.json")] = `{"auths": {"registry.example.com": {"username": "bob", "password": "example"}}}`
		c, err := Load(w.options())
		got := ""
		switch {
		case err != nil:
			got = err.Error()
		case len(c.Targets) == 1:
			got = c.Targets[0].String() + " " + c.Targets[0].Password.Reveal()
			if c.Targets[0].PlainHTTP {
				got += " without TLS"
			}
		}
		if err != nil && !strings.Contains(got, test.want) || err == nil && got != test.want {
			t.Errorf("from %q to %q: %q, want %q", test.target, test.elsewhere, got, test.want)
		}
	}
}

func TestWellKnownSources(t *testing.T) {
	seen := map[string]bool{}
	for _, host := range known.Allowed() {
		canonical, plain, err := parseHost(host)
		if err != nil || canonical != host || plain || isLocal(host) || seen[host] {
			t.Errorf("%s is no canonical public host, or there twice: %q, %v", host, canonical, err)
		}
		seen[host] = true
	}
}

func FuzzLoad(f *testing.F) {
	for _, policy := range []string{
		fullPolicy, "a: b: c", "- x", "? [a]\n: b", "limits: {images: 1, images: 2}", "&a [*a]", "<<: {language: zh}",
		"targets: [{to: docker.io/a}]\n---\n", "language: !!binary emg=", "denied: ['*', '/*', 'x/*/*', '@/*', ':/*']", "limits: {image-bytes: 999999999999999TiB}",
		"sources: [{host: 'http://', label: -}]", "\"\\u0000\": 1", "%YAML 1.1\n---\nlanguage: zh", "{[{[{[", "a: |\n  b\n c", "!!map {}",
	} {
		f.Add(policy, "docker.io/alice")
	}
	f.Add("", "https://a@b/c")
	f.Fuzz(func(t *testing.T, policy, target string) {
		c, err := Load(inAction(policy, "FERRY_TARGET", target, "FERRY_USERNAME", "alice", "FERRY_PASSWORD", "p", "FERRY_SOURCES", target, "FERRY_PLATFORMS", target).options())
		var faults Faults
		if err != nil && (!errors.As(err, &faults) || len(faults) == 0) {
			t.Fatalf("the error is %T", err)
		}
		lines := strings.Count(policy, "\n") + strings.Count(policy, "\r") + strings.Count(policy, "\u0085") + strings.Count(policy, "\u2028") + strings.Count(policy, "\u2029") + 2
		for _, fault := range faults {
			if fault.Reason == "" || fault.Line < 0 || fault.Line > lines || fault.Place == "" {
				t.Errorf("a fault of %q is %+v", policy, fault)
			}
		}
		if c.Limits.Images < 1 || c.Limits.ImageBytes < 1 || c.Limits.RequestBytes < 1 || c.Limits.RequestsPerDay < 1 || c.Limits.BytesPerDay < 1 || c.Limits.RepositoriesPerDay < 1 || c.Limits.IndexManifests < 1 || c.Limits.RetryHours < 1 {
			t.Errorf("%q sets the limits %+v", policy, c.Limits)
		}
		if c.Requests == "" || c.CustomNames == "" || c.Language == "" {
			t.Errorf("%q leaves out a default: %+v", policy, c)
		}
		if err != nil {
			return
		}
		for _, target := range c.Targets {
			if _, err := reference.NewRepository(target.Host, target.Namespace+"/x"); err != nil {
				t.Errorf("a target is %+v: %v", target, err)
			}
		}
		for _, s := range c.Sources {
			if host, _, err := parseHost(s.Host); err != nil || host != s.Host || s.Requests == "" {
				t.Errorf("a source is %+v", s)
			}
		}
	})
}

// TestVerifications: a rule says whose signature, in one way.
func TestVerifications(t *testing.T) {
	for text, fault := range map[string]string{
		"{images: [quay.io/a/*], key: cosign.pub}":                                         "",
		"{images: [quay.io/a/*], issuer: https://a, identity: https://b}":                  "",
		"{images: [quay.io/a/*], issuer: https://a, identity-regexp: ^b, otherwise: mark}": "",
		"{key: cosign.pub}":                                                   "images",
		"{images: [quay.io/a/*]}":                                             "whose signature",
		"{images: [quay.io/a/*], identity: b}":                                "whose signature",
		"{images: [quay.io/a/*], issuer: https://a}":                          "whose signature",
		"{images: [quay.io/a/*], key: a, issuer: https://a, identity: b}":     "whose signature",
		"{images: [quay.io/a/*], issuer: a, identity: b, identity-regexp: c}": "whose signature",
	} {
		c, err := Load(Options{
			Getenv:   func(string) string { return "" },
			ReadFile: func(string) ([]byte, error) { return []byte("verify: [" + text + "]\n"), nil },
		})
		if (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v", text, err)
		}
		if err == nil && (len(c.Verify) != 1 || c.Verify[0].Mark != strings.Contains(text, "mark")) {
			t.Errorf("%s: %+v", text, c.Verify)
		}
	}
}

func TestLanguageOfTheEnvironment(t *testing.T) {
	for text, want := range map[string]string{"zh": "zh", "zh_CN": "zh", "zh-CN": "zh", "ZH": "zh", "en_US.UTF-8": "en", "auto": "auto"} {
		if got := inAction("", "FERRY_USERNAME", "a", "FERRY_PASSWORD", "p", "FERRY_LANGUAGE", text).load(t).Language; got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}

// TestTargetNotMeant checks that a host that resembles a well-known registry is
// the only fault of its target, and that a file that cannot be read is not also
// said to lack a target.
func TestTargetNotMeant(t *testing.T) {
	for name, test := range map[string]struct{ policy, target, want string }{
		"a look-alike":   {"", "dokcer.io/me", `FERRY_TARGET is "dokcer.io/me": did you mean "docker.io/me"? if not, write the port as well: dokcer.io:443/me`},
		"with its port":  {"", "dokcer.io:443/me", `FERRY_PASSWORD is empty and there is no other login for dokcer.io:443`},
		"a source":       {"", "quay.io/me", `FERRY_SOURCES is "gcr.oi": did you mean "gcr.io"? if not, write the port as well: gcr.oi:443`},
		"a broken file":  {"targets: [", "", `.github/ferry.yaml:1: is not YAML`},
		"nothing at all": {"", "", `FERRY_USERNAME is empty, so there is no target`},
	} {
		t.Run(name, func(t *testing.T) {
			w := inAction(test.policy, "FERRY_TARGET", test.target, "FERRY_PASSWORD", "")
			if name == "a source" {
				w = inAction(test.policy, "FERRY_TARGET", test.target, "FERRY_USERNAME", "me", "FERRY_PASSWORD", "p", "FERRY_SOURCES", "gcr.oi")
			}
			got := w.faults(t, w.options())
			if !strings.HasPrefix(got[0], test.want) || len(got) > 1 && name != "nothing at all" && name != "with its port" {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), test.want)
			}
		})
	}
}

// TestMisplacedKeys checks what is said of keys that are at the wrong place of
// the policy file.
func TestMisplacedKeys(t *testing.T) {
	for policy, want := range map[string]string{
		"target: docker.io/a\n":                 `target is unknown: write "targets:", and below it "- to: docker.io/user"`,
		"plain-http: true\n":                    "plain-http is unknown here: write plain-http in the item of targets that it belongs to",
		"plainHttp: true\n":                     "plainHttp is unknown here: write plain-http in the item of targets that it belongs to",
		"custom_names: owner\n":                 `custom_names is unknown: did you mean "custom-names"?`,
		"profile: flat\n":                       "profile is unknown here: write profile in the item of targets that it belongs to",
		"targets: [{target: docker.io/a}]\n":    `targets[0].target is unknown: write "to"`,
		"language: zh\nrequests: [owner\n  - b": ".github/ferry.yaml:2: is not YAML",
	} {
		w := inAction(policy, "FERRY_TARGET", "ghcr.io/a", "FERRY_USERNAME", "a", "FERRY_PASSWORD", "p")
		if _, err := Load(w.options()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", policy, err, want)
		}
	}
}
