package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/clients"
	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/pull"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

var pullCommand = command{
	name:    "pull",
	args:    "IMAGE...",
	summary: "pull mirrored images under their original names",
	declare: func(env wiring.Env, flags *flagSet) action {
		var o pullOptions
		flags.Var(&o.from, "from", "`target`: registry and namespace of a mirror, such as docker.io/USER (or FERRY_TARGET), or the address of a front or a catalog; may be repeated")
		flags.StringVar(&o.with, "with", "", "`client` to pull with: "+strings.Join(takers(), ", ")+" (default: the first that is installed)")
		flags.values["with"] = takers()
		declareProfile(flags, &o.profile, "naming `profile`")
		flags.StringVar(&o.platform, "platform", "", "`platform` to pull, such as linux/arm64 (default: that of the machine)")
		flags.letter("platform", "p")
		flags.StringVar(&o.file, "file", "", "`file` with image names, in any form; - for standard input")
		flags.letter("file", "f")
		flags.StringVar(&o.request, "request", "", "`owner/repository` to request missing images from; opens an issue with GITHUB_TOKEN or GH_TOKEN, else shows the form")
		flags.DurationVar(&o.wait, "wait", 0, "`time` to wait for images that are not mirrored yet, such as 15m")
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
	wait                                   time.Duration
	keep, json                             bool
	hosts
}

// pulled is one result in JSON.
type pulled struct {
	_ [0]func() // incomparable: the code to compare two has 0.4 kB

	Source string `json:"source"`
	Mirror string `json:"mirror"` // that it was pulled from; empty if there is none
	Digest string `json:"digest"` // empty if there is no mirror
	Name   string `json:"name"`   // on this machine
	Client string `json:"client"`
	Status string `json:"status"` // "pulled", "not-mirrored", "mirrored" without a client, or "failed"
	Error  string `json:"error"`
}

// askAgain is the time between two look-ups of what is not mirrored yet: a job
// of GitHub starts after some seconds and takes about a minute.
const askAgain = 10 * time.Second

const (
	// answerTime is how long an issue that was opened is waited for: its run may be
	// queued.
	answerTime = 15 * time.Minute
	// lastLooks is how often what is missing is looked up after the answer: a registry
	// may show later what a run has pushed.
	lastLooks = 3
)

func runPull(ctx context.Context, env wiring.Env, o pullOptions, texts []string) (int, error) {
	client, none := taker(o.with)
	toFile := errors.Is(none, errNoClient)
	if none != nil && !toFile {
		return wiring.StatusUsage, none
	}
	if _, err := os.Lstat(savedFile); toFile && err == nil {
		return wiring.StatusUsage, usageError{fmt.Sprintf("%v, and %s, to which the images would be saved, exists: move it, or use \"ferry save\"", none, savedFile)}
	}
	asking, err := newAsking(env, o.request)
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
	from := originsOf(o.from)
	if toFile && len(from.fronts)+len(from.catalogs) > 0 {
		return wiring.StatusUsage, usageError{fmt.Sprintf("%v, and only images of a target are saved without one: name a target with --from", none)}
	}
	cfg, err := mirrors(env, from, o.profile, o.hosts)
	if err != nil {
		return wiring.StatusUsage, err
	}
	images, err := candidates(cfg, req.Images, o.platform)
	if err != nil {
		return wiring.StatusUsage, err
	}
	others, err := from.add(ctx, env, images)
	if err != nil {
		return wiring.StatusFailed, err
	}
	sources := registry.NewSources(beside(readable(cfg), others), registries(env))
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
	tell := func(r pull.Result) {
		if unread, ok := unanswered(r.Image.Source, r.Err); ok {
			status = wiring.StatusFailed
			fmt.Fprint(env.Stderr, in.Copies(plan.Plan{}, []mirror.Result{unread}))
		} else if r.Err != nil {
			status = wiring.StatusFailed
			fmt.Fprintf(env.Stderr, "ferry pull: %s: %s\n", r.Image.Source, in.Message(r.Err.Error()))
		} else if !o.json && !toFile {
			say(env, env.Stdout, "%s: %s from %s\n", r.Name, r.Digest, r.Mirror)
		}
	}
	results := make([]pull.Result, len(images))
	for i, image := range images {
		results[i] = pull.Result{Image: image, Err: pull.ErrNotMirrored}
	}
	w := waiting{env: env, asking: asking, left: o.wait, pull: func() (missing []string) {
		p.Pull(ctx, results, func(r pull.Result) {
			if !r.Missing() {
				tell(r)
			}
		})
		for _, r := range results {
			if r.Missing() {
				missing = append(missing, r.Image.Source.String())
			}
		}
		return missing
	}}
	w.run(ctx)
	for _, r := range results {
		if r.Missing() {
			tell(r)
		}
	}
	if toFile && status == wiring.StatusDone {
		say(env, env.Stderr, "ferry pull: %v: saving to %s\n", in.Message(none.Error()), savedFile)
		return pullToFile(ctx, env, o, cfg, images)
	}
	if o.json {
		return status, writeJSON(env.Stdout, pulledRecords(results, client.Name))
	}
	return status, nil
}

// waiting pulls images, and those that are not mirrored yet when they are.
type waiting struct {
	env    wiring.Env
	asking *asking         // nil if nothing is requested
	left   time.Duration   // to wait
	pull   func() []string // pulls what is missing, and returns what still is
}

func (w *waiting) run(ctx context.Context) {
	missing := w.pull()
	if len(missing) == 0 {
		return
	}
	names := strings.Join(missing, " ")
	if w.asking == nil {
		say(w.env, w.env.Stderr, "To mirror them where the registries can be reached: ferry copy %s --to TARGET\n", names)
	} else if w.asking.ask(ctx, missing); w.asking.issue != 0 {
		w.left = cmp.Or(w.left, answerTime)
	}
	if w.left > 0 {
		say(w.env, w.env.Stderr, "waiting at most %v for: %s\n", w.left, names)
	}
	for looks := lastLooks; w.left > 0 && len(missing) > 0 && w.pause(ctx, names); missing = w.pull() {
		if !w.asking.answered(ctx) {
			continue
		}
		if looks--; looks == 0 {
			w.left = 0
		}
	}
	if len(missing) > 0 && w.asking.answered(ctx) {
		say(w.env, w.env.Stderr, "the answer says why: %s\n", w.asking.issuePage())
	}
}

// pause waits until what is missing is looked up again, and shows on a terminal that it
// does. It reports false if ctx ends.
func (w *waiting) pause(ctx context.Context, names string) bool {
	width, _, shown := terminalSize(w.env, w.env.Stderr)()
	step := askAgain
	if shown {
		step = time.Second
	}
	for until := w.left - min(w.left, askAgain); w.left > until; {
		if shown {
			fmt.Fprint(w.env.Stderr, "\r\x1b[K", cut(w.left.String()+"  "+names, width-1))
		}
		d := min(step, w.left-until)
		w.left -= d
		if w.env.Sleep(ctx, d) != nil {
			return false
		}
	}
	if shown {
		fmt.Fprint(w.env.Stderr, "\r\x1b[K")
	}
	return true
}

// pullToFile saves the images to a file, because there is no client.
func pullToFile(ctx context.Context, env wiring.Env, o pullOptions, cfg *config.Config, images []pull.Image) (int, error) {
	save := saveOptions{output: savedFile, platform: cmp.Or(o.platform, "linux/"+runtime.GOARCH), profile: o.profile, json: o.json, hosts: o.hosts}
	for _, t := range cfg.Targets {
		save.from = append(save.from, t.Host+"/"+t.Namespace)
	}
	var texts []string
	for _, i := range images {
		texts = append(texts, i.Source.String())
	}
	return runSave(ctx, env, save, texts)
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
		if r.Err == nil && r.Name == "" {
			record.Status = "mirrored"
		}
		if r.Missing() {
			record.Status = "not-mirrored"
		}
		records[i] = record
	}
	return records
}
