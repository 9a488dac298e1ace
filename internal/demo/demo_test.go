package demo

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/wiring"
)

// TestPlay plays the demo as "ferry demo" does, with the rendered comment and
// with the raw one.
func TestPlay(t *testing.T) {
	for _, raw := range []bool{false, true} {
		var out bytes.Buffer
		env := wiring.Env{Stdout: &out, Stderr: &out, Getenv: func(string) string { return "" }}
		if err := Play(t.Context(), env, "en", raw); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
		_, answer, _ := strings.Cut(out.String(), "The comment")
		if shown := strings.Contains(answer, "<!-- ferry:"); shown != raw {
			t.Errorf("raw %v: the marker is shown: %v", raw, shown)
		}
		if !strings.Contains(answer, "docker pull docker.io/octo-harbour/harbour.hello:1.0") {
			t.Errorf("there are no commands:\n%s", answer)
		}
	}
}

// TestInChinese plays the demos in Chinese.
func TestInChinese(t *testing.T) {
	var out bytes.Buffer
	env := wiring.Env{Stdout: &out, Stderr: &out, Getenv: func(string) string { return "" }}
	if err := errors.Join(Play(t.Context(), env, "zh", false), Serve(t.Context(), env, "zh")); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for english, chinese := range inChinese {
		start, _, _ := strings.Cut(chinese, "%")
		if strings.Contains(out.String(), english) || !strings.Contains(out.String(), start) {
			t.Errorf("%q is not said in Chinese:\n%s", english, out.String())
		}
	}
}

func TestRendered(t *testing.T) {
	const markdown = "<!-- ferry:v1 -->\n✅ **Mirrored:** `a`.\n\n```sh\ndocker pull a\ndocker tag a b\n```\n\n" +
		"<details><summary>podman</summary>\n\n```sh\npodman pull a\n```\n\n</details>\n\n<sub>[log](https://example.com) · `/ferry help`</sub>\n"
	const want = "✅ Mirrored: a.\n\n    docker pull a\n    docker tag a b\n\n▸ podman\nlog · /ferry help\n"
	if got := rendered(markdown); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestServe(t *testing.T) {
	var out bytes.Buffer
	if err := Serve(t.Context(), wiring.Env{Stdout: &out, Getenv: func(string) string { return "" }}, "en"); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{`image=gcr.io/harbour/hello:1.0 place="mirror registry.example.com/octo-harbour"`, "digest equal to the source", "msg=filled",
		"starting the workflow mirror for gcr.io/harbour/lighthouse:1.0", "the same pull has waited for it", "harbour.lighthouse:1.0"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the demo does not say %q:\n%s", want, out.String())
		}
	}
}
