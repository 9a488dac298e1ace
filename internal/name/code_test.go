package name

import (
	"regexp"
	"testing"
)

// TestFlatteningIsOneToOneAndOnto tries all texts over the separators and one
// letter: every path flattens to a component that unflattens to it, and every
// component is the flattened form of a path.
func TestFlatteningIsOneToOneAndOnto(t *testing.T) {
	const (
		alphabet = "a._-/"
		length   = 9
	)
	component := `[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`
	isComponent := regexp.MustCompile(`^` + component + `$`)
	isPath := regexp.MustCompile(`^` + component + `(?:/` + component + `)*$`)
	paths := 0
	var try func(text []byte)
	try = func(text []byte) {
		if isPath.Match(text) {
			paths++
			path := string(text)
			flat := flatten(path)
			if !isComponent.MatchString(flat) || unflatten(flat) != path {
				t.Fatalf("%s flattens to %s, which unflattens to %s", path, flat, unflatten(flat))
			}
			if isComponent.MatchString(path) && flatten(unflatten(path)) != path {
				t.Fatalf("the component %s is what no path flattens to", path)
			}
		}
		if len(text) == length {
			return
		}
		for i := range len(alphabet) {
			try(append(text, alphabet[i]))
		}
	}
	try(make([]byte, 0, length))
	if paths < 1000 {
		t.Fatalf("only %d paths were tried", paths)
	}
}
