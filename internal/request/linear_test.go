package request

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// bodies are inputs for which a naive implementation takes quadratic time.
var bodies = map[string]string{
	"lines":       "请同步 quay.io/prometheus/node-exporter:v1.7.0 和 nginx:1.25，谢谢\n",
	"one line":    "quay.io/a/b:1, ",
	"brackets":    "[[[((({{{",
	"links":       "[a](",
	"braces":      "{a,{b,{c,",
	"comments":    "<!-- ",
	"tags":        "<br <",
	"backslash":   "docker run \\\n",
	"yaml":        "  image:\n    repository: a/b\n    tag: \"1\"\n",
	"nested":      "- - - - a:\n",
	"quotes":      "\"'`\"'`",
	"templates":   "ghcr.io/a/b:1$my-b:mytag\n",
	"word":        "a/b:",
	"slashes":     "a / b : ",
	"han":         "镜像同步请求",
	"dots":        "a.b.",
	"sha":         "a@sha256:0123456789abcdef\n",
	"windows":     "a\\b\\",
	"arrows":      "a:1 -> ",
	"struck":      "~~a~~",
	"glued":       "docker \"a\"b",
	"versions":    "a/b:v1.0, v1.1, ",
	"dollars":     "${a:-${",
	"fullwidth":   "ｎｇｉｎｘ：１．２５　",
	"docker":      "docker pull ",
	"from":        "FROM a:1 AS b\n",
	"kubelet":     "Failed to pull image \"a/b:1\": rpc error\n",
	"script":      "x=(a/b:1 c/d:2)\nfor i in ${x[@]}; do docker pull quay.io/$i; done\n",
	"variables":   "A=a/b:1\n$A$A$A$A $A$A\n",
	"items":       "\"hub-mirror\": [ \"a/b:1\", nginx, ",
	"shared":      "k8s.gcr.io/a,b,c,d,e",
	"clauses":     "a; ",
	"asides":      "we had a/b:1, not needed; also 1.2 please. ",
	"again":       "already mirrored quay.io/a/b:1\nx again\n",
	"namespaces":  "from xy/ ab-c, ",
	"corrections": "a/b:1\nSorry, b:2 of course\n",
	"heading":     "image,tag,owner\n",
	"tables":      "|image|tag|\n|-|-|\n",
	"forms":       "|a|b|\n|-|-|\n",
	"rules":       "|-|-|\n",
	"prompts":     "##kind ",
	"hosts":       "hosted on: quay.io ",
	"spaces":      "please mirror docker.io/bitnamilegacy ",
	"faults":      "nginx:1.27 失败，谢谢，",
	"registry":    "registry: quay.io\nimages:\n",
	"listed tags": "a/b:\n- 1.2\n",
	"siblings":    "a/x-b and x-c, 0.8.0, ",
	"distinct":    "",
	"settings":    "",
	"registries":  "",
	"indentation": "",
}

// body returns n bytes of one kind.
func body(kind string, n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		switch kind {
		case "distinct":
			fmt.Fprintf(&b, "ghcr.io/a%d/b:1\n", i)
		case "settings":
			if i == 0 {
				b.WriteString("Image: a/b\n")
			}
			b.WriteString("Tags: 1.2, 1.3\nRegistry: quay.io\n")
		case "registries":
			fmt.Fprintf(&b, "A%d_REGISTRY=quay.io\n", i)
		case "indentation":
			fmt.Fprintf(&b, "%s%s:\n", strings.Repeat(" ", i%500), "a")
		default:
			b.WriteString(bodies[kind])
		}
	}
	return b.String()[:n]
}

// BenchmarkParse shows that time is linear: compare MB/s of the sizes of one
// kind.
func BenchmarkParse(b *testing.B) {
	for kind := range bodies {
		for _, size := range []int{64 << 10, 256 << 10, 1 << 20} {
			text := body(kind, size)
			b.Run(fmt.Sprintf("%s/%dK", kind, size>>10), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					Parse(Input{Title: "[PORTER]", Body: text})
				}
			})
		}
	}
}

// TestLinear checks that what Parse allocates is linear in the size of a text; the memory
// stands for the time, which no test asserts. With -learn the texts are all cases and
// their lines as well.
func TestLinear(t *testing.T) {
	Parse(Input{}) // loads the lists
	for kind := range bodies {
		checkLinear(t, kind, 16, func(n int) string { return body(kind, n) })
	}
	if !*learnAnew {
		return
	}
	seen := map[string]bool{}
	for _, c := range caseTexts(t) {
		for _, text := range append(strings.Split(c.body, "\n"), c.body) {
			if strings.TrimSpace(text) == "" || seen[text] {
				continue
			}
			seen[text] = true
			checkLinear(t, text, 4, func(n int) string { return strings.Repeat(text+"\n", n/(len(text)+1)+1)[:n] })
		}
	}
}

// checkLinear compares what Parse allocates for a text and for one that is some times as
// large.
func checkLinear(t *testing.T, name string, times int, text func(n int) string) {
	t.Helper()
	const size, slack = 2 << 10, 1.75
	small, large := allocated(text(size)), allocated(text(times*size))
	if float64(large) > slack*float64(times)*float64(small) {
		t.Errorf("%q: %d bytes for %d bytes of text, and %d for %d times as many", name, small, size, large, times)
	}
}

// allocated returns how many bytes Parse allocates for a text.
func allocated(text string) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	Parse(Input{Title: "[PORTER]", Body: text})
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
