package request_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// generator generates canonical references from a fixed seed.
type generator struct{ *rand.Rand }

func newGenerator() generator { return generator{rand.New(rand.NewPCG(3, 1))} }

func (g generator) pick(words ...string) string { return words[g.IntN(len(words))] }

func (g generator) component() string {
	return g.pick("nginx", "kube-proxy", "etcd", "a1", "node_exporter", "web.ui", "my__app", "x-y-z", "open-webui", "server2", "pause")
}

func (g generator) reference(t *testing.T) reference.Reference {
	host := g.pick("docker.io", "gcr.io", "k8s.gcr.io", "registry.k8s.io", "quay.io", "ghcr.io", "mcr.microsoft.com", "registry.example.com:5000", "public.ecr.aws")
	parts := make([]string, 1+g.IntN(3))
	for i := range parts {
		parts[i] = g.component()
	}
	if host == "docker.io" && len(parts) == 1 {
		parts = append([]string{"library"}, parts...)
	}
	text := host + "/" + strings.Join(parts, "/")
	if g.IntN(5) > 0 {
		text += ":" + g.pick("1.25", "v1.30.2", "latest", "RELEASE.2023-09-07T02-05-02Z", "3.5.9-0", "main", "sha-1a2b3c4", "v20230130-v0.1.0-24-gc0cf995", "2")
	} else {
		text += "@sha256:" + strings.Repeat(g.pick("0", "a", "9", "f"), 64)
	}
	ref, err := reference.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func (g generator) references(t *testing.T, n int) []string {
	var refs []string
	for len(refs) < n {
		if ref := g.reference(t).String(); !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	return refs
}

// each formats every reference and joins the results.
func each(format, sep string) func([]string) string {
	return func(refs []string) string {
		var out []string
		for _, r := range refs {
			out = append(out, fmt.Sprintf(format, r))
		}
		return strings.Join(out, sep)
	}
}

// shapes are ways to write several images, in order.
var shapes = map[string]func([]string) string{
	"lines":       each("%s", "\n"),
	"bullets":     each("- %s", "\n"),
	"stars":       each("* `%s`", "\n"),
	"numbers":     each("1. %s", "\n"),
	"chinese":     each("镜像：%s", "\n"),
	"commas":      each("%s", ", "),
	"enumeration": each("%s", "、"),
	"and":         each("%s", " and "),
	"semicolons":  each("%s", "；"),
	"spaces":      each("%s", "  "),
	"brackets":    func(refs []string) string { return "[" + strings.Join(refs, ",") + "]" },
	"sentence": func(refs []string) string {
		return "请帮忙同步 " + strings.Join(refs, " 和 ") + " 这几个镜像，谢谢！"
	},
	"english":    func(refs []string) string { return "Please mirror " + strings.Join(refs, " and ") + ". Thanks!" },
	"full width": each("　“%s”，", "\n"),
	"porter":     each("[PORTER]%s", "\n"),
	"json":       func(refs []string) string { return `{"hub-mirror": ["` + strings.Join(refs, `","`) + `"]}` },
	"json lines": func(refs []string) string {
		return "{\n\"hub-mirror\": [\n\"" + strings.Join(refs, "\",\n\"") + "\"\n]\n}"
	},
	"docker pull": each("$ docker pull %s", "\n"),
	"docker run":  each("docker run -d --name x -p 80:80 -v /a:/b -e A=b %s sh -c 'x'", "\n"),
	"crictl":      each("crictl pull %s", "\n"),
	"ctr":         each("ctr -n k8s.io images pull --all-platforms %s", "\n"),
	"skopeo":      each("skopeo copy --all docker://%s docker://registry.local/x/y:1", "\n"),
	"one command": each("docker pull %s", " && "),
	"kubernetes":  each("- name: x\n  image: %s\n  ports:\n  - containerPort: 80", "\n"),
	"compose": func(refs []string) string {
		return "services:\n" + each("  x:\n    image: \"%s\"\n    restart: always", "\n")(refs)
	},
	"dockerfile":    each("FROM %s", "\n"),
	"kubelet":       each("  Warning  Failed  2m  kubelet  Failed to pull image \"%s\": rpc error: code = Unknown desc = x", "\n"),
	"describe":      each("    Image:         %s\n    Image ID:      ", "\n"),
	"scheme":        each("https://%s", "\n"),
	"fence":         func(refs []string) string { return "```yaml\n" + strings.Join(refs, "\n") + "\n```" },
	"table":         func(refs []string) string { return "| 镜像 |\n|---|\n" + each("| %s |", "\n")(refs) },
	"platform":      each("%s|linux/arm64", "\n"),
	"trailing stop": each("%s.", "\n"),
	"daocloud":      each("m.daocloud.io/%s", "\n"),
	"crlf":          each("%s", "\r\n"),
}

// TestShapes checks that every canonical reference is found in each format, in
// order and as often as it was written.
func TestShapes(t *testing.T) {
	for name, write := range shapes {
		t.Run(name, func(t *testing.T) {
			g := newGenerator()
			for n := range 60 {
				refs := g.references(t, 1+n%6)
				body := write(refs)
				var got []string
				for _, image := range request.Parse(request.Input{Body: body}).Images {
					got = append(got, image.Reference.String())
				}
				if !slices.Equal(got, refs) {
					t.Fatalf("body\n%s\ngot  %q\nwant %q", body, got, refs)
				}
			}
		})
	}
}

// TestTitles checks that a canonical reference is found in a title, with any
// template below.
func TestTitles(t *testing.T) {
	g := newGenerator()
	for range 200 {
		ref := g.reference(t).String()
		for _, title := range []string{ref, "[PORTER]" + ref, "  " + ref + " ", "请求同步 " + ref, "docker pull " + ref} {
			got := request.Parse(request.Input{Title: title, Body: "<!-- nginx:1.25 -->\n\n_No response_"})
			if len(got.Images) != 1 || got.Images[0].Reference.String() != ref {
				t.Errorf("title %q gives %q", title, summary(got))
			}
		}
	}
}

// TestIdentity checks that the canonical form of what Parse finds is found
// again.
func TestIdentity(t *testing.T) {
	for _, c := range readCases(t) {
		checkIdentity(t, request.Parse(c.in))
	}
}

func checkIdentity(t *testing.T, first request.Request) {
	t.Helper()
	var refs []string
	for _, image := range first.Images {
		// In front of a line "3." is a bullet, even if a host may begin so.
		if label, _, _ := strings.Cut(image.Reference.String(), "."); len(label) > 3 || strings.Trim(label, "0123456789") != "" {
			refs = append(refs, image.Reference.String())
		}
	}
	again := request.Parse(request.Input{Body: strings.Join(refs, "\n")})
	var got []string
	for _, image := range again.Images {
		got = append(got, image.Reference.String())
	}
	if !slices.Equal(got, refs) {
		t.Errorf("canonical references %q are read as %q", refs, got)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range readCases(f) {
		f.Add(c.in.Title, c.in.Body, strings.Join(c.in.Templates, "\n"))
	}
	f.Add("", "a b\nOS: thanks", "") // in a list
	f.Add("", "a/b:1\xff", "")       // when it is explained
	f.Fuzz(func(t *testing.T, title, body, template string) {
		request.Explain(request.Input{Title: title, Body: body, List: true})
		got := request.Parse(request.Input{Title: title, Body: body, Templates: []string{template}, Repository: "imageferry/ferry"})
		seen := make(map[reference.Reference]bool)
		for _, image := range got.Images {
			if again, err := reference.Parse(image.Reference.String()); err != nil || again != image.Reference {
				t.Errorf("%q breaks the grammar: %v", image.Reference, err)
			}
			if seen[image.Reference] {
				t.Errorf("%q is there twice", image.Reference)
			}
			seen[image.Reference] = true
			if image.As.Path != "" {
				repository, err := reference.NewRepository("example.com", image.As.Path)
				if err == nil && image.As.Tag != "" {
					_, err = repository.Tagged(image.As.Tag)
				}
				if err != nil {
					t.Errorf("custom name %q breaks the grammar: %v", image.As, err)
				}
			}
			for _, p := range image.Platforms {
				if again, err := reference.ParsePlatform(p.String()); err != nil || again != p {
					t.Errorf("platform %q is not canonical: %v", p, err)
				}
			}
			if image.Written == "" || len(image.Written) > 200 {
				t.Errorf("%s was written %q", image.Reference, image.Written)
			}
		}
		for _, p := range got.Problems {
			if p.Code == "" || len(p.Written) > 200 {
				t.Errorf("problem %+v", p)
			}
		}
		checkIdentity(t, got)
	})
}

// TestLimits checks that exceeding a limit gives a Problem, and never more than
// the limit.
func TestLimits(t *testing.T) {
	has := func(r request.Request, code request.ProblemCode) bool {
		return slices.ContainsFunc(r.Problems, func(p request.Problem) bool { return p.Code == code })
	}
	var many strings.Builder
	for n := range request.MaxImages + 5 {
		fmt.Fprintf(&many, "quay.io/a/b:v%d\n", n)
	}
	if got := request.Parse(request.Input{Body: many.String()}); len(got.Images) != request.MaxImages || !has(got, request.TooManyImages) {
		t.Errorf("%d images, problems %v", len(got.Images), got.Problems)
	}
	if got := request.Parse(request.Input{Body: "quay.io/a/b:1" + strings.Repeat("\n", request.MaxLines) + "quay.io/a/b:2"}); len(got.Images) != 1 || !has(got, request.TooManyLines) {
		t.Errorf("lines: %q", summary(got))
	}
	if got := request.Parse(request.Input{Body: "quay.io/a/b:1\n" + strings.Repeat("x", request.MaxInput)}); len(got.Images) != 1 || !has(got, request.TooLarge) {
		t.Errorf("size: %q", summary(got))
	}
	if got := request.Parse(request.Input{Body: "quay.io/a/b:{1..257}"}); len(got.Images) != 0 || !has(got, request.TooManyExpansions) {
		t.Errorf("expansion: %q", summary(got))
	}
	if got := request.Parse(request.Input{Body: "quay.io/a/b:{1..256}"}); len(got.Images) != 256 {
		t.Errorf("expansion: %d images", len(got.Images))
	}
}
