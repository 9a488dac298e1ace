package report

import (
	_ "embed"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/imageferry/ferry/internal/texts"
)

//go:embed texts/clauses.zh.po
var clausesInChinese string

// chineseClauses returns the texts of faults and of mistakes in a command line, as
// config and cli write them, in English and in Chinese. {} stands for what is known
// only when the program runs; in Chinese it is {1}, {2} and so on, and may be a
// clause in turn.
var chineseClauses = sync.OnceValue(func() []texts.Message {
	all, _ := texts.Messages(clausesInChinese) // the tests have read it
	return all
})

// clause says in the language what another room says in English. A text that
// there is no clause for stays as it is.
func (l *language) clause(text string) string {
	if l.tag == "zh" {
		return translated(chineseClauses(), text)
	}
	return text
}

func translated(clauses []texts.Message, text string) string {
	for _, c := range clauses {
		if c.ID == text {
			return c.Str
		}
		if !strings.Contains(c.ID, "{}") {
			continue
		}
		pattern := strings.ReplaceAll(regexp.QuoteMeta(c.ID), `\{\}`, "(.+?)")
		values := regexp.MustCompile("(?s)^" + pattern + "$").FindStringSubmatch(text)
		if values == nil {
			continue
		}
		var pairs []string
		for i, value := range values[1:] {
			pairs = append(pairs, "{"+strconv.Itoa(i+1)+"}", translated(clauses, value))
		}
		return strings.NewReplacer(pairs...).Replace(c.Str)
	}
	return text
}
