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
	say   func(format string) string          // in the language of the output
	took  func(time.Duration) string          // the same
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
	name         string
	mirror.Event // the last one, without its result
	failed       bool
}

// drawEvery is the interval between two drawings.
const drawEvery = 100 * time.Millisecond

// startDisplay starts the display. size reports the size of the terminal, if
// there is one.
func startDisplay(w io.Writer, size func() (int, int, bool), steps []plan.Step, lines, plain bool, language string) *display {
	d := &display{w: w, size: size, lines: lines, plain: plain, say: translator(language), took: report.Terminal{Language: language}.Took, began: time.Now(), done: make(chan struct{}), at: map[[2]int]*row{}}
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
	r.Event, r.Result = e, nil // the display would hold all results
	r.failed = e.Kind == mirror.Finished && e.Result.Failure != nil
	if !d.lines {
		return
	}
	switch {
	case r.failed && e.Result.Failure.Code == failure.Cancelled:
		fmt.Fprintf(d.w, d.say("stopped  %s\n"), r.name)
	case r.failed:
		fmt.Fprintf(d.w, d.say("failed   %s\n"), r.name)
	case e.Kind == mirror.Finished && e.Result.Receipt.Present:
		fmt.Fprintf(d.w, d.say("present  %s\n"), r.name)
	case e.Kind == mirror.Finished:
		fmt.Fprintf(d.w, d.say("done     %s  %s, %s\n"), r.name, report.Size(e.Result.Receipt.Size), d.took(e.Result.Receipt.Took))
	case started:
		fmt.Fprintf(d.w, d.say("started  %s\n"), r.name)
	}
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
	lines := view(d.rows, width, height, time.Since(d.began), d.say, d.took)
	var b strings.Builder
	b.WriteString(d.erase(width))
	for _, line := range lines {
		d.widths = append(d.widths, columns(line))
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
	leastName         = 24 // columns, on a narrow terminal less: bars and speeds are left out before names are shortened
	// An estimate of the remaining time is unsteady in the first seconds.
	trustAfter = 3 * time.Second
)

// view returns the text for a terminal of the given size: one line for all
// images, then as many of the images being copied as fit. No line is as wide as
// the terminal, because some terminals wrap after the last column.
func view(rows []*row, width, height int, passed time.Duration, say func(string) string, took func(time.Duration) string) []string {
	width--
	var done, failed int
	var bytes, all, sent int64
	known := true
	var active []*row
	for _, r := range rows {
		bytes, all, sent = bytes+r.Done, all+r.Total, sent+r.Sent
		switch {
		case r.failed:
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
	summary := []string{fmt.Sprintf("%d/%d", done+failed, len(rows))}
	if failed > 0 {
		summary[0] += fmt.Sprintf(say(", %d failed"), failed)
	}
	if all > 0 {
		summary = append(summary, fmt.Sprintf("  %s / %s", report.Size(bytes), report.Size(all)))
	}
	if rate := float64(sent) / passed.Seconds(); passed >= trustAfter && rate > 0 {
		summary = append(summary, fmt.Sprintf("  %s/s", report.Size(int64(rate))))
		if known && all > bytes {
			left := time.Duration(float64(all-bytes) / rate * float64(time.Second))
			summary = append(summary, fmt.Sprintf(say("  %s left"), took(left.Truncate(time.Second))))
		}
	}
	lines := []string{fitting(summary, width)}
	fit := max(0, height-2) // without the summary and the line of the cursor
	if len(active) > fit {
		fit = max(0, fit-1)
		for _, r := range active[:fit] {
			lines = append(lines, r.line(width, say))
		}
		if height > 2 {
			lines = append(lines, cut(fmt.Sprintf(say("and %d more"), len(active)-fit), width))
		}
		return lines
	}
	for _, r := range active {
		lines = append(lines, r.line(width, say))
	}
	return lines
}

// line returns the name, and the bar, the bytes and the speed as far as they
// fit.
func (r *row) line(width int, say func(string) string) string {
	var parts []string
	if r.Total > 0 {
		full := int(barWidth * float64(min(r.Done, r.Total)) / float64(r.Total))
		parts = []string{
			fmt.Sprintf("  %8s / %8s", report.Size(r.Done), report.Size(r.Total)),
			"  [" + strings.Repeat(barFull, full) + strings.Repeat(barEmpty, barWidth-full) + "]",
			fmt.Sprintf("  %8s/s", report.Size(int64(r.Rate))),
		}
	} else {
		parts = []string{"  " + say("looking")}
	}
	tail := fitting(parts, width-min(leastName, 2*width/5))
	room := max(0, width-columns(tail))
	name := r.name
	if n := columns(name); n > room {
		// The end of a name tells more than its beginning.
		runes := []rune(name)
		for len(runes) > 0 && columns(string(runes)) >= room {
			runes = runes[1:]
		}
		name = "…" + string(runes)
	}
	if tail != "" {
		name += strings.Repeat(" ", max(0, room-columns(name)))
	}
	return cut(name+tail, width)
}

// fitting joins as many of the first parts of a line as fit.
func fitting(parts []string, width int) string {
	line := ""
	for _, part := range parts {
		if columns(line)+columns(part) > width {
			break
		}
		line += part
	}
	return line
}

// cut shortens a line that is too long.
func cut(line string, width int) string {
	for columns(line) > max(0, width) {
		_, size := utf8.DecodeLastRuneInString(line)
		line = line[:len(line)-size]
	}
	return line
}

// columns returns how many columns of a terminal a text takes: Chinese characters
// and their punctuation take two (Unicode Standard Annex 11).
func columns(text string) int {
	n := 0
	for _, r := range text {
		if n++; r >= 0x2E80 {
			n++
		}
	}
	return n
}
