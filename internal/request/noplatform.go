package request

import "strings"

// denyPlatforms removes the platforms that a sentence does not want from its readings:
// "arm64 only, no amd64 needed", "x86 的不用".
func (s *sentence) denyPlatforms() {
	var list []int  // the platforms that the next verb may be said of
	denied := false // by a word in front of the list
	end := 0        // the offset behind the last platform
	for i, t := range s.toks {
		if !s.isPlatform(i) {
			continue
		}
		before := strings.Trim(s.said[end:t.at], " \"'`*/+&.")
		behind, last := s.upToPlatform(i)
		if end == 0 || before != "" && before != "," && !joins.has(before) {
			list, denied = nil, isNoPlatform(before)
		} else if verb := strings.Trim(behind, " `."); before == "," && verb != "" && !joins.has(verb) {
			denied = false // "no arm64, amd64 is enough"
			if !strings.HasPrefix(verb, "都") {
				list = nil
			}
		}
		list = append(list, i)
		if last && isExcluded(platformNouns.without(behind), 0, 0) {
			for _, n := range list {
				s.reads[n].platforms = nil // "arm64 和 s390x 都不要"
			}
		}
		if denied {
			s.reads[i].platforms = nil
		}
		end = t.end()
	}
}

// isPlatform reports whether the word at an index is a platform, and not an image for
// one.
func (s *sentence) isPlatform(i int) bool {
	return len(s.reads[i].platforms) > 0 && len(s.reads[i].images) == 0
}

// upToPlatform returns what is said behind the platform at an index, up to the next one
// or a mark, and whether it is not in front of another platform.
func (s *sentence) upToPlatform(i int) (said string, last bool) {
	for n := i + 1; n < len(s.toks); n++ {
		platform := len(s.reads[n].platforms) > 0
		if platform || s.toks[n].kind == separator {
			return s.said[s.toks[i].end():s.toks[n].at], !platform
		}
	}
	return s.behind(i), true
}

// isNoPlatform reports whether the words in front of a platform deny it.
func isNoPlatform(before string) bool {
	_, no := noPlatform.cut(before)
	return no || isExcluded(before, len(before), len(before))
}

// noPlatform are words before a platform that is not wanted, platformNouns those
// between it and a verb behind it.
var (
	noPlatform    = endings{list: "noPlatform"}
	platformNouns = phrases{list: "platformNouns"}
)
