package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/clients"
	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/request"
)

// Terminal describes results to the person who ran a command.
type Terminal struct {
	Language string // "zh" for Chinese; anything else means English
	Quiet    bool   // failures only
	Pull     bool   // add the docker commands that pull each mirror
	// Cause finds the reason of a failure where the code does not tell. It may
	// be nil.
	Cause func(*failure.Error) Cause
}

func (t Terminal) language() *language { return speak(t.Language, request.Request{}, "") }

// Understood shows what a request asks for: each image on a line, its details
// below, then the problems.
func (t Terminal) Understood(r request.Request) string {
	l := t.language()
	var b strings.Builder
	for _, image := range r.Images {
		fmt.Fprintln(&b, image.Reference)
		if len(image.Platforms) > 0 {
			fmt.Fprintf(&b, "    %s%s\n", l.Terminal.Platforms, platformList(image.Platforms))
		}
		if as := oneLine(image.As.String()); as != "" {
			fmt.Fprintf(&b, "    %s%s\n", l.Terminal.Name, as)
		}
		for i, assumption := range image.Assumptions {
			if i == 0 {
				fmt.Fprintf(&b, "    %s%s\n", l.Terminal.Written, plain(image.Written))
			}
			fmt.Fprintf(&b, "    - %s\n", l.Assumptions.of(assumption))
		}
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "%s\n", t.Problem(p))
	}
	for i, left := range r.LeftOut {
		if i == 0 {
			fmt.Fprintf(&b, "%s%s\n", l.Headings.LeftOut, strings.TrimSpace(string(l.Colon)))
		}
		fmt.Fprintf(&b, "    %s (%s)\n", left.Reference, l.LeftOut.of(left.Reason))
	}
	return clean(b.String())
}

// Problem describes one problem of a request on one line.
func (t Terminal) Problem(p request.Problem) string { return string(t.language().problem(p, plain)) }

// Problem describes one problem of a request in English on one line, for a log
// or JSON.
func Problem(p request.Problem) string { return Terminal{}.Problem(p) }

// Copies shows the results of a plan: a line for each image and target, with
// details below. For a plan without results, it shows the targets. The text
// holds no control characters, whatever the registries sent.
func (t Terminal) Copies(p plan.Plan, results []mirror.Result) string {
	l := t.language()
	var b strings.Builder
	if p.Refused != nil {
		fmt.Fprintln(&b, t.explain(l, outcome{failure: p.Refused}))
	}
	for _, o := range outcomes(p, results, nil) {
		if t.Quiet && o.status() != Failed {
			continue
		}
		fmt.Fprint(&b, o.image.Reference)
		if place := o.place(); place != "" {
			fmt.Fprintf(&b, " → %s", oneLine(place))
		}
		t.writeOutcome(l, &b, o)
		if slices.Contains(o.image.Assumptions, request.Lowered) {
			fmt.Fprintf(&b, "    - %s\n", l.Assumptions.of(request.Lowered))
		}
	}
	return clean(b.String())
}

func (t Terminal) writeOutcome(l *language, b *strings.Builder, o outcome) {
	switch o.status() {
	case Waiting:
		fmt.Fprintln(b)
		return
	case Failed:
		name := l.adviceFor(o.failure).Name
		if special, ok := l.Terminal.Causes.find(t.cause(o.failure)); ok {
			name = special.Name
		}
		fmt.Fprintf(b, ": %s\n    %s\n", name, t.explain(l, o))
		if said := oneLine(o.failure.Detail); said != "" {
			fmt.Fprintf(b, "    %s: %s\n", l.Headings.RegistryWords, plain(said))
		} else if cause := o.failure.Err; cause != nil && o.failure.Kind() != failure.Refusal && o.failure.Code != failure.Proxy && t.cause(o.failure) == "" {
			fmt.Fprintf(b, "    %s\n", plain(cause.Error())) // there is no run log to refer to
		}
		return
	case Copied, Present, Gone:
	}
	r := o.receipt
	effort := l.Units.took(r.Took)
	if r.Present {
		effort = l.List.Present
	}
	fmt.Fprintf(b, ": %s, ", oneLine(r.Digest.String()))
	if r.Size > 0 { // the size of an index that was already there is unknown
		fmt.Fprintf(b, "%s, ", size(r.Size))
	}
	fmt.Fprintf(b, "%s\n", effort)
	if len(r.Platforms) > 0 {
		fmt.Fprintf(b, "    %s\n", platformList(r.Platforms))
	}
	for _, c := range r.Changes {
		fmt.Fprintf(b, "    - %s\n", l.change(l.Changes.of(c), o.receipt))
	}
	if t.Pull {
		for _, m := range arrivals(o) {
			for _, line := range clients.All()[0].Pull(m) {
				fmt.Fprintf(b, "    %s\n", line)
			}
		}
	}
}

func (t Terminal) cause(f *failure.Error) Cause {
	if t.Cause == nil {
		return ""
	}
	return t.Cause(f)
}

// explain describes a failure to the person who ran the command, who is
// requester and owner at once.
func (t Terminal) explain(l *language, o outcome) md {
	words := l.adviceFor(o.failure)
	if cure, ok := l.Terminal.Cures.find(o.failure.Code); ok {
		words.Cure = cure
	}
	hint, ok := l.Terminal.Hints.find(o.failure.Code)
	if !ok {
		hint = l.hintFor(o.failure)
	}
	if special, ok := l.Terminal.Causes.find(t.cause(o.failure)); ok {
		words = special
	}
	return l.explainBy(words, hint, o, plain, l.Headings.Fork)
}

// Total sums up results in one sentence: the number of images, the bytes and
// the time.
func (t Terminal) Total(results []mirror.Result, passed time.Duration) string {
	l := t.language()
	var mirrored, present, failed int
	var bytes int64
	for _, r := range results {
		switch {
		case r.Failure != nil && r.Failure.Code == failure.Cancelled: // neither, and the caller says so
		case r.Failure != nil:
			failed++
		case r.Receipt.Present:
			present++
		default:
			mirrored++
			bytes += r.Receipt.Sent
		}
	}
	parts := []md{l.Terminal.Total.of(mirrored)}
	if mirrored > 0 {
		parts[0] += fill(l.Terminal.Arrived, "{bytes}", size(bytes), "{time}", l.Units.took(passed))
	}
	if present > 0 {
		parts = append(parts, l.Terminal.Present.of(present))
	}
	if failed > 0 {
		parts = append(parts, l.Terminal.Failed.of(failed))
	}
	return string(join(parts, l.Comma))
}

// Size formats a number of bytes in decimal units: "12.3 MB".
func Size(bytes int64) string { return string(size(bytes)) }

// Took formats a duration with at most two units: "1 min 20 s".
func (t Terminal) Took(d time.Duration) string { return string(t.language().Units.took(d)) }

// Message is what another room says in English, in the language of the terminal.
func (t Terminal) Message(text string) string { return t.language().clause(text) }

// Fault is a fault of the configuration on one line.
func (t Terminal) Fault(f config.Fault) string { return t.language().fault(f) }

// fault describes a fault in the language, on one line.
func (l *language) fault(f config.Fault) string {
	if reason, _, ok := strings.Cut(f.Reason, ": "); ok && reason == "is not YAML" && f.Cure != "" && l.tag != "en" {
		f.Reason = reason // the words of the YAML library are English, and the cure says the same
	}
	f.Reason = l.clause(f.Reason)
	if f.Cure != "" {
		f.Reason, f.Cure = f.Reason+string(l.Colon)+l.clause(f.Cure), ""
	}
	return f.String()
}
