package setup

import (
	"bytes"
	"encoding/json"
	"testing"
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
	} {
		if got := string(standardJSON([]byte(before))); got != after {
			t.Errorf("%q becomes %q, want %q", before, got, after)
		}
	}
}

// FuzzStandardJSON checks that valid JSON stays as it is, and that the result
// has the same length and lines.
func FuzzStandardJSON(f *testing.F) {
	for _, seed := range []string{"{}", "[1,]", "{\"a\": 1, // x\n}", "/* x */ \"\\\"\"", "[,]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got := standardJSON(data)
		if len(got) != len(data) || bytes.Count(got, []byte("\n")) != bytes.Count(data, []byte("\n")) {
			t.Fatalf("%q becomes %q", data, got)
		}
		if json.Valid(data) && !bytes.Equal(got, data) {
			t.Errorf("valid %q becomes %q", data, got)
		}
		if again := standardJSON(got); json.Valid(got) && !bytes.Equal(again, got) {
			t.Errorf("%q becomes %q, and then %q", data, got, again)
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
