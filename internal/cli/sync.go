package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/lists"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/runner"
	"github.com/imageferry/ferry/internal/wiring"
)

// chosenLimit is the default of --limit: a selection of more tags is probably a
// mistake.
const chosenLimit = 1000

var syncCommand = command{
	name:    "sync",
	args:    "[FILE...]",
	summary: "keep the images of lists up to date",
	help: `Reads lists of images, compares the source and the target of each image, and copies
images that are missing or whose tag has moved. FILE is a list of lines or YAML, or
an unchanged list of image-syncer, skopeo sync or regsync; "-" is standard input.
Without FILE, the lists are those in FERRY_LISTS, or images.txt and images.yaml in
the current directory. docs/lists.md describes the formats.

    nginx:1.27                  this tag
    redis:>=7.0 <8 newest 3     the newest three of a range
    quay.io/a/b:/^v\d+$/        a regular expression

Images go to the target under their mirror names, or to the destinations in the
list, unless --to is set. Logins are the same as for "ferry copy"; logins in a list
are ignored.

Exit status: 0 if everything is up to date; 1 if an image failed, or an entry or a
list of tags could not be read; 2 if a file is not a list.`,
	declare: func(env wiring.Env, flags *flagSet) action {
		var o syncOptions
		o.declare(flags)
		flags.StringVar(&o.platform, "platform", "", "`platforms` to copy for entries without platforms, separated by commas (default: all)")
		flags.letter("platform", "p")
		flags.BoolVar(&o.check, "check", false, "copy nothing; show why each tag is selected or not, and what would be copied")
		flags.BoolVar(&o.missing, "only-missing", false, "only copy images that the target does not have, without checking for moved tags")
		flags.IntVar(&o.limit, "limit", chosenLimit, "maximum `number` of tags that one entry may select")
		flags.StringVar(&o.shard, "shard", "", "`part` of the lists to copy, such as 2/8 for the second of eight jobs (or FERRY_SHARD)")
		flags.StringVar(&o.seen, "seen", "", "`file` that stores comparisons for the next run (or FERRY_SEEN)")
		flags.BoolVar(&o.json, "json", false, "print records as JSON, one for each image and target")
		return func(ctx context.Context, args []string) (int, error) { return runSync(ctx, env, o, args) }
	},
}

// syncOptions are the flags of "ferry sync".
type syncOptions struct {
	copyOptions
	check, missing bool
	limit          int
	seen, shard    string
}

func runSync(ctx context.Context, env wiring.Env, o syncOptions, files []string) (int, error) {
	out := runner.New(env.Getenv, env.Stdout, env.Stderr)
	if out.InAction() {
		defer harmless(env, &env.Stdout)() // except masks
	}
	env, err := trust(env, o.ca)
	if err != nil {
		return wiring.StatusUsage, err
	}
	// The content of a pull request is not the owner's yet.
	o.check = o.check || env.Getenv("FERRY_DRY_RUN") == "true" || strings.HasPrefix(env.Getenv("GITHUB_EVENT_NAME"), "pull_request")
	files = listFiles(env, files)
	if len(files) == 0 {
		return wiring.StatusUsage, usageError{"there is no list: name a file, or create images.txt"}
	}
	read, err := readLists(env, files)
	if err != nil {
		return wiring.StatusUsage, err
	}
	in := report.Terminal{Language: language(env)}
	for _, f := range read.notes {
		say(env, env.Stderr, "warning: %s\n", in.Fault(f))
	}
	for _, f := range read.faults {
		fmt.Fprintln(env.Stderr, in.Fault(f))
	}
	if read.foreign != "" {
		return wiring.StatusUsage, fmt.Errorf("%s cannot be read as a list", read.foreign)
	}
	entries, err := shardOf(read.entries, cmp.Or(o.shard, env.Getenv("FERRY_SHARD")))
	if err != nil {
		return wiring.StatusUsage, err
	}
	o.seen = cmp.Or(o.seen, env.Getenv("FERRY_SEEN"))
	before := seen{}
	if o.seen != "" {
		if before, err = readSeen(o.seen); err != nil {
			return wiring.StatusUsage, fmt.Errorf("--seen: %w", err)
		}
	}
	s := &syncing{env: env, out: out, o: o, before: before, now: seen{}, at: map[reference.Reference]string{}, sum: report.Sync{Check: o.check}}
	if s.cfg, err = s.configure(entries); err != nil {
		return wiring.StatusUsage, err
	}
	options := env.Registries(nil)
	if !o.json { // its output may be written to a file
		wiring.Hide(out, s.cfg, env)
		options = env.Registries(out)
	}
	s.engine = wiring.NewEngine(env, s.cfg, wiring.EngineOptions{Held: held(env), Registries: options})
	defer s.engine.Close()
	p, err := plan.MakeList(s.wishes(ctx, entries), s.cfg)
	if err != nil {
		return wiring.StatusUsage, err
	}
	s.bring(ctx, p)
	if err := s.print(); err != nil {
		return wiring.StatusFailed, err
	}
	if o.seen != "" && !o.check && ctx.Err() == nil {
		if err := s.now.write(o.seen); err != nil {
			return wiring.StatusFailed, fmt.Errorf("--seen: %w", err)
		}
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return wiring.StatusInterrupted, errors.New("stopped; copied images are kept, so the same command continues from here")
	case s.sum.Failed() || len(read.faults) > 0:
		return wiring.StatusFailed, nil
	}
	return wiring.StatusDone, nil
}

