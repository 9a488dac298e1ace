package report

// languages are all languages, the default first.
func languages() []*language { return []*language{english(), chinese()} }

// speak picks the language that the owner asked for, or that of the request.
func speak(tag string, chineseRequest bool) *language {
	for _, l := range languages() {
		if l.tag == tag {
			return l
		}
	}
	if chineseRequest {
		return chinese()
	}
	return english()
}
