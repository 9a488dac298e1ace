package request

// Rules for single words.

// loneName: "nginx" above "After the last update the cluster answers with timeouts".
func loneName(e *evidence) {
	if !e.hasSubject() || e.announcesTag() {
		return
	}
	if all := e.with(taken); len(all) == 1 && all[0].isLoneName() {
		all[0].judge(asked, "lone-name")
	}
}

// announcesTag reports whether the body gives a tag without a name, or may do so.
func (e *evidence) announcesTag() bool {
	for _, tag := range e.body.apart {
		if tag.noun && tag.of == "" {
			return true
		}
	}
	return len(e.body.versions) > 0
}

// isLoneName reports whether a candidate is only the name of an official image on a line.
func (c *candidate) isLoneName() bool {
	return c.place == inLine && c.strength == official && c.lacksTag() && c.has(AssumedLibrary)
}

// guess accepts words of the title, or otherwise words on their own line. A
// word with capital letters is part of a sentence, unless it is alone.
func guess(e *evidence) {
	if !e.any(func(c *candidate) bool { return c.verdict == guessed }) {
		return
	}
	guesses, alone := e.title.with(guessed), !e.prose()
	if len(guesses) == 0 || e.body.words > talk || e.body.doubt {
		guesses, alone = e.body.with(guessed), false
	}
	needed := !e.namesMore()
	for n, c := range guesses {
		switch {
		case e.title.models || e.body.models:
			c.judge(dropped, "guess")
		case !needed || n >= MaxExpansion:
		case gluedVersion(c.bareName()) != "":
			c.judge(asked, "guess")
		case c.has(Lowered) && !alone, !isGuess(c.bareName()):
		case c.strength == bare && e.isOffTopic(c):
			c.judge(asked, "guess")
		default:
			c.complete(*c.image, Guessed)
			c.judge(taken, "guess")
		}
	}
}

// namesMore reports whether the text names something beside guesses.
func (e *evidence) namesMore() bool {
	return e.isFlawed() || len(e.with(taken))+len(e.with(asked)) > 0 || e.any((*candidate).isLeft)
}

// isOffTopic reports whether the text tells of something else, and its body names no image
// if the candidate is in the title.
func (e *evidence) isOffTopic(c *candidate) bool {
	if c.line == 0 && e.body.names() {
		return false
	}
	return e.hasSubject() || e.body.words > 0 && !e.wishing()
}
