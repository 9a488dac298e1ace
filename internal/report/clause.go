package report

import (
	_ "embed"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/imageferry/ferry/internal/texts"
)

//go:embed texts/clauses.zh.json
var clausesInChinese string

// chineseClauses returns the texts of faults and of mistakes in a command line, as
// config and cli write them, in English and in Chinese. {} stands for what is known
// only when the program runs; in Chinese it is {1}, {2} and so on, and may be a
// clause in turn. Of two that fit a text the first is taken, so that those that fit
// many are at the end.
var chineseClauses = sync.OnceValue(func() *[][2]string {
	all := new([][2]string)
	_ = texts.Decode(clausesInChinese, all)
	return all
})

// clause says in the language what another room says in English. A text that
// there is no clause for stays as it is.
func (l *language) clause(text string) string {
	if l.tag == "zh" {
		return translated(*chineseClauses(), text)
	}
	return text
}

func translated(clauses [][2]string, text string) string {
	for _, c := range clauses {
		if c[0] == text {
			return c[1]
		}
		before, behind, gap := strings.Cut(c[0], "{}")
		behind = behind[strings.LastIndexByte(behind, '}')+1:]
		if !gap || !strings.HasPrefix(text, before) || !strings.HasSuffix(text, behind) {
			continue // before an expression is compiled, which takes longer
		}
		pattern := strings.ReplaceAll(regexp.QuoteMeta(c[0]), `\{\}`, "(.+?)")
		values := regexp.MustCompile("(?s)^" + pattern + "$").FindStringSubmatch(text)
		if values == nil {
			continue
		}
		var pairs []string
		for i, value := range values[1:] {
			pairs = append(pairs, "{"+strconv.Itoa(i+1)+"}", translated(clauses, value))
		}
		return strings.NewReplacer(pairs...).Replace(c[1])
	}
	return text
}
