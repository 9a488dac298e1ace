package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/archive"
	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/pull"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/wiring"
)

var saveCommand = command{
	name:    "save",
	args:    "IMAGE...",
	summary: "save images to a tar file for machines without a network",
	declare: func(env wiring.Env, flags *flagSet) action {
		var o saveOptions
		flags.StringVar(&o.output, "output", "", "`file` to write, such as images.tar; a folder for parts and scripts; - for standard output")
		flags.letter("output", "o")
		flags.StringVar(&o.split, "split", "", "largest `size` of a part, such as 1900MiB; needs a folder")
		flags.StringVar(&o.maxSize, "max-size", "", "largest `size` of the archive, such as 4GiB; a larger one is not saved")
		flags.StringVar(&o.platform, "platform", "", "`platforms` to save, separated by commas, or all (default linux/amd64)")
		flags.letter("platform", "p")
		flags.Var(&o.from, "from", "`target` to read from instead of the sources: registry and namespace of a mirror, such as docker.io/USER; may be repeated")
		declareProfile(flags, &o.profile, "naming `profile` of the mirrors")
		flags.StringVar(&o.file, "file", "", "`file` with image names, in any form; - for standard input")
		flags.letter("file", "f")
		flags.Var(&o.lists, "list", "`file` with a list as \"ferry sync\" reads it, also with ranges of tags; may be repeated")
		flags.BoolVar(&o.referrers, "referrers", false, "save signatures, attestations and SBOMs of the images as well, for \"ferry copy\"")
		flags.BoolVar(&o.json, "json", false, "print the contents of the archive as JSON")
		flags.BoolVar(&o.quiet, "quiet", false, "print failures only")
		flags.letter("quiet", "q")
		declareCA(flags, &o.ca)
		o.hosts.declare(flags)
		return func(ctx context.Context, args []string) (int, error) { return runSave(ctx, env, o, args) }
	},
}

// saveOptions are the flags of "ferry save".
type saveOptions struct {
	output, split, maxSize, platform, profile, file, ca string
	lists, from                                         list
	json, quiet, referrers                              bool
	hosts
}

func runSave(ctx context.Context, env wiring.Env, o saveOptions, texts []string) (int, error) {
	env, err := trust(env, o.ca)
	if err != nil {
		return wiring.StatusUsage, err
	}
	to, err := place(env, o)
	if err != nil {
		return wiring.StatusUsage, err
	}
	only, err := platforms(cmp.Or(o.platform, "linux/amd64"))
	if err != nil {
		return wiring.StatusUsage, err
	}
	s := &saver{env: env, o: o}
	req, err := s.asked(texts)
	if err != nil {
		return wiring.StatusUsage, err
	}
	in := report.Terminal{Language: language(env)}
	for _, p := range req.Problems {
		fmt.Fprintln(env.Stderr, in.Problem(p))
	}
	if len(req.Problems) > 0 || s.unread {
		return wiring.StatusFailed, errors.New("nothing is saved, because not everything could be read")
	}
	if len(req.Images)+len(s.entries) == 0 {
		return wiring.StatusNothing, wiring.ErrNothing
	}
	if err := s.configure(req.Images); err != nil {
		return wiring.StatusUsage, err
	}
	reads := *s.cfg
	if len(o.from) > 0 { // names are made with the labels of the sources, in s.cfg
		reads.Sources = readable(s.cfg)
	}
	s.engine = wiring.NewEngine(env, &reads, wiring.EngineOptions{Registries: registries(env)})
	defer s.engine.Close()
	in.Cause = causes(s.cfg)
	images, failed := s.listed(ctx)
	if s.unread && len(failed) == 0 {
		return wiring.StatusFailed, errors.New("nothing is saved")
	}
	if len(failed) == 0 {
		if err := s.choose(append(req.Images, images...), only); err != nil {
			return wiring.StatusUsage, err
		}
		failed = s.read(ctx)
	}
	if len(failed) > 0 {
		if ctx.Err() != nil {
			return wiring.StatusInterrupted, errors.New("stopped; nothing is saved")
		}
		fmt.Fprint(env.Stderr, in.Copies(plan.Plan{}, failed))
		return wiring.StatusFailed, errors.New("nothing is saved")
	}
	record, err := s.write(ctx, to)
	switch f, ok := failure.As(err); {
	case errors.Is(ctx.Err(), context.Canceled):
		return wiring.StatusInterrupted, errors.New("stopped; nothing is saved")
	case ok:
		fmt.Fprint(env.Stderr, in.Copies(plan.Plan{}, []mirror.Result{{Image: &s.steps[s.at].Image, Destination: &plan.Destination{}, Failure: f}}))
		return wiring.StatusFailed, errors.New("nothing is saved")
	case err != nil:
		if record.Limit > 0 && o.json {
			err = errors.Join(err, writeJSON(env.Stdout, record))
		}
		return wiring.StatusFailed, err
	}
	return wiring.StatusDone, s.tell(to, record)
}

