package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// setUp lists what the owner has to fix, each with the page for it.
func (a *answer) setUp() *block {
	if len(a.in.SetUp) == 0 {
		return nil
	}
	b := &block{name: a.l.Headings.SetUp, rank: rankFailures}
	for _, f := range a.in.SetUp {
		b.items = append(b.items, "- "+a.l.setUpItem(f, a.in.Repository))
	}
	return b
}

// setUpItem describes a fault in the configuration and where in the repository
// to fix it.
func (l *language) setUpItem(f config.Fault, repository string) md {
	page := secretsPage
	switch f.Place {
	case config.File:
		page = code(f.Path)
	case config.Workflow:
		page = "`.github/workflows`"
	case config.Secrets, config.Variables, config.Elsewhere:
	}
	page = link(page, faultURL(repository, f))
	item := page // for faults of the whole file
	if f.Name != "" {
		phrase, ok := l.Places.find(f.Place)
		if !ok {
			phrase = l.Places.of(config.Elsewhere)
		}
		item = fill(phrase, "{name}", code(f.Name), "{page}", page)
	}
	if f.Kind == config.Missing && f.Place == config.Secrets {
		return item // the description says what is wrong, and the link where
	}
	said := l.clause(f.Reason)
	if f.Cure != "" {
		said += string(l.Colon) + l.clause(f.Cure)
	}
	return item + l.Colon + fill(l.Headings.Found, "{what}", l.Faults.of(f.Kind), "{where}", code(said))
}

func faultURL(repository string, f config.Fault) string {
	switch f.Place {
	case config.Secrets:
		return repository + "/settings/secrets/actions"
	case config.Variables:
		return repository + "/settings/variables/actions"
	case config.File:
		address := repository + "/blob/HEAD/" + f.Path
		if f.Line > 0 {
			address += "#L" + strconv.Itoa(f.Line)
		}
		return address
	case config.Workflow:
		return repository + "/tree/HEAD/.github/workflows"
	case config.Elsewhere:
	}
	return ""
}

// failed returns the outcomes to explain. If the run was interrupted and
// another one continues, the verdict has said so.
func (a *answer) failed() []outcome {
	var failed []outcome
	for _, o := range a.all {
		stopped := a.in.Phase != Finished && a.in.Phase != GivenUp && o.failure != nil && o.failure.Code == failure.Cancelled
		if o.failure != nil && !stopped {
			failed = append(failed, o)
		}
	}
	return failed
}

// failures has one item for each reason, with all images that it affects.
func (a *answer) failures() *block {
	type reason struct {
		first  outcome
		images []string
	}
	var reasons []*reason
	known := map[string]*reason{}
	for _, o := range a.failed() {
		key := fmt.Sprintf("%s %s", o.failure.Code, a.explain(o))
		r := known[key]
		if r == nil {
			r = &reason{first: o}
			known[key], reasons = r, append(reasons, r)
		}
		if image := o.image.Reference.String(); !slices.Contains(r.images, image) {
			r.images = append(r.images, image)
		}
	}
	if reasons == nil {
		return nil
	}
	b := &block{name: a.l.Headings.NotMirrored, rank: rankFailures, open: "**" + a.l.Headings.NotMirrored + "**\n"}
	for _, r := range reasons {
		name := "**" + a.l.adviceFor(r.first.failure).Name + "**"
		for n, some := range slices.Collect(slices.Chunk(r.images, inOneItem)) {
			item := "- " + failureIcon(r.first) + " " + joined(some, a.l.Comma, inOneItem) + a.l.Colon + name
			if n == 0 {
				item += "\n  " + a.explain(r.first)
			}
			b.items = append(b.items, item)
		}
	}
	return b
}

// inOneItem is the largest number of images in one item of a list. Blocks are
// cut by items, so items must stay small.
const inOneItem = 20

func failureIcon(o outcome) md {
	if o.retried() {
		return "⏳"
	}
	return "❌"
}

// explain describes in full sentences why an image failed and what to do.
func (a *answer) explain(o outcome) md {
	fork := a.l.Headings.Fork
	if a.in.Repository != "" {
		fork = link(fork, a.in.Repository+"/fork")
	}
	return a.l.explainBy(a.l.adviceFor(o.failure), a.l.hintFor(o.failure), o, code, fork)
}

// explain returns the cause, the cure, the hints and when the failure ends.
// quote sets off canonical and foreign values.
func (l *language) explain(o outcome, quote func(string) md) md {
	return l.explainBy(l.adviceFor(o.failure), l.hintFor(o.failure), o, quote, l.Headings.Fork)
}

