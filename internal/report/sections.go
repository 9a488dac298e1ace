package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/request"
)

// verdict is the first line: what has become of the request as a whole.
func (a *answer) verdict() *block {
	v := a.l.verdict
	switch {
	case a.state == StateWorking && len(a.all) == 0:
		return paragraph("👀 " + v.received)
	case a.state == StateWorking:
		text := "🚢 " + a.counted(v.underWay)
		if line := a.progress(); line != "" {
			text += "\n" + line
		}
		return paragraph(text)
	case a.state == StateSetUp:
		return paragraph("🔧 " + v.setUp + a.l.stop + v.setUpReader)
	case a.state == StateEmpty:
		return paragraph("👋 " + v.empty)
	case a.in.Plan.Refused != nil:
		return paragraph(a.refused(a.in.Plan.Refused))
	case a.images == 0 && a.state == StateRefused:
		return paragraph("🤔 " + v.unclear)
	}
	return paragraph(a.icon() + " " + join(a.consequence(a.headline()), a.l.stop))
}

func (a *answer) icon() md {
	switch a.state {
	case StateDone:
		return "✅"
	case StatePartial:
		return "⚠️"
	case StateRetry:
		return "⏳"
	case StateInterrupted:
		return "⏸️"
	case StateWithdrawn:
		return "🛑"
	}
	return "❌"
}

// counted fills in how many images there are and how many have arrived.
func (a *answer) counted(sentence md) md {
	return fill(sentence, "{n}", number(a.images), "{done}", number(a.arrived))
}

func (a *answer) headline() md {
	v := a.l.verdict
	if a.complete < a.images || a.images == 0 {
		switch {
		case a.images == 0:
			return ""
		case a.arrived == 0 && a.state.Open():
			return v.noneYet
		case a.arrived == 0:
			return v.none
		case a.arrived < a.images:
			return a.counted(v.some)
		case a.images == 1:
			return v.scatteredOne
		}
		return a.counted(v.scattered)
	}
	if a.images == 1 {
		sentence := v.mirroredOne
		if a.present == 1 {
			sentence = v.presentOne
		}
		return fill(sentence, "{source}", codeRef(a.all[0].image.Reference), "{mirror}", codeRef(a.all[0].mirror))
	}
	switch a.present {
	case 0:
		return a.counted(v.mirrored)
	case a.images:
		return a.counted(v.mirrored) + a.l.stop + v.presentAll
	}
	return a.counted(v.mirrored) + a.l.stop + v.present.of(a.present)
}

// consequence adds what happens next to what has been said.
func (a *answer) consequence(said ...md) []md {
	v := a.l.verdict
	sentences := slices.DeleteFunc(said, func(s md) bool { return s == "" })
	switch a.state {
	case StateRetry:
		sentences = append(sentences, a.whenTried(v.retry))
	case StateInterrupted:
		sentences = append(sentences, a.whenTried(v.interrupted))
	case StateWithdrawn:
		sentences = append(sentences, v.withdrawn)
	case StateGivenUp:
		sentences = append(sentences, fill(v.givenUp, "{tries}", number(a.in.Tries)))
	case StatePartial, StateRefused:
		if a.in.Plan.Refused != nil {
			break // its reason has just been told, and no edit cures it
		}
		sentences = append(sentences, v.reasons)
		if a.in.Issue > 0 {
			sentences = append(sentences, v.edit)
		}
	}
	return sentences
}

func (a *answer) whenTried(sentence md) md {
	when := a.l.verdict.nextRun
	if !a.in.NextTry.IsZero() {
		when = fill(a.l.verdict.at, "{time}", a.l.moment(a.in.NextTry))
	}
	return fill(sentence, "{when}", when)
}

// refused answers a request that is not served at all.
func (a *answer) refused(f *failure.Error) md {
	none := a.l.verdict.none
	if a.state.Open() {
		none = a.l.verdict.noneYet
	}
	return a.icon() + " " + join(a.consequence(none, a.explain(outcome{failure: f})), a.l.stop)
}

