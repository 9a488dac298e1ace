package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// weigh tells how sure a name in lower case, with tag and digest, is to be
// that of an image. It knows what else looks like one: ports, paths, dates,
// files, media types, labels of Kubernetes, source repositories.
func weigh(name, tag, digest string, hostless bool) strength {
	if digest != "" {
		return certain
	}
	components := strings.Split(name, "/")
	if !hostless {
		return weighHosted(components, tag)
	}
	switch {
	case isNumeric(components, tag), isAction(components, tag), isFileName(components, tag):
		return nothing
	case len(components) == 1:
		return weighWord(name, tag)
	case tag != "":
		return tagged
	case mediaTypes.has(components[0]) && len(components) == 2:
		return nothing
	case len(components) > 2:
		return nothing // Docker Hub has two, directories have any number
	case notPaths.has(name), folders.has(components[0]), continents.has(components[0]), isRate(components):
		return nothing
	}
	return path
}

// isNumeric reports whether a component of a name has no letter, as in "192.168.0.1",
// "1/2" and "10:30". A long number may be a namespace: people take that of their
// telephone for one.
func isNumeric(components []string, tag string) bool {
	const shortest = 5 // digits of such a number
	if len(components) > 2 || len(components) == 2 && tag != "" && !isDigits(tag) {
		return false
	}
	for i, c := range components {
		phone := i == 0 && len(components) == 2 && len(c) >= shortest && hasLetter(components[1])
		if !phone && !hasLetter(c) {
			return true
		}
	}
	return false
}

// isFileName reports whether a name is that of a file, with the number of a line or
// without: "src/main.go:12".
func isFileName(components []string, tag string) bool {
	last := components[len(components)-1]
	return (tag == "" || isDigits(tag)) && (hasFileExtension(last) || fileNames.has(last) && len(components) > 1)
}

// isRate reports whether a name of two components is a rate, "1024ki/s", or two amounts of
// bytes, "697.6mb/2gb".
func isRate(components []string) bool {
	first, last := components[0], components[1]
	return first != "" && isDigit(first[0]) && units.has(strings.TrimLeft(last, "0123456789")) || isSize(first) && isSize(last)
}

// weighWord is weigh for a name without a slash.
func weighWord(name, tag string) strength {
	isOfficial := known.IsOfficial(name)
	switch {
	case isVersion(name):
		return nothing
	case tag == "" && (len(name) < 2 || literals.has(name)):
		return nothing
	case tag != "" && (notNames.has(name) || isPort(tag) || !isOfficial && isMeasure(tag)):
		return nothing
	case tag == "" && isOfficial:
		return official
	case tag == "", !isOfficial && isModelSize(tag):
		return bare
	case isTag(tag):
		return tagged
	case isOfficial:
		return official // "node:sqlite" is a module, in a sentence
	}
	return bare
}

// isAction reports whether a name is that of an action of GitHub's workflows:
// "actions/checkout", "golangci/golangci-lint-action:v6".
func isAction(components []string, tag string) bool {
	major := tag != "" && isDigits(strings.TrimPrefix(tag, "v"))
	return components[0] == "actions" || len(components) == 2 && strings.HasSuffix(components[1], "-action") && (components[0] == "docker" || major)
}

// weighHosted is weigh for a name that begins with a host.
func weighHosted(components []string, tag string) strength {
	host := components[0]
	last := components[len(components)-1]
	switch {
	case tag == "" && isDocument(last):
		return nothing // "registry.k8s.io/images/images.yaml", a path in a repository
	case tag == "" && host == reference.DockerHub && len(components) == 2 && !known.IsOfficial(last):
		return official // more often a namespace than an image
	case known.IsRegistry(host):
		return certain
	case known.IsSite(host) || strings.HasSuffix(strings.ToLower(host), ".k8s.io") || strings.HasSuffix(strings.ToLower(host), ".kubernetes.io"):
		return nothing
	case tag != "" && isTag(tag):
		return tagged
	}
	if hasFileExtension(last) {
		return nothing
	}
	return path
}

// isDocument reports whether s is named like a file of settings or text, which
// no image is.
func isDocument(s string) bool {
	name, extension, ok := cutExtension(s)
	return ok && name != "" && documents.has(extension)
}

// documents are the extensions of such files.
var documents = wordSet{list: "yaml|yml|json|toml|md|txt|sh|lock|conf"}

// isMeasure reports whether what stands behind a colon is a port or an amount
// rather than a tag: "db:5432", "p99:120ms".
func isMeasure(tag string) bool {
	unit := strings.TrimLeft(tag, "0123456789.")
	return isPort(tag) || unit != tag && units.has(unit)
}

// isPort reports whether what stands behind a colon is a port: "redis:6379".
func isPort(tag string) bool {
	return isDigits(tag) && (len(tag) == 5 || len(tag) == 4 && !strings.HasPrefix(tag, "20"))
}

// isModelSize reports whether a tag is the size of a language model, in
// parameters: "7b", "0.5b", "8b-instruct".
func isModelSize(tag string) bool {
	size, _, _ := strings.Cut(lower(tag), "-")
	number, ok := strings.CutSuffix(size, "b")
	return ok && number != "" && strings.Trim(number, "0123456789.x") == ""
}

// literals are values of settings.
var literals = wordSet{list: "true|false|null|nil|none|yes|no|on|off"}

