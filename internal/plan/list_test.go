package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
)

func TestMakeList(t *testing.T) {
	cfg := settings(target("registry.example.com", "a/b", "path"), func(c *config.Config) { c.Limits.Images = 1 })
	const usual, other = "docker.io/user", "registry.example.com/a/b"
	place := func(text, tag string) plan.Place {
		ref, err := reference.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return plan.Place{Repository: ref.Repository(), Tag: tag}
	}
	at := func(line string, targets ...string) plan.Wish {
		return plan.Wish{Image: wish(t, line), Targets: targets}
	}
	to := func(line string, places ...plan.Place) plan.Wish {
		return plan.Wish{Image: wish(t, line), Places: places}
	}
	p, err := plan.MakeList([]plan.Wish{
		at("nginx:1", usual, other),
		to("nginx:1", place("registry.example.com/a/b/web", ""), place("registry.example.com/a/b/web", "stable")),
		at("nginx:1+linux/arm64", other),
		at("quay.io/a/b:1+linux/arm64", usual),
		at("quay.io/a/b:1+linux/amd64", usual),
		to("quay.io/a/web:1", place("registry.example.com/a/b/web", "")),
		to("quay.io/a/c@"+digest, place("registry.example.com/a/b/quay.x", "")),
		at("quay.io/a/d:2@"+digest, usual),
		at("gcr.io/x/y:1>quay.a.z", usual),
		at("evil.example/a:1", usual),
		at("docker.io/user/docker.nginx:1", usual),
		at("quay.io/a/none:1", "ghcr.io/nobody"),
	}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(`docker.io/library/nginx:1 -> docker.io/user/docker.nginx:1
docker.io/library/nginx:1 -> registry.example.com/a/b/docker.io/library/nginx:1
docker.io/library/nginx:1 -> registry.example.com/a/b/web:1
docker.io/library/nginx:1 -> registry.example.com/a/b/web:stable
quay.io/a/b:1 -> docker.io/user/quay.a.b:1 +linux/arm64 +linux/amd64
quay.io/a/c@DIGEST -> registry.example.com/a/b/quay.x:digest-HEX
quay.io/a/d:2@DIGEST -> docker.io/user/quay.a.d:2 or digest-HEX
quay.io/a/web:1: name-taken [docker.io/library/nginx:1] at registry.example.com/a/b
gcr.io/x/y:1: custom-name [quay-a-z] at docker.io/user
evil.example/a:1: host-not-allowed [docker.io gcr.io k8s.gcr.io quay.io registry.k8s.io]
docker.io/user/docker.nginx:1: own-mirror [docker.io/library/nginx:1]
quay.io/a/none:1: internal [] at ghcr.io/nobody`, "DIGEST", digest)
	want = strings.ReplaceAll(want, "HEX", strings.TrimPrefix(digest, "sha256:"))
	if diff := cmp.Diff(strings.Split(want, "\n"), show(p)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
