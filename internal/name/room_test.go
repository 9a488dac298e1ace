package name_test

import (
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
)

// TestRoom: a mirror name may have as many characters as a repository, all of them
// are used before a name is shortened, and a namespace must leave enough.
func TestRoom(t *testing.T) {
	const host = "registry.example.com"
	long := func(n int) string { return strings.Repeat("a", n) }
	for _, test := range []struct {
		namespace int
		fits      bool
	}{{188, true}, {189, false}} { // with the host and a slash 209 and 210
		if _, err := name.New(name.Target{Host: host, Namespace: long(test.namespace), Profile: name.Flat}, nil); (err == nil) != test.fits {
			t.Errorf("a namespace of %d characters: %v", test.namespace, err)
		}
	}
	s, err := name.New(name.Target{Host: host, Namespace: "n", Profile: name.Flat}, nil)
	if err != nil {
		t.Fatal(err)
	}
	room := reference.MaxRepository - len(host+"/n/")
	for n, cut := range map[int]bool{room: false, room + 1: true} {
		source, err := reference.Parse("gcr.io/p/" + long(n-len("p.")) + ":1")
		if err != nil {
			t.Fatal(err)
		}
		mirror, err := s.Mirror(source)
		if err != nil {
			t.Fatal(err)
		}
		path := mirror.Reference.Repository().String()
		if got := strings.Contains(path, "cut-"); got != cut || len(path) > reference.MaxRepository || !cut && len(path) != reference.MaxRepository {
			t.Errorf("a name of %d characters becomes %q with %d", n, path, len(path))
		}
	}
}