// destination is where an archive goes: a file, a folder that gets scripts as
// well, or standard output.
type destination struct {
	file   string // of the tar; empty for standard output
	folder bool
	split  int64 // bytes a part; zero for one file
	limit  int64 // bytes of the archive; zero for no limit
}

// place reads --output and --split.
func place(env wiring.Env, o saveOptions) (destination, error) {
	var d destination
	info, err := os.Stat(o.output)
	exists := err == nil
	_, _, terminal := terminalSize(env, env.Stdout)()
	switch {
	case o.output == "":
		return d, usageError{"there is no output: set -o to a file, for example -o images.tar, or to a folder, for example -o images/"}
	case o.output == "-" && terminal:
		return d, usageError{"the tar cannot be written to a terminal: send standard output to a file or a program, such as docker load"}
	case o.output == "-" && o.json:
		return d, usageError{"--json cannot be used when the tar goes to standard output"}
	case o.output == "-":
	case exists && info.IsDir(), !exists && (strings.HasSuffix(o.output, "/") || strings.HasSuffix(o.output, string(os.PathSeparator))):
		d.file, d.folder = filepath.Join(o.output, archive.TarFile), true
	case compressed.MatchString(o.output):
		return d, usageError{fmt.Sprintf("%s is the name of a compressed file, which not every client can load: use %s", o.output, compressed.Compiled().ReplaceAllString(o.output, "")+".tar")}
	case o.split != "":
		return d, usageError{"--split needs a folder for the parts and the script that joins them, such as -o images/"}
	default:
		d.file = o.output
	}
	if o.maxSize != "" {
		var ok bool
		if d.limit, ok = config.ParseSize(o.maxSize); !ok || d.limit < 1 {
			return d, usageError{fmt.Sprintf("--max-size is %q; write a size, such as 4GiB", o.maxSize)}
		}
	}
	if o.split != "" {
		var ok bool
		if d.split, ok = config.ParseSize(o.split); !ok || d.split < 1<<20 {
			return d, usageError{fmt.Sprintf("--split is %q; write a size of 1 MiB or more, such as 1900MiB", o.split)}
		}
		if !d.folder {
			return d, usageError{"--split needs a folder, such as -o images/"}
		}
	}
	return d, nil
}

// compressed is how the names of compressed archives end.
var compressed = &pattern.Regexp{Text: `(?i)(\.tar)?\.(gz|tgz|zst|zstd|xz|bz2|zip)$`}

// saver saves images.
type saver struct {
	env     wiring.Env
	o       saveOptions
	cfg     *config.Config
	engine  *wiring.Engine
	entries []listed // of the lists
	unread  bool     // something in a list cannot be read
	images  []saving
	steps   []plan.Step // one for each image, for the display
	at      int         // the image that is being written
}

