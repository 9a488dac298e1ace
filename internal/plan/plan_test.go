package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

var (
	amd64 = reference.Platform{OS: "linux", Architecture: "amd64"}
	arm64 = reference.Platform{OS: "linux", Architecture: "arm64"}
)

// settings returns an owner's configuration.
func settings(change ...func(*config.Config)) *config.Config {
	cfg := &config.Config{
		Targets:     []config.Target{{Host: "docker.io", Namespace: "user", Profile: "flat"}},
		Requests:    config.Anyone,
		CustomNames: config.Collaborators,
		Limits:      config.Limits{Images: 5, RequestsPerDay: 3, BytesPerDay: 1 << 30, RepositoriesPerDay: 10},
	}
	for _, host := range []string{"docker.io", "gcr.io", "quay.io", "registry.k8s.io", "k8s.gcr.io"} {
		cfg.Sources = append(cfg.Sources, config.Source{Host: host})
	}
	for _, f := range change {
		f(cfg)
	}
	return cfg
}

func target(host, namespace, profile string) func(*config.Config) {
	return func(cfg *config.Config) {
		cfg.Targets = append(cfg.Targets, config.Target{Host: host, Namespace: namespace, Profile: profile})
	}
}

func source(s config.Source) func(*config.Config) {
	return func(cfg *config.Config) { cfg.Sources = append(cfg.Sources, s) }
}

// wish returns the image of a line in the tests: the reference, platforms after
// "+", and a custom name after ">".
func wish(t *testing.T, line string) request.Image {
	t.Helper()
	line, as, _ := strings.Cut(line, ">")
	fields := strings.Split(line, "+")
	ref, err := reference.Parse(fields[0])
	if err != nil {
		t.Fatal(err)
	}
	image := request.Image{Reference: ref, Written: line}
	image.As.Path, image.As.Tag, _ = strings.Cut(as, ":")
	for _, field := range fields[1:] {
		p, err := reference.ParsePlatform(field)
		if err != nil {
			t.Fatal(err)
		}
		image.Platforms = append(image.Platforms, p)
	}
	return image
}

