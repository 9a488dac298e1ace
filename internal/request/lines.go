package request

import (
	"slices"
	"strings"
)

// cutExcerpts empties the numbered lines of a Dockerfile that a failed build
// shows around the fault, marked with ">>>". The message itself names the image.
func cutExcerpts(lines []line) {
	if !slices.ContainsFunc(lines, func(l line) bool { return strings.Contains(l.text, " | >>> ") }) {
		return
	}
	for i, l := range lines {
		if number, _, ok := strings.Cut(strings.TrimLeft(l.text, " "), " |"); ok && isDigits(number) {
			lines[i].text = ""
		}
	}
}

// cutManifests empties what "docker buildx imagetools inspect" lists below
// "Manifests:", which are the parts of the image above.
func cutManifests(lines []line) {
	typed, inside := false, false
	for i, l := range lines {
		switch text := strings.TrimSpace(l.text); {
		case strings.HasPrefix(text, "MediaType:"):
			typed = true
		case text == "Manifests:":
			inside = typed
		case inside && text != "" && l.indent() == 0:
			inside = false
		case inside:
			lines[i].text = ""
		}
	}
}
