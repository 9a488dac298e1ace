package request

import "strings"

// announcements are the words directly before an image in messages of kubelet,
// containerd, Docker and kubeadm.
const announcements = wordList("announcements")

// announcedBy finds all of them in one pass.
var announcedBy = phrases{list: announcements}

// doneWords say that an image exists or was pulled.
var doneWords = phrases{list: "doneWords"}

// noise are pieces of log lines without an image.
var noise = phrases{list: "noise"}

// logRoots are words of which every announcement and all noise contain one.
var logRoots = phrases{list: "logRoots"}

// readLogs reads lines of logs, events and error messages. If a line announces
// an image, that image counts and the rest of the line does not.
func (s *scan) readLogs() {
	const fewest = 16 // bytes of such a line
	s.rest(func(i int, l *line) {
		switch {
		case len(l.text) < fewest:
		case i > 0 && strings.HasPrefix(s.lines[i-1].text, "Status: ") && !strings.Contains(l.text, " "):
			s.offer(l, 0, s.readWord(l.text), inLogDone) // the last line of "docker pull"
			s.taken[i] = true
		case s.readTicked(i, l):
		default:
			s.taken[i] = s.readLog(l)
		}
	})
}

// readLog reads a line that may be one of a log, and reports whether it is one.
func (s *scan) readLog(l *line) bool {
	text := strings.ReplaceAll(l.text, `\"`, `"`)
	said := lower(text)
	if !logRoots.in(said) {
		return false
	}
	if r, at := s.announcedIn(text, said); at >= 0 {
		if isQuestion(said) && !isPolite(said) {
			return false
		}
		where := inLog
		if doneWords.in(said) {
			where = inLogDone
		}
		s.offer(l, at, r, where)
		return true
	}
	if r := s.manifestRead(text, said); len(r.images) > 0 {
		s.offer(l, strings.Index(said, readingManifest), r, inLog)
		return true
	}
	switch {
	case !noise.in(said):
		return false
	case l.number == 0 && strings.HasPrefix(said, "docker pull "), isChinese(text), strings.Contains(said, "please"):
		return false // a wish with the text of a log in it
	}
	s.readManifestLinks(l, text)
	return true
}

// announcedIn returns the image that a line, also given in lower case, announces, and the
// offset of the announcement; -1 if it announces none.
func (s *scan) announcedIn(text, said string) (r reading, at int) {
	if !announcedBy.in(said) {
		return reading{}, -1
	}
	for _, announcement := range announcements.words() {
		at := strings.Index(said, announcement)
		if at < 0 {
			continue
		}
		rest := text[at+len(strings.TrimSuffix(announcement, `"`)):]
		if r := s.announced(rest); r.isImage(path) || r.strength >= bare && quoted(rest) {
			return r, at
		}
	}
	return reading{}, -1
}

// readingManifest is in front of the tag and the name of an image in errors of
// containers/image and of Cloud Foundry: "reading manifest 1.2 in docker.io/a/b: …".
const readingManifest = "reading manifest "

// manifestRead reads a line, also given in lower case, with such an error.
func (s *scan) manifestRead(text, words string) reading {
	at := strings.Index(words, readingManifest)
	if at < 0 || len(text) != len(words) {
		return reading{}
	}
	tag, rest, _ := strings.Cut(text[at+len(readingManifest):], " ")
	name, said := strings.CutPrefix(rest, "in ")
	if name, _, _ = strings.Cut(name, " "); !said || len(name)+len(tag) > maxWord || !isTag(tag) {
		return reading{}
	}
	return s.readWord(strings.TrimRight(name, ":,") + ":" + tag)
}

// readTicked reads a line that reports what "docker compose pull" has pulled, and
// reports whether it is one.
func (s *scan) readTicked(i int, l *line) bool {
	text := strings.TrimLeft(l.text, " ")
	if !strings.HasPrefix(text, "✔ ") && !strings.HasPrefix(text, "✅ ") {
		return false
	}
	for _, word := range strings.Fields(text) {
		if r := s.readWord(word); r.strength >= tagged && len(r.images) > 0 {
			s.offer(l, max(0, strings.Index(l.text, word)), r, inLogDone)
			s.taken[i] = true
		}
	}
	return true
}

// announces reports whether a line, in lower case, is a log line with an image.
func announces(words string) bool {
	return announcedBy.in(words)
}

// readManifestLinks reads addresses of manifests in error messages.
func (s *scan) readManifestLinks(l *line, text string) {
	if !strings.Contains(text, "/manifests/") {
		return
	}
	for _, t := range tokens(text) {
		if strings.Contains(t.text, "/manifests/") && strings.Contains(t.text, "://") {
			s.offer(l, t.at, s.readWord(t.text), inLogLink)
		}
	}
}

// announced reads the first word of text, which must be quoted or unambiguous.
func (s *scan) announced(text string) reading {
	text = strings.TrimLeft(text, " ")
	if text == "" {
		return reading{}
	}
	if c := text[0]; c == '"' || c == '\'' || c == '`' {
		inside, _, ok := strings.Cut(text[1:], string(c))
		if !ok || len(inside) > maxWord {
			return reading{}
		}
		return s.readWord(inside)
	}
	word, _, _ := strings.Cut(strings.TrimPrefix(text, "docker://"), " ")
	if len(word) > maxWord || strings.Contains(word, "://") {
		return reading{}
	}
	return s.readWord(strings.TrimRight(word, ":,"))
}

func quoted(text string) bool {
	text = strings.TrimLeft(text, " ")
	return text != "" && strings.IndexByte("\"'`", text[0]) >= 0
}
