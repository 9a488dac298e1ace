package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/runner"
	"github.com/imageferry/ferry/internal/shards"
	"github.com/imageferry/ferry/internal/wiring"
)

// chosenLimit is the default of --limit: a selection of more tags is probably a
// mistake.
const chosenLimit = 1000

var syncCommand = command{
	name:    "sync",
	args:    "[FILE...]",
	summary: "keep the images of lists up to date",
	declare: func(env wiring.Env, flags *flagSet) action {
		var o syncOptions
		o.declare(flags)
		flags.StringVar(&o.platform, "platform", "", "`platforms` for entries without platforms, if an image has them, separated by commas (default: all)")
		flags.letter("platform", "p")
		flags.BoolVar(&o.check, "check", false, "copy nothing; show why each tag is selected or not, and what would be copied")
		flags.BoolVar(&o.missing, "only-missing", false, "only copy images that the target does not have, without checking for moved tags")
		flags.IntVar(&o.limit, "limit", chosenLimit, "maximum `number` of tags that one entry may select")
		flags.StringVar(&o.plan, "plan", "", "`file` of the plan of several jobs: written if there is no --shard or --join (or FERRY_PLAN)")
		flags.StringVar(&o.jobs, "jobs", "", "maximum `number` of jobs of a plan, or a range such as 4-8 (or FERRY_JOBS; default 8)")
		flags.StringVar(&o.shard, "shard", "", "`number` of the shard of the plan to copy, from 1 (or FERRY_SHARD)")
		flags.StringVar(&o.receipts, "receipts", "", "`folder` for the receipts of a shard (or FERRY_RECEIPTS; default ferry-receipts)")
		flags.StringVar(&o.join, "join", "", "`folder` with the receipts of all shards, to report the result of the plan (or FERRY_JOIN)")
		flags.StringVar(&o.log, "log", "", "`folder` with a checkout of the branch catalog: with --join, changes are committed to that branch (or FERRY_LOG)")
		flags.StringVar(&o.seen, "seen", "", "`file` that stores comparisons for the next run (or FERRY_SEEN)")
		flags.BoolVar(&o.json, "json", false, "print records as JSON, one for each image and target")
		return func(ctx context.Context, args []string) (int, error) { return runSync(ctx, env, o, args) }
	},
}

// syncOptions are the flags of "ferry sync".
type syncOptions struct {
	copyOptions
	check, missing                         bool
	rebuild                                bool // of a log: only targets are asked, for all they have
	limit                                  int
	seen                                   string
	plan, jobs, shard, receipts, join, log string
}

// fill takes what no flag sets from the environment.
func (o *syncOptions) fill(getenv func(string) string) {
	for _, f := range []struct {
		flag            *string
		variable, usual string
	}{
		{&o.seen, "FERRY_SEEN", ""}, {&o.plan, "FERRY_PLAN", ""}, {&o.jobs, "FERRY_JOBS", shards.UsualJobs}, {&o.shard, "FERRY_SHARD", ""},
		{&o.receipts, "FERRY_RECEIPTS", "ferry-receipts"}, {&o.join, "FERRY_JOIN", ""}, {&o.log, "FERRY_LOG", ""},
	} {
		*f.flag = cmp.Or(*f.flag, getenv(f.variable), f.usual)
	}
	o.check = o.check || getenv("FERRY_DRY_RUN") == "true"
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
	o.fill(env.Getenv)
	o.check = o.check || ofPullRequest(env)
	before := seen{}
	if o.seen != "" {
		if before, err = readSeen(o.seen); err != nil {
			return wiring.StatusUsage, fmt.Errorf("--seen: %w", err)
		}
	}
	s := newSyncing(env, out, o, before)
	if o.shard == "" && o.join == "" {
		return s.runLists(ctx, files)
	}
	switch {
	case o.plan == "":
		return wiring.StatusUsage, usageError{"there is no plan: name the file that a run with --plan has written"}
	case o.shard != "" && o.join != "":
		return wiring.StatusUsage, usageError{"--shard copies a part of a plan, and --join reports the result of all; set one of them"}
	case len(files) > 0:
		return wiring.StatusUsage, usageError{"the plan has the images of the lists; name no list"}
	case o.check:
		return wiring.StatusUsage, usageError{"a plan is not checked: use --check with the lists"}
	case o.join != "":
		return s.runJoin(ctx)
	}
	return s.runShard(ctx)
}