// shardOf returns the entries for one of several jobs: "2/8" is the second of
// eight.
func shardOf(entries []listed, shard string) ([]listed, error) {
	if shard == "" {
		return entries, nil
	}
	number, of, _ := strings.Cut(shard, "/")
	k, err := strconv.Atoi(number)
	n, errOf := strconv.Atoi(of)
	if err != nil || errOf != nil || k < 1 || k > n || n > maxShards {
		return nil, usageError{fmt.Sprintf("the shard is %q; write a number from 1/1 to %d/%d, such as 2/8", shard, maxShards, maxShards)}
	}
	plain := make([]lists.Entry, len(entries))
	for i, e := range entries {
		plain[i] = e.Entry
	}
	var mine []listed
	for i, at := range lists.Deal(plain, n) {
		if at == k-1 {
			mine = append(mine, entries[i])
		}
	}
	return mine, nil
}

// maxShards is the maximum number of jobs in the matrix of a workflow.
const maxShards = 256

// syncing is one run of "ferry sync".
type syncing struct {
	env    wiring.Env
	out    *runner.Runner
	o      syncOptions
	cfg    *config.Config
	engine *wiring.Engine
	at     map[reference.Reference]string // the places of images in the lists
	sum    report.Sync
	before seen // the state of the last run
	now    seen
}

// own reports whether the destinations of the lists are used.
func (s *syncing) own() bool { return s.o.to == "" && !config.Overridden(s.env.Getenv) }

// configure reads the configuration and adds the targets that the lists name.
func (s *syncing) configure(entries []listed) (*config.Config, error) {
	var targets []string
	if s.own() {
		targets = targetsOf(entries)
	}
	sources := make([]string, len(entries))
	usual := false
	for i, e := range entries {
		sources[i] = e.Source.Host()
		usual = usual || !s.own() || len(e.Targets)+len(e.To) == 0
	}
	noTarget := usageError{"there is no target: set --to, for example --to docker.io/USER"}
	if usual && targetOf(s.env, s.o.to) == "" && s.env.Getenv("FERRY_CONFIG") == "" && s.env.Getenv("GITHUB_ACTIONS") != "true" {
		return nil, noTarget
	}
	cfg, err := load(s.env, !s.o.check && len(entries) > 0, []given{
		{"FERRY_TARGET", "--to", s.o.to}, {"FERRY_PROFILE", "--profile", s.o.profile}, {"FERRY_PLATFORMS", "--platform", s.o.platform},
	}, targets...)
	if err != nil {
		return nil, err
	}
	if usual && !slices.ContainsFunc(cfg.Targets, func(t config.Target) bool { return !t.Listed }) {
		return nil, noTarget
	}
	allow(cfg, sources, s.o.hosts)
	// A list is the owner's, so the limits of a request do not apply.
	cfg.Limits.RequestBytes = math.MaxInt64
	return cfg, nil
}

// wishes returns the images of the entries, with the tags that their selections
// select.
func (s *syncing) wishes(ctx context.Context, entries []listed) []plan.Wish {
	listings := s.engine.Tags(ctx, toList(entries))
	var usual []string
	for _, t := range s.cfg.Targets {
		if !t.Listed {
			usual = append(usual, t.String())
		}
	}
	var wishes []plan.Wish
	for _, e := range entries {
		refs, named := e.Named()
		if !named {
			refs = s.choose(e, listings[e.Source])
		}
		for i, ref := range refs {
			if s.at[ref] == "" {
				s.at[ref] = e.at
			}
			w := plan.Wish{Image: request.Image{Reference: ref, Platforms: e.Platforms, As: e.As}}
			switch {
			case s.own() && len(e.To) > 0:
				for _, to := range e.To {
					place := plan.Place{Repository: to.Repository}
					if i < len(to.Tags) {
						place.Tag = to.Tags[i]
					}
					w.Places = append(w.Places, place)
				}
			case s.own() && len(e.Targets) > 0:
				for _, t := range e.Targets {
					if target, err := config.ParseTarget(t, ""); err == nil {
						w.Targets = append(w.Targets, target.String())
					}
				}
			default:
				w.Targets = usual
			}
			wishes = append(wishes, w)
		}
	}
	return wishes
}

