package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/term"

	"github.com/imageferry/ferry/internal/wiring"
)

// errStopped means that the command was interrupted while it read its input.
var errStopped = errors.New("stopped")

// input is standard input. A read ends when ctx does, because a terminal or
// another program may never write.
type input struct {
	ctx context.Context
	io.Reader
}

func (in input) Read(p []byte) (int, error) {
	type reading struct {
		text []byte
		err  error
	}
	done := make(chan reading, 1)
	go func() {
		own := make([]byte, len(p)) // p is the caller's again after an interrupt
		n, err := in.Reader.Read(own)
		done <- reading{own[:n], err}
	}()
	select {
	case r := <-done:
		return copy(p, r.text), r.err
	case <-in.ctx.Done():
		return 0, errStopped
	}
}

// isTerminal reports whether r is a terminal.
func isTerminal(r io.Reader) bool {
	if in, ok := r.(input); ok {
		r = in.Reader
	}
	file, ok := r.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(file.Fd()))
}

// fileText returns the text of a file that the command line names; "-" is standard
// input. It reads one byte more than the limit, which shows the reader that there
// was more.
func fileText(env wiring.Env, file string, limit int64) ([]byte, error) {
	in := env.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no file %s", file)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the file: %w", err)
		}
		defer f.Close()
		in = f
	} else if isTerminal(in) {
		say(env, env.Stderr, "ferry: reading from the keyboard until Ctrl-D; \"ferry help\" lists other ways\n")
	}
	text, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil && file == "-" {
		return nil, fmt.Errorf("reading standard input: %w", err)
	} else if err != nil {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	return text, nil
}
