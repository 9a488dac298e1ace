package report

import (
	"regexp"
	"strconv"
	"strings"
)

// clause is a text of a fault of the configuration, as config writes it, in
// English, and in another language. {} stands for what is known only when the
// program runs; {1}, {2} and so on for the same in the other language, where {} in
// turn may be a clause.
type clause struct{ english, words string }

// fault says in the language what config says in English. What no clause is for
// stays as it is.
func (l *language) fault(text string) string { return translate(l.clauses(), text) }

func translate(clauses []clause, text string) string {
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
			pairs = append(pairs, "{"+strconv.Itoa(i+1)+"}", translate(clauses, value))
		}
		return strings.NewReplacer(pairs...).Replace(c.words)
	}
	return text
}
