package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/report"
)

// at returns a row whose image has done of total bytes.
func at(name string, done, total int64) *row {
	return &row{name: name, Event: mirror.Event{Kind: mirror.Progress, Done: done, Total: total, Sent: done, Rate: 8_200_000}}
}

func finished(name string, total int64, err *failure.Error) *row {
	r := at(name, total, total)
	r.Kind, r.failed = mirror.Finished, err != nil
	return r
}

// english returns a format as it is.
func english(format string) string { return format }

func TestView(t *testing.T) {
	rows := []*row{
		finished("registry.k8s.io/pause:3.9", 300_000, nil),
		finished("quay.io/a/b:1", 0, &failure.Error{Code: failure.NotFound}),
		at("quay.io/prometheus/node-exporter:v1.8.2", 20_000_000, 60_000_000),
		{name: "ghcr.io/dexidp/dex:v2.41.1", Event: mirror.Event{Kind: mirror.Started}},
		{name: "docker.io/library/nginx:1.27"},
	}
	for _, test := range []struct {
		name          string
		width, height int
		passed        time.Duration
		want          []string
	}{
		{"wide", 120, 24, 10 * time.Second, []string{
			"2/5, 1 failed  20.3 MB / 60.3 MB  2.0 MB/s",
			"quay.io/prometheus/node-exporter:v1.8.2                          20.0 MB /  60.0 MB  [======--------------]    8.2 MB/s",
			"ghcr.io/dexidp/dex:v2.41.1                                                                                      looking",
		}},
		{"no speed in the first seconds", 120, 24, time.Second, []string{
			"2/5, 1 failed  20.3 MB / 60.3 MB",
			"quay.io/prometheus/node-exporter:v1.8.2                          20.0 MB /  60.0 MB  [======--------------]    8.2 MB/s",
			"ghcr.io/dexidp/dex:v2.41.1                                                                                      looking",
		}},
		{"60 columns", 60, 24, 10 * time.Second, []string{
			"2/5, 1 failed  20.3 MB / 60.3 MB  2.0 MB/s",
			"…ay.io/prometheus/node-exporter:v1.8.2   20.0 MB /  60.0 MB",
			"ghcr.io/dexidp/dex:v2.41.1                          looking",
		}},
		{"40 columns", 40, 24, 10 * time.Second, []string{
			"2/5, 1 failed  20.3 MB / 60.3 MB",
			"…e-exporter:v1.8.2   20.0 MB /  60.0 MB",
			"ghcr.io/dexidp/dex:v2.41.1      looking",
		}},
		{"three lines", 120, 3, 10 * time.Second, []string{
			"2/5, 1 failed  20.3 MB / 60.3 MB  2.0 MB/s",
			"and 2 more",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := view(rows, test.width, test.height, test.passed, english, report.Terminal{}.Took)
			for i := range got {
				got[i] = strings.TrimRight(got[i], " ")
			}
			if test.want != nil && !cmp.Equal(got, test.want) {
				t.Errorf("got\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

// TestViewFits draws at every size of terminal.
func TestViewFits(t *testing.T) {
	var rows []*row
	for i := range 30 {
		rows = append(rows, at(fmt.Sprintf("registry.example.com/a/镜像-of-some-length/%d:v1.2.3", i), int64(i)*1e6, 4e9))
	}
	for width := 1; width < 140; width++ {
		for _, height := range []int{1, 2, 3, 5, 16, 50} {
			for _, language := range []string{"en", "zh"} {
				lines := view(rows, width, height, time.Minute, translator(language), report.Terminal{Language: language}.Took)
				if len(lines) > max(1, height-1) {
					t.Errorf("%dx%d: %d lines", width, height, len(lines))
				}
				for _, line := range lines {
					if columns(line) >= width && width > 1 {
						t.Errorf("%dx%d: %q is too wide", width, height, line)
					}
				}
			}
		}
	}
}

func TestDisplayWithoutTerminal(t *testing.T) {
	var out bytes.Buffer
	d := &display{w: &out, say: english, took: report.Terminal{}.Took, lines: true, size: func() (int, int, bool) { return 0, 0, false }, done: make(chan struct{}), at: map[[2]int]*row{
		{0, 0}: {name: "quay.io/a/b:1"},
	}}
	for _, e := range []mirror.Event{
		{Kind: mirror.Started},
		{Kind: mirror.Progress, Done: 1, Total: 2},
		{Kind: mirror.Finished, Result: &mirror.Result{Receipt: &mirror.Receipt{Size: 6_000_000, Took: 350 * time.Millisecond}}},
	} {
		d.note(e)
	}
	if d.at[[2]int{}].Result != nil {
		t.Error("the display keeps the result")
	}
	d.close()
	if got, want := out.String(), "started  quay.io/a/b:1\ndone     quay.io/a/b:1  6.0 MB, 350 ms\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestDisplayOfCancelled: an image that was interrupted has not failed.
func TestDisplayOfCancelled(t *testing.T) {
	var out bytes.Buffer
	d := &display{w: &out, say: english, took: report.Terminal{}.Took, lines: true, done: make(chan struct{}), at: map[[2]int]*row{{0, 0}: {name: "quay.io/a/b:1"}}}
	d.note(mirror.Event{Kind: mirror.Started})
	d.note(mirror.Event{Kind: mirror.Finished, Result: &mirror.Result{Failure: &failure.Error{Code: failure.Cancelled}}})
	if got, want := out.String(), "started  quay.io/a/b:1\nstopped  quay.io/a/b:1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDisplayInChinese(t *testing.T) {
	inChinese := translator("zh")
	rows := []*row{
		finished("quay.io/a/b:1", 0, &failure.Error{Code: failure.NotFound}),
		at("quay.io/a/c:1", 20_000_000, 60_000_000),
		{name: "quay.io/a/d:1", Event: mirror.Event{Kind: mirror.Started}},
	}
	rows[2].Total = 0
	lines := view(rows, 80, 24, 10*time.Second, inChinese, report.Terminal{Language: "zh"}.Took)
	if got := strings.Join(lines, "\n"); !strings.HasPrefix(got, "1/3，失败 1 个  20.0 MB / 60.0 MB  2.0 MB/s\n") || !strings.HasSuffix(got, "  查询中") || columns(lines[2]) >= 80 {
		t.Errorf("got %q", got)
	}
	var out bytes.Buffer
	d := &display{w: &out, say: inChinese, lines: true, at: map[[2]int]*row{{0, 0}: {name: "quay.io/a/b:1"}}}
	d.note(mirror.Event{Kind: mirror.Started})
	if got, want := out.String(), "开始  quay.io/a/b:1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestDisplayErases checks that drawings are removed, also after the terminal
// became narrower and wrapped them.
func TestDisplayErases(t *testing.T) {
	var out bytes.Buffer
	width := 100
	d := &display{w: &out, say: english, plain: true, size: func() (int, int, bool) { return width, 24, true }, began: time.Now(), done: make(chan struct{}),
		rows: []*row{at("quay.io/a/b:1", 1, 2)}}
	d.draw()
	out.Reset()
	width = 50
	d.close()
	if got, want := out.String(), "\x1b[3A\r\x1b[J"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
