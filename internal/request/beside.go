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
	if sum := e.score(); sum < requests || all == nil {
		return
	}
	weights, keeps := weighBeside(all), false
	for i, w := range weights {
		keeps = keeps || w <= maxAskedFor && all[i].verdict == taken
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
		if c := &e.body.candidates[i]; c.strength >= path && (c.place.needs != never || c.place == inExclusion) && c.place != inFrom && c.place != inCopyFrom {
			if all = append(all, c); len(all) > maxBeside {
				return nil
			}
		}
	}
	if len(all) < 2 {
		return nil
	}
	return all
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
			if ref := c.image.Reference; k != i && o.image.Reference != ref && o.image.Reference.Repository() == ref.Repository() {
				if isLater(o.image.Reference.Tag(), ref.Tag()) {
					marks = append(marks, "newer")
				} else {
					marks = append(marks, "older")
				}
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
		if at := all[i].line - lines[0].number; at < len(lines) {
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
	type span struct{ from, end int }
	spans := make([]span, len(all))
	for i, at := 0, 0; i < len(all); i++ {
		if i > 0 && all[i].at == all[i-1].at {
			spans[i] = spans[i-1]
			continue
		}
		from, end := locate(said, at, all[i].image)
		if spans[i] = (span{from, end}); from >= 0 {
			at = end
		}
	}
	ends := make([]int, len(all)) // of the part of the sentence with each
	for i, from, to := 0, 0, 0; i < len(all); i++ {
		own := spans[i]
		if own.from < 0 {
			continue
		}
		for to < len(said) && to <= own.from {
			from, to = to, partEnd(said, to)
		}
		begin := from
		ends[i] = max(to, own.end)
		if k := i - 1; k >= 0 && spans[k].from >= 0 && spans[k].end <= own.from && spans[k].end > begin {
			if between := said[spans[k].end:own.from]; isJoint(between) {
				all[i].before, begin = all[k].before, own.from
			} else {
				begin = spans[k].end + max(0, strings.LastIndexByte(between, ','))
			}
		}
		if begin < own.from {
			all[i].before = said[max(begin, own.from-maxBesideText):own.from]
		}
	}
	for i := len(all) - 1; i >= 0; i-- {
		own, next := spans[i], ends[i]
		if own.from < 0 {
			continue
		}
		if n := i + 1; n < len(all) && spans[n].from >= own.end && spans[n].from < next {
			between := said[own.end:spans[n].from]
			if isJoint(between) {
				all[i].behind = all[n].behind
				continue
			}
			next = spans[n].from
			if comma := strings.LastIndexByte(between, ','); comma >= 0 {
				next = own.end + comma
			}
		}
		all[i].behind = said[own.end:min(next, own.end+maxBesideText)]
	}
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
		for end < len(said) && (isAlnum(said[end]) || strings.IndexByte(":/._-@", said[end]) >= 0 && end+1 < len(said) && isAlnum(said[end+1])) {
			end++
		}
		return from, end
	}
	return -1, -1
}
