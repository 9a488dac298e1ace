package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/front"
	"github.com/imageferry/ferry/internal/wiring"
)

// serveConfig returns the configuration of the demo's front.
func serveConfig() *config.Serve {
	return &config.Serve{
		Config: config.Config{
			Targets: []config.Target{{
				Host: "registry.example.com", Namespace: user, Profile: "flat", Private: true, PlainHTTP: true,
				Username: user, Password: config.NewSecret(password),
			}},
			Sources: []config.Source{{Host: "gcr.io", Private: true, PlainHTTP: true}},
			Limits:  config.DefaultLimits(),
		},
		Places: []config.FrontPlace{
			{Kind: config.PlaceMirror, Blobs: "auto", Fill: true},
			{Kind: config.PlaceUpstream, Blobs: "auto"},
		},
	}
}

// inshorePolicy is the policy file of the fork that mirrors missing images.
const inshorePolicy = `targets:
  - to: registry.example.com/` + user + `
    private: true
    plain-http: true
sources:
  - {host: gcr.io, private: true, plain-http: true}
`

// request pulls an image that the target does not have through a front that
// cannot reach the source. The front starts the workflow of a fork, which runs
// here, and the pull waits for it.
func (d *demo) request(ctx context.Context, env wiring.Env, parts wiring.FrontParts, image string) error {
	ran := make(chan error, 1)
	d.github = fakegithub.New(fakegithub.Config{
		Repository: event.Repository{Owner: user, Name: "ferry", Fork: true},
		Tokens:     map[string]event.User{token: {ID: 1001, Login: user}},
		Workflows:  map[string]string{".github/workflows/mirror.yml": "active"},
		Notify: func(e fakegithub.Event) {
			d.print("  GitHub: starting the workflow mirror for %s\n", e.Text)
			go func() { ran <- d.run(ctx, env, e.Text) }()
		},
	})
	api, err := d.serve(d.github)
	if err != nil {
		return err
	}
	d.api = "http://" + api
	s := serveConfig()
	s.Sources = []config.Source{{Host: "gcr.io"}}
	s.Places = []config.FrontPlace{{Kind: config.PlaceMirror, Blobs: "auto"}}
	s.Workflow = config.FrontWorkflow{
		Owner: user, Name: "ferry", File: "mirror.yml", Ref: "main", Token: config.NewSecret(token), Wait: time.Minute, Hourly: 1, Daily: 1,
	}
	parts.Memories = front.NewMemories(front.DefaultMemory)
	f, err := wiring.NewFront(ctx, s, wiring.Env{At: d.at, Getenv: d.environment(nil)}, parts)
	if err != nil {
		return err
	}
	defer f.Close()
	address, err := d.serve(f)
	if err != nil {
		return err
	}
	d.print("  pulling gcr.io/harbour/%s:1.0 through a front without the source\n", image)
	digest, size, err := pull(ctx, address, "gcr.io/harbour/"+image, "1.0")
	if err = errors.Join(err, <-ran); err != nil {
		return err
	}
	want, _, err := pull(ctx, d.upstream, "harbour/"+image, "1.0")
	if err != nil || digest != want {
		return fmt.Errorf("pulling gcr.io/harbour/%s: it is %s, and %s was wanted: %w", image, digest, want, err)
	}
	d.print("    %s\n    %d bytes read, digest equal to the source\n", digest, size)
	d.print("    the same pull has waited for it\n")
	return nil
}

// run runs the workflow for images.
func (d *demo) run(ctx context.Context, env wiring.Env, images string) error {
	env.Stdout, env.Stderr = io.Discard, io.Discard
	return d.handle(ctx, env, event.Dispatch, map[string]any{
		"inputs":     map[string]string{"images": images},
		"repository": map[string]any{"name": "ferry", "full_name": user + "/ferry", "owner": map[string]any{"login": user, "id": 1001}},
		"sender":     map[string]any{"login": user, "id": 1001},
	}, inshorePolicy)
}
