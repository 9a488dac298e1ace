package setup

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// FuzzTOML compares the reader with that of containerd.
func FuzzTOML(f *testing.F) {
	for _, client := range []string{"containerd", "buildkit", "podman"} {
		for _, text := range corpus[client].texts {
			if len(text) < 1000 {
				f.Add([]byte(text))
			}
		}
	}
	for _, seed := range []string{
		"a = 1\nb.\"c.d\" = [\"x\", {y = true}] # z\n", "a = '''\nx'y\\\n'''\nb = \"\"\"\\\n  x\\u00e9\"\"\"\"\n", "a = 1979-05-27 07:32:00Z\n", "a = [\n1, # x\n\n]\n",
		"\"\" = 0x_1\n", "a = +inf\nb = 1_0.0e-1\n", "a = {}\r\n", "a={\r\n}", "a = {b = 1, # c\n}\n", "[ a . 'b' ]\n[[c]]\n[c.d]\n[[c]]\n[c.d]\n", "a = \"\\e\"\n", "a = 07:32:00\n", "a = \"\\U0010ffff\"",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := readTOML(data)
		want := map[string]any{}
		other := toml.Unmarshal(data, &want)
		switch {
		case other == nil && err != nil:
			t.Errorf("%q: %v, while go-toml accepts it", data, err)
		case other == nil:
			if !same(got, want) {
				t.Errorf("%q: read as %v, want %v", data, got, want)
			}
		case err == nil && !beyond(other.Error()):
			t.Errorf("%q is accepted, while go-toml says: %v", data, other)
		}
	})
}

// beyond reports whether go-toml refuses what a file means, not how it is
// written.
func beyond(message string) bool {
	for _, about := range []string{"exists", "already", "redefine", "out of range", "too large", "date", "time", "month", "day", "hour", "minute", "second"} {
		if strings.Contains(message, about) {
			return true
		}
	}
	return false
}

// same compares what was read with what go-toml has read, but for literals.
func same(got, want any) bool {
	switch got := got.(type) {
	case inline:
		return same(map[string]any(got), want)
	case map[string]any:
		table, ok := want.(map[string]any)
		for key := range got {
			ok = ok && same(got[key], table[key])
		}
		return ok && len(got) == len(table)
	case []any:
		list, ok := want.([]any)
		if ok = ok && len(got) == len(list); !ok {
			return false
		}
		for i := range got {
			ok = ok && same(got[i], list[i])
		}
		return ok
	case string:
		return reflect.DeepEqual(got, want)
	}
	_, text := want.(string)
	return !text
}
