package runner

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// Stream passes lines on to a writer that the runner reads, each so that the
// runner does not obey it. Text and length stay as they are otherwise: it is
// for results, and for what libraries print. It is safe for concurrent use.
type Stream struct {
	mu   sync.Mutex
	w    io.Writer
	line []byte // begun
}

// NewStream is a Stream to w.
func NewStream(w io.Writer) *Stream { return &Stream{w: w} }

// Write passes on all whole lines, and keeps a line that has only begun.
func (s *Stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line = append(s.line, p...)
	end := bytes.LastIndexAny(s.line, "\n\r") + 1
	whole := string(s.line[:end])
	s.line = append(s.line[:0], s.line[end:]...)
	return len(p), s.pass(whole)
}

// Close passes on the line that has only begun.
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
		b.WriteString(disobeyed(text[:end]))
		text = text[end:]
	}
	_, err := io.WriteString(s.w, b.String())
	return err
}

// disobeyed is a line without what makes it a command, see clean.
func disobeyed(line string) string {
	line = v1Command.ReplaceAllString(line, "## [")
	if first := strings.IndexFunc(line, visible); first >= 0 && line[first] == ':' {
		line = "· " + line
	}
	return line
}
