package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/report"
)

// display shows the progress of the images. On a terminal it draws a line for
// all images and a line for each image that is being copied, ten times a second
// and at the current size of the terminal. Elsewhere it writes a line when an
// image starts and when it is done.
type display struct {
	w     io.Writer
	size  func() (width, height int, ok bool) // of the terminal; ok is false if w is not a terminal
	lines bool                                // lines instead of bars
	plain bool                                // no colours
	zh    bool                                // lines in Chinese
	began time.Time
	done  chan struct{}
	drawn sync.WaitGroup

	mu     sync.Mutex
	rows   []*row
	at     map[[2]int]*row
	widths []int // of the lines on the screen, in columns
}

// row is one image at one target.
type row struct {
	name string
	mirror.Event
}

// drawEvery is the interval between two drawings.
const drawEvery = 100 * time.Millisecond

// startDisplay starts the display. size reports the size of the terminal, if
// there is one.
func startDisplay(w io.Writer, size func() (int, int, bool), steps []plan.Step, lines, plain bool, language string) *display {
	d := &display{w: w, size: size, lines: lines, plain: plain, zh: language == "zh", began: time.Now(), done: make(chan struct{}), at: map[[2]int]*row{}}
	for s, step := range steps {
		for n, destination := range step.Destinations {
			r := &row{name: step.Image.Reference.String()}
			if tagged, err := step.Image.Reference.Repository().Tagged(step.Image.Reference.Tag()); err == nil {
				r.name = tagged.String() // a digest says nothing to people
			}
			if len(step.Destinations) > 1 {
				r.name += " → " + destination.Mirror.Repository().Host()
			}
			d.rows = append(d.rows, r)
			d.at[[2]int{s, n}] = r
		}
	}
	if _, _, terminal := size(); !terminal {
		d.lines = true
	}
	if !d.lines {
		d.drawn.Go(d.animate)
	}
	return d
}

func (d *display) animate() {
	tick := time.NewTicker(drawEvery)
	defer tick.Stop()
	for {
		select {
		case <-d.done:
			return
		case <-tick.C:
			d.mu.Lock()
			d.draw()
			d.mu.Unlock()
		}
	}
}

// note records an event of the Mirror. Events are delivered one at a time.
func (d *display) note(e mirror.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.at[[2]int{e.Step, e.Destination}]
	started := r.Kind == ""
	r.Event = e
	if !d.lines {
		return
	}
	switch {
	case e.Kind == mirror.Finished && e.Result.Failure != nil && e.Result.Failure.Code == failure.Cancelled:
		fmt.Fprintf(d.w, "%s%s\n", d.word("stopped  "), r.name)
	case e.Kind == mirror.Finished && e.Result.Failure != nil:
		fmt.Fprintf(d.w, "%s%s\n", d.word("failed   "), r.name)
	case e.Kind == mirror.Finished && e.Result.Receipt.Present:
		fmt.Fprintf(d.w, "%s%s\n", d.word("present  "), r.name)
	case e.Kind == mirror.Finished:
		fmt.Fprintf(d.w, "%s%s  %s, %s\n", d.word("done     "), r.name, report.Size(e.Result.Receipt.Size), report.Took(e.Result.Receipt.Took))
	case started:
		fmt.Fprintf(d.w, "%s%s\n", d.word("started  "), r.name)
	}
}

// lineWords are the first words of the lines of "ferry copy" in Chinese.
var lineWords = map[string]string{
	"started  ": "开始  ", "present  ": "已有  ", "done     ": "完成  ", "failed   ": "失败  ", "stopped  ": "停止  ",
}

// word returns the first word of a line in the language of the display.
func (d *display) word(english string) string {
	if d.zh {
		return lineWords[english]
	}
	return english
}

// close clears the display, for the output after it.
func (d *display) close() {
	close(d.done)
	d.drawn.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.widths) > 0 {
		width, _, _ := d.size()
		fmt.Fprint(d.w, d.erase(width))
	}
}

// draw replaces the last drawing by the current state.
func (d *display) draw() {
	width, height, ok := d.size()
	if !ok {
		return
	}
	lines := view(d.rows, width, height, time.Since(d.began))
	var b strings.Builder
	b.WriteString(d.erase(width))
	for _, line := range lines {
		d.widths = append(d.widths, utf8.RuneCountInString(line))
		b.WriteString(d.coloured(line) + "\n")
	}
	fmt.Fprint(d.w, b.String())
}

