package runner

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestStream(t *testing.T) {
	for text, want := range map[string]string{
		"a\nb\n":                             "a\nb\n",
		"no end":                             "no end",
		"::set-output name=a::b\n":           "· ::set-output name=a::b\n",
		"x\n \t::error::y\n":                 "x\n·  \t::error::y\n",
		"a ##[add-mask]b\n":                  "a ## [add-mask]b\n",
		"{\"error\": \"#\u200b#[x\"}\n":      "{\"error\": \"## [x\"}\n",
		"progress\r::stop-commands::x\n":     "progress\r· ::stop-commands::x\n",
		strings.Repeat("long ", 5000) + "\n": strings.Repeat("long ", 5000) + "\n",
	} {
		for _, size := range []int{1, 3, 1 << 20} {
			var out bytes.Buffer
			s := NewStream(&out)
			if _, err := io.CopyBuffer(struct{ io.Writer }{s}, struct{ io.Reader }{strings.NewReader(text)}, make([]byte, size)); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil || out.String() != want {
				t.Errorf("%.40q in pieces of %d: got %.60q, want %.60q (%v)", text, size, out.String(), want, err)
			}
		}
	}
}
