package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/clients"
	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/pull"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/wiring"
)

var pullCommand = command{
	name:    "pull",
	args:    "IMAGE...",
	summary: "pull mirrored images under their original names",
	help: `Pulls images from a mirror and gives them the names of their sources, so that
manifests and Compose files work unchanged. IMAGE is a reference or any other text
that "ferry parse" understands; -f reads a Compose file, a manifest or a list:

    ferry pull -f compose.yaml --from docker.io/USER && docker compose up

Each image is pulled by the digest of its mirror, and the digest that the client
reports is compared with it. Afterwards the mirror name is removed from the machine,
unless --keep is given. If several mirrors are named, the first one that answers is
used.

Without any client, the images are saved to images.tar, as by "ferry save".

The client pulls with its own login. To look up digests, Ferry uses the login that
"docker login" has stored, or none.

Exit status: 0 if the client has every image, 1 if something failed, 3 if no image
is named.`,
	declare: func(env wiring.Env, flags *flagSet) action {
		var o pullOptions
		flags.Var(&o.from, "from", "`target`: registry and namespace of a mirror, such as docker.io/USER (or FERRY_TARGET); may be repeated")
		flags.StringVar(&o.with, "with", "", "`client` to pull with: "+strings.Join(takers(), ", ")+" (default: the first that is installed)")
		flags.values["with"] = takers()
		declareProfile(flags, &o.profile, "naming `profile`")
		flags.StringVar(&o.platform, "platform", "", "`platform` to pull, such as linux/arm64 (default: that of the machine)")
		flags.letter("platform", "p")
		flags.StringVar(&o.file, "file", "", "`file` with image names, in any form; - for standard input")
		flags.letter("file", "f")
		flags.StringVar(&o.request, "request", "", "`owner/repository` to request missing images from; prints the link")
		flags.BoolVar(&o.keep, "keep", false, "keep the mirror name on the machine, too")
		flags.BoolVar(&o.json, "json", false, "print results as JSON, one for each image")
		o.hosts.declare(flags)
		return func(ctx context.Context, args []string) (int, error) { return runPull(ctx, env, o, args) }
	},
}

// pullOptions are the flags of "ferry pull".
type pullOptions struct {
	from                                   list
	with, profile, platform, file, request string
	keep, json                             bool
	hosts
}

// pulled is one result in JSON.
type pulled struct {
	Source string `json:"source"`
	Mirror string `json:"mirror"` // that it was pulled from; empty if there is none
	Digest string `json:"digest"` // empty if there is no mirror
	Name   string `json:"name"`   // on this machine
	Client string `json:"client"`
	Status string `json:"status"` // "pulled", "not-mirrored" or "failed"
	Error  string `json:"error"`
}

func runPull(ctx context.Context, env wiring.Env, o pullOptions, texts []string) (int, error) {
	client, err := taker(o.with)
	if errors.Is(err, errNoClient) {
		return pullToFile(ctx, env, o, texts)
	}
	if err != nil {
		return wiring.StatusUsage, err
	}
	req, err := wanted(env, o.file, o.hosts, texts)
	if err != nil {
		return wiring.StatusUsage, err
	}
	for _, p := range req.Problems {
		fmt.Fprintln(env.Stderr, report.Terminal{Language: language(env)}.Problem(p))
	}
	if len(req.Images) == 0 {
		if len(req.Problems) > 0 {
			return wiring.StatusFailed, nil
		}
		return wiring.StatusNothing, wiring.ErrNothing
	}
	cfg, err := mirrors(env, o.from, o.profile, o.hosts)
	if err != nil {
		return wiring.StatusUsage, err
	}
	images, err := candidates(cfg, req.Images, o.platform)
	if err != nil {
		return wiring.StatusUsage, err
	}
	sources := registry.NewSources(readable(cfg), registries(env))
	defer sources.Close()
	p := &pull.Puller{Client: client, Keep: o.keep, Run: runClient, Digest: func(ctx context.Context, ref reference.Reference) (v1.Hash, error) {
		c, ok := sources.ForHost(ref.Repository().Host())
		if !ok {
			return v1.Hash{}, &failure.Error{Code: failure.HostNotAllowed, Side: failure.Source, Hints: []string{ref.Repository().Host()}}
		}
		return registry.Mirrored(ctx, c, ref)
	}}
	status := wiring.StatusDone
	if len(req.Problems) > 0 {
		status = wiring.StatusFailed
	}
	in := report.Terminal{Language: language(env), Cause: causes(cfg)}
	results := p.Pull(ctx, images, func(r pull.Result) {
		if unread, ok := unanswered(r.Image.Source, r.Err); ok {
			status = wiring.StatusFailed
			fmt.Fprint(env.Stderr, in.Copies(plan.Plan{}, []mirror.Result{unread}))
		} else if r.Err != nil {
			status = wiring.StatusFailed
			fmt.Fprintf(env.Stderr, "ferry pull: %s: %s\n", r.Image.Source, in.Message(r.Err.Error()))
		} else if !o.json {
			say(env, env.Stdout, "%s: %s from %s\n", r.Name, r.Digest, r.Mirror)
		}
	})
	if missing := notMirrored(results); len(missing) > 0 {
		sayWhatToDo(env, o.request, missing)
	}
	if o.json {
		return status, writeJSON(env.Stdout, pulledRecords(results, client.Name))
	}
	return status, nil
}

