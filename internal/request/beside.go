package request

import (
	_ "embed"
	"math"
	"slices"
	"strings"
	"sync"
)

// Where a text names several images, the words beside each of them say which ones it
// asks for: "quay.io/a/b:1 is there since May, quay.io/a/c:2 is missing". These words
// are the marks of an image. Each has a weight, positive if images that are not asked
// for have it more often than the others of their text. The weights were learned from
// the texts of testdata/corpus by logistic regression; TestBeside does that.

// besideFile has the form of wordingFile.
//
//go:embed texts/beside.json
var besideFile string

const (
	// maxBeside limits the images whose words are weighed: a text with more is a list.
	maxBeside = 64
	// maxBesideText is how many bytes count on each side of an image.
	maxBesideText = 200
	// maxAskedFor is the weight up to which an image is asked for.
	maxAskedFor = 15
	// sharedBeside is how much the mean weight of the other images counts against
	// that of one.
	sharedBeside = 0.5
)

var besideWeights = sync.OnceValue(func() *map[string]int { return readWeights(besideFile) })

// unwantedBeside drops the images that are not asked for by the words beside them, unless
// none would be left. Lines that have to name an image keep theirs.
func unwantedBeside(e *evidence) {
	all := e.compared()
	if all == nil || !e.isRequest() {
		return
	}
	weights, keeps := weighBeside(all), false
	for i, w := range weights { // one that has the tag of another one says nothing against that
		keeps = keeps || w <= maxAskedFor && all[i].verdict == taken && !(all[i].place == inSentence && all[i].strength == path && all[i].judgedBy("apart-tag"))
	}
	for i, c := range all {
		if keeps && weights[i] > maxAskedFor && c.verdict == taken && !e.body.listed[c.line] {
			c.judge(dropped, "beside")
		}
	}
}

// compared returns the candidates of the body whose words are compared, whether they
// are taken or not; nil if there are fewer than two, or too many.
func (e *evidence) compared() (all []*candidate) {
	for i := range e.body.candidates {
		if c := &e.body.candidates[i]; c.isComparable() {
			all = append(all, c)
		}
		if len(all) > maxBeside {
			return nil
		}
	}
	if len(all) < 2 {
		return nil
	}
	return all
}

// isComparable reports whether people write about an image in its place.
func (c *candidate) isComparable() bool {
	switch c.place {
	case inExclusion:
		return c.strength >= path
	case inFrom, inCopyFrom:
		return false
	}
	return c.strength >= path && c.place.needs != never
}

// weighBeside returns the weights of what stands beside each of several candidates.
func weighBeside(all []*candidate) []float64 {
	table, own, sum := *besideWeights(), make([]float64, len(all)), 0.0
	for i := range all {
		tenths, marks := 0, besideMarks(all, i)
		for _, mark := range marks {
			tenths += table[mark]
		}
		own[i] = float64(tenths) / 10 * shareOfMark(len(marks))
		sum += own[i]
	}
	weights := make([]float64, len(all))
	for i, w := range own {
		others := (sum - w) / float64(len(all)-1)
		weights[i] = math.Round(float64(table[""])/10 + w - sharedBeside*others)
	}
	return weights
}

// besideMarks returns the marks of one of several candidates: its place, whether an
// older or a newer version is named, and the words before it, behind it and on either
// side with their pairs.
func besideMarks(all []*candidate, i int) []string {
	const little = 12 // bytes that hardly say anything
	c := all[i]
	marks := []string{"place " + c.place.name}
	if len(c.before)+len(c.behind) < little {
		marks = append(marks, "bare")
	} else {
		for k, o := range all {
			switch {
			case k == i, o.ref() == c.ref(), o.repository() != c.repository():
			case isLater(o.tag(), c.tag()):
				marks = append(marks, "newer")
			default:
				marks = append(marks, "older")
			}
		}
	}
	for _, side := range []struct{ mark, text string }{{"< ", c.before}, {"> ", c.behind}} {
		eachWord(side.text, func(word []byte) { marks = append(marks, string(word), side.mark+string(word)) })
	}
	slices.Sort(marks)
	return slices.Compact(marks)
}

// isLater reports whether a tag has greater numbers than another one.
func isLater(tag, than string) bool {
	for {
		tag, than = strings.TrimLeftFunc(tag, isNoDigit), strings.TrimLeftFunc(than, isNoDigit)
		if tag == "" || than == "" {
			return tag != ""
		}
		a, b := tag[:digitsEnd(tag)], than[:digitsEnd(than)]
		tag, than = tag[len(a):], than[len(b):]
		a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		if len(a) != len(b) || a != b {
			return len(a) > len(b) || len(a) == len(b) && a > b
		}
	}
}