// saving is an image to save.
type saving struct {
	source    reference.Reference
	platforms []reference.Platform // nil for all
	byDefault bool                 // nobody asked for them
	mirrors   []reference.Reference
	from      reference.Reference // where it is read
	image     *mirror.Image
}

// asked returns the request from the arguments and the file of --file. It also
// reads the lists.
func (s *saver) asked(texts []string) (req request.Request, err error) {
	if len(texts) > 0 || s.o.file != "" || len(s.o.lists) == 0 {
		if req, err = wanted(s.env, s.o.file, s.o.hosts, texts); err != nil {
			return req, err
		}
	}
	read, err := readLists(s.env, s.o.lists)
	if err != nil {
		return req, err
	}
	for _, f := range read.notes {
		say(s.env, s.env.Stderr, "warning: %s\n", report.Terminal{Language: language(s.env)}.Fault(f))
	}
	for _, f := range read.faults {
		s.unread = true
		fmt.Fprintln(s.env.Stderr, report.Terminal{Language: language(s.env)}.Fault(f))
	}
	for _, e := range read.entries {
		if _, named := e.Named(); !named && len(s.o.from) > 0 {
			return req, usageError{fmt.Sprintf("%s selects from the tags of the source, which --from does not read: name the tags", e.at)}
		}
	}
	s.entries = read.entries
	return req, nil
}

// configure reads the configuration, for the hosts of the images and the lists.
func (s *saver) configure(images []request.Image) (err error) {
	if len(s.o.from) > 0 {
		s.cfg, err = mirrors(s.env, origins{targets: s.o.from}, s.o.profile, s.o.hosts)
		return err
	}
	if s.o.profile != "" {
		return usageError{"--profile is only used with --from"}
	}
	if s.cfg, err = load(s.env, false, nil); err != nil {
		return err
	}
	sources := hostsOf(images)
	for _, e := range s.entries {
		sources = append(sources, e.Source.Host())
	}
	allow(s.cfg, sources, s.o.hosts)
	return nil
}

// listed returns the images of the lists. A selection without a result fails: the
// archive would lack something.
func (s *saver) listed(ctx context.Context) (images []request.Image, failed []mirror.Result) {
	listings := s.engine.Tags(ctx, toList(s.entries))
	for _, e := range s.entries {
		refs, named := e.Named()
		if !named {
			var f *failure.Error
			if refs, f = chosen(e, listings[e.Source]); f == nil && len(refs) == 0 {
				s.unread = true
				say(s.env, s.env.Stderr, "%s: selects none of the %d tags of %s; \"ferry sync --check\" shows why\n", e.at, len(listings[e.Source].Tags), e.Source)
			} else if f != nil {
				image := request.Image{Reference: e.References([]string{"latest"})[0]}
				failed = append(failed, mirror.Result{Image: &image, Destination: &plan.Destination{}, Failure: f})
			}
		}
		for _, ref := range refs {
			images = append(images, request.Image{Reference: ref, Written: ref.String(), Platforms: e.Platforms})
		}
	}
	return images, failed
}

// chosen returns the images that an entry selects from the tags of its repository.
func chosen(e listed, l mirror.Listing) ([]reference.Reference, *failure.Error) {
	if l.Failure != nil {
		return nil, l.Failure
	}
	var tags []string
	for _, v := range e.Tags.Choose(l.Tags) {
		if v.Chosen {
			tags = append(tags, v.Tag)
		}
	}
	if len(tags) > chosenLimit {
		return nil, &failure.Error{Code: failure.TooMany, Hints: []string{strconv.Itoa(chosenLimit)}}
	}
	return e.References(tags), nil
}