func planFor(t *testing.T, cfg *config.Config, asker plan.Asker, lines ...string) plan.Plan {
	t.Helper()
	var req request.Request
	for _, line := range lines {
		req.Images = append(req.Images, wish(t, line))
	}
	p, err := plan.Make(req, asker, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// show describes a plan, with a line for each destination and refusal.
func show(p plan.Plan) []string {
	var lines []string
	if p.Refused != nil {
		lines = append(lines, fmt.Sprintf("refused: %s %v", p.Refused.Code, p.Refused.Hints))
	}
	for _, step := range p.Steps {
		for _, d := range step.Destinations {
			line := fmt.Sprintf("%s -> %s", step.Image.Reference, d.Mirror)
			if d.Exclusive {
				line += " exclusive"
			}
			if !d.ByDigest.IsZero() {
				line += " or " + d.ByDigest.Tag()
			}
			if !d.Before.IsZero() {
				line += " after " + d.Before.String()
			}
			for _, platform := range d.Platforms {
				line += " +" + platform.String()
			}
			if d.Default {
				line += " by default"
			}
			lines = append(lines, line)
		}
	}
	for _, r := range p.Refusals {
		line := fmt.Sprintf("%s: %s %v", r.Image.Reference, r.Failure.Code, r.Failure.Hints)
		if r.Target != "" {
			line += " at " + r.Target
		}
		lines = append(lines, line)
	}
	return lines
}

func TestMake(t *testing.T) {
	other, byDigest := "sha256:"+strings.Repeat("b", 64), strings.Replace(digest, "sha256:", "digest-", 1)
	const hosts = "[docker.io gcr.io k8s.gcr.io quay.io registry.k8s.io]"
	custom := func(cfg *config.Config) { cfg.CustomNames = config.Anyone }
	deny := func(entries ...string) func(*config.Config) {
		return func(cfg *config.Config) {
			for _, entry := range entries {
				pattern, err := name.ParsePattern(entry)
				if err != nil {
					t.Fatal(err)
				}
				cfg.Denied = append(cfg.Denied, pattern)
			}
		}
	}
	for _, test := range []struct {
		name  string
		cfg   *config.Config
		asker plan.Asker
		lines []string
		want  []string
	}{
		{
			name:  "the main road",
			lines: []string{"nginx:1", "gcr.io/ns/img:tag", "registry.k8s.io/a/b:1", "quay.io/a/b@" + digest},
			want: []string{
				"docker.io/library/nginx:1 -> docker.io/user/docker.nginx:1",
				"gcr.io/ns/img:tag -> docker.io/user/ns.img:tag",
				"registry.k8s.io/a/b:1 -> docker.io/user/google-containers.a.b:1",
				"quay.io/a/b@" + digest + " -> docker.io/user/quay.a.b:" + strings.Replace(digest, "sha256:", "digest-", 1),
			},
		},
		{
			name:  "hosts are exact",
			lines: []string{"quay.io.evil.example/a/b:1", "evil.example/quay.io/b:1", "xquay.io/a/b:1", "quay.io:8443/a/b:1", "quay.io:443/a/b:1"},
			want: []string{
				"quay.io:443/a/b:1 -> docker.io/user/quay.a.b:1",
				"quay.io.evil.example/a/b:1: host-not-allowed " + hosts,
				"evil.example/quay.io/b:1: host-not-allowed " + hosts,
				"xquay.io/a/b:1: host-not-allowed " + hosts,
				"quay.io:8443/a/b:1: host-not-allowed " + hosts,
			},
		},
		{
			name: "a refusal leaves the others alone",
			cfg:  settings(deny("docker.io/library/redis", "quay.io/bad/*", "registry.k8s.io/secret", "gcr.io/*")),
			lines: []string{"redis:7", "redislabs/redis:7", "quay.io/bad/b:1", "quay.io/bad/b/c:1", "quay.io/badly/b:1", "quay.io/a/bad:1",
				"k8s.gcr.io/secret:1", "index.docker.io/redis:7", "gcr.io/a/b:1"},
			want: []string{
				"docker.io/redislabs/redis:7 -> docker.io/user/docker.redislabs.redis:7",
				"quay.io/badly/b:1 -> docker.io/user/quay.badly.b:1",
				"quay.io/a/bad:1 -> docker.io/user/quay.a.bad:1",
				"docker.io/library/redis:7: denied []",
				"quay.io/bad/b:1: denied []",
				"quay.io/bad/b/c:1: denied []",
				"k8s.gcr.io/secret:1: denied []",
				"gcr.io/a/b:1: denied []",
			},
		},
		{
			name:  "the first images are served, refused ones do not count",
			lines: []string{"evil.example/a:1", "quay.io/a/1", "quay.io/a/2", "quay.io/a/3", "quay.io/a/4", "quay.io/a/5", "quay.io/a/6"},
			want: []string{
				"quay.io/a/1:latest -> docker.io/user/quay.a.1:latest",
				"quay.io/a/2:latest -> docker.io/user/quay.a.2:latest",
				"quay.io/a/3:latest -> docker.io/user/quay.a.3:latest",
				"quay.io/a/4:latest -> docker.io/user/quay.a.4:latest",
				"quay.io/a/5:latest -> docker.io/user/quay.a.5:latest",
				"evil.example/a:1: host-not-allowed " + hosts,
				"quay.io/a/6:latest: too-many [5]",
			},
		},
		{
			name:  "one name, two sources",
			lines: []string{"registry.k8s.io/pause:3.9", "gcr.io/google-containers/pause:3.9", "gcr.io/google-containers/pause:3.8"},
			want: []string{
				"registry.k8s.io/pause:3.9 -> docker.io/user/google-containers.pause:3.9",
				"gcr.io/google-containers/pause:3.8 -> docker.io/user/google-containers.pause:3.8 after registry.k8s.io/pause:3.8",
				"gcr.io/google-containers/pause:3.9: name-taken [registry.k8s.io/pause:3.9]",
			},
		},
		{
			name:  "one source, two spellings, two platforms",
			lines: []string{"registry.k8s.io/pause:3.9+linux/amd64", "k8s.gcr.io/pause:3.9+linux/arm64", "nginx:1+arm64", "nginx:1", "nginx:2+arm64", "nginx:2+arm64"},
			want: []string{
				"registry.k8s.io/pause:3.9 -> docker.io/user/google-containers.pause:3.9 +linux/amd64 +linux/arm64",
				"docker.io/library/nginx:1 -> docker.io/user/docker.nginx:1",
				"docker.io/library/nginx:2 -> docker.io/user/docker.nginx:2 +linux/arm64",
			},
		},
		{
			name:  "a tag is for the image without a digest",
			lines: []string{"nginx:1@" + digest, "nginx:1", "nginx:1@" + other, "nginx:2@" + digest},
			want: []string{
				"docker.io/library/nginx:1@" + digest + " -> docker.io/user/docker.nginx:" + byDigest,
				"docker.io/library/nginx:1 -> docker.io/user/docker.nginx:1",
				"docker.io/library/nginx:1@" + other + " -> docker.io/user/docker.nginx:" + strings.Replace(other, "sha256:", "digest-", 1),
				"docker.io/library/nginx:2@" + digest + " -> docker.io/user/docker.nginx:2 or " + byDigest,
			},
		},
		{
			name:  "without a refresh nothing is taken",
			lines: []string{"gcr.io/google-containers/pause:3.8"},
			want:  []string{"gcr.io/google-containers/pause:3.8 -> docker.io/user/google-containers.pause:3.8 after registry.k8s.io/pause:3.8"},
		},
		{
			name:  "a collaborator's refresh takes names back",
			cfg:   settings(target("ghcr.io", "user", "last")),
			asker: plan.Asker{Role: plan.Collaborator, Refresh: true},
			lines: []string{"gcr.io/google-containers/pause:3.8"},
			want: []string{
				"gcr.io/google-containers/pause:3.8 -> docker.io/user/google-containers.pause:3.8",
				"gcr.io/google-containers/pause:3.8 -> ghcr.io/user/pause:3.8",
			},
		},
		{
			name: "targets have names of their own",
			cfg: settings(target("harbor.example.com", "team/mirror", "path"), target("ghcr.io", "user", "last"), func(cfg *config.Config) {
				cfg.Targets[2].Platforms = []reference.Platform{amd64}
			}),
			lines: []string{"nginx:1", "quay.io/x/nginx:1+arm64"},
			want: []string{
				"docker.io/library/nginx:1 -> docker.io/user/docker.nginx:1",
				"docker.io/library/nginx:1 -> harbor.example.com/team/mirror/docker.io/library/nginx:1",
				"docker.io/library/nginx:1 -> ghcr.io/user/nginx:1 exclusive +linux/amd64 by default",
				"quay.io/x/nginx:1 -> docker.io/user/quay.x.nginx:1 +linux/arm64",
				"quay.io/x/nginx:1 -> harbor.example.com/team/mirror/quay.io/x/nginx:1 +linux/arm64",
				"quay.io/x/nginx:1: name-taken [docker.io/library/nginx:1] at ghcr.io/user",
			},
		},
		{
			name:  "our own mirrors",
			cfg:   settings(target("registry.cn-hangzhou.aliyuncs.com", "user", "last")),
			lines: []string{"user/docker.nginx:1", "docker.io/user/mine:1", "registry.cn-hangzhou.aliyuncs.com/user/nginx:1", "user2/docker.nginx:1"},
			want: []string{
				"docker.io/user2/docker.nginx:1 -> docker.io/user/docker.user2.docker__nginx:1",
				"docker.io/user2/docker.nginx:1 -> registry.cn-hangzhou.aliyuncs.com/user/docker.nginx:1 exclusive",
				"docker.io/user/docker.nginx:1: own-mirror [docker.io/library/nginx:1]",
				"docker.io/user/mine:1: own-mirror []",
				"registry.cn-hangzhou.aliyuncs.com/user/nginx:1: own-mirror []",
			},
		},
		{
			name:  "custom names by policy",
			lines: []string{"nginx:1>web", "quay.io/a/b:1>quay.a.b:1", "quay.io/a/c:1"},
			want: []string{
				"quay.io/a/b:1 -> docker.io/user/quay.a.b:1",
				"quay.io/a/c:1 -> docker.io/user/quay.a.c:1",
				"docker.io/library/nginx:1: name-not-permitted [collaborators]",
			},
		},
		{
			name:  "custom names of a collaborator",
			asker: plan.Asker{Role: plan.Collaborator},
			lines: []string{"nginx:1>web", "nginx:2>web:1", "redis:7>web:7", "evil/nginx:1>docker.nginx", "evil/nginx:1>a/b.c"},
			want: []string{
				"docker.io/library/nginx:1 -> docker.io/user/web:1 exclusive",
				"docker.io/library/redis:7 -> docker.io/user/web:7 exclusive",
				"docker.io/library/nginx:2: name-taken [docker.io/library/nginx:1]",
				"docker.io/evil/nginx:1: custom-name [docker-nginx]",
				"docker.io/evil/nginx:1: custom-name [a-b-c]",
			},
		},
		{
			name:  "one image under two names",
			cfg:   settings(custom),
			lines: []string{"nginx:1", "nginx:1>web", "nginx:1>web"},
			want: []string{
				"docker.io/library/nginx:1 -> docker.io/user/docker.nginx:1",
				"docker.io/library/nginx:1 -> docker.io/user/web:1 exclusive",
			},
		},
		{
			name:  "hosts that need more than the request",
			cfg:   settings(source(config.Source{Host: "reg.example.com", Requests: config.Owner})),
			asker: plan.Asker{Role: plan.Collaborator},
			lines: []string{"reg.example.com/a/b:1", "nginx:1"},
			want: []string{
				"docker.io/library/nginx:1 -> docker.io/user/docker.nginx:1",
				"reg.example.com/a/b:1: host-not-permitted [owner]",
			},
		},
		{
			name:  "hosts that nobody may name",
			cfg:   settings(source(config.Source{Host: "reg.internal"}), source(config.Source{Host: "10.0.0.5:5000", Private: true})),
			lines: []string{"reg.internal/a:1", "10.0.0.5/a:1", "10.0.0.5:5000/a:1"},
			want: []string{
				"10.0.0.5:5000/a:1 -> docker.io/user/host.10__0__0__5_5000.a:1",
				"reg.internal/a:1: host-forbidden []",
				"10.0.0.5/a:1: host-forbidden []",
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := test.cfg
			if cfg == nil {
				cfg = settings()
			}
			got := show(planFor(t, cfg, test.asker, test.lines...))
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(test.want, "\n\t"))
			}
		})
	}
}

