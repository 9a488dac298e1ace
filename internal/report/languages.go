package report

import "github.com/imageferry/ferry/internal/request"

// languages returns all languages, the default first.
var languages = []*language{english, chinese}

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
		for _, l := range languages {
			if l.tag == tag {
				return l
			}
		}
	}
	return languages[0]
}
