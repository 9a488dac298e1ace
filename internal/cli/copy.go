package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/archive"
	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/lists"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/wiring"
)

var copyCommand = command{
	name:    "copy",
	args:    "SRC...",
	summary: "mirror images now, from a terminal",
	declare: func(env wiring.Env, flags *flagSet) action {
		var o copyOptions
		o.declare(flags)
		flags.StringVar(&o.platform, "platform", "", "`platforms` to copy, separated by commas (default: all); an image that lacks one fails")
		flags.letter("platform", "p")
		flags.StringVar(&o.file, "file", "", "`file` with image names, in any form; - for standard input")
		flags.letter("file", "f")
		flags.BoolVar(&o.json, "json", false, "print receipts as JSON, one for each image")
		flags.BoolVar(&o.commands, "commands", false, "print the docker commands that pull each mirror")
		return func(ctx context.Context, args []string) (int, error) { return runCopy(ctx, env, o, args) }
	},
}

// copyOptions are the flags of "ferry copy".
type copyOptions struct {
	to, profile, platform, file string
	ca                          string
	json, commands              bool
	quiet, verbose              bool
	hosts
}

// declare adds the flags that "ferry sync" has as well.
func (o *copyOptions) declare(flags *flagSet) {
	flags.StringVar(&o.to, "to", "", "`target`: registry and namespace, such as docker.io/USER (or FERRY_TARGET)")
	flags.letter("to", "t")
	declareProfile(flags, &o.profile, "naming `profile`")
	flags.BoolVar(&o.quiet, "quiet", false, "print failures only")
	flags.letter("quiet", "q")
	flags.BoolVar(&o.verbose, "verbose", false, "print a line when an image starts and when it is done, instead of progress bars")
	flags.letter("verbose", "v")
	declareCA(flags, &o.ca)
	o.hosts.declare(flags)
}

func runCopy(ctx context.Context, env wiring.Env, o copyOptions, texts []string) (int, error) {
	env, err := trust(env, o.ca)
	if err != nil {
		return wiring.StatusUsage, err
	}
	if err := secondTarget(env, o, texts); err != nil {
		return wiring.StatusUsage, err
	}
	req, from, err := asked(env, o, texts)
	var read mirror.Source
	if from != nil {
		defer from.Close()
		read = from
	}
	if err != nil {
		return wiring.StatusUsage, err
	}
	in := report.Terminal{Language: language(env), Quiet: o.quiet, Pull: o.commands}
	for _, p := range req.Problems {
		fmt.Fprintln(env.Stderr, in.Problem(p))
	}
	if len(req.Images) == 0 {
		if len(req.Problems) > 0 {
			return wiring.StatusFailed, nil
		}
		return wiring.StatusNothing, wiring.ErrNothing
	}
	if targetOf(env, o.to) == "" && env.Getenv("FERRY_CONFIG") == "" {
		return wiring.StatusUsage, usageError{"there is no target: set --to, for example --to docker.io/USER"}
	}
	cfg, err := load(env, true, []given{
		{"FERRY_TARGET", "--to", o.to}, {"FERRY_PROFILE", "--profile", o.profile}, {"FERRY_PLATFORMS", "--platform", o.platform},
	})
	if err != nil {
		return wiring.StatusUsage, err
	}
	if err := narrow(req.Images, o.platform); err != nil {
		return wiring.StatusUsage, err
	}
	if env.Getenv("FERRY_CONFIG") == "" {
		// The defaults are for strangers' requests.
		cfg.Limits.Images, cfg.Limits.RequestBytes = math.MaxInt, math.MaxInt64
	}
	allow(cfg, hostsOf(req.Images), o.hosts)
	steps, err := plan.Make(req, plan.Asker{Role: plan.Owner}, cfg)
	if err != nil {
		return wiring.StatusUsage, err
	}
	began := time.Now()
	results, err := func() ([]mirror.Result, error) {
		e := wiring.NewEngine(env, cfg, wiring.EngineOptions{Held: held(env), Registries: registries(env), Archive: read, Sizes: true})
		defer e.Close() // its memory is used for the report
		if doubts := steps.Doubts(); len(doubts) > 0 {
			settled := plan.Settle(req, e.Exist(ctx, doubts))
			for _, p := range settled.Problems[len(req.Problems):] {
				fmt.Fprintln(env.Stderr, in.Problem(p))
			}
			req = settled
			if steps, err = plan.Make(req, plan.Asker{Role: plan.Owner}, cfg); err != nil {
				return nil, err
			}
		}
		req.Images = nil // the steps have them
		return copyImages(ctx, e, env, o, steps), nil
	}()
	if err != nil {
		return wiring.StatusUsage, err
	}
	in.Cause = causes(cfg)
	interrupted := errors.Is(ctx.Err(), context.Canceled)
	if interrupted && !o.json {
		if results = ended(results); len(results) > 0 {
			fmt.Fprintln(env.Stderr, in.Total(results, time.Since(began)))
		}
		return wiring.StatusInterrupted, errors.New("stopped; data that was copied is kept, so the same command continues from here")
	}
	if o.json {
		err = writeRecords(env.Stdout, report.Records(steps, results))
	} else {
		_, err = io.WriteString(env.Stdout, in.Copies(steps, results))
	}
	if len(results) > 1 && !o.quiet {
		fmt.Fprintln(env.Stderr, in.Total(results, time.Since(began)))
	}
	if interrupted {
		return wiring.StatusInterrupted, err
	}
	failed := slices.ContainsFunc(results, func(r mirror.Result) bool { return r.Failure != nil })
	if err != nil || failed || len(steps.Refusals) > 0 || steps.Refused != nil || len(req.Problems) > 0 {
		return wiring.StatusFailed, err
	}
	return wiring.StatusDone, nil
}