// progress is the line under the verdict while bytes are moving.
func (a *answer) progress() md {
	p := a.in.Progress
	var parts []md
	if p.Bytes > 0 {
		done := percent(p.BytesDone, p.Bytes)
		bar := strings.Repeat("█", done/5) + strings.Repeat("░", 20-done/5)
		parts = append(parts, code(bar)+md(fmt.Sprintf(" %d %%", done)))
	}
	if p.Layers > 0 {
		parts = append(parts, fill(a.l.progress.layers, "{done}", number(p.LayersDone), "{n}", number(p.Layers)))
	}
	if p.Bytes > 0 {
		parts = append(parts, size(min(p.BytesDone, p.Bytes))+" / "+size(p.Bytes))
	}
	if p.Rate > 0 {
		parts = append(parts, size(p.Rate)+"/s")
		if left := p.Bytes - p.BytesDone; left > 0 {
			wait := time.Duration(min(float64(left)/float64(p.Rate), maxWait.Seconds()) * float64(time.Second))
			parts = append(parts, fill(a.l.progress.left, "{time}", took(max(wait.Round(time.Second), time.Second))))
		}
	}
	return join(parts, " · ")
}

// maxWait bounds the time that is said to be left: a stalled copy would
// otherwise promise centuries.
const maxWait = 99 * time.Hour

// example shows what to write to somebody who wrote nothing.
func (a *answer) example() *block {
	if a.state != StateEmpty {
		return nil
	}
	return paragraph("```text\n" + a.l.emptyExample + "\n```")
}

// setUp lists what the owner has to do, each with the page where it is done.
func (a *answer) setUp() *block {
	if len(a.in.SetUp) == 0 {
		return nil
	}
	b := &block{name: a.l.headings.setUp, rank: rankFailures}
	for _, f := range a.in.SetUp {
		page := md("Settings → Secrets and variables → Actions")
		switch f.Place {
		case config.File:
			page = code(f.Path)
		case config.Workflow:
			page = "`.github/workflows`"
		}
		said := f.Reason
		if f.Cure != "" && f.Place != config.Secrets { // where secrets are added, the link shows
			said += ": " + f.Cure
		}
		page = link(page, a.placeURL(f))
		item := page // for faults of the file as a whole
		if f.Name != "" {
			item = fill(a.l.places[f.Place], "{name}", code(f.Name), "{page}", page)
		}
		b.items = append(b.items, "- "+item+a.l.colon+code(said))
	}
	return b
}

func (a *answer) placeURL(f config.Fault) string {
	base := a.in.Repository
	switch f.Place {
	case config.Secrets:
		return base + "/settings/secrets/actions"
	case config.Variables:
		return base + "/settings/variables/actions"
	case config.File:
		address := base + "/blob/HEAD/" + f.Path
		if f.Line > 0 {
			address += "#L" + strconv.Itoa(f.Line)
		}
		return address
	case config.Workflow:
		return base + "/tree/HEAD/.github/workflows"
	}
	return ""
}

// table has a row for each image and target. It is left out where nothing has
// arrived and nothing will: the reasons name the images then.
func (a *answer) table() *block {
	if len(a.all) == 0 || a.arrived == 0 && a.state != StateWorking {
		return nil
	}
	t := a.l.table
	b := &block{name: t.image, rank: rankTable}
	b.open = "| | " + join([]md{t.image, t.mirror, t.digest, t.platforms, t.size, t.time}, " | ") + " |\n" +
		"| :-: | --- | --- | --- | --- | --: | --: |"
	var last string
	for _, o := range a.all {
		source := codeRef(o.image.Reference)
		if s := o.image.Reference.String(); s == last {
			source = ""
		} else {
			last = s
		}
		row := []md{rowIcon(o), source, code(o.place()), "", "", "", ""}
		switch {
		case o.failure != nil:
			row[3] = a.l.adviceFor(o.failure.Code, o.failure.Side).name
		case o.receipt == nil:
			row[6] = t.waiting
		default:
			row[3] = code(shortDigest(o.receipt.Digest.String()))
			row[4] = platforms(o.receipt, a.l.comma)
			row[5] = size(o.receipt.Size)
			row[6] = took(o.receipt.Took)
			if o.receipt.Present {
				row[6] = t.present
			}
		}
		line := md("|")
		for _, c := range row {
			line += " " + cell(c) + " |"
		}
		b.items = append(b.items, line)
	}
	return b
}