// erase returns the sequence that removes the last drawing. A terminal that has
// become narrower has wrapped its lines.
func (d *display) erase(width int) string {
	up := 0
	for _, w := range d.widths {
		up += max(1, (w+width-1)/max(width, 1))
	}
	d.widths = d.widths[:0]
	if up == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r\x1b[J", up)
}

func (d *display) coloured(line string) string {
	if d.plain {
		return line
	}
	line = strings.Replace(line, barFull, "\x1b[32m"+barFull, 1)
	return strings.Replace(line, "]", "\x1b[0m]", 1)
}

const (
	barFull, barEmpty = "=", "-"
	barWidth          = 20
	leastName         = 24 // columns: bars and speeds are left out before names are shortened
	// An estimate of the remaining time is unsteady in the first seconds.
	trustAfter = 3 * time.Second
)

// view returns the text for a terminal of the given size: one line for all
// images, then as many of the images being copied as fit. No line is as wide as
// the terminal, because some terminals wrap after the last column.
func view(rows []*row, width, height int, passed time.Duration) []string {
	width--
	var done, failed int
	var bytes, all, sent int64
	known := true
	var active []*row
	for _, r := range rows {
		bytes, all, sent = bytes+r.Done, all+r.Total, sent+r.Sent
		switch {
		case r.Kind == mirror.Finished && r.Result.Failure != nil:
			failed++
		case r.Kind == mirror.Finished:
			done++
		default:
			known = known && r.Total > 0
			if r.Kind != "" {
				active = append(active, r)
			}
		}
	}
	summary := fmt.Sprintf("%d/%d", done+failed, len(rows))
	if failed > 0 {
		summary += fmt.Sprintf(", %d failed", failed)
	}
	if all > 0 {
		summary += fmt.Sprintf("  %s of %s", report.Size(bytes), report.Size(all))
	}
	if rate := float64(sent) / passed.Seconds(); passed >= trustAfter && rate > 0 {
		summary += fmt.Sprintf("  %s/s", report.Size(int64(rate)))
		if known && all > bytes {
			left := time.Duration(float64(all-bytes) / rate * float64(time.Second))
			summary += fmt.Sprintf("  %s left", report.Took(left.Truncate(time.Second)))
		}
	}
	lines := []string{cut(summary, width)}
	fit := max(0, height-2) // without the summary and the line of the cursor
	if len(active) > fit {
		fit = max(0, fit-1)
		for _, r := range active[:fit] {
			lines = append(lines, r.line(width))
		}
		if height > 2 {
			lines = append(lines, cut(fmt.Sprintf("and %d more", len(active)-fit), width))
		}
		return lines
	}
	for _, r := range active {
		lines = append(lines, r.line(width))
	}
	return lines
}

// line returns the name, and the bar, the bytes and the speed as far as they
// fit.
func (r *row) line(width int) string {
	var parts []string
	if r.Total > 0 {
		full := int(barWidth * float64(min(r.Done, r.Total)) / float64(r.Total))
		parts = []string{
			fmt.Sprintf("%8s of %8s", report.Size(r.Done), report.Size(r.Total)),
			"[" + strings.Repeat(barFull, full) + strings.Repeat(barEmpty, barWidth-full) + "]",
			fmt.Sprintf("%8s/s", report.Size(int64(r.Rate))),
		}
	} else {
		parts = []string{"looking"}
	}
	tail := ""
	for _, part := range parts {
		if len(tail)+2+len(part)+leastName > width {
			break
		}
		tail += "  " + part
	}
	room := max(0, width-len(tail))
	name := r.name
	if n := utf8.RuneCountInString(name); n > room {
		// The end of a name tells more than its beginning.
		name = "…" + string([]rune(name)[n-max(0, room-1):])
	} else if tail != "" {
		name += strings.Repeat(" ", room-n)
	}
	return cut(name+tail, width)
}

// cut shortens a line that is too long.
func cut(line string, width int) string {
	if utf8.RuneCountInString(line) <= width {
		return line
	}
	return string([]rune(line)[:max(0, width)])
}
