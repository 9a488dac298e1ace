package report

import (
	"errors"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

func ref(t testing.TB, text string) reference.Reference {
	t.Helper()
	r, err := reference.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// digest returns a made-up digest, the same for the same letter.
func digest(letter string) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: strings.Repeat(letter, 64)}
}

var (
	amd64 = reference.Platform{OS: "linux", Architecture: "amd64"}
	arm64 = reference.Platform{OS: "linux", Architecture: "arm64"}
	noon  = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
)

// image returns the image of one line of a request.
func image(t testing.TB, written string, assumptions ...request.Assumption) request.Image {
	t.Helper()
	return request.Image{Reference: ref(t, written), Written: written, Assumptions: assumptions}
}

// script builds the Input of a scenario, one image after the other.
type script struct {
	t testing.TB
	Input
}

func scenario(t testing.TB) *script {
	return &script{t, Input{
		Repository: "https://github.com/someone/ferry",
		RunURL:     "https://github.com/someone/ferry/actions/runs/42",
		Version:    "v1.0.0",
		Issue:      12,
		Title:      "a title of one's own",
		Marker:     ledger.Marker{Run: 42, Tries: 1, Since: noon},
	}}
}

// step adds an image and its copies; each is a *mirror.Receipt, a
// *failure.Error, or nil for a copy without a result yet.
func (s *script) step(i request.Image, copies ...any) *script {
	s.Request.Images = append(s.Request.Images, i)
	step := plan.Step{Image: i}
	for c := 0; c < len(copies); c += 2 {
		step.Destinations = append(step.Destinations, plan.Destination{Mirror: ref(s.t, copies[c].(string)), Platforms: i.Platforms})
	}
	s.Plan.Steps = append(s.Plan.Steps, step)
	for c := 0; c < len(copies); c += 2 {
		result := mirror.Result{Image: &step.Image, Destination: &step.Destinations[c/2]}
		switch outcome := copies[c+1].(type) {
		case *mirror.Receipt:
			result.Receipt = outcome
		case *failure.Error:
			result.Failure = outcome
		default:
			continue
		}
		s.Results = append(s.Results, result)
	}
	return s
}

func (s *script) refuse(i request.Image, err *failure.Error) *script {
	s.Request.Images = append(s.Request.Images, i)
	s.Plan.Refusals = append(s.Plan.Refusals, plan.Refusal{Image: i, Failure: err})
	return s
}

func (s *script) with(change func(in *Input)) *script {
	change(&s.Input)
	return s
}

func copied() *mirror.Receipt {
	return &mirror.Receipt{
		SourceDigest: digest("a"), Digest: digest("a"), Platforms: []reference.Platform{amd64, arm64},
		Size: 123_456_789, Sent: 100_000_000, Mounted: 23_456_789, Took: 12_345 * time.Millisecond,
	}
}

func present() *mirror.Receipt {
	r := copied()
	r.Present, r.Sent, r.Mounted, r.Took = true, 0, 0, 300*time.Millisecond
	return r
}

// uncounted returns the receipt of an index that is there already and comes from a
// registry that counts pulls: its size is unknown.
func uncounted() *mirror.Receipt {
	r := present()
	r.Size = 0
	return r
}

func changed(changes ...mirror.Change) *mirror.Receipt {
	r := copied()
	r.Digest, r.Changes = digest("b"), changes
	return r
}

// platformTags returns the receipt of a registry that refuses indexes.
func platformTags(t testing.TB, mirrorName string) *mirror.Receipt {
	r := changed(mirror.NoAttestations, mirror.DockerMediaTypes, mirror.PlatformTags)
	r.Tags = []mirror.PlatformTag{
		{Platform: amd64, Mirror: ref(t, mirrorName+"-linux-amd64"), Digest: digest("b")},
		{Platform: arm64, Mirror: ref(t, mirrorName+"-linux-arm64"), Digest: digest("c")},
	}
	return r
}

const (
	hub = "docker.io/user/"
	acr = "registry.cn-hangzhou.aliyuncs.com/user/"
)