func TestWhoMayAsk(t *testing.T) {
	for _, test := range []struct {
		who   config.Who
		asker plan.Asker
		want  string
	}{
		{config.Anyone, plan.Asker{}, ""},
		{config.Collaborators, plan.Asker{}, "refused: not-permitted [collaborators]"},
		{config.Collaborators, plan.Asker{Role: plan.Collaborator}, ""},
		{config.Owner, plan.Asker{Role: plan.Collaborator}, "refused: not-permitted [owner]"},
		{config.Owner, plan.Asker{Role: plan.Owner}, ""},
		{"", plan.Asker{Role: plan.Collaborator}, "refused: not-permitted []"}, // what is not set is for the owner
		{config.Anyone, plan.Asker{Recent: 2}, ""},
		{config.Anyone, plan.Asker{Recent: 3}, "refused: too-often [3]"},
		{config.Anyone, plan.Asker{Bytes: 1<<30 - 1, Repositories: 10}, ""},
		{config.Anyone, plan.Asker{Bytes: 1 << 30}, "refused: too-much [1GiB]"},
		{config.Anyone, plan.Asker{Role: plan.Collaborator, Recent: 1000, Bytes: 1 << 40}, ""},
		{config.Anyone, plan.Asker{Role: plan.Owner, Recent: 1000}, ""},
	} {
		p := planFor(t, settings(func(cfg *config.Config) { cfg.Requests = test.who }), test.asker, "nginx:1")
		if test.want == "" {
			if p.Refused != nil || len(p.Steps) != 1 || (p.Quota == nil) != (test.asker.Role >= plan.Collaborator) {
				t.Errorf("%+v of %s: %v", test.asker, test.who, show(p))
			}
			continue
		}
		if got := show(p); !slices.Equal(got, []string{test.want}) {
			t.Errorf("%+v of %s: %v, want %s", test.asker, test.who, got, test.want)
		}
	}
}

