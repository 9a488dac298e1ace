package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/imageferry/ferry/internal/wiring"
)

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
