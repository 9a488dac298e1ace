package request

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/texts"
)

// TestWordLists checks that the code names every list of words.json and no other: a
// misspelled name would be a list of one word.
func TestWordLists(t *testing.T) {
	lists := map[string][]string{}
	if err := texts.Decode(wordFile, &lists); err != nil {
		t.Fatal(err)
	}
	for name, words := range *wordLists() {
		if slices.Contains(words, "") {
			t.Errorf("the list %q has an empty word", name)
		}
	}
	for _, p := range []part{registryPart, namePart, tagPart, digestPart, platformPart, targetPart} {
		delete(lists, "label "+string(p))
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	unused, named := maps.Clone(lists), regexp.MustCompile(`(?:\blist: |wordList\()"([A-Za-z][A-Za-z -]*[A-Za-z])"`)
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") {
			continue
		}
		code, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range named.FindAllStringSubmatch(string(code), -1) {
			if lists[match[1]] == nil {
				t.Errorf("%s: words.json has no list %q", file.Name(), match[1])
			}
			delete(unused, match[1])
		}
	}
	for name := range unused {
		t.Errorf("nothing needs the list %q of words.json", name)
	}
}