// TestQuota: a visitor may have what is left of the day, and never less than
// nothing.
func TestQuota(t *testing.T) {
	for _, test := range []struct {
		asker plan.Asker
		want  *plan.Quota
	}{
		{plan.Asker{}, &plan.Quota{Bytes: 1 << 30, MaxBytes: 1 << 30, Repositories: 10, MaxRepositories: 10}},
		{plan.Asker{Bytes: 1 << 20, Repositories: 3}, &plan.Quota{Bytes: 1<<30 - 1<<20, MaxBytes: 1 << 30, Repositories: 7, MaxRepositories: 10}},
		{plan.Asker{Bytes: 1 << 31, Repositories: 30}, &plan.Quota{MaxBytes: 1 << 30, MaxRepositories: 10}},
		{plan.Asker{Role: plan.Collaborator, Bytes: 1}, nil},
		{plan.Asker{Role: plan.Owner}, nil},
	} {
		if diff := cmp.Diff(test.want, planFor(t, settings(), test.asker, "nginx:1").Quota); diff != "" {
			t.Errorf("%+v: %s", test.asker, diff)
		}
	}
}

// TestAllowed: the owner's list is for those who may not write to the repository,
// and what is denied is so for all.
func TestAllowed(t *testing.T) {
	list := func(cfg *config.Config) {
		for _, entry := range []string{"docker.io/library/*", "quay.io/a/b"} {
			pattern, err := name.ParsePattern(entry)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Allowed = append(cfg.Allowed, pattern)
		}
		denied, err := name.ParsePattern("docker.io/library/redis")
		if err != nil {
			t.Fatal(err)
		}
		cfg.Denied = append(cfg.Denied, denied)
	}
	for _, test := range []struct {
		role    plan.Role
		image   string
		refused string
	}{
		{plan.Visitor, "nginx:1", ""},
		{plan.Visitor, "quay.io/a/b:1", ""},
		{plan.Visitor, "quay.io/a/c:1", "not-listed"},
		{plan.Visitor, "foo/bar:1", "not-listed"},
		{plan.Visitor, "redis:1", "denied"},
		{plan.Collaborator, "quay.io/a/c:1", ""},
		{plan.Owner, "foo/bar:1", ""},
		{plan.Owner, "redis:1", "denied"},
	} {
		p := planFor(t, settings(list), plan.Asker{Role: test.role}, test.image)
		got := ""
		if len(p.Refusals) > 0 {
			got = string(p.Refusals[0].Failure.Code)
		}
		if got != test.refused || (len(p.Steps) == 1) != (got == "") {
			t.Errorf("%s by role %d: %v, want %q", test.image, test.role, show(p), test.refused)
		}
	}
}

