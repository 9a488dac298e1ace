package config

import "testing"

// TestArchives checks that files are off unless the owner says who may have them.
func TestArchives(t *testing.T) {
	for text, want := range map[string]Archives{
		"language: zh":                 {},
		"archives: {requests: anyone}": {Requests: Anyone, Bytes: 4 << 30, PerDay: 2, Days: 3},
		"archives: {requests: owner, bytes: 1GiB, per-day: 9, days: 14}": {Requests: Owner, Bytes: 1 << 30, PerDay: 9, Days: 14},
	} {
		c, err := Load(Options{Getenv: func(string) string { return "" }, ReadFile: func(string) ([]byte, error) { return []byte(text), nil }})
		if err != nil || c.Archives != want {
			t.Errorf("%s: %+v, %v", text, c.Archives, err)
		}
	}
	if _, err := Load(Options{Getenv: func(string) string { return "" }, ReadFile: func(string) ([]byte, error) { return []byte("archives: {days: 3}"), nil }}); err == nil {
		t.Error("archives without requests are accepted")
	}
}
