package report

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/doctor"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// Checkup is what the doctor has found, and where.
type Checkup struct {
	Language   string // "zh" or "en"; anything else means English
	Terminal   string // the same for terminals and logs
	Repository string // address of the repository, for links to its settings; may be empty
	Findings   []*doctor.Finding
}

// Examination is the result of the doctor, for people.
type Examination struct {
	Summary     string       // Markdown for the step summary
	Terminal    string       // the same as plain text
	Annotations []Annotation // one for each warning and fault
}

// Examine describes the findings, one on each line.
func Examine(c Checkup) Examination {
	l, spoken := speak(c.Language, request.Request{}, "").whole(), speak(c.Terminal, request.Request{}, "").whole()
	// Faults come first, then warnings.
	c.Findings = slices.Clone(c.Findings)
	sort.SliceStable(c.Findings, func(i, j int) bool {
		return max(c.Findings[i].Level, doctor.Note) > max(c.Findings[j].Level, doctor.Note)
	})
	var summary, terminal strings.Builder
	var e Examination
	fmt.Fprintf(&summary, "**%s**\n\n", l.diagnosis(c.Findings))
	for _, f := range c.Findings {
		fmt.Fprintf(&summary, "- %s %s\n", icons[f.Level], l.finding(c, f, code, true))
		line := string(spoken.finding(c, f, plain, false))
		fmt.Fprintf(&terminal, "%s %s\n", spoken.Doctor.Levels[f.Level], line)
		if p := c.page(f); p.address != "" && f.Level > doctor.OK && !strings.Contains(line, p.address) {
			fmt.Fprintf(&terminal, "%-8s %s\n", "", p.address)
		}
		if (f.Kind == doctor.Unreachable || f.Kind == doctor.Trouble) && f.Failure != nil && f.Failure.Err != nil {
			fmt.Fprintf(&terminal, "%-8s %s\n", "", plain(f.Failure.Err.Error()))
		}
		if f.Level >= doctor.Warning {
			e.Annotations = append(e.Annotations, Annotation{Error: f.Level == doctor.Fault, Title: "set-up", Message: oneLine(line)})
		}
	}
	fmt.Fprintf(&terminal, "\n%s\n", spoken.diagnosis(c.Findings))
	e.Summary, e.Terminal = reference.Clip(summary.String(), MaxSummary), clean(terminal.String())
	return e
}

var icons = [...]string{doctor.OK: "✅", doctor.Note: "ℹ️", doctor.Warning: "⚠️", doctor.Fault: "❌"}

// diagnosis is the sentence that sums up the findings.
func (l *language) diagnosis(findings []*doctor.Finding) md {
	n := map[doctor.Level]int{}
	for _, f := range findings {
		n[f.Level]++
	}
	switch {
	case n[doctor.Fault] > 0:
		return l.Doctor.Faults.of(n[doctor.Fault])
	case n[doctor.Warning] > 0:
		return l.Doctor.Warnings.of(n[doctor.Warning])
	}
	return l.Doctor.Ready
}

// finding describes a finding and its cure. quote sets off values; links
// reports whether the text may contain links.
func (l *language) finding(c Checkup, f *doctor.Finding, quote func(string) md, links bool) md {
	const most = 300 // bytes of foreign text, because it is one line of many
	words := l.Doctor.Findings.of(f.Kind)
	text := words.Cause
	if words.Cure != "" {
		text += l.Stop + words.Cure
	}
	place := f.Target
	if place == "" {
		place = f.Host
	}
	setting := md(oneLine(l.fault(f.Setting)))
	if links {
		setting = l.setUpItem(f.Setting, c.Repository)
	}
	var explanation md
	if f.Failure != nil {
		said := *f.Failure
		said.Side = failure.Target // the finding names the registry, whichever side it is on
		explanation = l.explain(outcome{target: place, failure: &said}, quote)
	}
	text = fill(text, "{publish}", l.Doctor.Publish.of(known.Of(f.Host).Vendor))
	text = fill(text, "{setting}", setting, "{explanation}", explanation,
		"{place}", quote(place), "{host}", quote(f.Host), "{repository}", quote(f.Repository.String()),
		"{source}", quote(f.Source.String()), "{mirror}", quote(f.Mirror.String()),
		"{who}", l.audience([]string{string(f.Who)}), "{workflow}", quote(f.Workflow), "{said}", quote(reference.Clip(oneLine(f.Said), most)),
		"{remaining}", number(f.Allowance.Remaining), "{stock}", l.stock(f.Stock), "{limit}", number(f.Allowance.Limit), "{window}", l.windowOf(f),
	)
	if p := c.page(f); links && p.text != "" && f.Level > doctor.OK {
		text += l.Stop + fill(l.Doctor.Page, "{page}", link(p.text, p.address))
	}
	if f.Failure != nil && f.Level >= doctor.Warning {
		if said := oneLine(f.Failure.Detail); said != "" {
			text += l.Stop + fill(l.Doctor.RegistryAnswers, "{words}", quote(reference.Clip(said, most)))
		}
	}
	return text
}

