package report

import (
	"regexp"
	"strings"
	"testing"
)

// pasted returns the lines of all shell blocks of a comment.
func pasted(comment string) []string {
	var lines []string
	inside := false
	for line := range strings.SplitSeq(comment, "\n") {
		switch {
		case line == "```sh":
			inside = true
		case strings.HasPrefix(line, "```"):
			inside = false
		case inside:
			lines = append(lines, line)
		}
	}
	return lines
}

// word matches text that a shell takes literally: no blank, quote, variable,
// pipe or glob.
const word = `[A-Za-z0-9._:/@-]+`

var commandLines = regexp.MustCompile(`^(?:` + strings.Join([]string{
	`(?:docker|podman|nerdctl|crictl|ctr -n k8s\.io images|k3s ctr images) pull (?:--platform ` + word + ` )?` + word,
	`ferry pull ` + word + ` (?:--platform ` + word + ` )?--from ` + word,
	`(?:docker|podman|nerdctl) tag ` + word + ` ` + word,
	`(?:ctr -n k8s\.io|k3s ctr) images tag --force ` + word + `(?: ` + word + `){1,2}`,
	`sudo ferry setup --front ` + word,
	`sed -E -i\.bak \\`,
	`  -e '/image:\|FROM /s#[^'#]+#[^'#]+#g' \\`,
	`  \*\.yaml`,
}, "|") + `)$`)

func TestCommandsNeedNoQuoting(t *testing.T) {
	seen := 0
	inputs := scenarios(t)
	for i, text := range hostileTexts {
		inputs["hostile text "+string(rune('A'+i))] = hostileInput(t, text)
	}
	for name, in := range inputs {
		for _, line := range pasted(Render(in).Comment) {
			seen++
			if !commandLines.MatchString(line) {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
	if seen == 0 {
		t.Error("no commands found")
	}
}