// pullToFile saves the images to a file, because there is no client.
func pullToFile(ctx context.Context, env wiring.Env, o pullOptions, texts []string) (int, error) {
	cfg, err := mirrors(env, o.from, o.profile, o.hosts)
	if err != nil {
		return wiring.StatusUsage, err
	}
	if _, err := os.Lstat(savedFile); err == nil {
		return wiring.StatusUsage, usageError{fmt.Sprintf("%v, and %s, to which the images would be saved, exists: move it, or use \"ferry save\"", errNoClient, savedFile)}
	}
	say(env, env.Stderr, "ferry pull: %v: saving to %s\n", report.Terminal{Language: language(env)}.Message(errNoClient.Error()), savedFile)
	save := saveOptions{output: savedFile, platform: cmp.Or(o.platform, "linux/"+runtime.GOARCH), profile: o.profile, file: o.file, json: o.json, hosts: o.hosts}
	for _, t := range cfg.Targets {
		save.from = append(save.from, t.Host+"/"+t.Namespace)
	}
	return runSave(ctx, env, save, texts)
}

// unanswered returns the failure of a mirror that could not be asked for an
// image, as the result that describes it. It reports false for other errors.
func unanswered(source reference.Reference, err error) (mirror.Result, bool) {
	lookup, ok := errors.AsType[*pull.LookupError](err)
	if !ok {
		return mirror.Result{}, false
	}
	f, ok := failure.As(lookup.Err)
	if !ok {
		return mirror.Result{}, false
	}
	at := *f
	at.Side = failure.Target // where the mirror is
	if at.Code == failure.Private {
		at.Code = failure.TargetLogin
	}
	result := mirror.Result{Failure: &at}
	result.Step.Image.Reference, result.Destination.Mirror = source, lookup.Mirror
	return result, true
}

// takers returns the names of the clients that can name an image.
func takers() []string {
	var names []string
	for _, c := range clients.All() {
		if c.Takes() {
			names = append(names, c.Name)
		}
	}
	return names
}

// errNoClient means that there is nothing to pull with.
var errNoClient = errors.New("none of the clients is installed and in PATH")

// savedFile is where images go if there is no client.
const savedFile = "images.tar"

// taker returns the client of that name, or the first one that is installed. If
// none is, the error is errNoClient.
func taker(name string) (clients.Client, error) {
	for _, c := range clients.All() {
		if !c.Takes() || name != "" && c.Name != name {
			continue
		}
		if _, err := exec.LookPath(c.Name); err == nil {
			return c, nil
		} else if name != "" {
			return clients.Client{}, usageError{fmt.Sprintf("--with %s: the program is not installed, or not in PATH", name)}
		}
	}
	if name != "" {
		return clients.Client{}, usageError{fmt.Sprintf("--with must be one of %s, not %q", strings.Join(takers(), ", "), name)}
	}
	return clients.Client{}, errNoClient
}

// mirrors returns the configuration with the targets of --from, or else those
// of the environment and the policy file.
func mirrors(env wiring.Env, from []string, profile string, flagged hosts) (*config.Config, error) {
	if len(from) == 0 {
		from = []string{""}
	}
	var cfg *config.Config
	for _, target := range from {
		next, err := load(env, false, []given{{"FERRY_TARGET", "--from", target}, {"FERRY_PROFILE", "--profile", profile}})
		if err != nil {
			return nil, err
		}
		if cfg == nil {
			cfg = next
		} else {
			cfg.Targets = append(cfg.Targets, next.Targets...)
		}
	}
	if len(cfg.Targets) == 0 {
		return nil, usageError{"there is no mirror: set --from, for example --from docker.io/USER"}
	}
	for _, t := range cfg.Targets {
		if t.Profile == string(name.Last) {
			return nil, usageError{fmt.Sprintf("%s has names of the profile last, which can belong to several images, so nothing is pulled from there under the name of a source", t)}
		}
	}
	allow(cfg, nil, flagged)
	return cfg, nil
}