// runLists brings the images of lists up to date, or plans it.
func (s *syncing) runLists(ctx context.Context, files []string) (int, error) {
	env, o := s.env, s.o
	jobs, err := shards.ParseJobs(o.jobs)
	if err != nil {
		return wiring.StatusUsage, usageError{err.Error()}
	}
	files = listFiles(env, files)
	if len(files) == 0 {
		return wiring.StatusUsage, usageError{"there is no list: name a file, or create images.txt"}
	}
	read, err := s.readLists(ctx, files)
	if err != nil {
		return wiring.StatusUsage, err
	}
	s.start()
	defer s.engine.Close()
	p, err := plan.MakeList(s.wishes(ctx, read.entries), s.cfg)
	if err != nil {
		return wiring.StatusUsage, err
	}
	todo, pending := s.compare(ctx, p)
	several := 0
	todo, pending = s.afford(ctx, todo, pending)
	if o.plan != "" && !o.check {
		todo, pending = s.reserve(ctx, todo, pending)
		several = s.divide(ctx, todo, jobs)
	}
	if several == 0 {
		s.copy(ctx, todo, pending)
		err = s.print()
	}
	s.compared()
	if err == nil && o.plan != "" && !o.check {
		err = s.writePlan(todo, pending, len(read.faults))
	}
	if err == nil && several == 0 { // else the result is known when it is joined
		err = s.remember(ctx)
	}
	switch {
	case err != nil:
		return wiring.StatusFailed, err
	case errors.Is(ctx.Err(), context.Canceled):
		return wiring.StatusInterrupted, errors.New("stopped; copied images are kept, so the same command continues from here")
	case several == 0 && (s.sum.Failed() || len(read.faults) > 0):
		return wiring.StatusFailed, nil
	}
	return wiring.StatusDone, nil
}

// newSyncing returns a run that knows the comparisons of the last one.
func newSyncing(env wiring.Env, out *runner.Runner, o syncOptions, before seen) *syncing {
	return &syncing{env: env, out: out, o: o, before: before, now: seen{}, at: map[reference.Reference]string{}, immutable: map[reference.Reference]bool{}, keepOld: map[reference.Reference]bool{}, manifests: map[v1.Hash]*registry.Manifest{}, sum: report.Sync{Check: o.check}}
}

// readLists reads lists, prints what is wrong with them, and configures the run for what
// they name.
func (s *syncing) readLists(ctx context.Context, files []string) (*readings, error) {
	all, err := readLists(s.env, files)
	read := &all
	if err != nil {
		return read, err
	}
	if chosen := read.follow(ctx, s.env, s.o.limit); s.o.check {
		s.sum.Selected = chosen
	}
	in := report.Terminal{Language: language(s.env)}
	for _, f := range read.notes {
		say(s.env, s.env.Stderr, "warning: %s\n", in.Fault(f))
	}
	for _, f := range read.faults {
		fmt.Fprintln(s.env.Stderr, in.Fault(f))
	}
	if read.foreign != "" {
		return read, fmt.Errorf("%s cannot be read as a list", read.foreign)
	}
	s.cfg, err = s.configure(read.entries)
	return read, err
}

// start makes the engine.
func (s *syncing) start() {
	options := s.env.Registries(nil)
	if !s.o.json { // its output may be written to a file
		wiring.Hide(s.out, s.cfg, s.env)
		options = s.env.Registries(s.out)
	}
	s.engine = wiring.NewEngine(s.env, s.cfg, wiring.EngineOptions{Held: held(s.env), Registries: options, Manifests: s.manifests})
}

