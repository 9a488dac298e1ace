package cli

import (
	"context"
	"io"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
)

// bars show on a terminal how far each image is at each target. Where there is
// no terminal nothing is shown.
type bars struct {
	progress *mpb.Progress
	steps    []plan.Step
	targets  bool // there are several, so that an image's bars need telling apart
	shown    map[[2]int]*mpb.Bar
}

func newBars(ctx context.Context, w io.Writer, steps []plan.Step) *bars {
	b := &bars{progress: mpb.NewWithContext(ctx, mpb.WithOutput(w), mpb.WithWidth(32)), steps: steps, shown: map[[2]int]*mpb.Bar{}}
	for _, step := range steps {
		b.targets = b.targets || len(step.Destinations) > 1
	}
	return b
}

// note takes one event of the Mirror, which gives them one at a time.
func (b *bars) note(e mirror.Event) {
	at := [2]int{e.Step, e.Destination}
	bar := b.shown[at]
	if bar == nil {
		bar = b.add(e)
		b.shown[at] = bar
	}
	if e.Kind != mirror.Finished {
		bar.SetTotal(e.Total, false)
		bar.SetCurrent(e.Done)
		return
	}
	if e.Result.Failure != nil {
		bar.Abort(false)
		return
	}
	bar.SetTotal(-1, true)
}

func (b *bars) add(e mirror.Event) *mpb.Bar {
	step := b.steps[e.Step]
	name := step.Image.Reference.String()
	if b.targets {
		name += " → " + step.Destinations[e.Destination].Mirror.Repository().Host()
	}
	speed := decor.OnComplete(decor.AverageSpeed(decor.SizeB1024(0), "% .1f", decor.WCSyncSpace), "")
	return b.progress.AddBar(0,
		mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(
			decor.CountersKibiByte("% .1f / % .1f", decor.WCSyncSpace),
			decor.OnAbort(speed, " failed"),
			decor.OnAbort(decor.OnComplete(decor.AverageETA(decor.ET_STYLE_GO, decor.WCSyncSpace), " done"), ""),
		),
	)
}

// close waits until the last state is drawn.
func (b *bars) close() { b.progress.Wait() }
