package request

import (
	"maps"
	"os"
	"path/filepath"
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

// TestMarkedLists checks that the lists that rules look for by marks are those that
// marks tell of: another would never be found.
func TestMarkedLists(t *testing.T) {
	names := slices.Clone(markedLists.words())
	if len(names) > 64 {
		t.Errorf("%d lists", len(names))
	}
	for _, name := range names {
		if len(wordList(name).words()) < 2 {
			t.Errorf("there is no list %q", name)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	used, declared := map[string]bool{}, map[string]string{}
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(\w+) *= phrases\{list: "(\w+)"`).FindAllStringSubmatch(string(code), -1) {
			declared[m[1]] = m[2]
		}
		for _, m := range regexp.MustCompile(`\b(?:on|m)\.has\(&(\w+)\)`).FindAllStringSubmatch(string(code), -1) {
			used[m[1]] = true
		}
	}
	for variable := range used {
		if !slices.Contains(names, declared[variable]) {
			t.Errorf("%s is not in the list %q", variable, markedLists)
		}
		names = slices.DeleteFunc(names, func(name string) bool { return name == declared[variable] })
	}
	if len(names) > 0 {
		t.Errorf("no rule looks for %q", names)
	}
}
