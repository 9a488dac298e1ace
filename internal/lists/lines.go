package lists

import (
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/selection"
)

// maxSentences limits the lines that are parsed as requests, which takes
// longer.
const maxSentences = 5000

// lines reads a list of lines.
func (r *reader) lines(text string) {
	sentences := 0
	for i, line := range strings.Split(text, "\n") {
		n := i + 1
		line = uncomment(line)
		if line == "" {
			continue
		}
		if r.full {
			return
		}
		if r.image(n, line) {
			continue
		}
		if sentences++; sentences > maxSentences {
			r.fault(n, "is not an image", `write REPOSITORY:TAG, or start a comment with "#"`)
			continue
		}
		r.sentence(n, line)
	}
}

// uncomment returns a line without its comment and its bullet, with full-width
// characters replaced by ASCII.
func uncomment(line string) string {
	line = strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			return r - '！' + '!'
		case r == '　' || r == '\t' || r == '\u00a0' || r == '\r' || r == '\n':
			return ' '
		case r == '，' || r == '、':
			return ','
		case r == '\u200b' || r == '\ufeff':
			return -1
		}
		return r
	}, line)
	if strings.HasPrefix(strings.TrimSpace(line), "#") {
		return ""
	}
	if at := strings.Index(line, " #"); at >= 0 {
		line = line[:at]
	}
	line = strings.TrimSpace(line)
	return strings.TrimSpace(strings.TrimPrefix(line, "- "))
}

// image reads a line, or an image of images.yaml, that starts with a
// repository:
//
//	REPOSITORY[:SELECTION][@DIGEST] [WORDS] [PLATFORMS] [immutable] [keep-old] [-> NAME[:TAG]]
//
// It reports false, without a fault, if the line has another form.
func (r *reader) image(n int, line string) bool {
	if len(line) > maxLine {
		r.fault(n, fmt.Sprintf("has %d bytes; the limit is %d", len(line), maxLine), "")
		return true
	}
	line, as, renamed := cutName(line)
	e := Entry{Line: n}
	words, ok := r.options(n, strings.Fields(line), &e)
	if !ok || len(words) == 0 {
		return !ok
	}
	if !renamed && r.upstream(n, words, e.Platforms) {
		return true
	}
	name, tag, digest := split(words[0])
	if len(words) > 1 && !strings.ContainsAny(words[0], "/:@.") && !isWord(words[1]) {
		return false // a sentence
	}
	if !repositoryLike(name) || strings.HasSuffix(words[0], ":") || strings.HasPrefix(tag, "//") {
		return false
	}
	rest := make([]string, 0, len(words))
	for _, word := range words[1:] {
		p, isPlatforms := platforms(word)
		switch {
		case isPlatforms:
			e.Platforms = append(e.Platforms, p...)
		case word == wordImmutable:
			e.Immutable = &anyTag
		case word == wordKeepOld:
			e.KeepOld = true
		default:
			rest = append(rest, word)
		}
	}
	if e.Source, ok = r.repository(n, name); !ok {
		return true
	}
	if digest != "" {
		if e.Digest, ok = r.digest(n, digest); !ok {
			return true
		}
	}
	if digest == "" || tag != "" {
		s, err := selection.Parse(tag, rest)
		if err != nil {
			r.fault(n, err.Error(), "")
			return true
		}
		e.Tags = s
	} else if len(rest) > 0 {
		r.fault(n, fmt.Sprintf("has a digest and %q", rest[0]), "a digest names one image")
		return true
	}
	tags, named := e.Tags.Named()
	if e.Digest != (v1.Hash{}) && tag != "" && len(tags) != 1 {
		r.fault(n, "has a digest and a selection of tags", "a digest names one image")
		return true
	}
	if renamed && !r.rename(n, &e, as, named && len(tags) == 1 || tag == "" && digest != "") {
		return true
	}
	r.add(e)
	return true
}

// options takes the platforms of "--platform" out of the words. It reports
// false if one is invalid.
func (r *reader) options(n int, words []string, e *Entry) (rest []string, ok bool) {
	ok = true
	for i := 0; i < len(words); i++ {
		value, found := strings.CutPrefix(words[i], "--platform")
		if !found {
			rest = append(rest, words[i])
			continue
		}
		if value == "" && i+1 < len(words) {
			i++
			value = words[i]
		}
		more, valid := r.platform(n, []string{strings.TrimPrefix(value, "=")})
		e.Platforms = append(e.Platforms, more...)
		ok = ok && valid
	}
	return rest, ok
}

// cutName cuts "-> name:tag" off a line.
func cutName(line string) (rest, name string, ok bool) {
	for _, arrow := range []string{" -> ", " => ", " → "} {
		if before, after, found := strings.Cut(line+" ", arrow); found {
			return before, strings.TrimSpace(after), true
		}
	}
	return line, "", false
}

// rename gives the entry its own mirror name. If single is set, the entry is
// one image, and the name may have a tag.
func (r *reader) rename(n int, e *Entry, name string, single bool) bool {
	read := request.Parse(request.Input{Body: "quay.io/a/b:tag -> " + name})
	if len(read.Images) != 1 || read.Images[0].As == (request.Alias{}) || len(read.Problems) > 0 || strings.Contains(name, " ") {
		r.fault(n, fmt.Sprintf("has %s, which is not a name for a mirror", quote(name)), "write name or name:tag, in lower case")
		return false
	}
	e.As = read.Images[0].As
	if e.As.Tag != "" && !single {
		r.fault(n, fmt.Sprintf("gives the name %s to several tags", quote(name)), "leave out the tag of the name")
		return false
	}
	return true
}

// The words after an image that do not select.
const (
	wordImmutable = "immutable"
	wordKeepOld   = "keep-old"
)

var anyTag = selection.AnyTag()

// split takes apart the first word of a line. It does not take a port for a
// tag.
func split(word string) (name, tag, digest string) {
	if at := strings.Index(word, "@"); at >= 0 && !strings.Contains(word[:at], ":/") {
		word, digest = word[:at], word[at+1:]
	}
	at := strings.IndexByte(word, ':')
	if at < 0 {
		return word, "", digest
	}
	port := word[at+1:]
	if slash := strings.IndexByte(port, '/'); slash > 0 && strings.Trim(port[:slash], "0123456789") == "" {
		next := strings.IndexByte(port[slash:], ':')
		if next < 0 {
			return word, "", digest
		}
		at += 1 + slash + next
	}
	return word[:at], word[at+1:], digest
}

// repositoryLike reports whether a text looks like a repository, valid or not.
func repositoryLike(text string) bool {
	return text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:") == "" && !strings.HasPrefix(text, "-")
}

// isWord reports whether a word can follow the name of an image.
func isWord(word string) bool {
	_, ok := platforms(word)
	return ok || word == wordImmutable || word == wordKeepOld || selection.IsWord(word)
}

// sentence reads a line in any other form, as a request.
func (r *reader) sentence(n int, line string) {
	read := request.Parse(request.Input{Body: line})
	for _, p := range read.Problems {
		cure := ""
		if p.Suggestion != "" {
			cure = fmt.Sprintf("did you mean %q?", p.Suggestion)
		}
		r.fault(n, fmt.Sprintf("has %s, which cannot be read (%s)", quote(p.Written), p.Code), cure)
	}
	if len(read.Images) == 0 && len(read.Problems) == 0 {
		r.fault(n, fmt.Sprintf("is %s, which is not an image", quote(line)), `write REPOSITORY:TAG, or start a comment with "#"`)
	}
	for _, image := range read.Images {
		r.add(entryOf(n, image))
	}
}
