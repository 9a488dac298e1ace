package setup

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/tailscale/hujson"
)

func TestStandardJSON(t *testing.T) {
	for before, after := range map[string]string{
		"{\"a\": [1, 2,], // x\n}":     "{\"a\": [1, 2 ]      \n}",
		"{\"a\": /* x\r\n */ 1}":       "{\"a\":     \r\n    1}",
		"[\"//\", \"/*\", \"\\\"//\"]": "[\"//\", \"/*\", \"\\\"//\"]",
		"[[1,],]":                      "[[1 ] ]",
		"[1, /* , */ ]":                "[1          ]",
		"[,]":                          "[,]",
		"[1,,]":                        "[1,,]",
		"{\"a\":,}":                    "{\"a\":,}",
		"[1,/* x]":                     "[1,/* x]",
		"\"a":                          "\"a",
		"\"a\\":                        "\"a\\",
		"// x":                         "    ",
		"/ // x":                       "/ // x",
	} {
		if got := string(standardJSON([]byte(before))); got != after {
			t.Errorf("%q becomes %q, want %q", before, got, after)
		}
	}
}

// FuzzStandardJSON compares the result with that of hujson, which also keeps the
// length and the lines.
func FuzzStandardJSON(f *testing.F) {
	for _, text := range corpus["docker"].texts {
		if len(text) < 1000 {
			f.Add([]byte(text))
		}
	}
	for _, seed := range []string{"{}", "[1,]", "{\"a\": 1, // x\n}", "/* x */ \"\\\"\"", "[,]", "[1 /**/,]", "[/*/ */]", "{}/"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !utf8.Valid(data) {
			return // encoding/json replaces what hujson refuses
		}
		data = append(data, '\n') // which hujson wants after a comment
		got := standardJSON(data)
		want, err := hujson.Standardize(bytes.Clone(data))
		switch {
		case err == nil && !bytes.Equal(got, want):
			t.Fatalf("%q becomes %q, want %q", data, got, want)
		case err != nil && json.Valid(got):
			t.Fatalf("%q becomes %q, while hujson says: %v", data, got, err)
		}
		if o, err := readObject(got); err == nil {
			for _, m := range o.members {
				if got[m.at] != '"' || !json.Valid(got[m.value:m.after]) {
					t.Errorf("%q: the member %+v", got, m)
				}
			}
		}
	})
}
