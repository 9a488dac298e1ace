package request

import (
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// Verb is what a command in a comment asks for.
type Verb string

// The verbs.
const (
	Retry    Verb = "retry"    // serve the issue again
	Refresh  Verb = "refresh"  // the same, said of tags that have moved
	Platform Verb = "platform" // serve it again for these platforms
	Cancel   Verb = "cancel"   // withdraw the request
	Help     Verb = "help"     // list the commands
)

// Command is one command in a comment.
type Command struct {
	Verb      Verb
	Platforms []reference.Platform // of the verb Platform; never empty there
}

// ParseCommand reads the command that a comment consists of: "/ferry", a verb
// and what belongs to it on the first line. Whatever stands below is prose.
// Comments that do not begin so are none of Ferry's business: then ok is
// false. A command that Ferry does not know, or that lacks something, is Help.
func ParseCommand(comment string) (c Command, ok bool) {
	line, _, _ := strings.Cut(strings.TrimSpace(comment), "\n")
	words := strings.FieldsFunc(line, func(r rune) bool {
		return r == ' ' || r == '\t' || r == '\r' || r == ',' || r == '，' || r == '\u3000'
	})
	if len(words) == 0 || !strings.EqualFold(words[0], "/ferry") {
		return Command{}, false
	}
	words = words[1:]
	help := Command{Verb: Help}
	if len(words) == 0 {
		return help, true
	}
	switch verb := Verb(strings.ToLower(words[0])); verb {
	case Retry, Refresh, Cancel:
		if len(words) == 1 {
			return Command{Verb: verb}, true
		}
	case Platform, "platforms":
		c := Command{Verb: Platform}
		for _, word := range words[1:] {
			p, err := reference.ParsePlatform(word)
			if err != nil {
				return help, true
			}
			c.Platforms = append(c.Platforms, p)
		}
		if len(c.Platforms) > 0 {
			return c, true
		}
	}
	return help, true
}
