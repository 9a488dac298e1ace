package report

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/doctor"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/ledger"
)

// verdict is the first line: the result of the request as a whole.
func (a *answer) verdict() *block {
	v := a.l.verdict
	switch {
	case a.state == ledger.Working && len(a.all) == 0:
		return paragraph("👀 " + v.received)
	case a.state == ledger.Working:
		text := "🚢 " + a.counted(v.underWay)
		if line := a.progress(); line != "" {
			text += "\n" + line
		}
		return paragraph(text)
	case len(a.in.SetUp) > 0:
		return paragraph("🔧 " + v.setUp + a.l.stop + v.setUpReader)
	case a.state == ledger.Empty && len(a.request.LeftOut) > 0:
		return paragraph("👋 " + v.leftAlone)
	case a.state == ledger.Empty:
		return paragraph("👋 " + v.empty)
	case a.in.Plan.Refused != nil:
		return paragraph(a.refused(a.in.Plan.Refused))
	case a.images == 0 && a.state == ledger.Refused:
		return paragraph("🤔 " + v.unclear)
	}
	return paragraph(a.icon() + " " + join(append(a.consequence(a.headline()), a.leadIn()...), a.l.stop))
}

// leadIn introduces the commands below the verdict.
func (a *answer) leadIn() []md {
	switch {
	case a.arrived == 0:
		return nil
	case a.complete == a.images && a.unserved == 0:
		return []md{a.l.verdict.pull}
	}
	return []md{a.l.verdict.pullSome}
}

func (a *answer) icon() md {
	switch a.state {
	case ledger.Done:
		return "✅"
	case ledger.Partial:
		return "⚠️"
	case ledger.SetUp:
		return "🔧"
	case ledger.Retry:
		return "⏳"
	case ledger.Interrupted:
		return "⏸️"
	case ledger.Withdrawn:
		return "🛑"
	case ledger.Working, ledger.Refused, ledger.Empty, ledger.GivenUp:
	}
	return "❌"
}

// counted fills in how many images were requested and how many have arrived.
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
		return fill(sentence, "{source}", codeRef(a.all[0].image.Reference))
	}
	switch a.present {
	case 0:
		return a.counted(v.mirrored)
	case a.images:
		return a.counted(v.mirrored) + a.l.stop + v.presentAll
	}
	return a.counted(v.mirrored) + a.l.stop + v.present.of(a.present)
}

// consequence appends what happens next.
func (a *answer) consequence(said ...md) []md {
	v := a.l.verdict
	sentences := slices.DeleteFunc(said, func(s md) bool { return s == "" })
	if a.gaveUp {
		return append(sentences, fill(v.givenUp, "{tries}", number(a.in.Marker.Tries)))
	}
	switch a.state {
	case ledger.SetUp:
		sentences = append(sentences, v.setUpReader)
	case ledger.Retry:
		if a.in.SweepOff {
			file := path.Base(doctor.SweepFile)
			page := link(code(file), a.in.Repository+"/actions/workflows/"+file)
			return append(sentences, fill(v.retryOff, "{workflow}", page))
		}
		sentences = append(sentences, v.retry)
	case ledger.Interrupted:
		sentences = append(sentences, v.interrupted)
	case ledger.Withdrawn:
		sentences = append(sentences, v.withdrawn)
	case ledger.Working, ledger.Done, ledger.Partial, ledger.Refused, ledger.Empty, ledger.GivenUp: // nothing happens next
	}
	return sentences
}

// refused is the verdict on a request that is refused as a whole.
func (a *answer) refused(f *failure.Error) md {
	none := a.l.verdict.none
	if a.state.Open() {
		none = a.l.verdict.noneYet
	}
	return a.icon() + " " + join(a.consequence(none, a.explain(outcome{failure: f})), a.l.stop)
}

// progress is the line under the verdict while data is being copied.
func (a *answer) progress() md {
	p := a.in.Progress
	var parts []md
	if n := a.in.Marker.Shards; n > 0 {
		parts = append(parts, fill(a.l.progress.jobs, "{n}", number(n)))
	}
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
			parts = append(parts, fill(a.l.progress.left, "{time}", a.l.units.took(max(wait.Round(time.Second), time.Second))))
		}
	}
	return join(parts, " · ")
}

// maxWait limits the remaining time that is shown: a stalled copy would
// otherwise show centuries.
const maxWait = 99 * time.Hour

// example shows how to write a request, for issues that name no image.
func (a *answer) example() *block {
	if a.state != ledger.Empty {
		return nil
	}
	return paragraph("```text\n" + a.l.emptyExample + "\n```")
}

// edit explains how to correct a request. It is left out if an edit would not
// help.
func (a *answer) edit() *block {
	if a.in.Issue == 0 || a.in.Plan.Refused != nil || a.gaveUp || a.state != ledger.Partial && a.state != ledger.Refused {
		return nil
	}
	return paragraph(a.l.verdict.edit)
}

// foot is the last line: the run, the commands, the version.
func (a *answer) foot() *block {
	var parts []md
	if a.in.RunURL != "" {
		parts = append(parts, link(a.l.footer.run, a.in.RunURL))
	}
	if a.in.Issue > 0 {
		if a.state == ledger.Working {
			parts = append(parts, "`/ferry cancel` "+a.l.footer.cancel)
		} else if a.state != ledger.Done && a.state != ledger.Empty {
			parts = append(parts, "`/ferry retry` "+a.l.footer.retry)
		}
		parts = append(parts, "`/ferry help` "+a.l.footer.help)
	}
	version := md("Ferry")
	if a.in.Version != "" {
		version += " " + code(a.in.Version)
	}
	return paragraph(join(append(parts, version), " · "))
}