// stock is what a target holds of what it may hold.
func (l *language) stock(s plan.Stock) md {
	var parts []md
	repositories, tags := s.Count()
	if s.Repositories > 0 {
		parts = append(parts, fill(l.Doctor.Repositories, "{held}", number(repositories), "{limit}", number(s.Repositories)))
	}
	if s.Tags > 0 {
		parts = append(parts, fill(l.Doctor.Tags, "{held}", number(tags), "{limit}", number(s.Tags)))
	}
	return join(parts, l.Comma)
}

// holding is a sentence about what a target holds, with a warning if that is nearly
// all that it may hold.
func (l *language) holding(s plan.Stock, quote func(string) md) md {
	l = l.whole()
	kind := doctor.QuotaLeft
	if s.Scarce() {
		kind = doctor.QuotaScarce
	}
	return fill(l.Doctor.Findings.of(kind).Cause, "{place}", quote(s.Target), "{stock}", l.stock(s))
}

// Policy returns who may make requests, unless that is empty, and what the targets with
// a quota hold, in one line of plain text.
func Policy(language string, requests config.Who, stocks []plan.Stock) string {
	l, kind := speak(language, request.Request{}, "").whole(), doctor.OpenToSome
	if requests == config.Anyone {
		kind = doctor.OpenToAll
	}
	var line md
	if requests != "" {
		line = fill(l.Doctor.Findings.of(kind).Cause, "{who}", l.audience([]string{string(requests)}))
	}
	for _, s := range stocks {
		if line != "" {
			line += l.Stop
		}
		line += l.holding(s, plain)
	}
	return string(line)
}

func (l *language) windowOf(f *doctor.Finding) md {
	if f.Allowance.Window == 0 {
		return ""
	}
	return fill(l.Doctor.Window, "{hours}", md(fmt.Sprintf("%.3g", f.Allowance.Window.Hours())))
}

// page returns the page on which a finding can be fixed, if there is one.
func (c Checkup) page(f *doctor.Finding) page {
	at := func(text md, path string) page {
		if c.Repository == "" {
			return page{text: text}
		}
		return page{text, c.Repository + path}
	}
	switch f.Kind {
	case doctor.Misconfigured:
		if path := faultURL("", f.Setting); path != "" {
			return at("", path)
		}
	case doctor.OpenToSome:
		return at(secretsPage, "/settings/variables/actions")
	case doctor.NameMasked, doctor.LoginRefused:
		return at(secretsPage, "/settings/secrets/actions")
	case doctor.IssuesOff:
		return at("Settings → General → Features", "/settings#features")
	case doctor.CatalogOff:
		return at("Settings → Pages", "/settings/pages")
	case doctor.Archived, doctor.PrivateHub:
		return at("Settings → General → Danger Zone", "/settings#danger-zone")
	case doctor.MirrorOff, doctor.SweepOff:
		file := f.Workflow[strings.LastIndexByte(f.Workflow, '/')+1:]
		return at("Actions → "+code(file), "/actions/workflows/"+file)
	case doctor.WorkflowsHidden:
		return at("Actions", "/actions")
	case doctor.MayNotAnswer, doctor.HubToken, doctor.JobMayNotPush:
		return at("`.github/workflows`", "/tree/HEAD/.github/workflows")
	case doctor.SourceExposed, doctor.LoginKept, doctor.IdentityRefused, doctor.MirrorLies:
		return at("`"+config.DefaultPath+"`", "/blob/HEAD/"+config.DefaultPath)
	case doctor.MayNotPush, doctor.NotPushed, doctor.Full, doctor.Hidden, doctor.NotDeleted, doctor.QuotaUnknown:
		return console(f)
	default: // nothing to set right, or nobody knows where
	}
	return page{}
}