// compared notes the comparisons for the next run.
func (s *syncing) compared() {
	if known := s.before[rates]; known != "" && s.now[rates] == "" {
		s.now[rates] = known
	}
	for _, image := range s.sum.Images {
		r := image.Result.Receipt
		if f := image.Result.Failure; cancelled(f) || f != nil && f.Code == failure.RateLimited {
			s.now[waits+image.Result.Image.Reference.String()] = ""
		}
		if r == nil || r.Mirror != image.Result.Destination.Mirror || r.SourceDigest == (v1.Hash{}) {
			continue
		}
		if s.immutable[image.Result.Image.Reference] {
			s.now.note(r, s.env.Time())
		}
		if r.Digest != r.SourceDigest {
			s.now[seenLine(*image.Result.Destination, r.SourceDigest, r.Digest)] = ""
		}
	}
}

// remember writes the comparisons.
func (s *syncing) remember(ctx context.Context) error {
	if s.o.seen == "" || s.o.check || ctx.Err() != nil {
		return nil
	}
	if err := s.now.write(s.o.seen); err != nil {
		return fmt.Errorf("--seen: %w", err)
	}
	return nil
}

// syncing is one run of "ferry sync".
type syncing struct {
	env    wiring.Env
	out    *runner.Runner
	o      syncOptions
	cfg    *config.Config
	engine *wiring.Engine
	at     map[reference.Reference]string // the places of images in the lists
	// immutable and keepOld are the images for which an entry says so.
	immutable, keepOld map[reference.Reference]bool

	sum    report.Sync
	before seen // the state of the last run
	now    seen
	// manifests are those that a plan has read.
	manifests map[v1.Hash]*registry.Manifest
	division  shards.Division
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
	cfg, err := s.load(sources, targets, !s.o.check && len(entries) > 0)
	if err != nil {
		return nil, err
	}
	if usual && !slices.ContainsFunc(cfg.Targets, func(t config.Target) bool { return !t.Listed }) {
		return nil, noTarget
	}
	return cfg, nil
}

