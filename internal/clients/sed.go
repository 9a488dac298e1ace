package clients

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// Sed returns an expression for "sed -E" that replaces the source by the mirror
// in lines that name an image, in all spellings of the source, but not in
// longer names that contain it. It is empty if there is none.
func Sed(m Mirror) string {
	if m.Beside {
		return ""
	}
	const boundary = `[^[:alnum:]._:/@-]`
	repository := m.Source.Repository()
	name := regexp.QuoteMeta(repository.Path())
	if repository.Host() == reference.DockerHub {
		if short, ok := strings.CutPrefix(name, "library/"); ok {
			name = "(library/)?" + short
		}
		name = `(docker\.io/)?` + name
	} else {
		name = regexp.QuoteMeta(repository.Host()) + "/" + name
	}
	groups := strings.Count(name, "(")
	var suffix, to string
	switch {
	case m.Source.HasDigest() && !m.Exact:
		return ""
	case m.Source.HasDigest():
		to = m.Pinned()
		if tag := m.Source.Tag(); tag != "" {
			suffix = "(:" + regexp.QuoteMeta(tag) + ")?"
			groups++
		}
		suffix += "@" + m.Source.Digest().String()
	case m.Source.Tag() == "latest":
		suffix, to = "(:latest)?", m.Name.String()
		groups++
	default:
		suffix, to = ":"+regexp.QuoteMeta(m.Source.Tag()), m.Name.String()
	}
	end := strconv.Itoa(groups + 2) // at most 5: the name has at most two groups, the suffix one
	return `/image:|FROM /s#(^|` + boundary + ")" + name + suffix + "(" + boundary + `|$)#\1` + to + `\` + end + "#g"
}