func rowIcon(o outcome) md {
	switch {
	case o.failure == nil && o.receipt == nil:
		return "🚢"
	case o.failure == nil:
		return "✅"
	case o.failure.Kind() == failure.Refusal:
		return "❌"
	}
	return "⏳"
}

// shortDigest is the digest as docker shows it, with twelve digits.
func shortDigest(digest string) string {
	if short := len("sha256:") + 12; len(digest) > short {
		return digest[:short]
	}
	return digest
}

// platforms are the first few of the platforms that have arrived.
func platforms(r *mirror.Receipt, comma md) md {
	const most = 4
	var names []string
	for _, p := range r.Platforms[:min(len(r.Platforms), most)] {
		names = append(names, p.String())
	}
	text := joined(names, comma, most)
	if more := len(r.Platforms) - most; more > 0 {
		text += md(fmt.Sprintf(" +%d", more))
	}
	return text
}

// failed are the outcomes that are explained. Where the run as a whole was
// stopped, that has been said.
func (a *answer) failed() []outcome {
	var failed []outcome
	for _, o := range a.all {
		stopped := a.in.Phase != Finished && o.failure != nil && o.failure.Code == failure.Cancelled
		if o.failure != nil && !stopped {
			failed = append(failed, o)
		}
	}
	return failed
}

// failures has one entry for each reason, with all images that it holds back.
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
	b := &block{name: a.l.headings.notMirrored, rank: rankFailures, open: "**" + a.l.headings.notMirrored + "**\n"}
	for _, r := range reasons {
		name := a.l.adviceFor(r.first.failure.Code, r.first.failure.Side).name
		const most = 20
		b.items = append(b.items, "- "+joined(r.images, a.l.comma, most)+a.l.colon+"**"+name+"**\n  "+a.explain(r.first))
	}
	return b
}

// explain says in whole sentences why an image failed and what helps.
func (a *answer) explain(o outcome) md {
	return a.l.explain(o, code)
}

// explain is the cause, the cure, what is known about it and until when it
// lasts. quote sets off canonical and foreign values.
func (l *language) explain(o outcome, quote func(string) md) md {
	f := o.failure
	words := l.adviceFor(f.Code, f.Side)
	if f.Code == failure.NotPermitted && o.image.As != (request.Alias{}) {
		words.cure = l.adviceFor(failure.CustomName, f.Side).cure
	}
	text := words.cause + l.stop + words.cure
	if len(f.Hints) > 0 {
		hint, ok := l.hints[f.Code]
		if !ok {
			hint = l.hints[""]
		}
		if hint != "" {
			text += l.stop + hint
		}
	}
	if !f.Until.IsZero() {
		text += l.stop + fill(l.headings.until, "{time}", l.moment(f.Until))
	}
	const most = 8
	hints := make([]md, 0, most)
	for _, hint := range f.Hints[:min(len(f.Hints), most)] {
		hints = append(hints, quote(hint))
	}
	if len(f.Hints) > most {
		hints = append(hints, "…")
	}
	host, place := l.headings.registry, l.headings.registry
	if h := o.host(); h != "" {
		host = quote(h)
	}
	if p := o.place(); p != "" {
		place = quote(p)
	}
	return fill(text, "{host}", host, "{mirror}", place, "{hints}", join(hints, l.comma), "{who}", l.audience(f.Hints))
}

// problems lists what could not be read, with what to write instead.
func (a *answer) problems() *block {
	if len(a.in.Request.Problems) == 0 {
		return nil
	}
	b := &block{name: a.l.headings.unclear, rank: rankProblems, open: "**" + a.l.headings.unclear + "**\n"}
	for _, p := range a.in.Request.Problems {
		b.items = append(b.items, "- "+a.l.problem(p, code))
	}
	return b
}

