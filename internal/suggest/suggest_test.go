package suggest

import "testing"

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"quay.io", "quay.io", 0},
		{"quay.i", "quay.io", 1}, {"qquay.io", "quay.io", 1}, {"quey.io", "quay.io", 1},
		{"qauy.io", "quay.io", 1}, {"ghrc.io", "gcr.io", 2}, {"ca", "abc", 3},
	} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("Distance(%q, %q) is %d, want %d", c.a, c.b, got, c.want)
		}
		if got := Distance(c.b, c.a); got != c.want {
			t.Errorf("Distance(%q, %q) is %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"flat", "host", "last", "path", "password"}
	for written, want := range map[string]string{
		"flatt": "flat", "FLAT": "flat", "falt": "flat", "hots": "host", "pth": "path", "lst": "last", "PASSWRD": "password",
		"x": "", "collaborators": "", "": "",
	} {
		if got := Nearest(written, words); got != want {
			t.Errorf("Nearest(%q) is %q, want %q", written, got, want)
		}
	}
}
