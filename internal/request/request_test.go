package request_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/request"
)

const digest = "sha256:7fa7445dfbebae4f4b7ab0e6ef99276e96075ae42584af6286ba080750d6dfe5"

// TestAssumptions checks that all repairs and assumptions are reported, and
// nothing else.
func TestAssumptions(t *testing.T) {
	for body, want := range map[string][]request.Assumption{
		"docker.io/library/nginx:1.25":      nil,
		"quay.io/a/b:v1":                    nil,
		"quay.io/a/b@" + digest:             nil,
		"GHCR.io/a/b:v1":                    nil,
		"docker pull quay.io/a/b:v1":        nil,
		"nginx:1.25":                        {request.AssumedHost, request.AssumedLibrary},
		"nginx":                             {request.AssumedHost, request.AssumedLibrary, request.AssumedTag},
		"docker.io/nginx:1.25":              {request.AssumedLibrary},
		"grafana/grafana:11":                {request.AssumedHost},
		"quay.io/a/b":                       {request.AssumedTag},
		"quay.io/a/b:v1@" + digest:          {request.KeptTagAndDigest},
		"quay.io/a/b@" + digest + ":latest": {request.DroppedTag},
		"docker.io/quay.io/a/b:v1":          {request.DroppedHost},
		"m.daocloud.io/quay.io/a/b:v1":      {request.UndidMirror},
		"https://quay.io/a/b:v1":            {request.ReadLink},
		"https://hub.docker.com/_/nginx":    {request.ReadLink, request.AssumedTag},
		"ghcr.io/A/b:v1":                    {request.Lowered},
		"quay.io/a/b : v1":                  {request.RemovedSpace},
		"quay.io/a/b v1.2":                  {request.RemovedSpace},
		"quay.io/a/\nb:v1":                  {request.JoinedLines},
		"quay.io//a/b::v1":                  {request.FixedPunctuation},
		"quay.io/a/b:{1,2}":                 {request.Expanded},
		"kubeadm v1.30.2":                   {request.ReleaseSet},
		"immich":                            {request.AssumedHost, request.AssumedLibrary, request.AssumedTag, request.Guessed},
		"image: ghcr.io/a/b:${TAG:-v1}":     {request.AssumedDefault},
		"ARG V=1.25\nFROM quay.io/a/b:$V":   {request.AssumedDefault},
	} {
		got := request.Parse(request.Input{Body: body})
		if len(got.Images) == 0 || !slices.Equal(got.Images[0].Assumptions, want) {
			t.Errorf("%q: %+v, want %q", body, got.Images, want)
		}
	}
}

func TestChinese(t *testing.T) {
	for _, c := range []struct {
		title, body string
		want        bool
	}{
		{"nginx:1.25", "", false},
		{"请同步", "nginx:1.25", true},
		{"nginx:1.25", "谢谢", true},
		{"nginx：1.25", "“redis:7”", false},
		{"nginx:1.25", "<!-- 请填写 -->\nplease", false},
		{"", "{\n\"hub-mirror\": [\n\"a/b:1\"\n]}", false},
	} {
		if got := request.Parse(request.Input{Title: c.title, Body: c.body}).Chinese; got != c.want {
			t.Errorf("%q, %q: Chinese is %t", c.title, c.body, got)
		}
	}
}

// TestWhere checks the positions of images and problems.
func TestWhere(t *testing.T) {
	got := request.Parse(request.Input{Body: "谢谢\n\n- docker pull `quay.io/a/b:v1`\n- quey.io/a/b:v1\n"})
	if len(got.Images) != 1 || got.Images[0].Written != "quay.io/a/b:v1" {
		t.Errorf("images %+v", got.Images)
	}
	if len(got.Problems) != 1 || got.Problems[0].Line != 4 || got.Problems[0].Written != "quey.io/a/b:v1" || got.Problems[0].Code != request.LookalikeHost {
		t.Errorf("problems %+v", got.Problems)
	}
	got = request.Parse(request.Input{Title: "quey.io/a/b:v1"})
	if len(got.Problems) != 1 || got.Problems[0].Line != 0 {
		t.Errorf("problems %+v", got.Problems)
	}
	long := "quay.io/a/b@sha256:" + strings.Repeat("é", 150)
	for _, p := range request.Parse(request.Input{Body: long}).Problems {
		if len(p.Written) > 200 {
			t.Errorf("%d bytes of foreign text", len(p.Written))
		}
	}
}

// TestPlatforms checks that platforms of the whole request apply to every image
// without its own.
func TestPlatforms(t *testing.T) {
	got := request.Parse(request.Input{Title: "arm64", Body: "nginx:1\nredis:7|linux/amd64"})
	if len(got.Platforms) != 1 || got.Platforms[0].String() != "linux/arm64" {
		t.Errorf("request: %v", got.Platforms)
	}
	if want := "docker.io/library/nginx:1|linux/arm64\ndocker.io/library/redis:7|linux/amd64"; summary(got) != want {
		t.Errorf("got %s", summary(got))
	}
}

// TestList checks that each line of a list ends as an image or as a problem,
// whatever stands around it.
func TestList(t *testing.T) {
	lines := []string{
		"nginx:1.27", "immich", "node exporter", "please help", "redis nope!!", "!!! bad", "quay.io/prometheus/node exporter:1", "节点导出器",
		"https://github.com/foo/bar", "k8s: 1.22.3", "1.2.3", "1.2.3 and 1.2.4", "gcr.io", "which image is it?", "quay.io/a/b:${TAG}", "grc.io/a/b:1", "server {", "Redis", "nginx nginx nope",
	}
	for _, one := range lines {
		for _, other := range lines {
			for _, between := range []string{"\n", "\n\n"} {
				body := one + between + other
				got := request.Parse(request.Input{Body: body, List: true})
				told := map[int]bool{}
				for _, i := range got.Images {
					told[i.Line] = true
				}
				for _, p := range got.Problems {
					told[p.Line] = true
				}
				if last := strings.Count(body, "\n") + 1; (!told[1] || !told[last]) && one != other && !strings.HasSuffix(summary(got), ":1.2.3") {
					t.Errorf("%q: %s", body, summary(got))
				}
			}
		}
	}
}

// TestUntaggedIsTold checks that a name that could be an image is told, although it is
// not copied beside images with tags.
func TestUntaggedIsTold(t *testing.T) {
	r := request.Parse(request.Input{Title: "for the lab", Body: "please mirror quay.io/a/b:1 for all who are in the new lab, and there also acme/operator for the others"})
	if len(r.Images) != 1 || len(r.LeftOut) != 1 || r.LeftOut[0].Reference.String() != "docker.io/acme/operator:latest" {
		t.Errorf("the request is %v without %v", r.Images, r.LeftOut)
	}
}