func (l *language) problem(p request.Problem, quote func(string) md) md {
	words, ok := l.problems[p.Code]
	if !ok {
		words = l.problems[request.Malformed]
	}
	var where md
	switch {
	case p.Line > 0:
		where = fill(l.headings.line, "{n}", number(p.Line))
	case p.Written != "":
		where = l.headings.title
	}
	if p.Written != "" {
		where = fill(l.headings.found, "{what}", quote(p.Written), "{where}", where)
	}
	if where != "" {
		where += l.colon
	}
	advice := words.cause
	if words.cure != "" {
		advice += l.stop + words.cure
	}
	if p.Suggestion != "" && !strings.Contains(string(words.cause), "{suggestion}") {
		advice += l.stop + l.headings.write
	}
	return where + fill(advice, "{suggestion}", quote(p.Suggestion))
}

// changes lists in what the mirrors differ from their sources.
func (a *answer) changes() *block {
	b := &block{name: a.l.headings.changed, rank: rankChanges, open: "**" + a.l.headings.changed + "**\n"}
	for _, o := range a.all {
		if o.status() != Copied && o.status() != Present || len(o.receipt.Changes) == 0 {
			continue
		}
		var reasons []md
		for _, c := range o.receipt.Changes {
			if sentence, ok := a.l.changes[c]; ok {
				reasons = append(reasons, sentence)
			} else {
				reasons = append(reasons, code(string(c)))
			}
		}
		item := "- " + code(o.place()) + a.l.colon + join(reasons, a.l.semi)
		if o.receipt.Digest != o.receipt.SourceDigest {
			item += a.l.semi + fill(a.l.headings.sourceDigest, "{digest}", code(o.receipt.SourceDigest.String()))
		}
		b.items = append(b.items, item)
	}
	if b.items == nil {
		return nil
	}
	return b
}

// referrers tells how many signatures and the like came along.
func (a *answer) referrers() *block {
	n := 0
	for _, o := range a.all {
		if o.failure == nil && o.receipt != nil {
			n += o.receipt.Referrers
		}
	}
	if n == 0 {
		return nil
	}
	return paragraph(a.l.headings.referrers.of(n))
}

// assumptions say how the request was read, where it was not taken literally.
func (a *answer) assumptions() *block {
	b := &block{name: a.l.headings.readAs, rank: rankAssumptions}
	images := a.in.Request.Images
	for i := 0; i < len(images); {
		first, same := images[i], []string{}
		for i < len(images) && images[i].Written == first.Written && slices.Equal(images[i].Assumptions, first.Assumptions) {
			same = append(same, images[i].Reference.String())
			i++
		}
		if len(first.Assumptions) == 0 {
			continue
		}
		var reasons []md
		for _, assumption := range first.Assumptions {
			if sentence, ok := a.l.assumptions[assumption]; ok {
				reasons = append(reasons, sentence)
			}
		}
		const most = 20
		b.items = append(b.items, "- "+code(first.Written)+" → "+joined(same, a.l.comma, most)+a.l.colon+join(reasons, a.l.semi))
	}
	switch {
	case b.items == nil:
		return nil
	case len(b.items) > foldOver:
		return fold(a.l.headings.readAs, b)
	}
	b.open = "**" + a.l.headings.readAs + "**\n"
	return b
}

// foldOver is the number of entries that are shown without a click.
const foldOver = 4

// registryWords are what the registries said to the failures, fenced.
func (a *answer) registryWords() *block {
	b := &block{name: a.l.headings.registryWords, rank: rankWords}
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
	return fold(a.l.headings.registryWords, b)
}

// foot is the last line: the run, the commands, the version.
func (a *answer) foot() *block {
	var parts []md
	if a.in.RunURL != "" {
		parts = append(parts, link(a.l.footer.run, a.in.RunURL))
	}
	if a.in.Issue > 0 {
		if a.state == StateWorking {
			parts = append(parts, "`/ferry cancel` "+a.l.footer.cancel)
		} else if a.state != StateDone && a.state != StateEmpty {
			parts = append(parts, "`/ferry retry` "+a.l.footer.retry)
		}
		parts = append(parts, "`/ferry help` "+a.l.footer.help)
	}
	version := md("Ferry")
	if a.in.Version != "" {
		version += " " + code(a.in.Version)
	}
	return paragraph("<sub>" + join(append(parts, version), " · ") + "</sub>")
}