// choose decides which images are saved and where they may be read.
func (s *saver) choose(asked []request.Image, only []reference.Platform) error {
	for _, w := range asked {
		i := slices.IndexFunc(s.images, func(other saving) bool { return other.source == w.Reference })
		if i < 0 {
			i = len(s.images)
			s.images = append(s.images, saving{source: w.Reference, platforms: only, byDefault: s.o.platform == "" && len(w.Platforms) == 0})
			if len(w.Platforms) > 0 && s.o.platform == "" {
				s.images[i].platforms = nil
			}
			step := plan.Step{Destinations: []plan.Destination{{}}}
			step.Image = w
			s.steps = append(s.steps, step)
		}
		if s.o.platform == "" && len(w.Platforms) > 0 { // a line may name its own
			s.images[i].platforms = append(s.images[i].platforms, w.Platforms...)
		}
	}
	if len(s.o.from) == 0 {
		return nil
	}
	found, err := candidates(s.cfg, asked, "")
	if err != nil {
		return err
	}
	for i := range s.images {
		at := slices.IndexFunc(found, func(c pull.Image) bool { return c.Source == s.images[i].source })
		s.images[i].mirrors = found[at].Mirrors
	}
	return nil
}

// read reads the manifests of all images, a few at once, and returns the failures.
func (s *saver) read(ctx context.Context) []mirror.Result {
	const atOnce = 8
	slots := make(chan struct{}, atOnce)
	failures := make([]error, len(s.images))
	var all sync.WaitGroup
	for i := range s.images {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			failures[i] = s.readOne(ctx, &s.images[i])
		})
	}
	all.Wait()
	var failed []mirror.Result
	for i, err := range failures {
		if err == nil {
			continue
		}
		if unread, ok := unanswered(s.images[i].source, err); ok {
			failed = append(failed, unread)
			continue
		}
		f, ok := failure.As(err)
		if !ok {
			f = &failure.Error{Code: failure.Internal, Err: err}
		}
		failed = append(failed, mirror.Result{Image: &s.steps[i].Image, Destination: &plan.Destination{}, Failure: f})
	}
	return failed
}

func (s *saver) readOne(ctx context.Context, w *saving) (err error) {
	w.from = w.source
	if len(w.mirrors) > 0 {
		var digest v1.Hash
		if w.from, digest, err = pull.Find(ctx, w.source, w.mirrors, s.engine.Digest); errors.Is(err, pull.ErrNotMirrored) {
			return &failure.Error{Code: failure.NotFound, Side: failure.Source, Step: "looking for the mirror", Err: err}
		} else if err != nil {
			return err
		}
		if w.source.HasDigest() {
			w.from = w.from.WithDigest(digest)
		}
	}
	w.image, err = s.engine.Read(ctx, w.from, w.platforms, w.byDefault, s.o.referrers)
	return err
}

