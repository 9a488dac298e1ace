package report

import (
	"regexp"
	"strconv"
	"strings"
)

// clause is a text of a fault or of a mistake in a command line, as config and cli
// write it, in English, and the same in another language. {} stands for what is
// known only when the program runs; in words it is {1}, {2} and so on, and may be
// a clause in turn.
type clause struct{ english, words string }

// clause says in the language what another room says in English. A text that
// there is no clause for stays as it is.
func (l *language) clause(text string) string {
	if l.tag == "zh" {
		return translated(chineseClauses, text)
	}
	return text
}

func translated(clauses []clause, text string) string {
	for _, c := range clauses {
		if c.english == text {
			return c.words
		}
		if !strings.Contains(c.english, "{}") {
			continue
		}
		pattern := strings.ReplaceAll(regexp.QuoteMeta(c.english), `\{\}`, "(.+?)")
		values := regexp.MustCompile("(?s)^" + pattern + "$").FindStringSubmatch(text)
		if values == nil {
			continue
		}
		var pairs []string
		for i, value := range values[1:] {
			pairs = append(pairs, "{"+strconv.Itoa(i+1)+"}", translated(clauses, value))
		}
		return strings.NewReplacer(pairs...).Replace(c.words)
	}
	return text
}
