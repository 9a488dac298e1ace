package selection

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/imageferry/ferry/internal/pattern"
)

// maxPattern is the maximum length of a regular expression, in bytes. Matching
// with RE2 takes time linear in the lengths of the tag and of the pattern.
const maxPattern = 1000

// Pattern matches tags: one tag, a glob or a regular expression.
type Pattern struct {
	exact, glob string
	expression  *regexp.Regexp
}

// Exactly returns the pattern of one tag.
func Exactly(tag string) Pattern { return Pattern{exact: tag} }

// AnyTag returns the pattern of all tags.
func AnyTag() Pattern { return Pattern{glob: "*"} }

// ParseGlob parses a pattern of "*", "?" and "[a-z]" for the whole tag; a text
// without any of these is a tag. The error is a clause.
func ParseGlob(text string) (Pattern, error) {
	switch {
	case len(text) > maxPattern:
		return Pattern{}, fmt.Errorf("has %d bytes; the limit is %d", len(text), maxPattern)
	case !strings.ContainsAny(text, `*?[\`):
		return Pattern{exact: text}, nil
	}
	if _, err := path.Match(text, ""); err != nil {
		return Pattern{}, errors.New("is not a pattern of *, ? and [a-z]")
	}
	return Pattern{glob: text}, nil
}

// ParseRegexp parses a regular expression in RE2's syntax, which matches
// anywhere in a tag unless it has "^" and "$". The error is a clause.
func ParseRegexp(text string) (Pattern, error) {
	if len(text) > maxPattern {
		return Pattern{}, fmt.Errorf("has %d bytes; the limit is %d", len(text), maxPattern)
	}
	expression, err := regexp.Compile(text)
	if err != nil {
		reason, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "error parsing regexp: "), ": `")
		return Pattern{}, fmt.Errorf("is not a regular expression: %s", reason)
	}
	return Pattern{expression: expression}, nil
}

// Matches reports whether the pattern matches a tag.
func (p Pattern) Matches(tag string) bool {
	switch {
	case p.expression != nil:
		return p.expression.MatchString(tag)
	case p.glob != "":
		ok, err := path.Match(p.glob, tag)
		return ok && err == nil
	}
	return p.exact == tag
}

// Literal returns the tag that the author of a pattern means if the pattern has the form
// of one: in a regular expression such as "^1.27$", a full stop between letters or digits
// stands for itself.
func (p Pattern) Literal() (tag string, ok bool) {
	if p.expression == nil {
		return p.exact, p.glob == ""
	}
	text, begins := strings.CutPrefix(p.expression.String(), "^")
	text, ends := strings.CutSuffix(text, "$")
	text = strings.NewReplacer(`\.`, ".", `\-`, "-").Replace(text)
	return text, begins && ends && literals.MatchString(text)
}

// literals are tags of letters and digits with single marks between them.
var literals = &pattern.Regexp{Text: `^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$`}