// folders are names of directories in repositories of source code.
var folders = wordSet{list: "folders"}

// continents begin the names of time zones: "America/Los_Angeles".
var continents = wordSet{list: "continents"}

// units are what a number is divided by in a rate: "1024Ki/s", "20r/m".
var units = wordSet{list: "units"}

// isSize reports whether s is an amount of bytes: "0b", "697.6mb", "64ki".
func isSize(s string) bool {
	number := strings.TrimRight(s, "bikmgt")
	return len(number) < len(s) && number != "" && strings.Trim(number, "0123456789.") == ""
}

// notPaths are words with a slash that are no names.
var notPaths = wordSet{list: "notPaths"}

// mediaTypes are the first halves of "application/json" and its like.
var mediaTypes = wordSet{list: "mediaTypes"}

// notNames are words that stand before a colon without being images.
var notNames = wordSet{list: "notNames"}

// extensions are those of files that are mentioned in requests. What could as
// well be the end of an image's name ("node.js", "vote.py") is here too: with
// a tag it is taken as an image all the same.
var extensions = wordSet{list: "extensions"}

// fileNames are names of files without an extension.
var fileNames = wordSet{list: "fileNames"}

// hasFileExtension reports whether s is named like a file.
func hasFileExtension(s string) bool {
	name, extension, ok := cutExtension(s)
	return ok && name != "" && extensions.has(extension)
}

// cutExtension splits the name of a file before its extension.
func cutExtension(s string) (name, extension string, ok bool) {
	dot := strings.LastIndexByte(s, '.')
	if dot < 0 {
		return s, "", false
	}
	return s[:dot], strings.ToLower(s[dot+1:]), true
}

// tagWords are tags, or parts of tags, that have no digit.
var tagWords = wordSet{list: "tagWords"}

// isTag reports whether s looks like a tag rather than like the value of a key:
// it has a digit, or one of its parts is a word that tags are made of.
func isTag(s string) bool {
	if strings.ContainsAny(s, "0123456789") {
		return true
	}
	return slices.ContainsFunc(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r == '-' || r == '_' || r == '.' }), tagWords.has)
}

// isTagPattern reports whether a text is a regular expression or a pattern for
// tags, as regsync has them: "3\.\d+", "v1.*".
func isTagPattern(text string) bool { return strings.ContainsAny(text, `\*+^$()|`) }

// isPlaceholder reports whether a name or a tag stands for something that the
// reader is to fill in. A tag such as "tag" or "version" is taken by its letter:
// if there is none the registry says so, and which there are.
func isPlaceholder(name, tag string) bool {
	first, _, _ := strings.Cut(name, "/")
	last := name[strings.LastIndexByte(name, '/')+1:]
	if strings.Contains("/"+name, "/your-") || strings.Contains("/"+name, "/your_") || strings.HasPrefix(first, "your") && first != last {
		return true
	}
	if first == last && (last == "image" || last == "name" || last == "repo") && isSampleTag(tag) {
		return true
	}
	switch strings.ToLower(tag) {
	case "xxx", "xx", "x.x.x", "x.y.z", "your-tag", "image-tag", "vx.y.z", "vx.x.x":
		return true
	}
	if len(last) > 2 && strings.Trim(last, "x") == "" {
		return true
	}
	switch last {
	case "image-name", "imagename", "image_name", "yourimage":
		return true
	case "image", "name", "repo", "repository":
		return name == "namespace/image" || strings.HasPrefix(name, "registry/") || strings.HasPrefix(name, "user/") || strings.HasPrefix(name, "username/") || strings.HasPrefix(name, "namespace/")
	}
	return false
}

// isSample reports whether a reference stands for others: "quay.io/a/img:tag".
func isSample(ref reference.Reference) bool {
	_, last, _ := cutLast(ref.Repository().Path())
	return isSampleTag(ref.Tag()) && slices.Contains([]string{"image", "img", "name", "repo", "repository"}, last)
}

func isSampleTag(tag string) bool {
	return strings.EqualFold(tag, "tag") || strings.EqualFold(tag, "version")
}

// talk is the number of words of prose up to which a text is a request rather
// than a story.
const talk = 6

// isGuess reports whether a bare word could be meant as an image: no key held
// down, no domain, no identifier of an image, and not made of words that mean
// something else.
func isGuess(word string) bool {
	if len(word) < 3 || strings.Trim(word, word[:1]) == "" || strings.Contains(word, ".") || len(word)%4 == 0 && len(word) >= 12 && strings.Trim(word, "0123456789abcdef") == "" {
		return false
	}
	for _, part := range strings.FieldsFunc(word, func(r rune) bool { return r == '-' || r == '_' }) {
		if !notGuesses.has(part) {
			return true
		}
	}
	return false
}

// gluedVersion is the canonical reference that a word such as "mysql8.0" may
// stand for: an official image and a version. Empty if it is not such a word.
func gluedVersion(word string) string {
	digits := strings.IndexAny(word, "0123456789")
	if digits <= 0 || !isVersion(word[digits:]) {
		return ""
	}
	name := strings.TrimRight(strings.TrimSuffix(word[:digits], "v"), "-_.")
	ref, err := reference.Parse(name + ":" + word[digits:])
	if err != nil || !known.IsOfficial(name) {
		return ""
	}
	return ref.String()
}

// notGuesses are words that people leave in a field without meaning an image.
var notGuesses = wordSet{list: "notGuesses"}