// choose applies the selection of an entry to the tags of its repository.
func (s *syncing) choose(e listed, l mirror.Listing) []reference.Reference {
	if l.Failure != nil {
		s.sum.Unlisted = append(s.sum.Unlisted, report.Unlisted{List: e.at, Repository: e.Source, Failure: l.Failure})
		return nil
	}
	verdicts := e.Tags.Choose(l.Tags)
	if s.o.check {
		s.sum.Selected = append(s.sum.Selected, report.Chosen{List: e.at, Repository: e.Source, Verdicts: verdicts})
	}
	var tags []string
	for _, v := range verdicts {
		if v.Chosen {
			tags = append(tags, v.Tag)
		}
	}
	switch {
	case len(tags) == 0:
		say(s.env, s.env.Stderr, "warning: %s: selects none of the %d tags of %s; \"ferry sync --check\" shows why\n", e.at, len(l.Tags), e.Source)
	case len(tags) > s.o.limit:
		s.sum.Unlisted = append(s.sum.Unlisted, report.Unlisted{List: e.at, Repository: e.Source, Chosen: len(tags), Limit: s.o.limit,
			Failure: &failure.Error{Code: failure.TooMany, Hints: []string{strconv.Itoa(s.o.limit)}}})
		return nil
	}
	return e.References(tags)
}

// bring compares all images of the plan, and copies those that are missing or
// have moved, by the digest that it compared.
func (s *syncing) bring(ctx context.Context, p plan.Plan) {
	standings := s.engine.Look(ctx, p.Steps, s.o.missing)
	var todo plan.Plan
	var pending []int // indices of the images, in the order of the results
	for i, step := range p.Steps {
		now := plan.Step{Image: step.Image}
		for k, d := range step.Destinations {
			standing := standings[i][k]
			image := report.Synced{
				List: s.at[step.Image.Reference], Before: standing.Held, Gone: standing.Gone,
				Result: mirror.Result{Step: step, Destination: d, Failure: standing.Failure},
			}
			switch {
			case standing.Failure != nil || standing.Gone:
			case standing.Held != v1.Hash{} && (standing.Held == standing.Source || s.o.missing || s.before[seenLine(d, standing.Source, standing.Held)]):
				image.Result.Receipt = &mirror.Receipt{Mirror: d.Mirror, SourceDigest: standing.Source, Digest: standing.Held, Present: true}
			case s.o.check:
			default:
				now.Destinations = append(now.Destinations, d)
				pending = append(pending, len(s.sum.Images))
				if !now.Image.Reference.HasDigest() {
					now.Image.Reference = step.Image.Reference.WithDigest(standing.Source)
				}
			}
			s.sum.Images = append(s.sum.Images, image)
		}
		if len(now.Destinations) > 0 {
			todo.Steps = append(todo.Steps, now)
		}
	}
	if len(todo.Steps) > 0 {
		began := time.Now()
		results := copyImages(ctx, s.engine, s.env, s.o.copyOptions, todo)
		if !s.o.quiet {
			fmt.Fprintln(s.env.Stderr, report.Terminal{Language: language(s.env)}.Total(results, time.Since(began)))
		}
		for n, r := range results {
			of := &s.sum.Images[pending[n]].Result
			of.Receipt, of.Failure = r.Receipt, r.Failure
		}
	}
	for _, image := range s.sum.Images {
		if r := image.Result.Receipt; r != nil && r.Digest != r.SourceDigest && r.Mirror == image.Result.Destination.Mirror && r.SourceDigest != (v1.Hash{}) {
			s.now[seenLine(image.Result.Destination, r.SourceDigest, r.Digest)] = true
		}
	}
	for _, r := range p.Refusals {
		s.sum.Images = append(s.sum.Images, report.Synced{List: s.at[r.Image.Reference], Target: r.Target,
			Result: mirror.Result{Step: plan.Step{Image: r.Image}, Failure: r.Failure}})
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		s.sum.Images = slices.DeleteFunc(s.sum.Images, func(i report.Synced) bool {
			return i.Result.Failure != nil && i.Result.Failure.Code == failure.Cancelled
		})
	}
}

// print prints the result.
func (s *syncing) print() error {
	in := report.Terminal{Language: language(s.env), Quiet: s.o.quiet, Cause: causes(s.cfg)}
	err := s.out.Summary("```text\n" + strings.ReplaceAll(in.Synced(s.sum), "`", "'") + "```\n")
	outputs := s.sum.Outputs()
	err = errors.Join(err, s.out.Output("images", outputs.Images), s.out.Output("succeeded", strconv.Itoa(outputs.Succeeded)), s.out.Output("failed", strconv.Itoa(outputs.Failed)))
	if err != nil {
		fmt.Fprintf(s.env.Stderr, "warning: %v\n", err)
	}
	switch {
	case s.o.json && s.o.check:
		return writeJSON(s.env.Stdout, s.sum.CheckRecord())
	case s.o.json:
		return writeJSON(s.env.Stdout, s.sum.Records())
	}
	for _, c := range s.sum.Selected {
		if _, err := io.WriteString(s.env.Stdout, in.Chosen(c)); err != nil {
			return err
		}
	}
	_, err = io.WriteString(s.env.Stdout, in.Synced(s.sum))
	return err
}