// candidates returns the images with the names that they may have at the
// mirrors.
func candidates(cfg *config.Config, wanted []request.Image, platform string) ([]pull.Image, error) {
	var only reference.Platform
	if platform != "" {
		var err error
		if only, err = reference.ParsePlatform(platform); err != nil {
			return nil, usageError{fmt.Sprintf("--platform is %q; write os/arch or os/arch/variant, such as linux/arm64", platform)}
		}
	}
	schemes, err := plan.Schemes(cfg)
	if err != nil {
		return nil, err
	}
	var images []pull.Image
	for _, w := range wanted {
		image := pull.Image{Source: w.Reference, Platform: only}
		if platform == "" && len(w.Platforms) == 1 {
			image.Platform = w.Platforms[0]
		}
		for _, s := range schemes {
			mirror, err := s.Mirror(w.Reference)
			if err != nil {
				return nil, err
			}
			image.Mirrors = append(image.Mirrors, mirror.Reference)
			if w.Reference.Tag() != "" && w.Reference.Digest().Algorithm == "sha512" {
				// The tag may have moved, and mirrors know no sha512 but as a tag.
				if mirror, err := s.Mirror(w.Reference.Untagged(w.Reference.Digest())); err == nil {
					image.Mirrors = append(image.Mirrors, mirror.Reference)
				}
			}
		}
		if !slices.ContainsFunc(images, func(i pull.Image) bool { return i.Source == image.Source && i.Platform == image.Platform }) {
			images = append(images, image)
		}
	}
	return images, nil
}

// readable returns the targets as registries to read from, with their logins.
func readable(cfg *config.Config) []config.Source {
	sources := wiring.Visited(cfg)
	for i := range sources {
		if at := slices.IndexFunc(cfg.Targets, func(t config.Target) bool { return t.Host == sources[i].Host && t.HasLogin() }); at >= 0 {
			sources[i].Username, sources[i].Password, sources[i].OIDC = cfg.Targets[at].Username, cfg.Targets[at].Password, cfg.Targets[at].OIDC
		}
	}
	return sources
}

// runClient runs a program and returns its output.
func runClient(ctx context.Context, args []string) (string, error) {
	return runWith(ctx, nil, args)
}

// runWith runs a program with a standard input.
func runWith(ctx context.Context, in io.Reader, args []string) (string, error) {
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin = in
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, lastLine(complaint.String()))
	}
	return out.String(), nil
}

// lastLine returns the last line of a program's output, usually the cause of a
// failure.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

func notMirrored(results []pull.Result) []string {
	var missing []string
	for _, r := range results {
		if errors.Is(r.Err, pull.ErrNotMirrored) {
			missing = append(missing, r.Image.Source.String())
		}
	}
	return missing
}

// sayWhatToDo says how to get images mirrored.
func sayWhatToDo(env wiring.Env, repository string, missing []string) {
	if form, ok := requestForm(env, repository); ok {
		say(env, env.Stderr, "To ask for them, open: %s\n", form+url.QueryEscape(strings.Join(missing, "\n")))
		return
	}
	say(env, env.Stderr, "To mirror them where the registries can be reached: ferry copy %s --to TARGET\n", strings.Join(missing, " "))
}

// requestForm returns the URL of a repository's form for requests, to which the
// names of images are appended. It reports false if the text is not a repository.
func requestForm(env wiring.Env, repository string) (string, bool) {
	owner, name, ok := strings.Cut(repository, "/")
	if !ok || owner == "" || name == "" || strings.ContainsAny(repository, " ?#\"'<>") {
		return "", false
	}
	return env.Site() + "/" + repository + "/issues/new?template=mirror.yml&images=", true
}

func pulledRecords(results []pull.Result, client string) []pulled {
	records := make([]pulled, len(results))
	for i, r := range results {
		record := pulled{Source: r.Image.Source.String(), Client: client, Name: r.Name, Status: "pulled"}
		if !r.Mirror.IsZero() {
			record.Mirror, record.Digest = r.Mirror.String(), r.Digest.String()
		}
		if r.Err != nil {
			record.Status, record.Error = "failed", r.Err.Error()
		}
		if errors.Is(r.Err, pull.ErrNotMirrored) {
			record.Status = "not-mirrored"
		}
		records[i] = record
	}
	return records
}