// asked returns the request of the arguments. They may name an archive, which
// the caller has to close, even if there is an error.
func asked(env wiring.Env, o copyOptions, texts []string) (req request.Request, from *archive.Archive, err error) {
	from, err = archiveAmong(texts)
	switch {
	case err != nil:
	case from != nil:
		req, err = stored(from)
	default:
		req, err = wanted(env, o.file, o.hosts, texts)
	}
	return req, from, err
}

// narrow gives the platforms of a flag to the images that name none themselves.
// Without the flag they get the owner's platforms.
func narrow(images []request.Image, flag string) error {
	if flag == "" {
		return nil
	}
	only, err := platforms(flag)
	if err != nil {
		return err
	}
	for i := range images {
		if len(images[i].Platforms) == 0 {
			images[i].Platforms = only
		}
	}
	return nil
}

// archiveAmong opens the archive that the arguments name, if they do: a file, or a
// folder with parts. It has to be the only one.
func archiveAmong(texts []string) (*archive.Archive, error) {
	for _, text := range texts {
		info, err := os.Stat(text)
		file := strings.HasSuffix(text, ".tar") || strings.HasSuffix(text, ".tar.001")
		folder := false
		if err == nil && info.IsDir() {
			_, err := os.Stat(filepath.Join(text, archive.SumsFile))
			folder = err == nil
		}
		switch {
		case strings.HasSuffix(text, ".tar.001") && err == nil:
			return nil, usageError{fmt.Sprintf("%s is a part of an archive: name its folder, %s", text, filepath.Dir(text))}
		case file && err != nil:
			return nil, usageError{fmt.Sprintf("there is no file %s", text)}
		case !file && !folder:
			continue
		case len(texts) > 1:
			return nil, usageError{fmt.Sprintf("%s is an archive: copy it alone, with all its images", text)}
		}
		return archive.Open(text)
	}
	return nil, nil
}

// stored is the request for all images of an archive. One that has a tag and the
// digest for names is one image.
func stored(from *archive.Archive) (request.Request, error) {
	var req request.Request
	tagged := map[reference.Reference]bool{}
	for _, s := range from.Images() {
		if s.Name.Tag() != "" {
			tagged[s.Name.Untagged(s.Digest)] = true
		}
	}
	for _, s := range from.Images() {
		if s.Name.IsZero() {
			return req, fmt.Errorf("the image %s has no name in the archive, from which Ferry could make that of the mirror", s.Digest)
		}
		if !tagged[s.Name] {
			req.Images = append(req.Images, request.Image{Reference: s.Name, Written: s.Name.String()})
		}
	}
	return req, nil
}

// wanted returns the request of the command line and of the list file.
func wanted(env wiring.Env, file string, flagged hosts, texts []string) (request.Request, error) {
	var req request.Request
	add := func(more request.Request) {
		req.Images = append(req.Images, more.Images...)
		req.Problems = append(req.Problems, more.Problems...)
	}
	for _, text := range texts {
		// A well-formed reference is taken literally, such as
		// "localhost:5000/x". But a host that resembles a well-known one is a
		// typing error, unless a flag names it.
		if ref, err := reference.Parse(text); err == nil && !looksAlike(flagged, ref, text) {
			add(request.Request{Images: []request.Image{{Reference: ref, Written: text}}})
			continue
		}
		add(request.Parse(request.Input{Body: text, List: true}))
	}
	if file != "" {
		body, err := bodyText(env, file, nil, false)
		if err != nil {
			return request.Request{}, err
		}
		add(lists.Parse(request.Input{Body: body, List: true}))
	}
	if len(texts) == 0 && file == "" {
		return request.Request{}, usageError{"no image is given"}
	}
	return req, nil
}

