package report

import (
	_ "embed"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/texts"
)

var (
	//go:embed texts/en.json
	textsInEnglish string
	//go:embed texts/zh.json
	textsInChinese string
)

// chinese returns the Chinese language.
var chinese = sync.OnceValue(func() *language {
	return read(textsInChinese, language{tag: "zh", zone: time.FixedZone("CST", 8*60*60)})
})

var wholeEnglish = sync.OnceValue(func() *language { return read(textsInEnglish, *english) })

// read adds the texts of a file to a language.
func read(file string, l language) *language {
	_ = texts.Decode(file, &l)
	return &l
}

// whole returns the language with Failures and Doctor.
func (l *language) whole() *language {
	if l == english {
		return wholeEnglish()
	}
	return l
}

// adviceFor returns the words for a failure. An unknown code is described as an
// internal error.
func (l *language) adviceFor(f *failure.Error) advice {
	if f.Code == failure.NotFound && f.Side != failure.Target && f.Step == failure.ReadingBlob {
		return l.Layer
	}
	if f.Step == failure.GettingToken && (f.Code == failure.SourceRefused || f.Code == failure.TargetRefused) {
		return l.Token
	}
	for _, key := range []string{string(f.Code) + " " + string(f.Side), string(f.Code)} {
		if a, ok := l.whole().Failures.find(key); ok {
			return a
		}
	}
	return l.whole().Failures.of(string(failure.Internal))
}

// languages returns all languages as a whole, the default first.
func languages() []*language { return []*language{wholeEnglish(), chinese()} }

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
