package request

import (
	"strings"
	"sync"
	"unicode"

	"github.com/imageferry/ferry/internal/reference"
)

// part is the part of an image in a value, according to a key of a document, a
// label of a form or the heading of a column.
type part string

const (
	noPart       part = ""
	registryPart part = "registry"
	namePart     part = "repository"
	tagPart      part = "tag"
	digestPart   part = "digest"
	platformPart part = "platform"
	targetPart   part = "target" // of where the image is to go

	// namespacePart has labels of its own, namespaces, because it is part of a name only
	// beside a registry.
	namespacePart part = "namespace"
)

// labels are the words for the parts of an image in Chinese, English, Spanish,
// Portuguese, French, German, Russian, Turkish, Vietnamese, Indonesian,
// Japanese, Korean, Persian and Arabic.
func labels() map[string]part { return *labelTable() }

var labelTable = sync.OnceValue(func() *map[string]part {
	all := make(map[string]part)
	for _, p := range []part{registryPart, namePart, tagPart, digestPart, platformPart, targetPart} {
		for _, word := range wordList("label " + p).words() {
			all[word] = p
		}
	}
	return &all
})

// decoration are words in labels that do not tell the part.
var decoration = wordSet{list: "decoration"}

// partOf returns the part that a label announces; empty if unknown. Labels have
// bullets, bold type, hints in brackets, and two languages.
func partOf(label string) part {
	if len(label) > 80 {
		return noPart
	}
	label = strings.ToLower(strings.Trim(label, " *_`#:?!.\"'[]<>-&"))
	if open := strings.IndexAny(label, "(["); open > 0 {
		label = strings.TrimRight(label[:open], " *_`")
	}
	if p := labels()[label]; p != noPart {
		return p
	}
	if one, other, ok := strings.Cut(label, "/"); ok {
		if strings.Contains(label, ".") || strings.Contains(other, "/") {
			return noPart // a path: "docker.io/tag/v1"
		}
		if p := partOf(one); p != noPart {
			return p
		}
		return partOf(other)
	}
	words := strings.Fields(label)
	kept := words[:0]
	for _, word := range words {
		if !decoration.has(word) {
			kept = append(kept, word)
		}
	}
	if p := labels()[strings.Join(kept, " ")]; p != noPart {
		return p
	}
	// A label of a Chinese and an English word: "镜像 image", "标签tag".
	if len(kept) == 2 && labels()[kept[0]] == labels()[kept[1]] {
		return labels()[kept[0]]
	}
	if isChinese(label) {
		return partOfChinese(label)
	}
	return labels()[strings.NewReplacer("-", " ", "_", " ").Replace(label)] // "Image-Name"
}

// namespaces are labels for the namespace of an image at its registry. They count only
// beside one for a registry: clusters have namespaces, too.
var namespaces = wordSet{list: "label namespace"}

// isNamespace reports whether a label is one of them.
func isNamespace(label string) bool { return namespaces.has(lower(strings.Trim(label, " *_`"))) }

// inNamespaceOf returns a name below a namespace, unless it has one.
func inNamespaceOf(namespace, name string) string {
	if _, err := reference.NewRepository(reference.DockerHub, namespace+"/x"); err != nil || strings.Contains(name, "/") {
		return name
	}
	return namespace + "/" + name
}

// partOfChinese is partOf for labels longer than a word, "需要同步的镜像名称".
func partOfChinese(label string) part {
	return labels()[chineseDecoration.Replace(label)]
}

var chineseDecoration = strings.NewReplacer(" ", "", "请填写", "", "请输入", "", "需要", "", "同步的", "", "搬运的", "", "转换的", "", "你要", "", "要", "", "的", "", "完整", "", "容器", "", "docker", "", "原始", "", "上游", "")

// side tells whether a key of a list of copies concerns the source or the
// target.
type side int

const (
	noSide side = iota
	sourceSide
	targetSide
)

var (
	sourceWords = wordSet{list: "sourceWords"}
	targetWords = wordSet{list: "targetWords"}
)

// sideOf removes the words for source and target from a key ("sourceRegistry",
// "dst_image") and returns the remaining part of an image.
func sideOf(key string) (side, part) {
	if len(key) > 48 {
		return noSide, noPart
	}
	found := noSide
	var rest []string
	for _, word := range keyWords(key) {
		switch {
		case sourceWords.has(word) && found == noSide:
			found = sourceSide
		case targetWords.has(word) && found == noSide:
			found = targetSide
		default:
			rest = append(rest, word)
		}
	}
	if found != noSide && len(rest) == 0 {
		return found, namePart
	}
	switch p := labels()[strings.Join(rest, " ")]; {
	case p != noPart:
		return found, p
	case len(rest) == 1 && (rest[0] == "repo" || rest[0] == "ref" || rest[0] == "reference" || rest[0] == "path"):
		return found, namePart
	}
	return found, noPart
}

// keyWords returns the words of a key, in lower case: "sourceRegistry",
// "source_registry" and "source-registry" have the same.
func keyWords(key string) []string {
	var words []string
	from := 0
	cut := func(to int) {
		if to > from {
			words = append(words, strings.ToLower(key[from:to]))
		}
		from = to
	}
	for i, r := range key {
		switch {
		case r == '_' || r == '-' || r == ' ' || r == '.':
			cut(i)
			from = i + 1
		case unicode.IsUpper(r) && i > 0 && key[i-1] >= 'a' && key[i-1] <= 'z':
			cut(i)
		}
	}
	cut(len(key))
	return words
}