// looksAlike reports whether the host of ref resembles a well-known registry
// and no flag names it.
func looksAlike(flagged hosts, ref reference.Reference, text string) bool {
	if host := ref.Repository().Host(); slices.Contains(flagged.private, host) || slices.Contains(flagged.plain, host) {
		return false
	}
	_, found := lookalike(text)
	return found
}

// secondTarget returns an error for "copy SRC DST", the syntax of other
// programs: the second of two arguments is at the target, there is no target, or
// it is a namespace, where no image can be.
func secondTarget(env wiring.Env, o copyOptions, texts []string) error {
	if len(texts) != 2 || o.to != "" {
		return nil
	}
	ref, err := reference.Parse(texts[1])
	if err != nil {
		return nil
	}
	place := placeOf(ref, texts[1])
	target := targetOf(env, "")
	if given, err := config.ParseTarget(target, ""); err == nil {
		if place == given.String() {
			return usageError{fmt.Sprintf("%s is the target already: leave it out", texts[1])}
		}
		if below, ok := strings.CutPrefix(place, given.String()+"/"); ok {
			return usageError{fmt.Sprintf("%s is at the target: leave it out, because Ferry makes the name; for another name, write %q",
				texts[1], texts[0]+" -> "+below+":"+ref.Tag())}
		}
	}
	if place == "" || !isNamespace(ref, texts[1]) && (target != "" || env.Getenv("FERRY_CONFIG") != "") {
		return nil
	}
	if strings.Count(place, "/") > 1 {
		place = place[:strings.LastIndexByte(place, '/')]
	}
	return usageError{fmt.Sprintf("if %s is the target, write: ferry copy %s --to %s", texts[1], texts[0], place)}
}

// isNamespace reports whether an argument names a registry and a namespace, such
// as "docker.io/me": the registry has no images directly below the host, except
// for the official ones of Docker Hub.
func isNamespace(ref reference.Reference, written string) bool {
	host, name, _ := strings.Cut(strings.TrimSuffix(written, "/"), "/")
	if !strings.Contains(host, ".") || strings.ContainsAny(name, "/:@") {
		return false
	}
	of := ref.Repository().Host()
	return of == reference.DockerHub && !known.IsOfficial(name) || known.Of(of).Names.Least > 1
}

// placeOf returns the host and the path of an argument that names a place at a
// registry: "docker.io/me" is the namespace, not the image library/me. It is
// empty for a word such as "redis", which is an image.
func placeOf(ref reference.Reference, written string) string {
	if !strings.Contains(written, "/") {
		return ""
	}
	path := ref.Repository().Path()
	if !strings.Contains(written, "library/") {
		path = strings.TrimPrefix(path, "library/")
	}
	return ref.Repository().Host() + "/" + path
}

// causes explains failures by facts that only this package has: the kind of a
// network error, and whether there was a login.
func causes(cfg *config.Config) func(*failure.Error) report.Cause {
	return func(f *failure.Error) report.Cause {
		if dns, ok := errors.AsType[*net.DNSError](f.Err); ok && dns.IsNotFound && len(f.Hints) == 0 { // the registry's own name
			if known.IsRegistry(dns.Name) {
				return report.Unresolved
			}
			return report.UnknownHost
		}
		if cause := ofTLS(f.Err); cause != "" {
			return cause
		}
		if f.Code == failure.WebPage && f.Detail != "" { // a refusal
			return report.Website
		}
		if len(f.Hints) > 0 {
			a, err := netip.ParseAddr(f.Hints[len(f.Hints)-1])
			switch none := err == nil && (a.IsUnspecified() || a.IsLoopback()); {
			case none && f.Code == failure.HostForbidden:
				return report.Blocked
			case none && f.Code == failure.BadAddress && len(f.Hints) > 1:
				return report.Refers
			}
		}
		if errors.Is(f.Err, connectionRefused) && len(f.Hints) == 0 {
			return report.NoServer
		}
		if f.Code != failure.TargetLogin {
			return ""
		}
		for _, t := range cfg.Targets {
			if !t.HasLogin() {
				if t.NoLogin != "" {
					f.Hints = []string{t.NoLogin}
				}
				return report.NoLogin
			}
		}
		return ""
	}
}

