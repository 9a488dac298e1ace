package runner

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// Stream passes lines on to a writer that the runner reads, and makes commands
// in them harmless. Text and length stay unchanged otherwise: it is for
// results, and for the output of libraries. It is safe for concurrent use.
type Stream struct {
	mu   sync.Mutex
	w    io.Writer
	line []byte // incomplete line
}

// NewStream returns a Stream to w.
func NewStream(w io.Writer) *Stream { return &Stream{w: w} }

// Write passes on all complete lines, and keeps an incomplete one.
func (s *Stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line = append(s.line, p...)
	end := bytes.LastIndexAny(s.line, "\n\r") + 1
	whole := string(s.line[:end])
	s.line = append(s.line[:0], s.line[end:]...)
	return len(p), s.pass(whole)
}

// Close passes on the incomplete line.
func (s *Stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := string(s.line)
	s.line = nil
	return s.pass(rest)
}

func (s *Stream) pass(text string) error {
	if text == "" {
		return nil
	}
	var b strings.Builder
	for text != "" {
		end := strings.IndexAny(text, "\n\r") + 1
		if end == 0 {
			end = len(text)
		}
		b.WriteString(defused(text[:end]))
		text = text[end:]
	}
	_, err := io.WriteString(s.w, b.String())
	return err
}

// defused returns a line that the runner does not execute, see clean.
func defused(line string) string {
	line = v1Command.Compiled().ReplaceAllString(line, "## [")
	if first := strings.IndexFunc(line, visible); first >= 0 && line[first] == ':' {
		line = "· " + line
	}
	return line
}