// load reads the configuration, and adds hosts of sources and targets.
func (s *syncing) load(sources, targets []string, copies bool) (*config.Config, error) {
	cfg, err := load(s.env, copies, []given{
		{"FERRY_TARGET", "--to", s.o.to}, {"FERRY_PROFILE", "--profile", s.o.profile}, {"FERRY_PLATFORMS", "--platform", s.o.platform},
	}, targets...)
	if err != nil {
		return nil, err
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
			s.mark(e, ref)
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

// mark notes what an entry says about one of its images.
func (s *syncing) mark(e listed, ref reference.Reference) {
	if s.at[ref] == "" {
		s.at[ref] = e.at
	}
	if e.Immutable != nil && e.Immutable.Matches(ref.Tag()) {
		s.immutable[ref] = true
	}
	if e.KeepOld {
		s.keepOld[ref] = true
	}
}

// choose applies the selection of an entry to the tags of its repository.
func (s *syncing) choose(e listed, l mirror.Listing) []reference.Reference {
	if l.Failure != nil {
		s.sum.Unlisted = append(s.sum.Unlisted, report.Unlisted{List: e.at, Repository: e.Source, Failure: l.Failure})
		return nil
	}
	verdicts := e.Tags.Choose(l.Tags)
	if s.o.check {
		s.sum.Selected = append(s.sum.Selected, report.Chosen{List: e.at, Source: e.Source.String(), Verdicts: verdicts})
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

// compare compares all images of the plan, and returns those that are missing or
// have moved, each with the digest that it compared, and the indices in s.sum.Images
// of their destinations.
func (s *syncing) compare(ctx context.Context, p plan.Plan) (todo plan.Plan, pending []int) {
	sort.SliceStable(p.Steps, func(a, b int) bool { return s.waited(p.Steps[a]) && !s.waited(p.Steps[b]) })
	standings := s.look(ctx, p.Steps)
	stamp := s.env.Time().UTC().Format("-20060102-1504")
	held, read, left := wiring.Holdings(ctx, nil), false, 0 // read if something is missing
	for i := range p.Steps {
		step := &p.Steps[i]
		now := plan.Step{Image: step.Image}
		for k, d := range step.Destinations {
			standing := standings[i][k]
			if (standing.Held == v1.Hash{}) && !read && !s.o.rebuild {
				hub, _ := wiring.NewGitHub(s.env) // without it nothing is known to be deleted
				held, read = wiring.Holdings(ctx, hub), true
			}
			if (standing.Held == v1.Hash{}) && held.HasDeleted(d.Mirror) {
				left++
				continue
			}
			image := report.Synced{
				List: s.at[step.Image.Reference], Before: standing.Held, Gone: standing.Gone,
				Result: mirror.Result{Image: &step.Image, Destination: &step.Destinations[k], Failure: standing.Failure},
			}
			switch {
			case standing.Failure != nil || standing.Gone:
			case standing.Held != v1.Hash{} && (standing.Held == standing.Source || s.o.missing || s.before.has(seenLine(d, standing.Source, standing.Held))):
				image.Result.Receipt = &mirror.Receipt{Mirror: d.Mirror, SourceDigest: standing.Source, Digest: standing.Held, Present: true}
			case s.o.check:
			default:
				if s.keepOld[step.Image.Reference] && standing.Held != (v1.Hash{}) {
					d.Kept = dated(d.Mirror, stamp)
				}
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
	if left > 0 {
		say(s.env, s.env.Stderr, "deleted by \"ferry keep\", and not copied again: %d\n", left)
	}
	for i := range p.Refusals {
		r := &p.Refusals[i]
		s.sum.Images = append(s.sum.Images, report.Synced{List: s.at[r.Image.Reference], Target: r.Target,
			Result: mirror.Result{Image: &r.Image, Destination: &plan.Destination{}, Failure: r.Failure}})
	}
	return todo, pending
}

// waited reports whether the last run did not come to an image.
func (s *syncing) waited(step plan.Step) bool {
	return s.before.has(waits + step.Image.Reference.String())
}

// dated returns a mirror name for the old content of a tag.
func dated(mirror reference.Reference, stamp string) reference.Reference {
	tag := mirror.Tag()
	kept, err := mirror.Repository().Tagged(tag[:min(len(tag), reference.MaxTag-len(stamp))] + stamp)
	if err != nil {
		return reference.Reference{} // not for a tag that was valid
	}
	return kept
}

// look looks up the digests of sources and destinations, except those of immutable
// images that were there in the last days.
func (s *syncing) look(ctx context.Context, steps []plan.Step) [][]mirror.Standing {
	all := make([][]mirror.Standing, len(steps))
	var asked []plan.Step
	var at []int
	for i, step := range steps {
		for _, d := range step.Destinations {
			if !s.immutable[step.Image.Reference] {
				break
			}
			standing, ok := s.now.rest(s.before, d.Mirror, s.env.Time())
			if !ok {
				break
			}
			all[i] = append(all[i], standing)
		}
		if len(all[i]) < len(step.Destinations) {
			asked, at = append(asked, step), append(at, i)
		}
	}
	sources := mirror.AllSources
	if s.o.rebuild {
		sources = mirror.NoSources
	} else if s.o.missing {
		sources = mirror.AbsentSources
	}
	for n, standings := range s.engine.Look(ctx, asked, sources) {
		all[at[n]] = standings
	}
	return all
}

// copy copies what compare has returned.
func (s *syncing) copy(ctx context.Context, todo plan.Plan, pending []int) {
	if len(todo.Steps) > 0 {
		began := time.Now()
		results := copyImages(ctx, s.engine, s.env, s.o.copyOptions, todo)
		if !s.o.quiet {
			fmt.Fprintln(s.env.Stderr, report.Terminal{Language: language(s.env)}.Total(results, time.Since(began)))
		}
		s.sum.Stocks = s.engine.Counted()
		for n, r := range results {
			of := &s.sum.Images[pending[n]].Result
			of.Receipt, of.Failure = r.Receipt, r.Failure
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		kept := s.sum.Images[:0]
		for _, i := range s.sum.Images {
			if !cancelled(i.Result.Failure) {
				kept = append(kept, i)
			}
		}
		s.sum.Images = kept
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
