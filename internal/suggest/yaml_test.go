package suggest

import (
	"errors"
	"strings"
	"testing"
)

// TestYAML checks the cures of errors that the YAML library has for likely
// mistakes.
func TestYAML(t *testing.T) {
	for _, test := range []struct {
		text, err    string
		line         int
		reason, cure string
	}{
		{"a:\n\tb: 1", "yaml: line 2: found character that cannot start any token", 2, "found character that cannot start any token", "indent with spaces"},
		{"a: [b", "yaml: line 1: did not find expected ',' or ']'", 1, "did not find expected ',' or ']'", "is not closed"},
		{"a:\n  b: [c", "yaml: line 1: did not find expected ',' or ']'", 2, "did not find expected ',' or ']'", "is not closed"},
		{"# a：b\na：b\nc: d: e", "yaml: line 3: mapping values are not allowed in this context", 2, "mapping values are not allowed in this context", "full-width"},
		{"a: b: c", "yaml: mapping values are not allowed in this context", 1, "mapping values are not allowed in this context", "put quotes"},
		{"a: *hunter2", "yaml: unknown anchor 'hunter2' referenced", 1, "unknown anchor referenced", "such as @, %, & or *"},
		{"a: 'b", "yaml: line 3: found unexpected end of stream", 3, "found unexpected end of stream", "close the quote"},
		{"", "yaml: something new", 1, "something new", ""},
		{"", "yaml: line 99999999999999999999: something new", 1, "something new", ""},
	} {
		line, reason, cure := YAML(test.text, errors.New(test.err))
		if line != test.line || reason != test.reason || !strings.Contains(cure, test.cure) || (cure == "") != (test.cure == "") {
			t.Errorf("%s: line %d, %q, %q", test.err, line, reason, cure)
		}
	}
}
