package mirror

import (
	"slices"
	"strings"
	"testing"
)

func TestNearestTags(t *testing.T) {
	for _, test := range []struct{ wanted, tags, want string }{
		{"v1.8.3", "latest v0.8.3 v1.0.3 v1.7.3 v1.8.0 v1.8.1 v1.8.2 master", "v1.8.2 v1.8.1 v1.8.0 v1.7.3 v1.0.3"},
		{"1.8.3", "latest v1.8.3 v1.8.2 v1.8.30", "v1.8.3 v1.8.2 v1.8.30 latest"},
		{"V1.8.3", "v1.8.2 v1.8.3", "v1.8.3 v1.8.2"},
		{"1.28.4", "1 1.28 1.28.3 1.28.6 1.29 1.29.1", "1.28.3 1.28.6 1.28 1.29 1.29.1"},
		{"1.27", "1.27.0 1.27.1 1.27.2-alpine 1.26 1.27-alpine", "1.27.1 1.27.0 1.26 1.27-alpine 1.27.2-alpine"},
		{"1.27-alpne", "1.27 1.27-alpine 1.26-alpine 1.27-perl alpine", "1.27-alpine 1.27-perl 1.27 1.26-alpine alpine"},
		{"latst", "1.0 latest main test", "latest 1.0 test main"},
		{"latest", "v1.2.0 v1.10.0 v1.9.0 v1.11.0-rc.1 nightly", "v1.10.0 v1.9.0 v1.2.0 v1.11.0-rc.1 nightly"},
		{"master", "dev main", "main dev"},
		{"3.09", "3.9 3.8", "3.9 3.8"},
		{"99.0", "latest 1.26 1.27", "latest 1.27 1.26"},
		{"1.0.0", "sha256-" + strings.Repeat("0", 64) + ".sig 1.0.1", "1.0.1"},
		{"20240101", "20240102 20231231 latest", "20240102 latest 20231231"},
		{"x", "", ""},
	} {
		// The order of the list is the registry's affair.
		tags := strings.Fields(test.tags)
		for range 2 {
			if got := strings.Join(nearest(test.wanted, tags), " "); got != test.want {
				t.Errorf("near %s are %q, want %q", test.wanted, got, test.want)
			}
			slices.Reverse(tags)
		}
	}
}

func FuzzNearestTags(f *testing.F) {
	f.Add("1.2.3", "1.2.4 v1.2.3 latest")
	f.Add("v", "999999999999999999999999.1 _ -")
	f.Fuzz(func(t *testing.T, wanted, text string) {
		tags := strings.Fields(text)
		got := nearest(wanted, tags)
		if len(got) > maxNearest {
			t.Errorf("%d tags", len(got))
		}
		for _, tag := range got {
			if !slices.Contains(tags, tag) {
				t.Errorf("%q is none of %q", tag, tags)
			}
		}
	})
}
