package request

import (
	"strings"

	"github.com/imageferry/ferry/internal/pattern"
)

// archives are words for a file with images, and the line that asks for one.
var archives = &pattern.Regexp{Text: `(?:^|[^a-z0-9._/-])tar(?:ball)?(?: file)?(?:$|[^a-z0-9._/-])|离线镜像包|离线包|镜像离线|离线镜像|離線包|離線鏡像|offline (?:archive|package|bundle|tar)|(?:^|\s)/archive(?:$|\s)`}

// archiveHints are parts of these words, which most texts do not have.
var archiveHints = phrases{list: "tar|离线|離線|offline|archive"}

// unarchived end the text before such words if no file is wanted.
var unarchived = &pattern.Regexp{Text: `(?:不要|不用|不需要|无需|不必|\bno|\bnot|\bwithout|n't|instead of|而不是)(?: (?:an?|the|as|need|want|any))*[ ]*$`}

// tarCommand matches what follows the name of the program tar.
var tarCommand = &pattern.Regexp{Text: `^ *(?:-|[cxtzjvfp]{2,} )`}

// wantsArchive reports whether a text asks for a file with the images, in
// addition to mirrors. whole is the text of the lines in lower case. It empties
// lines that have no other content, which could be taken for the second half of a
// name.
func wantsArchive(title, whole string, lines []line) bool {
	wanted := asksArchive(lower(title))
	for i := range lines {
		l := &lines[i]
		said, rest, _ := strings.Cut(whole, "\n")
		whole = rest
		wanted = wanted || !l.fenced && asksArchive(said)
		if strings.TrimSpace(l.text) == "/archive" {
			lines[i].text = ""
		}
	}
	return wanted
}

// asksArchive reports whether a line, in lower case, asks for one.
func asksArchive(text string) bool {
	if !archiveHints.in(text) {
		return false
	}
	at := archives.Compiled().FindStringIndex(text)
	if at == nil || unarchived.MatchString(text[:at[0]]) {
		return false
	}
	// The last byte can be the space before the arguments of the program.
	return !strings.HasPrefix(strings.TrimLeft(text[at[0]:], " `$(#"), "tar") || !tarCommand.MatchString(text[at[1]-1:])
}