// write writes the archive, and the files beside it.
func (s *saver) write(ctx context.Context, to destination) (record archive.Record, err error) {
	record.Images = make([]archive.Entry, len(s.images))
	var images, referrers []archive.Image
	stored := func(name reference.Reference, i *mirror.Image, referrer bool) archive.Image {
		return archive.Image{Name: name, Manifests: i.Manifests, Referrer: referrer,
			Open: func(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) { return i.Open(ctx, d) }}
	}
	for i := range s.images {
		w := &s.images[i]
		root := w.image.Manifests[len(w.image.Manifests)-1]
		images = append(images, stored(w.source, w.image, false))
		for _, r := range w.image.Referrers {
			name, err := w.source.Repository().Tagged(r.Tag)
			if err != nil { // it has none
				name = w.source.Untagged(r.Manifests[len(r.Manifests)-1].Digest)
			}
			referrers = append(referrers, stored(name, r.Image, true))
		}
		e := &record.Images[i]
		e.Image, e.From, e.SourceDigest, e.Digest = w.source, w.from, w.image.SourceDigest, root.Digest
		e.Platforms, e.Size = w.image.Platforms, w.image.Size
	}
	layout, err := archive.NewLayout(append(images, referrers...))
	if err != nil {
		return record, err
	}
	size := layout.Size()
	if to.limit > 0 && size > to.limit {
		record.Size, record.Limit = size, to.limit
		return record, fmt.Errorf("the archive has %s, more than the limit of %s: nothing is saved", report.Size(size), report.Size(to.limit))
	}
	if size <= to.split {
		to.split = 0 // one part needs no split
	}
	if to.split > 0 && (size-1)/to.split >= archive.MaxParts {
		return record, fmt.Errorf("the archive has %s, which gives more than %d parts: choose a larger size with --split", report.Size(size), archive.MaxParts)
	}
	show, end := s.display(layout)
	defer end()
	progress := func(image int, bytes int64) { show(min(image, len(s.images)-1), bytes) }
	if to.file == "" {
		return record, layout.Write(ctx, s.env.Stdout, progress)
	}
	if to.folder {
		if err := os.MkdirAll(filepath.Dir(to.file), 0o755); err != nil {
			return record, err
		}
	}
	out := archive.Create(to.file, to.split)
	defer out.Close()
	if err := layout.Write(ctx, out, progress); err != nil {
		return record, err
	}
	whole, files, err := out.Finish()
	if err != nil {
		return record, err
	}
	record.Size, record.SHA256, record.Files = whole.Size, whole.SHA256, files
	if to.folder {
		return record, archive.Furnish(filepath.Dir(to.file), out, record)
	}
	return record, out.Commit()
}

// display shows how far the archive is. Images are written one after the other.
func (s *saver) display(layout *archive.Layout) (progress func(int, int64), end func()) {
	size := terminalSize(s.env, s.env.Stderr)
	if _, _, terminal := size(); s.o.quiet || !terminal {
		return func(image int, _ int64) { s.at = image }, func() {}
	}
	d := startDisplay(s.env.Stderr, size, s.steps, false, s.env.Getenv("NO_COLOR") != "", language(s.env))
	events := make([]mirror.Event, len(s.images))
	for i := range events {
		events[i] = mirror.Event{Kind: mirror.Progress, Step: i, Total: layout.BytesOf(i)}
		d.note(events[i])
	}
	began := time.Now()
	return func(image int, bytes int64) {
		for ; s.at < image; s.at++ {
			events[s.at].Kind, events[s.at].Result = mirror.Finished, &mirror.Result{Receipt: &mirror.Receipt{}}
			d.note(events[s.at])
		}
		e := &events[image]
		e.Done, e.Sent = e.Done+bytes, e.Sent+bytes
		e.Rate = float64(e.Sent) / time.Since(began).Seconds()
		d.note(*e)
	}, d.close
}

// tell says what was saved, and how it is loaded.
func (s *saver) tell(to destination, record archive.Record) error {
	out := s.env.Stdout
	if s.o.json {
		return writeJSON(out, record)
	}
	if s.o.quiet {
		return nil
	}
	if to.file == "" {
		out = s.env.Stderr
	}
	for i, e := range record.Images {
		var list []string
		for _, p := range e.Platforms {
			list = append(list, p.String())
		}
		fmt.Fprintf(out, "%s: %s %s, %s\n", e.Image, e.Digest, strings.Join(list, ","), report.Size(e.Size))
		if missing := s.images[i].image.Missing; len(missing) > 0 {
			say(s.env, s.env.Stderr, "warning: %s: the source lists %v but does not have it\n", e.Image, missing)
		}
	}
	switch {
	case to.file == "":
	case to.folder:
		folder := filepath.Dir(to.file)
		say(s.env, out, "%s: %s in %d files; to load it: sh %s\n", folder, report.Size(record.Size), len(record.Files), filepath.Join(folder, "load.sh"))
	default:
		say(s.env, out, "%s: %s, SHA-256 %s; to load it: docker load -i %s\n", to.file, report.Size(record.Size), record.SHA256, to.file)
	}
	return nil
}
