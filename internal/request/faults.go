package request

import "strings"

// Versions that a text says something bad of, or thanks for, while it asks for
// another one of the same image.

// faultWords are words of clauses about such a version, and about one to be left as
// it is.
var faultWords = phrases{list: "faultWords"}

// isFaulty reports whether a clause, in lower case, says that a version does not work,
// is in use or is to be left as it is. It neither asks for anything nor says that the
// version cannot be pulled, which is why people ask for it.
func isFaulty(clause string) bool {
	return faultWords.in(clause) && !asksForAny(clause) && !fetching.in(hostsOfNames.without(clause))
}

// asksForAny reports whether a clause, in lower case, asks for something.
func asksForAny(clause string) bool { return isPolite(clause) || hasWish(clause) }

// asksForAnother reports whether a clause asks for something instead of what others tell.
func asksForAnother(clause string) bool {
	return asksForAny(clause) && !isAddition(clause) && !conjunctions.starts(strings.TrimLeft(clause, " "))
}

// commaEnd is partEnd for the clauses between commas. One inside a list of words
// without spaces ends nothing.
func commaEnd(said string, from int) int {
	for i := from; i < len(said); i++ {
		if isPartEnd(said, from, i) || said[i] == ',' && i+1 < len(said) && !isAlnum(said[i+1]) {
			return i + 1
		}
	}
	return len(said)
}

// markFaulty marks the words of a line, in lower case, with a version in a faulty
// clause, and the version that another clause asks for.
func markFaulty(toks []token, said string) {
	if !faultWords.in(said) {
		return
	}
	var faulty []int
	wanted := -1
	for i, from := 0, 0; from < len(said); {
		next := commaEnd(said, from)
		clause := said[from:next]
		bad, asks := isFaulty(clause), asksForAnother(clause)
		for ; i < len(toks) && toks[i].at < next; i++ {
			word := trimWord(toks[i].text)
			if _, tag := cutTag(word); toks[i].kind != asciiWord || !isVersion(word) && !isVersion(tag) || len(faulty) == maxUses {
				continue
			}
			if bad {
				faulty = append(faulty, i)
			} else if asks && isVersion(word) && strings.ContainsAny(word, ".-v") {
				wanted = i
			}
		}
		from = next
	}
	if wanted < 0 {
		return
	}
	newer := trimWord(toks[wanted].text)
	for _, i := range faulty {
		if word := trimWord(toks[i].text); word != newer && !strings.HasSuffix(word, ":"+newer) {
			toks[i].faulty, toks[wanted].wanted = true, true
		}
	}
}

// noteFaults notes which candidates of a line, in lower case, are in a faulty clause.
func noteFaults(all []candidate, said string) {
	if len(all) == 0 || !faultWords.in(said) {
		return
	}
	for n, from := 0, 0; n < len(all) && from < len(said); {
		next := commaEnd(said, from)
		bad := isFaulty(said[from:next])
		for ; n < len(all) && all[n].at < next; n++ {
			all[n].faulty = bad && !all[n].leads
		}
		from = next
	}
}
