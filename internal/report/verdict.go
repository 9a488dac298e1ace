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
	v := a.l.Verdict
	switch {
	case a.state == ledger.Working && len(a.all) == 0:
		return paragraph("👀 " + v.Received)
	case a.state == ledger.Working:
		text := "🚢 " + a.counted(v.UnderWay)
		if line := a.progress(); line != "" {
			text += "\n" + line
		}
		return paragraph(text)
	case len(a.in.SetUp) > 0:
		return paragraph("🔧 " + v.SetUp + a.l.Stop + v.SetUpReader)
	case a.state == ledger.Empty && len(a.request.LeftOut) > 0:
		return paragraph("👋 " + v.LeftAlone)
	case a.state == ledger.Empty:
		return paragraph("👋 " + v.Empty)
	case a.in.Plan.Refused != nil:
		return paragraph(a.refused(a.in.Plan.Refused))
	case a.images == 0 && a.state == ledger.Refused:
		return paragraph("🤔 " + v.Unclear)
	}
	return paragraph(a.icon() + " " + join(append(a.consequence(a.headline()), a.leadIn()...), a.l.Stop))
}

// leadIn introduces the commands below the verdict.
func (a *answer) leadIn() []md {
	switch {
	case a.arrived == 0:
		return nil
	case a.complete == a.images && a.unserved == 0:
		return []md{a.l.Verdict.Pull}
	}
	return []md{a.l.Verdict.PullSome}
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
	v := a.l.Verdict
	if a.complete < a.images || a.images == 0 {
		switch {
		case a.images == 0:
			return ""
		case a.arrived == 0 && a.state.Open():
			return v.NoneYet
		case a.arrived == 0:
			return v.None
		case a.arrived < a.images:
			return a.counted(v.Some)
		case a.images == 1:
			return v.ScatteredOne
		}
		return a.counted(v.Scattered)
	}
	if a.images == 1 {
		sentence := v.MirroredOne
		if a.present == 1 {
			sentence = v.PresentOne
		}
		return fill(sentence, "{source}", codeRef(a.all[0].image.Reference))
	}
	switch a.present {
	case 0:
		return a.counted(v.Mirrored)
	case a.images:
		return a.counted(v.Mirrored) + a.l.Stop + v.PresentAll
	}
	return a.counted(v.Mirrored) + a.l.Stop + v.Present.of(a.present)
}

// consequence appends what happens next.
func (a *answer) consequence(said ...md) []md {
	v := a.l.Verdict
	sentences := slices.DeleteFunc(said, func(s md) bool { return s == "" })
	if a.gaveUp {
		return append(sentences, fill(v.GivenUp, "{tries}", number(a.in.Marker.Tries)))
	}
	switch a.state {
	case ledger.SetUp:
		sentences = append(sentences, v.SetUpReader)
	case ledger.Retry:
		if a.in.SweepOff {
			file := path.Base(doctor.SweepFile)
			page := link(code(file), a.in.Repository+"/actions/workflows/"+file)
			return append(sentences, fill(v.RetryOff, "{workflow}", page))
		}
		sentences = append(sentences, v.Retry)
	case ledger.Interrupted:
		sentences = append(sentences, v.Interrupted)
	case ledger.Withdrawn:
		sentences = append(sentences, v.Withdrawn)
	case ledger.Working, ledger.Done, ledger.Partial, ledger.Refused, ledger.Empty, ledger.GivenUp: // nothing happens next
	}
	return sentences
}

// refused is the verdict on a request that is refused as a whole.
func (a *answer) refused(f *failure.Error) md {
	none := a.l.Verdict.None
	if a.state.Open() {
		none = a.l.Verdict.NoneYet
	}
	return a.icon() + " " + join(a.consequence(none, a.explain(outcome{failure: f})), a.l.Stop)
}

// progress is the line under the verdict while data is being copied.
func (a *answer) progress() md {
	p := a.in.Progress
	var parts []md
	if n := a.in.Marker.Shards; n > 0 {
		parts = append(parts, fill(a.l.Progress.Jobs, "{n}", number(n)))
	}
	if p.Bytes > 0 {
		done := percent(p.BytesDone, p.Bytes)
		bar := strings.Repeat("█", done/5) + strings.Repeat("░", 20-done/5)
		parts = append(parts, code(bar)+md(fmt.Sprintf(" %d %%", done)))
	}
	if p.Layers > 0 {
		parts = append(parts, fill(a.l.Progress.Layers, "{done}", number(p.LayersDone), "{n}", number(p.Layers)))
	}
	if p.Bytes > 0 {
		parts = append(parts, size(min(p.BytesDone, p.Bytes))+" / "+size(p.Bytes))
	}
	if p.Rate > 0 {
		parts = append(parts, size(p.Rate)+"/s")
		if left := p.Bytes - p.BytesDone; left > 0 {
			wait := time.Duration(min(float64(left)/float64(p.Rate), maxWait.Seconds()) * float64(time.Second))
			parts = append(parts, fill(a.l.Progress.Left, "{time}", a.l.Units.took(max(wait.Round(time.Second), time.Second))))
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
	return paragraph("```text\n" + a.l.EmptyExample + "\n```")
}

// edit explains how to correct a request. It is left out if an edit would not
// help.
func (a *answer) edit() *block {
	if a.in.Issue == 0 || a.in.Plan.Refused != nil || a.gaveUp || a.state != ledger.Partial && a.state != ledger.Refused {
		return nil
	}
	return paragraph(a.l.Verdict.Edit)
}

// foot is the last line: the run, the commands, the version.
func (a *answer) foot() *block {
	var parts []md
	if a.in.RunURL != "" {
		parts = append(parts, link(a.l.Footer.Run, a.in.RunURL))
	}
	if a.in.Issue > 0 {
		if a.state == ledger.Working {
			parts = append(parts, "`/ferry cancel` "+a.l.Footer.Cancel)
		} else if a.state != ledger.Done && a.state != ledger.Empty {
			parts = append(parts, "`/ferry retry` "+a.l.Footer.Retry)
		}
		parts = append(parts, "`/ferry help` "+a.l.Footer.Help)
	}
	version := md("Ferry")
	if a.in.Version != "" {
		version += " " + code(a.in.Version)
	}
	return paragraph(join(append(parts, version), " · "))
}
