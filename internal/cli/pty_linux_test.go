package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/wiring"
)

// pseudoTerminal returns the two ends of a terminal: what a program writes to
// user can be read from master.
func pseudoTerminal(t *testing.T) (master, user *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("there are no pseudo-terminals here:", err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	user, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { user.Close() })
	return master, user
}

func resize(t *testing.T, terminal *os.File, columns, rows uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows}); err != nil {
		t.Fatal(err)
	}
}

// read sends the output of the terminal in pieces.
func read(master io.Reader) <-chan string {
	pieces := make(chan string, 1000)
	go func() {
		defer close(pieces)
		buffer := make([]byte, 64<<10)
		for {
			n, err := master.Read(buffer)
			pieces <- string(buffer[:n])
			if err != nil {
				return
			}
		}
	}()
	return pieces
}

var escape = regexp.MustCompile("^\x1b\\[([0-9]*)([A-Za-z])")

// screen returns what is visible on a terminal after the output.
func screen(written string) []string {
	var lines [][]rune
	row, column := 0, 0
	for len(written) > 0 {
		if m := escape.FindStringSubmatch(written); m != nil {
			n, _ := strconv.Atoi(m[1])
			switch m[2] {
			case "A":
				row = max(0, row-n)
			case "J":
				lines = lines[:min(row, len(lines))]
			}
			written = written[len(m[0]):]
			continue
		}
		r, size := utf8.DecodeRuneInString(written)
		written = written[size:]
		switch r {
		case '\r':
			column = 0
		case '\n':
			row++
		default:
			for len(lines) <= row {
				lines = append(lines, nil)
			}
			for len(lines[row]) <= column {
				lines[row] = append(lines[row], ' ')
			}
			lines[row][column] = r
			column++
		}
	}
	var shown []string
	for _, line := range lines {
		shown = append(shown, strings.TrimRight(string(line), " "))
	}
	return shown
}

// TestCopyAtATerminal checks that bars fit the terminal, follow its size, and
// are removed when the copy is interrupted.
func TestCopyAtATerminal(t *testing.T) {
	master, user := pseudoTerminal(t)
	resize(t, master, 100, 8)
	w := newWorld(t)
	var images []string
	for i := range 9 {
		repository := fmt.Sprintf("some/long/name/of-an-image-%d", i)
		w.Publish(repository, "1.0", uint64(i+1))
		images = append(images, "gcr.io/"+repository+":1.0")
	}
	// No blob arrives during the test.
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	w.Source.Inject(fakeregistry.Fault{Match: "^GET .*/blobs/", Times: -1, Do: func(_ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-over:
		case <-r.Context().Done():
		}
		return false
	}})
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var stdout bytes.Buffer
	done := make(chan int, 1)
	go func() {
		done <- Run(ctx, wiring.Env{
			Args: append([]string{"copy"}, images...), Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: user,
			Getenv: func(key string) string { return w.Environ[key] }, At: w.At,
			Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		})
	}()
	pieces := read(master)
	written := ""
	// wait collects output until a drawing is as wanted.
	wait := func(wanted func(drawing string) bool) {
		t.Helper()
		for piece := range pieces {
			written += piece
			drawings := strings.Split(written, "\x1b[J")
			if slices.ContainsFunc(drawings[:len(drawings)-1], wanted) {
				return
			}
		}
		t.Fatalf("it was never drawn:\n%q", written)
	}
	fits := func(drawing string, columns, rows int) bool {
		lines := screen(drawing)
		wide := slices.ContainsFunc(lines, func(line string) bool { return utf8.RuneCountInString(line) >= columns })
		return !wide && len(lines) < rows && strings.Contains(drawing, "and ") && strings.Contains(drawing, "0/9")
	}
	wait(func(drawing string) bool { return fits(drawing, 100, 8) && !fits(drawing, 60, 6) })
	resize(t, master, 60, 6)
	wait(func(drawing string) bool { return fits(drawing, 60, 6) })
	interrupt()
	if status := <-done; status != wiring.StatusInterrupted {
		t.Errorf("status %d, want %d", status, wiring.StatusInterrupted)
	}
	fmt.Fprint(user, "end of the output\n")
	for !strings.Contains(written, "end of the output") {
		written += <-pieces
	}
	// The terminal has become narrower, so the lines to erase are counted in
	// its width; only the last drawing is certain.
	_, last, _ := strings.Cut(written[strings.LastIndex(written, "\x1b[J"):], "\x1b[J")
	want := []string{"ferry copy: stopped; data that was copied is kept, so the same command continues from here", "end of the output"}
	if got := screen(last); !slices.Equal(got, want) {
		t.Errorf("left on the screen: %q, want %q", got, want)
	}
	if stdout.Len() > 0 {
		t.Errorf("standard output: %q", stdout.String())
	}
}

