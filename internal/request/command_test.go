package request

import (
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/reference"
)

func TestParseCommand(t *testing.T) {
	arm64 := reference.Platform{OS: "linux", Architecture: "arm64"}
	amd64 := reference.Platform{OS: "linux", Architecture: "amd64"}
	sum := strings.Repeat("0a", 32)
	for _, test := range []struct {
		comment   string
		verb      Verb
		platforms []reference.Platform
		ok        bool
	}{
		{"/ferry retry", Retry, nil, true},
		{"  /Ferry  RETRY\r\nthanks!", Retry, nil, true},
		{"/ferry refresh", Refresh, nil, true},
		{"/ferry cancel", Cancel, nil, true},
		{"/ferry", Help, nil, true},
		{"/ferry help", Help, nil, true},
		{"/ferry dance", Help, nil, true},
		{"/ferry retry now, please!", Retry, nil, true},
		{"/ferry please retry. Thanks", Retry, nil, true},
		{"/ferry 请重试一下", Retry, nil, true},
		{"/ferry again", Retry, nil, true},
		{"/ferry retry again", Retry, nil, true},
		{"/ferry 重试 谢谢！", Retry, nil, true},
		{"/ferry 取消。", Cancel, nil, true},
		{"/ferry 架构 arm64、amd64", Platform, []reference.Platform{arm64, amd64}, true},
		{"/ferry retry nginx", Help, nil, true},
		{"/ferry cancel the second one", Help, nil, true},
		{"/ferry please", Help, nil, true},
		{"/ferry retry linux/arm64", Help, nil, true},
		{"/ferry platform linux/arm64", Platform, []reference.Platform{arm64}, true},
		{"/ferry platform amd64, aarch64", Platform, []reference.Platform{amd64, arm64}, true},
		{"/ferry platform", Help, nil, true},
		{"/ferry platform toaster", Help, nil, true},
		{"/ferry approve " + sum, Approve, nil, true},
		{"/ferry 放行 " + sum, Approve, nil, true},
		{"/ferry approve", Help, nil, true},
		{"/ferry approve " + sum[1:], Help, nil, true},
		{"/ferry approve " + sum + " " + sum, Help, nil, true},
		{"/ferry retry " + sum, Help, nil, true},
		{"/ferryman retry", "", nil, false},
		{"please /ferry retry", "", nil, false},
		{"> /ferry retry", "", nil, false},
		{"", "", nil, false},
	} {
		t.Run(test.comment, func(t *testing.T) {
			c, ok := ParseCommand(test.comment)
			if (c.Fingerprint == sum) != (c.Verb == Approve) || ok != test.ok || c.Verb != test.verb || !slices.Equal(c.Platforms, test.platforms) {
				t.Errorf("got %+v, %v", c, ok)
			}
		})
	}
}

func TestAddCommand(t *testing.T) {
	for comment, want := range map[string][]string{
		"/ferry add nginx:1.27":                            {"docker.io/library/nginx:1.27"},
		"/ferry add quay.io/a/b:1, `ghcr.io/a/c:2` please": {"quay.io/a/b:1", "ghcr.io/a/c:2"},
		"/ferry 添加 redis 谢谢":                               {"docker.io/library/redis:latest"},
		"/ferry add":                                       nil,
		"/ferry add the second one":                        nil,
		"/ferry add grc.io/a/b:1":                          nil,
	} {
		c, ok := ParseCommand(comment)
		var got []string
		for _, image := range c.Images {
			got = append(got, image.Reference.String())
		}
		if !ok || !slices.Equal(got, want) || (c.Verb == Add) != (want != nil) {
			t.Errorf("%q: %+v", comment, c)
		}
	}
}

func TestAddImages(t *testing.T) {
	req := Parse(Input{Body: "quay.io/a/b:1\nnot quay.io/a/c:2"})
	if len(req.Images) != 1 || len(req.LeftOut) != 1 {
		t.Fatalf("%+v", req)
	}
	c, _ := ParseCommand("/ferry add quay.io/a/c:2 quay.io/a/b:1")
	if req.Add(c.Images...); len(req.Images) != 2 || len(req.LeftOut) != 0 {
		t.Errorf("%+v", req)
	}
}

// TestNamesWithoutTag checks that names without a tag are reported as left out, if the
// answer would say otherwise that no image is named.
func TestNamesWithoutTag(t *testing.T) {
	req := Parse(Input{Title: "OpenProject 14.6", Body: "Our instance nags everybody about 14.6.1. We'd love to comply; openproject/openproject on your side ends with 14.4.0."})
	if req.NoWish || len(req.Images) != 0 || len(req.LeftOut) != 1 || req.LeftOut[0].Written != "openproject/openproject" {
		t.Errorf("%+v", req)
	}
}

// TestNoWordForTags checks that a word for the tag is not taken for a name in a namespace.
func TestNoWordForTags(t *testing.T) {
	for _, body := range []string{"请同步 quay.io/acme 下面的 gate、door、tag：v1.2", "please mirror gate and version:1.2 from quay.io/acme"} {
		for _, image := range Parse(Input{Body: body}).Images {
			if name := image.name(); name == "tag" || name == "version" {
				t.Errorf("%q gives %s", body, image.Reference)
			}
		}
	}
}

// TestUntickedBoxes checks that an image at the beginning of an unticked item
// is reported as left out.
func TestUntickedBoxes(t *testing.T) {
	req := Parse(Input{Body: "- [x] quay.io/a/b:1\n- [ ] quay.io/a/c:2\n- [ ] I have read the docs, such as those of quay.io/a/d:3"})
	if len(req.Images) != 1 || len(req.LeftOut) != 1 || req.LeftOut[0].Reference.String() != "quay.io/a/c:2" {
		t.Errorf("the request is %v without %v", req.Images, req.LeftOut)
	}
}
