package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// platformWord reads a word that is certainly a platform: "linux/arm64",
// "arm64", "x86_64". Ambiguous words ("arm", "x64", "386") count only if a
// platform is announced (see platformValue).
func platformWord(word string) (reference.Platform, bool) {
	if len(word) > 32 {
		return reference.Platform{}, false
	}
	lower := strings.ToLower(word)
	switch lower {
	case "arm", "386", "wasm", "x64", "x86":
		return reference.Platform{}, false
	}
	p, err := reference.ParsePlatform(lower)
	return p, err == nil
}

// platformValue reads the value of a platform setting: one or several
// platforms, separated by commas or plus signs. "all" and an empty value are
// not platforms. A value that excludes some is a problem, and so is a word that is no
// platform, unless it is in brackets behind one: "amd64 (the only one)".
func platformValue(value string) (platforms []reference.Platform, problem *Problem) {
	if exceptions.in(" " + lower(value) + " ") {
		return nil, &Problem{Code: UnknownPlatform, Written: clip(value)}
	}
	value, remark, _ := strings.Cut(value, "(")
	platforms, problem = platformsIn(value)
	more, other := platformsIn(remark)
	if len(platforms) == 0 && problem == nil {
		problem = other
	}
	return addPlatform(platforms, more...), problem
}

// platformsIn returns the platforms in a text, and the last word that is none.
func platformsIn(text string) (platforms []reference.Platform, problem *Problem) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",;+& |\"'`[]()", r) }) {
		word = trimWord(word)
		if word == "" || anyPlatform.has(lower(word)) {
			continue
		}
		p, err := reference.ParsePlatform(word)
		if err != nil {
			problem = &Problem{Code: UnknownPlatform, Written: clip(word)}
			continue
		}
		platforms = addPlatform(platforms, p)
	}
	return platforms, problem
}

// anyPlatform are words of values that choose no platform.
var anyPlatform = wordSet{list: "anyPlatform"}

// exceptions are words of values that exclude platforms.
var exceptions = phrases{list: "exceptions"}

// cutPlatforms removes platforms from the end of a word: "ref|linux/arm64".
func cutPlatforms(word string) (string, []reference.Platform, *Problem) {
	name, value, ok := strings.Cut(word, "|")
	if !ok {
		return word, nil, nil
	}
	platforms, problem := platformValue(value)
	return trimWord(name), platforms, problem
}

func addPlatform(platforms []reference.Platform, more ...reference.Platform) []reference.Platform {
	for _, p := range more {
		if !slices.Contains(platforms, p) {
			platforms = append(platforms, p)
		}
	}
	return platforms
}