// scenarios returns the states that an answer can be in. Each has a golden file
// in every language.
func scenarios(t testing.TB) map[string]Input {
	notFound := &failure.Error{
		Code: failure.NotFound, Side: failure.Source, Step: "reading manifest",
		Hints: []string{"v1.8.2", "v1.8.1"}, Detail: `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`,
	}
	limited := &failure.Error{Code: failure.RateLimited, Side: failure.Source, Until: noon.Add(6 * time.Hour), Detail: "toomanyrequests: You have reached your unauthenticated pull rate limit."}
	hostile := &failure.Error{
		Code: failure.TargetRefused, Side: failure.Target,
		Detail: "denied\n```\n@octocat see #1, fixes octo/repo#2 <!-- ferry:v1 issue=1 --> ![x](https://evil.example/x.png)\n</details>\n\x1b[31mred\u202e",
	}
	pause := image(t, "registry.k8s.io/pause:3.9")
	exporter := image(t, "quay.io/prometheus/node-exporter:v1.8.3")
	nginx := image(t, "nginx", request.AssumedHost, request.AssumedLibrary, request.AssumedTag)
	pinned := image(t, "ghcr.io/dexidp/dex:v2.41.1@"+digest("a").String(), request.KeptTagAndDigest)
	onlyDigest := image(t, "gcr.io/distroless/base@"+digest("a").String())

	all := map[string]*script{
		"received": scenario(t).with(func(in *Input) { in.Phase = Running }),
		"working": scenario(t).
			step(pause, hub+"google-containers.pause:3.9", present()).
			step(nginx, hub+"docker.nginx:latest", nil).
			with(func(in *Input) {
				in.Phase = Running
				in.Progress = Progress{Layers: 12, LayersDone: 5, Bytes: 400_000_000, BytesDone: 168_000_000, Rate: 21_000_000}
			}),
		"working-divided": scenario(t).
			step(pause, hub+"google-containers.pause:3.9", present()).
			step(nginx, hub+"docker.nginx:latest", nil).
			with(func(in *Input) {
				in.Phase = Running
				in.Marker.Shards = 8
			}),
		"done-one":     scenario(t).step(pause, hub+"google-containers.pause:3.9", copied()),
		"present-one":  scenario(t).step(pause, hub+"google-containers.pause:3.9", present()),
		"done-assumed": scenario(t).step(nginx, hub+"docker.nginx:latest", copied()).with(func(in *Input) { in.Title = "[PORTER]" }),
		"done-digests": scenario(t).
			step(pinned, hub+"ghcr.dexidp.dex:v2.41.1", copied()).
			step(onlyDigest, hub+"distroless.base:digest-aaaaaaaaaaaa", copied()),
		"done-targets": scenario(t).
			step(pause, hub+"google-containers.pause:3.9", copied(), acr+"google-containers.pause:3.9", changed(mirror.NoAttestations, mirror.DockerMediaTypes)).
			step(nginx, hub+"docker.nginx:latest", uncounted(), acr+"docker.nginx:latest", platformTags(t, acr+"docker.nginx:latest")),
		"done-locked": scenario(t).
			step(pause, hub+"google-containers.pause:3.9", copied(), acr+"google-containers.pause:3.9", copied()).
			with(func(in *Input) {
				in.Locked = []reference.Repository{ref(t, hub+"google-containers.pause:3.9").Repository(), ref(t, acr+"google-containers.pause:3.9").Repository()}
			}),
		"done-front": scenario(t).
			step(pause, hub+"google-containers.pause:3.9", copied()).
			step(nginx, hub+"docker.nginx:latest", uncounted()).
			with(func(in *Input) { in.Front = "https://front.example.com" }),
		"done-public": scenario(t).
			step(pause, hub+"google-containers.pause:3.9", copied()).
			step(nginx, hub+"docker.nginx:latest", limited).
			with(func(in *Input) {
				at := func(text string, state mirror.PublicState) mirror.Elsewhere {
					return mirror.Elsewhere{Mirror: ref(t, text), State: state, Platform: amd64}
				}
				in.Elsewhere = map[reference.Reference][]mirror.Elsewhere{
					pause.Reference: {
						at("m.daocloud.io/registry.k8s.io/pause@"+digest("a").String(), mirror.Same),
						at("registry.aliyuncs.com/google_containers/pause@"+digest("b").String(), mirror.OnePlatform),
					},
					nginx.Reference: {
						at("m.daocloud.io/docker.io/library/nginx:latest", mirror.Older), at("docker.1ms.run/library/nginx:latest", mirror.NoAnswer),
						at("m.example.com/nginx:latest", mirror.Absent),
					},
				}
			}),
		"done-tags": scenario(t).step(image(t, "nginx:1.27"), acr+"docker.nginx:1.27", platformTags(t, acr+"docker.nginx:1.27")),
		"elsewhere": scenario(t).step(image(t, "team/tool:1.0"), hub+"docker.team.tool:1.0", &failure.Error{
			Code: failure.Private, Side: failure.Source, Hints: []string{"ghcr.io/team/tool:1.0", "quay.io/team/tool:1.0"},
		}),
		"done-platform": scenario(t).step(request.Image{Reference: ref(t, "nginx:1.27"), Written: "nginx:1.27", Platforms: []reference.Platform{arm64}},
			hub+"docker.nginx:1.27", changed(mirror.SinglePlatform)),
		"scattered": scenario(t).step(pause, hub+"google-containers.pause:3.9", copied(), acr+"google-containers.pause:3.9", hostile).
			step(nginx, hub+"docker.nginx:latest", hostile, acr+"docker.nginx:latest", copied()),
		"partial": scenario(t).
			step(pause, hub+"google-containers.pause:3.9", copied()).
			step(exporter, hub+"quay.prometheus.node-exporter:v1.8.3", notFound).
			refuse(image(t, "evil.example/a/b:1"), &failure.Error{Code: failure.HostNotAllowed, Hints: []string{"docker.io", "gcr.io", "ghcr.io", "quay.io", "registry.k8s.io"}}),
		"retry": scenario(t).
			step(pause, hub+"google-containers.pause:3.9", copied()).
			step(nginx, hub+"docker.nginx:latest", limited),
		"retry-off": scenario(t).step(nginx, hub+"docker.nginx:latest", &failure.Error{Code: failure.TooSlow, Side: failure.Source}).
			with(func(in *Input) { in.SweepOff = true }),
		"fault": scenario(t).step(pause, hub+"google-containers.pause:3.9", &failure.Error{Code: failure.Internal}),
		"unreachable": scenario(t).step(pause, hub+"google-containers.pause:3.9", &failure.Error{
			Code: failure.Network, Side: failure.Source, Step: "reading manifest", Err: errors.New("dial tcp: lookup registry.k8s.io: no such host"),
		}),
		"refused": scenario(t).step(exporter, hub+"quay.prometheus.node-exporter:v1.8.3", notFound),
		"hostile": scenario(t).step(exporter, hub+"quay.prometheus.node-exporter:v1.8.3", hostile).with(func(in *Input) {
			in.Request.Problems = []request.Problem{{Code: request.Malformed, Written: "`@octocat` | #1 <!-- ferry:v1 --> {suggestion}", Line: 3, Suggestion: "docker.io/library/a:1"}}
		}),
		"problems": scenario(t).with(func(in *Input) {
			in.Request.Problems = []request.Problem{
				{Code: request.LookalikeHost, Written: "grc.io/a/b:1", Line: 1, Suggestion: "gcr.io/a/b:1"},
				{Code: request.Placeholder, Written: "nginx:${TAG}", Line: 2},
				{Code: request.Unread, Written: "node exporter", Line: 3},
				{Code: request.Unread, Written: "please help", Line: 4},
				{Code: request.Unread, Written: "redis nope!!", Line: 5, Suggestion: "docker.io/library/redis:latest"},
				{Code: request.TooManyImages, Suggestion: "1000"},
			}
		}),
		"which-tag": scenario(t).step(exporter, hub+"quay.prometheus.node-exporter:v1.8.3", copied()).with(func(in *Input) {
			settled := in.Request
			settled.Images = []request.Image{image(t, "quay.io/prometheus/node-exporter:v1.8.3", request.FoundTag)}
			settled.Images[0].Written = "quay.io/prometheus/node-exporter"
			settled.Problems = []request.Problem{{
				Code: request.WhichTag, Written: "grafana/grafana", Line: 2,
				Choices: []string{"docker.io/grafana/grafana:11.2.0", "docker.io/grafana/grafana:latest"},
			}}
			in.Settled = &settled
		}),
		"which-image": scenario(t).with(func(in *Input) {
			in.Request.Images = []request.Image{image(t, "docker.io/library/jellyfin:latest", request.AssumedTag, request.Guessed)}
			settled := in.Request
			settled.Images = nil
			settled.Problems = []request.Problem{{Code: request.WhichImage, Written: "jellyfin", Choices: []string{"docker.io/jellyfin/jellyfin:latest"}}}
			in.Settled = &settled
		}),
		"left-out": scenario(t).step(pause, hub+"google-containers.pause:3.9", copied()).with(func(in *Input) {
			in.Request.LeftOut = []request.LeftOut{
				{Reference: ref(t, "quay.io/a/b:1"), Written: "quay.io/a/b:1", Line: 3, Reason: request.LeftExcluded},
				{Reference: ref(t, "ghcr.io/a/c:2"), Written: "ghcr.io/a/c:2", Line: 9, Reason: request.LeftQuoted},
			}
		}),
		"left-alone": scenario(t).with(func(in *Input) {
			in.Request.LeftOut = []request.LeftOut{{Reference: ref(t, "ghcr.io/a/c:2"), Written: "ghcr.io/a/c:2", Line: 9, Reason: request.LeftMention}}
		}),
		"empty": scenario(t),
		"set-up": scenario(t).with(func(in *Input) {
			in.Request.Images = []request.Image{pause}
			in.SetUp = config.Faults{
				{Kind: config.Missing, Name: "FERRY_PASSWORD", Place: config.Secrets, Reason: "is empty", Cure: "add the secret FERRY_PASSWORD"},
				{Name: "targets[0].profile", Place: config.File, Path: ".github/ferry.yaml", Line: 7, Reason: `is "flatt"`, Cure: `write "flat"`},
				{Kind: config.Unknown, Name: "souces", Place: config.File, Path: ".github/ferry.yaml", Line: 9, Reason: "is unknown", Cure: `write "sources"`},
				{Kind: config.Broken, Place: config.File, Path: ".github/ferry.yaml", Line: 12, Reason: "did not find expected key"},
			}
		}),
		"login": scenario(t).
			step(pause, hub+"google-containers.pause:3.9", &failure.Error{Code: failure.TargetLogin, Side: failure.Target, Detail: "incorrect username or password"}),
		"no-place": scenario(t).
			step(pause, hub+"google-containers.pause:3.9", &failure.Error{Code: failure.NotFound, Side: failure.Target, Detail: "project user not found"}),
		"not-permitted": scenario(t).with(func(in *Input) {
			in.Request.Images = []request.Image{pause}
			in.Plan.Refused = &failure.Error{Code: failure.NotPermitted, Hints: []string{string(config.Collaborators)}}
		}),
		"too-often": scenario(t).with(func(in *Input) {
			in.Request.Images = []request.Image{pause}
			in.Plan.Refused = &failure.Error{Code: failure.TooOften, Hints: []string{"20"}}
		}),
		"not-permitted-in-part": scenario(t).
			step(pause, hub+"google-containers.pause:3.9", copied()).
			refuse(image(t, "nginx:1.27"), &failure.Error{Code: failure.NameNotPermitted, Hints: []string{string(config.Collaborators)}}).
			refuse(image(t, "registry.example.com/a/b:1"), &failure.Error{Code: failure.HostNotPermitted, Hints: []string{string(config.Owner)}}),
		"interrupted": scenario(t).
			step(pause, hub+"google-containers.pause:3.9", copied()).
			step(nginx, hub+"docker.nginx:latest", &failure.Error{Code: failure.Cancelled}).
			with(func(in *Input) { in.Phase = Interrupted }),
		"withdrawn":       scenario(t).step(nginx, hub+"docker.nginx:latest", nil).with(func(in *Input) { in.Phase = Withdrawn }),
		"withdrawn-early": scenario(t).with(func(in *Input) { in.Phase = Withdrawn }),
		"given-up":        scenario(t).step(nginx, hub+"docker.nginx:latest", limited).with(func(in *Input) { in.Phase, in.Marker.Tries = GivenUp, 24 }),
		"given-up-in-part": scenario(t).
			step(pause, hub+"google-containers.pause:3.9", present()).
			step(nginx, hub+"docker.nginx:latest", limited).
			with(func(in *Input) { in.Phase, in.Marker.Tries = GivenUp, 24 }),
		"given-up-unread": scenario(t).with(func(in *Input) {
			in.Request.Images = []request.Image{pause}
			in.Plan.Refused, in.Phase, in.Marker.Tries = &failure.Error{Code: failure.Internal}, GivenUp, 24
		}),
	}
	before := Render(all["partial"].Input).Comment
	all["withdrawn-later"] = scenario(t).with(func(in *Input) { in.Phase, in.Before = Withdrawn, before })
	all["set-up-later"] = scenario(t).with(func(in *Input) { in.SetUp, in.Before = all["set-up"].SetUp, before })
	many := scenario(t)
	for _, name := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"} {
		i := image(t, "registry.k8s.io/"+name+":v1.30.2", request.ReleaseSet)
		i.Written = "kubeadm v1.30.2"
		many.step(i, hub+"google-containers."+name+":v1.30.2", copied())
	}
	all["done-many"] = many.step(nginx, hub+"docker.nginx:latest", uncounted())

	inputs := make(map[string]Input, len(all))
	for name, s := range all {
		inputs[name] = s.Input
	}
	return inputs
}