// explainBy is explain with the given words for the cause, the cure, the hints and
// forking the repository.
func (l *language) explainBy(words advice, hint md, o outcome, quote func(string) md, fork md) md {
	f := o.failure
	parts := []md{words.Cause, words.Cure}
	if len(f.Hints) > 0 {
		switch {
		case hint == "":
		case f.Code == failure.NotFound || f.Code == failure.Private: // the hint is more useful than the cure
			parts = []md{hint, words.Cause}
			if strings.Contains(f.Hints[0], "/") { // a name at another registry, and not a tag
				parts = []md{l.Elsewhere, words.Cause}
			}
		default:
			parts = append(parts, hint)
		}
	}
	text := join(parts, l.Stop)
	if !f.Until.IsZero() {
		text += l.Stop + fill(l.Headings.Until, "{time}", l.moment(f.Until))
	}
	const most = 24 // enough for all well-known registries
	hints := make([]md, 0, most)
	for _, hint := range f.Hints[:min(len(f.Hints), most)] {
		if f.Code == failure.TargetLogin {
			hint = l.clause(hint)
		}
		hints = append(hints, quote(hint))
	}
	if len(f.Hints) > most {
		hints = append(hints, "…")
	}
	lacking := slices.DeleteFunc(slices.Clone(o.platforms), func(p reference.Platform) bool { return slices.Contains(f.Hints, p.String()) })
	platforms := l.Headings.ThePlatform
	if len(lacking) > 0 {
		platforms = quote(platformList(lacking))
	}
	host, place := l.Headings.Registry, l.Headings.Registry
	if h := o.host(); h != "" {
		host = quote(h)
	}
	if p := o.place(); p != "" {
		place = quote(p)
	}
	return fill(text, "{host}", host, "{mirror}", place, "{hints}", join(hints, l.Comma), "{who}", l.audience(f.Hints), "{fork}", fork, "{platforms}", platforms)
}

// problems lists what could not be read, with a suggestion for each.
func (a *answer) problems() *block {
	if len(a.request.Problems) == 0 {
		return nil
	}
	b := &block{name: a.l.Headings.Unclear, rank: rankProblems, open: "**" + a.l.Headings.Unclear + "**\n"}
	var unread []md // their advice is the same
	for _, p := range a.request.Problems {
		if p.Code == request.Unread && p.Suggestion == "" {
			unread = append(unread, a.l.where(p, code))
			continue
		}
		b.items = append(b.items, "- "+a.l.problem(p, code))
	}
	words := a.l.Problems.of(request.Unread)
	for len(unread) > 0 {
		some := unread[:min(inOneItem, len(unread))]
		unread = unread[len(some):]
		b.items = append(b.items, "- "+join(some, a.l.Comma)+a.l.Colon+words.Cause+a.l.Stop+words.Cure)
	}
	return b
}

// leftOut is the folded list of references that were found but not taken as
// requested, with the command that adds them.
func (a *answer) leftOut() *block {
	left := a.request.LeftOut
	if len(left) == 0 {
		return nil
	}
	b := &block{name: a.l.Headings.LeftOut, rank: rankLeftOut}
	for _, one := range left {
		b.items = append(b.items, "- "+codeRef(one.Reference)+a.l.Colon+a.l.LeftOut.of(one.Reason))
	}
	how := fill(a.l.Headings.AddThem, "{command}", code("/ferry add "+left[0].Reference.String()))
	return fold(a.l.Headings.LeftOut, b, &block{open: how, rank: rankLeftOut})
}

// where returns what a problem is about, and its line.
func (l *language) where(p request.Problem, quote func(string) md) md {
	var where md
	switch {
	case p.Line > 0:
		where = fill(l.Headings.Line, "{n}", number(p.Line))
	case p.Written != "":
		where = l.Headings.Title
	}
	if p.Written != "" {
		where = fill(l.Headings.Found, "{what}", quote(p.Written), "{where}", where)
	}
	return where
}

func (l *language) problem(p request.Problem, quote func(string) md) md {
	words, ok := l.Problems.find(p.Code)
	if !ok {
		words = l.Problems.of(request.Malformed)
	}
	where := l.where(p, quote)
	if where != "" {
		where += l.Colon
	}
	advice := words.Cause
	switch {
	case p.Suggestion != "" && !strings.Contains(string(words.Cause), "{suggestion}"): // it says more than the cure
		advice += l.Stop + l.Headings.Write
	case words.Cure != "":
		advice += l.Stop + words.Cure
	}
	choices := make([]md, 0, len(p.Choices))
	for _, choice := range p.Choices {
		choices = append(choices, quote(choice))
	}
	return where + fill(advice, "{suggestion}", quote(p.Suggestion), "{choices}", join(choices, l.Comma))
}

// registryWords shows the registries' responses to failed copies, in a fence.
func (a *answer) registryWords() *block {
	b := &block{name: a.l.Headings.RegistryWords, rank: rankWords}
	said := map[string]bool{}
	for _, o := range a.failed() {
		detail := o.failure.Detail
		if strings.TrimSpace(clean(detail)) == "" || said[detail] {
			continue
		}
		said[detail] = true
		var item md
		if b.items != nil {
			item = "\n"
		}
		item += codeRef(o.image.Reference)
		if o.failure.Side == failure.Target {
			item += " → " + code(o.place())
		}
		b.items = append(b.items, item+"\n\n"+join(fence(detail), "\n"))
	}
	if b.items == nil {
		return nil
	}
	return fold(a.l.Headings.RegistryWords, b)
}