func isNoDigit(r rune) bool { return r < '0' || r > '9' }

func digitsEnd(s string) int {
	end := 0
	for end < len(s) && isDigit(s[end]) {
		end++
	}
	return end
}

// noteBeside notes what stands beside the candidates of a text, which are in order.
func noteBeside(all []candidate, lines []line) {
	for i := 0; i < len(all); {
		n := i + 1
		for n < len(all) && all[n].line == all[i].line {
			n++
		}
		if at := all[i].line - lines[0].number; at < len(lines) && n-i <= maxBeside {
			said := lower(lines[at].text)
			noteSides(all[i:n], strings.ReplaceAll(said, "[x]", "   ")) // ticked as wanted or as done
		}
		i = n
	}
}

// noteSides is noteBeside for one line, in lower case. What stands beside a candidate
// reaches to the ends of its part of the sentence and to its neighbours, of which the
// one before it has what is before the last comma between them.
func noteSides(all []candidate, said string) {
	names := namesIn(said, all)
	parts := partsWith(said, names)
	for i, own := range names {
		if own.from >= 0 {
			all[i].before = textBefore(said, all, names, parts[i], i)
		}
	}
	for i := len(all) - 1; i >= 0; i-- {
		if names[i].from >= 0 {
			all[i].behind = textBehind(said, all, names, parts[i], i)
		}
	}
}

// span is a piece of a line; from is negative if there is none.
type span struct{ from, end int }

// namesIn returns where a line, in lower case, names its candidates.
func namesIn(said string, all []candidate) []span {
	names := make([]span, len(all))
	at := 0
	for i := range all {
		if i > 0 && all[i].at == all[i-1].at {
			names[i] = names[i-1]
			continue
		}
		from, end := locate(said, at, all[i].image)
		if names[i] = (span{from, end}); from >= 0 {
			at = end
		}
	}
	return names
}

// partsWith returns the part of the sentence with each name.
func partsWith(said string, names []span) []span {
	parts := make([]span, len(names))
	from, to := 0, 0
	for i, name := range names {
		for to < len(said) && to <= name.from {
			from, to = to, partEnd(said, to)
		}
		parts[i] = span{from, max(to, name.end)}
	}
	return parts
}

// textBefore returns what stands before the candidate at an index in its part of a line.
func textBefore(said string, all []candidate, names []span, part span, i int) string {
	own, begin := names[i], part.from
	if n := i - 1; n >= 0 && names[n].from >= 0 && begin < names[n].end && names[n].end <= own.from {
		between := said[names[n].end:own.from]
		if isJoint(between) {
			return all[n].before
		}
		begin = names[n].end + max(0, strings.LastIndexByte(between, ','))
	}
	return said[max(begin, own.from-maxBesideText):own.from]
}

// textBehind returns what stands behind it. That of the next candidate is known.
func textBehind(said string, all []candidate, names []span, part span, i int) string {
	own, end := names[i], part.end
	if n := i + 1; n < len(all) && own.end <= names[n].from && names[n].from < end {
		between := said[own.end:names[n].from]
		if isJoint(between) {
			return all[n].behind
		}
		end = names[n].from
		if comma := strings.LastIndexByte(between, ','); comma >= 0 {
			end = own.end + comma
		}
	}
	return said[own.end:min(end, own.end+maxBesideText)]
}

// isJoint reports whether the text between two images says the same of both.
func isJoint(between string) bool {
	const most = 12 // bytes of a conjunction
	if len(between) > 3*most {
		return false
	}
	between = strings.Trim(between, " ,`\"'*")
	return between == "" || len(between) < most && conjunctions.starts(between+" ") && !strings.Contains(between, " ")
}

// locate returns where a line, in lower case, names an image at or behind an offset:
// as it is written, by its path or by the last component of it. from is negative if it
// does not.
func locate(said string, at int, image *Image) (from, end int) {
	path := image.Reference.Repository().Path()
	_, last, _ := cutLast(path)
	for _, name := range []string{lower(image.Written), path, last} {
		k := strings.Index(said[at:], name)
		if k < 0 {
			continue
		}
		from = at + k
		end = from + len(name)
		for from > at && strings.IndexByte(" |(`:", said[from-1]) < 0 && said[from-1] < 0x80 {
			from--
		}
		for end < len(said) && continuesName(said[end:]) {
			end++
		}
		return from, end
	}
	return -1, -1
}

// continuesName reports whether a text begins with more of a reference.
func continuesName(text string) bool {
	return isAlnum(text[0]) || len(text) > 1 && strings.IndexByte(":/._-@", text[0]) >= 0 && isAlnum(text[1])
}