// ofTLS returns the cause of an error of TLS.
func ofTLS(err error) report.Cause {
	// errors.AsType would be compiled for each of these types.
	var otherName x509.HostnameError
	var invalid x509.CertificateInvalidError
	var certificate *tls.CertificateVerificationError
	switch {
	case registry.NoTLS(err):
		return report.NoTLS
	case errors.As(err, &otherName):
		return report.OtherName
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return report.Expired
	case errors.As(err, &certificate):
		return report.Certificate
	case registry.NoHandshake(err):
		return report.NoHandshake
	case registry.OnlyTLS(err):
		return report.OnlyTLS
	case registry.OldTLS(err):
		return report.OldTLS
	}
	return ""
}

// hostsOf returns the hosts of images, with repetitions.
func hostsOf(images []request.Image) []string {
	all := make([]string, len(images))
	for i, image := range images {
		all[i] = image.Reference.Repository().Host()
	}
	return all
}

// allow extends the configuration by what the person at the terminal, who acts
// as the owner, has named: sources on the public internet, by their hosts, and
// the hosts of --private and --plain-http.
func allow(cfg *config.Config, sources []string, flagged hosts) {
	for _, host := range sources {
		if !slices.ContainsFunc(cfg.Sources, func(s config.Source) bool { return s.Host == host }) {
			cfg.Sources = append(cfg.Sources, config.Source{Host: host, Requests: config.Owner})
		}
	}
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		s.Private = s.Private || slices.Contains(flagged.private, s.Host)
		s.PlainHTTP = s.PlainHTTP || slices.Contains(flagged.plain, s.Host)
	}
	for i := range cfg.Targets {
		t := &cfg.Targets[i]
		t.Private = t.Private || slices.Contains(flagged.private, t.Host)
		t.PlainHTTP = t.PlainHTTP || slices.Contains(flagged.plain, t.Host)
	}
	// A registry's token server may be on another private host.
	for _, host := range flagged.private {
		host = strings.ToLower(host)
		if !slices.ContainsFunc(cfg.Sources, func(s config.Source) bool { return s.Host == host }) {
			cfg.Sources = append(cfg.Sources, config.Source{Host: host, Private: true, PlainHTTP: slices.Contains(flagged.plain, host), Requests: config.Owner})
		}
	}
}

// held returns what the catalog of the repository in the environment says about what
// targets hold, if it can be read.
func held(env wiring.Env) func(context.Context) map[string]int {
	hub, err := wiring.NewGitHub(env)
	if err != nil {
		hub = nil
	}
	return wiring.Held(hub)
}

// copyImages copies the images and shows the progress.
func copyImages(ctx context.Context, e *wiring.Engine, env wiring.Env, o copyOptions, p plan.Plan) []mirror.Result {
	size := terminalSize(env, env.Stderr)
	if _, _, terminal := size(); o.quiet || o.json && !terminal && !o.verbose {
		return e.Run(ctx, p.Steps, nil)
	}
	d := startDisplay(env.Stderr, size, p.Steps, o.verbose, env.Getenv("NO_COLOR") != "", language(env))
	defer d.close()
	return e.Run(ctx, p.Steps, d.note)
}

// writeRecords is writeJSON for a list that may be long. It does not hold all the text.
func writeRecords(w io.Writer, records []report.Record) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("  ", "  ")
	text.WriteByte('[')
	for i := range records {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString("\n  ")
		if err := encoder.Encode(records[i]); err != nil {
			return err
		}
		text.Truncate(text.Len() - len("\n"))
		if text.Len() >= 64<<10 {
			if _, err := text.WriteTo(w); err != nil {
				return err
			}
		}
	}
	if len(records) > 0 {
		text.WriteByte('\n')
	}
	text.WriteString("]\n")
	_, err := text.WriteTo(w)
	return err
}

// ended returns the results without those of images that were cancelled.
func ended(results []mirror.Result) []mirror.Result {
	kept := results[:0]
	for _, r := range results {
		if !cancelled(r.Failure) {
			kept = append(kept, r)
		}
	}
	return kept
}

// cancelled reports whether an image was not copied because the command was stopped.
func cancelled(f *failure.Error) bool { return f != nil && f.Code == failure.Cancelled }
