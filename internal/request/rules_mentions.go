package request

import (
	"slices"
)

// Rules for texts, and clauses of them, that only mention images.

// questionsThatAsk: "Any chance of getting a/b:1 in there?"
func questionsThatAsk(e *evidence) {
	if !e.asks() {
		return
	}
	for _, c := range e.with(asked) {
		if c.place == inQuestion && c.strength >= path {
			c.judge(taken, "bid")
		}
	}
}

// asks reports whether the text as a whole, and a sentence or the wording, asks for
// images.
func (e *evidence) asks() bool {
	return e.isRequest() && (e.wanted() || e.wording > 0)
}

// mention: "We run a/b:1, and the dashboard is empty since the last update".
func mention(e *evidence) {
	sum := e.score()
	if sum >= requests {
		return
	}
	troubled := (e.lacks() || e.fails() || e.question()) && !e.any((*candidate).isDone)
	for _, c := range slices.Concat(e.with(taken), e.with(guessed), e.with(asked)) {
		verdict := dropped
		if e.mayAskFor(c, sum, troubled) {
			verdict = asked
		}
		c.judge(verdict, "mention")
	}
	if len(e.with(asked)) == 0 {
		e.title.flaws, e.body.flaws = nil, nil // nothing is requested that could lack something
	}
}

// mayAskFor reports whether a text with too small a score may still ask for an image.
// troubled tells that it is about something that does not work.
func (e *evidence) mayAskFor(c *candidate, sum int, troubled bool) bool {
	open := sum > mentions
	switch {
	case c.wished && e.body.desire && e.body.question: // "We would like to have a/b:1, is that possible?"
		return true
	case c.wished && e.body.wanted && sum > hopeless:
		return true
	case open && c.strength >= tagged && !c.lacksTag():
		return true
	case open || troubled && sum > hopeless:
		return c.place == inLog || e.body.pulls && (c.place == inCommand || c.place == inSpoken)
	}
	return false
}

// onlyMention: "Someone needs a/b" above "please put it on the mirror". A text that is
// certainly a request needs no sentence that asks.
func onlyMention(e *evidence) {
	if e.isFlawed() || len(e.with(asked)) > 0 || e.any((*candidate).mayCount) {
		return // it names something else
	}
	score, asks := e.score(), e.wanted()
	others := e.any(func(c *candidate) bool { return c.strength >= tagged && !c.isMentioned() })
	if score <= requests || !asks && (score < certainly || others) {
		return
	}
	free := asks || len(e.body.apart)+len(e.body.mentioned)+len(e.body.versions) == 0
	if !takeMentioned(e.body.with(dropped), free) && free && !others {
		takeMentioned(e.title.with(dropped), true)
	}
}

// takeMentioned takes the images that were dropped as words of a sentence, without a tag
// only if they are free to have none, and reports whether there are any.
func takeMentioned(all []*candidate, free bool) (found bool) {
	for _, c := range all {
		if c.isMentioned() && c.strength >= path && (free || !c.lacksTag()) {
			c.judge(taken, "only-mention")
			found = true
		}
	}
	return found
}

// isMentioned reports whether a candidate was dropped as a word of a sentence, and no rule
// applied to it.
func (c *candidate) isMentioned() bool {
	return c.verdict == dropped && c.place == inSentence && len(c.reasons) == 0
}

// asides: "In the lab we had a/b:1." above "What we need: a/c:2", and "a/b:1 is
// gone" beside "a/c:2".
func asides(e *evidence) {
	wanted := e.with(taken)
	for _, c := range wanted {
		// The tags of one image, "a/b in 1.2 and 1.3", stand at one place.
		isOther := func(o *candidate) bool { return o.isPlain() && (o.line != c.line || o.at != c.at) }
		if c.doubted && slices.ContainsFunc(wanted, isOther) {
			c.judge(dropped, "aside")
		}
	}
	all := e.body.with(taken)
	isMeant := func(c *candidate) bool { return c.isPlain() && (c.isListed() || c.isSpoken() && c.asks) }
	if !slices.ContainsFunc(all, isMeant) {
		return
	}
	for _, c := range all {
		if c.isSpoken() && !c.asks && !c.opens {
			c.judge(dropped, "aside")
		}
	}
}

// isPlain reports whether a candidate is certainly an image with its tag, and nothing
// beside it says that it is not meant.
func (c *candidate) isPlain() bool { return c.strength >= path && !c.lacksTag() && !c.doubted }
