package lists_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/lists"
	"github.com/imageferry/ferry/internal/request"
)

// TestPastedLists: a list of another program in an issue means the images that
// it means there, and what a request cannot have is reported.
func TestPastedLists(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"image-syncer": {
			"\"quay.io/a/b:/^v1/\": me.io/a/b\nquay.io/a/c:1,2: ${REGISTRY}/c\nquay.io/a/d: me.io/a/d",
			"quay.io/a/c:1 quay.io/a/c:2 1:all-tags 3:all-tags",
		},
		"skopeo": {
			"Please:\n\n```yaml\nquay.io:\n  images:\n    a/b: [\"1\"]\n    a/c:\n  images-by-semver:\n    a/d: \">= 1\"\n```\nand nginx:1.27",
			"quay.io/a/b:1 docker.io/library/nginx:1.27 7:all-tags 9:all-tags",
		},
		"regsync": {
			"~~~\nversion: 1\nsync:\n- source: quay.io/a/b:1\n  target: me.io/b:1\n  type: image\n  platforms: [linux/amd64, linux/arm64]\n" +
				"- source: quay.io/a/c\n  target: me.io/c\n  type: repository\n  tags: {allow: [\"1.*\"]}\n- source: quay.io/a/d:1\n  target: me.io/d:1\n  type: image\n~~~",
			"quay.io/a/b:1[linux/amd64 linux/arm64] quay.io/a/d:1 8:all-tags",
		},
		"tags in regsync": {
			"sync:\n- source: quay.io/a/b\n  target: me.io/b\n  type: repository\n  tags:\n    allow:\n    - v1.12.3\n    - \"1\\\\.13\"\n- source: quay.io/a/c\n  target: me.io/c\n  type: repository\n  tags: {allow: [\"2\"], deny: [\"2\"]}",
			"quay.io/a/b:v1.12.3 quay.io/a/b:1.13 9:all-tags",
		},
		"expressions in regsync that are no tags": {
			"sync:\n- source: quay.io/a/b\n  target: me.io/b\n  type: repository\n  tags: {allow: [\"...\"]}\n- source: quay.io/a/c\n  target: me.io/c\n  type: repository\n  tags: {allow: [\"1\\\\.2.\"]}\n" +
				"- source: quay.io/a/d\n  target: me.io/d\n  type: repository\n  tags: {allow: [\"" + strings.Repeat("x", 129) + "\"]}",
			"2:all-tags 6:all-tags 10:all-tags",
		},
		"a fault in a list": {
			"quay.io:\n  images:\n    a/b: [\"1\"]\n    A/c: [x]",
			"quay.io/a/b:1 4:malformed",
		},
		"names and tags": {"quay.io/a/b: 1.2\nquay.io/a/c: 1.3", "quay.io/a/b:1.2 quay.io/a/c:1.3"},
		"a Compose file": {"services:\n  web:\n    image: nginx:1.27", "docker.io/library/nginx:1.27"},
		"hauler": {
			"apiVersion: content.hauler.cattle.io/v1\nkind: Images\nspec:\n  images:\n    - name: quay.io/a/b:1\n      platform: linux/amd64\n---\n" +
				"apiVersion: content.hauler.cattle.io/v1\nkind: Charts\nspec:\n  charts:\n    - name: rancher\n      repoURL: https://charts.example.com",
			"quay.io/a/b:1[linux/amd64] 12:malformed",
		},
		"dregsy": {
			"relay: skopeo\ntasks:\n  - source: {registry: quay.io}\n    target: {registry: registry.example.com}\n    mappings:\n      - {from: a/b, to: c/d, tags: [\"1\", \"2\"]}",
			"quay.io/a/b:1 quay.io/a/b:2",
		},
		"oc-mirror": {
			"kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\nmirror:\n  additionalImages:\n    - name: quay.io/a/b:1",
			"quay.io/a/b:1",
		},
		"settings on one line": {
			"version: 1\nsync:\n- {source: quay.io/a/b, target: quay.io/c/d, type: repository, x: 1, y: 2, z:\n  quay.io/a/e:1}",
			"3:all-tags 3:left:quay.io/a/b:latest 4:left:quay.io/a/e:1",
		},
		"catalogs of oc-mirror": {
			"kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\nmirror:\n  operators:\n  - catalog: quay.io/a/index:v4\n    packages:\n    - name: x\n  additionalImages:\n  - name: quay.io/a/b:1",
			"quay.io/a/b:1 5:left:quay.io/a/index:v4",
		},
		"an open fence":   {"```\nquay.io:\n  images-by-semver:\n    a/d: \">= 1\"", "4:all-tags"},
		"values, no list": {"image:\n  repository: quay.io/a/b\n  tag: v1", "quay.io/a/b:v1"},
	} {
		req := lists.Parse(request.Input{Body: test.text})
		var got []string
		for _, image := range req.Images {
			word := image.Reference.String()
			if len(image.Platforms) > 0 {
				word += fmt.Sprint(image.Platforms)
			}
			got = append(got, word)
		}
		for _, p := range req.Problems {
			got = append(got, fmt.Sprintf("%d:%s", p.Line, p.Code))
		}
		for _, l := range req.LeftOut {
			got = append(got, fmt.Sprintf("%d:left:%s", l.Line, l.Reference))
		}
		if got := strings.Join(got, " "); got != test.want {
			t.Errorf("%s: %s\nwant %s", name, got, test.want)
		}
	}
}

// TestListInTemplate: the example of a template is not requested.
func TestListInTemplate(t *testing.T) {
	template := "Lists are welcome:\n```yaml\nquay.io:\n  images:\n    a/b: [\"1\"]\n```\n"
	req := lists.Parse(request.Input{Body: template + "nginx:1.27", Templates: []string{template}})
	if len(req.Images) != 1 || req.Images[0].Reference.String() != "docker.io/library/nginx:1.27" {
		t.Errorf("%v", req.Images)
	}
}

// FuzzPlain: lines keep their numbers, and problems are in one of them.
func FuzzPlain(f *testing.F) {
	f.Add("quay.io:\n  images:\n    a/b: [\"1\"]\n  credentials:\n    password: hunter2secret")
	f.Add("```\nquay.io/a/b:1: me.io/b\n```\n~~~\nsync: [{source: a/b:1, target: c/d:1, type: image}]\n~~~")
	f.Fuzz(func(t *testing.T, text string) {
		plain, problems, _ := lists.PlainText(text)
		if strings.Count(plain, "\n") != strings.Count(text, "\n") {
			t.Errorf("%q has other lines than %q", plain, text)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Line > strings.Count(text, "\n")+1 {
				t.Errorf("%q: a problem in line %d", text, p.Line)
			}
		}
	})
}
