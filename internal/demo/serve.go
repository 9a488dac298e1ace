package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/front"
	"github.com/imageferry/ferry/internal/transfer"
	"github.com/imageferry/ferry/internal/wiring"
)

// Serve shows "ferry serve" between a registry with generated images and a
// target with one of them. It pulls all images by their original names, the
// last one through a front that cannot reach the source; then the target has
// all of them. Everything is on loopback. The language is "zh" or "en".
func Serve(ctx context.Context, env wiring.Env, language string) error {
	d := &demo{language: language, out: &shared{out: env.Stdout}, at: map[string]string{}}
	defer d.close()
	source, target := fakeregistry.New(fakeregistry.Options{}), fakeregistry.New(fakeregistry.Options{Username: user, Password: password})
	var err error
	if d.upstream, err = d.serve(source); err != nil {
		return err
	}
	if d.target, err = d.serve(target); err != nil {
		return err
	}
	d.at["gcr.io:80"], d.at["registry.example.com:80"] = d.upstream, d.target
	images := map[string]*fakeregistry.Image{}
	for i, name := range []string{"hello", "buoy", "lighthouse"} {
		images[name] = fakeregistry.Generate(fakeregistry.Spec{Seed: uint64(i + 1), Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{2 << 20, 300_000}})
		source.Add("harbour/"+name, "1.0", images[name])
	}
	target.Add(user+"/harbour.hello", "1.0", images["hello"])

	engine := transfer.New(transfer.Options{})
	defer engine.Close()
	parts := wiring.FrontParts{
		Engine: engine, Memories: front.NewMemories(front.DefaultMemory), Log: slog.New(slog.NewTextHandler(lines{d.out}, &slog.HandlerOptions{ReplaceAttr: short})),
	}
	f, err := wiring.NewFront(ctx, serveConfig(), wiring.Env{At: d.at, Getenv: env.Getenv}, parts)
	if err != nil {
		return err
	}
	address, err := d.serve(f)
	if err != nil {
		return err
	}
	for _, step := range []struct{ name, say string }{
		{"hello", "An image that the mirror has, by its original name"},
		{"buoy", "An image that only the source has: served and copied at once"},
	} {
		d.say(step.say)
		d.print("  pulling gcr.io/harbour/%s:1.0 through the front\n", step.name)
		digest, size, err := pull(ctx, address, "gcr.io/harbour/"+step.name, "1.0")
		if err != nil {
			return err
		}
		if want := fakeregistry.Digest(images[step.name].Root().Body); digest.String() != want {
			return fmt.Errorf("pulling gcr.io/harbour/%s: it is %s, and %s was wanted", step.name, digest, want)
		}
		d.print("    %s\n    %d bytes read, digest equal to the source\n", digest, size)
	}
	f.Close() // waits for the copy
	d.say("An image that nobody has mirrored: the pull has it mirrored")
	if err := d.request(ctx, env, parts, "lighthouse"); err != nil {
		return err
	}
	d.say("The mirror now")
	for name, image := range images {
		_, body, ok := target.Manifest(user+"/harbour."+name, "1.0")
		if !ok || fakeregistry.Digest(body) != fakeregistry.Digest(image.Root().Body) {
			return errors.New("the mirror lacks harbour." + name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(images)) {
		fmt.Fprintf(d.out, "  registry.example.com/%s/harbour.%s:1.0\n", user, name)
	}
	d.print("\nAll were pulled by their original names. docs/serve.md says how to run it.\n")
	return nil
}

// short removes attributes of the log that do not matter in the demo.
func short(_ []string, a slog.Attr) slog.Attr {
	switch a.Key {
	case slog.TimeKey, slog.LevelKey, "ms", "guest", "rule":
		return slog.Attr{}
	case "image":
		name, digest, ok := strings.Cut(a.Value.String(), "@sha256:")
		if ok {
			return slog.String("image", name+"@"+digest[:8])
		}
	}
	return a
}

// lines indents its input, line by line.
type lines struct{ out io.Writer }

func (l lines) Write(b []byte) (int, error) {
	_, err := fmt.Fprintf(l.out, "    front: %s", b)
	return len(b), err
}
