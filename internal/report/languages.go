package report

import "github.com/imageferry/ferry/internal/request"

// languages are all languages, the default first.
func languages() []*language { return []*language{english(), chinese()} }

// speak picks the language that is configured, or that of the request, or that
// of the owner if the request tells none.
func speak(tag string, r request.Request, owners string) *language {
	told := ""
	switch {
	case r.Chinese:
		told = "zh"
	case r.English:
		told = "en"
	}
	for _, tag := range []string{tag, told, owners} {
		for _, l := range languages() {
			if l.tag == tag {
				return l
			}
		}
	}
	return languages()[0]
}
