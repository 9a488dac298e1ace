package pattern

import (
	"sync"
	"testing"
)

func TestRegexp(t *testing.T) {
	number := &Regexp{Text: `^v([0-9]+)$`}
	if number.compiled.Load() != nil {
		t.Error("compiled before it was used")
	}
	var g sync.WaitGroup
	for range 8 {
		g.Go(func() {
			if !number.MatchString("v12") || number.MatchString("v") {
				t.Error("matches something else than its text says")
			}
			if m := number.FindStringSubmatch("v12"); len(m) != 2 || m[1] != "12" {
				t.Errorf("found %q", m)
			}
		})
	}
	g.Wait()
	if first := number.Compiled(); first != number.Compiled() {
		t.Error("compiled again")
	}
}
