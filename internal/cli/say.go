package cli

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"sync"

	"github.com/imageferry/ferry/internal/texts"
	"github.com/imageferry/ferry/internal/wiring"
)

// saying is a format of say in a table.
type saying string

// say writes text of results or of the progress in the language of the output.
// The formats are those of package fmt.
func say(env wiring.Env, w io.Writer, format string, args ...any) {
	fmt.Fprintf(w, translator(language(env))(format), args...)
}

//go:embed texts/zh.json
var messages string

// inChinese returns what this room says besides the help in Chinese, by the English
// texts.
var inChinese = sync.OnceValue(func() *map[string]string {
	all := new(map[string]string)
	_ = texts.Decode(messages, all)
	return all
})

// translator returns the function that translates to a language, "zh" or "en". A
// text without a translation stays in English.
func translator(language string) func(string) string {
	if language != "zh" {
		return func(text string) string { return text }
	}
	return func(text string) string { return cmp.Or((*inChinese())[text], text) }
}