// TestRefusedAtATerminal: at a terminal, a registry that accepts no connection is
// given up sooner than in a job.
func TestRefusedAtATerminal(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	host := "localhost:" + port
	waits := func(stderr io.Writer) int64 {
		var n atomic.Int64
		status := Run(t.Context(), wiring.Env{
			Args:  []string{"save", host + "/a/b:1", "-o", filepath.Join(t.TempDir(), "x.tar"), "--private", host},
			Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: stderr, Getenv: func(string) string { return "" },
			Wait: func(ctx context.Context, _ time.Duration) error {
				n.Add(1)
				return ctx.Err()
			},
		})
		if status != wiring.StatusFailed {
			t.Errorf("status %d, want %d", status, wiring.StatusFailed)
		}
		return n.Load()
	}
	master, user := pseudoTerminal(t)
	resize(t, master, 100, 24)
	read(master)
	if job, person := waits(io.Discard), waits(user); person == 0 || person >= job {
		t.Errorf("waits %d times at a terminal and %d times elsewhere", person, job)
	}
}

// TestPullAtATerminal shows a line while it waits, which it removes, and opens the
// form in the browser of the desktop.
func TestPullAtATerminal(t *testing.T) {
	bin := t.TempDir()
	for name, script := range map[string]string{"podman": "exit 1", "xdg-open": "echo \"$@\" >" + bin + "/new && mv " + bin + "/new " + bin + "/opened"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	w := newWorld(t)
	w.Environ["DISPLAY"] = ":0"
	delete(w.Environ, "FERRY_CONFIG")
	delete(w.Environ, "GITHUB_TOKEN")
	master, user := pseudoTerminal(t)
	resize(t, master, 60, 24)
	pieces := read(master)
	status := Run(t.Context(), wiring.Env{
		Args: []string{
			"pull", "gcr.io/ns/img:1", "--from", "registry.example.com/mirror", "--with", "podman", "--request", "alice/ferry", "--wait", "5s",
			"--private", "registry.example.com", "--plain-http", "registry.example.com",
		},
		Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: user, Getenv: func(key string) string { return w.Environ[key] }, At: w.At,
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	w.WantStatus(status, wiring.StatusFailed, "")
	fmt.Fprint(user, "end of the output\n")
	written := ""
	for !strings.Contains(written, "end of the output") {
		written += <-pieces
	}
	if drawn, _, cleared := strings.Cut(written, "\r\x1b[Kferry pull: "); !cleared || !strings.Contains(drawn, "\r\x1b[K5s  gcr.io/ns/img:1\r\x1b[K4s  gcr.io/ns/img:1") {
		t.Errorf("the terminal has %q", written)
	}
	opened, err := os.ReadFile(filepath.Join(bin, "opened"))
	for ; errors.Is(err, fs.ErrNotExist) && t.Context().Err() == nil; opened, err = os.ReadFile(filepath.Join(bin, "opened")) {
		time.Sleep(time.Millisecond)
	}
	if want := "https://github.com/alice/ferry/issues/new?template=mirror.yml&images=gcr.io%2Fns%2Fimg%3A1\n"; string(opened) != want {
		t.Errorf("opened %q, %v, want %q", opened, err, want)
	}
}
