package report

import (
	_ "embed"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/texts"
)

//go:embed texts/zh.json
var textsInChinese string

// chinese returns the Chinese language.
var chinese = sync.OnceValue(func() *language {
	l := &language{tag: "zh", zone: time.FixedZone("CST", 8*60*60)}
	_ = texts.Decode(textsInChinese, l)
	return l
})

// languages returns all languages, the default first.
func languages() []*language { return []*language{english, chinese()} }

// speak returns the configured language, else that of the request, else that of
// the owner.
func speak(tag string, r request.Request, owners string) *language {
	told := ""
	switch {
	case r.Chinese:
		told = "zh"
	case r.English:
		told = "en"
	}
	for _, tag := range []string{tag, told, owners} {
		switch tag {
		case "en":
			return english
		case "zh":
			return chinese()
		}
	}
	return english
}