func TestForbiddenHosts(t *testing.T) {
	forbidden := strings.Fields("127.0.0.1 127.0.0.1:5000 127.1:80 0x7f.1 169.254.169.254 100.100.100.200 2130706433:80 10.0.0.0xa 0177.0.0.1 1.2.3.08 " +
		"localhost localhost:5000 reg:5000 app.localhost registry.local nas.lan box.home.arpa vault.internal metadata.google.internal " +
		"reg.default.svc reg.default.svc.cluster.local metadata.tencentyun.com x.onion a.corp a.test")
	allowed := strings.Fields("registry.example.com local.example.com internal.io svc.example.com 1.example.com localhost.example.com x0.io a.b.localio registry.invalid")
	for _, private := range []bool{false, true} {
		cfg := settings(func(cfg *config.Config) {
			cfg.Targets[0].Profile = "host"
			cfg.Limits.Images = 1000
			for _, host := range slices.Concat(forbidden, allowed) {
				cfg.Sources = append(cfg.Sources, config.Source{Host: host, Private: private})
			}
		})
		for _, host := range slices.Concat(forbidden, allowed) {
			want := slices.Contains(forbidden, host) && !private
			p := planFor(t, cfg, plan.Asker{}, host+"/a/b:1")
			got := len(p.Refusals) == 1 && p.Refusals[0].Failure.Code == failure.HostForbidden
			if got != want {
				t.Errorf("%s, private %t: forbidden %t, want %t: %v", host, private, got, want, show(p))
			}
		}
	}
	// An internal address is refused as forbidden, not as unknown, because
	// adding it to the list would not help.
	p := planFor(t, settings(), plan.Asker{}, "169.254.169.254/latest/meta-data:1")
	if len(p.Refusals) != 1 || p.Refusals[0].Failure.Code != failure.HostForbidden || p.Refusals[0].Failure.Hints != nil {
		t.Errorf("the metadata address: %v", show(p))
	}
}

func TestMakeRefusesFaultyConfigurations(t *testing.T) {
	for why, change := range map[string]func(*config.Config){
		"profile":          func(cfg *config.Config) { cfg.Targets[0].Profile = "flatt" },
		"labels":           source(config.Source{Host: "a.example.com", Label: "quay"}),
		"nested namespace": target("docker.io", "a/b", "flat"),
	} {
		if p, err := plan.Make(request.Request{}, plan.Asker{}, settings(change)); err == nil {
			t.Errorf("%s: no error but the plan %v", why, show(p))
		}
	}
}

// TestMakeLeavesTheRequestAlone checks that Make does not change the request.
func TestMakeLeavesTheRequestAlone(t *testing.T) {
	req := request.Request{Images: []request.Image{wish(t, "nginx:1+amd64"), wish(t, "nginx:1+arm64"), wish(t, "nginx:1")}}
	for range 2 {
		if _, err := plan.Make(req, plan.Asker{}, settings()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(req.Images[0].Platforms, []reference.Platform{amd64}) || !slices.Equal(req.Images[1].Platforms, []reference.Platform{arm64}) {
			t.Fatalf("Make changed the request to %v", req.Images)
		}
	}
}
