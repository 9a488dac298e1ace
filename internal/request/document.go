package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
)

// readDocuments reads YAML and pretty-printed JSON line by line: Kubernetes
// manifests, Compose files, values of Helm charts, kustomizations, workflows,
// lists of image-syncer and "skopeo sync". It uses only keys and indentation,
// so fragments and broken files can be read as well.
func (s *scan) readDocuments() {
	whole := isFile(s.lines)
	for from := 0; from < len(s.lines); {
		to := from
		for to < len(s.lines) && isDocumentLine(s.lines[to].text) && !s.taken[to] {
			to++
		}
		if to == from {
			from++
			continue
		}
		s.readDocument(from, to, whole || isStructured(s.lines[from:to]))
		from = to
	}
}

// readDocument reads the document between two lines. If strict is set, it is a file and
// not a list with a heading.
func (s *scan) readDocument(from, to int, strict bool) {
	d := document{scan: s, strict: strict}
	s.readHub(s.lines[from:to])
	for i := from; i < to; i++ {
		d.opens = opensMapping(s.lines[i], s.lines[i+1:to])
		s.taken[i] = d.read(&s.lines[i])
		if strict && opensScript(s.lines[i].text) {
			markScript(&s.lines[i], s.lines[i+1:])
		}
	}
	d.closeTo(-1)
	parameters := s.parameters
	s.parameters = forest{}
	parameters.flush(s)
}

// readHub reads the registry and the tag of all images of Istio's charts and those like
// them, "hub: docker.io/istio" above "tag: 1.22.3" in one block.
func (s *scan) readHub(lines []line) {
	found := -1
	for i := range lines {
		l := &lines[i]
		key, value, _ := cutKey(strings.TrimLeft(l.text, " "))
		if host, _, _ := strings.Cut(value, "/"); found < 0 && key == "hub" && known.IsRegistry(host) {
			s.registry, s.tag, found = strings.TrimSuffix(value, "/"), "", l.indent()
		} else if key == "tag" && l.indent() == found && isTagWord(value) {
			s.tag = value
		}
		if l.text != "" && l.indent() < found {
			return
		}
	}
}

// markScript marks the lines of the script that a line opens.
func markScript(opening *line, below []line) {
	for i := range below {
		l := &below[i]
		if l.text != "" && l.indent() <= opening.indent() {
			return
		}
		l.script = true
	}
}

// opensScript reports whether a script follows a line. Only command lines in it
// are read.
func opensScript(text string) bool {
	key, value, ok := splitKey(strings.TrimLeft(text, " -"))
	value = strings.TrimSpace(value)
	return ok && value != "" && (value[0] == '|' || value[0] == '>') && scriptKeys.has(lower(key))
}

// scriptKeys are keys of scripts.
var scriptKeys = wordSet{list: "scriptKeys"}

// opensMapping reports whether the keys of a mapping follow a line, also below
// comments.
func opensMapping(l line, below []line) bool {
	if !strings.HasSuffix(l.text, ":") || isComment(l) {
		return false
	}
	for _, next := range below {
		if next.text != "" && !isComment(next) {
			_, _, isKey := splitKey(strings.TrimSpace(next.text))
			return next.indent() > l.indent() && isKey
		}
	}
	return false
}

func isComment(l line) bool { return strings.HasPrefix(strings.TrimLeft(l.text, " "), "#") }

// isDocumentLine reports whether a line could be part of YAML or JSON.
func isDocumentLine(text string) bool {
	text = strings.TrimSpace(text)
	if text == "" || text[0] == '#' || isBrackets(text) || strings.HasPrefix(text, "- ") || isString(text) {
		return true
	}
	_, _, ok := splitKey(text)
	return ok || isFlow(text)
}

// isFlow reports whether a line is a mapping of its own: {"image": "a/b:1"}.
func isFlow(text string) bool {
	return text[0] == '{' && strings.HasSuffix(strings.TrimSuffix(text, ","), "}") && strings.Contains(text, ":")
}

// isString reports whether a line is an item of a list in JSON: "v1.2",
func isString(text string) bool {
	inside, ok := strings.CutPrefix(strings.TrimSuffix(text, ","), `"`)
	return ok && inside != "" && strings.IndexByte(inside, '"') == len(inside)-1
}

// isBrackets reports whether a line consists of punctuation of a document.
func isBrackets(text string) bool {
	return !isAlnum(text[0]) && strings.Trim(text, "{}[],-. ") == ""
}

// structure are keys that indicate a pasted file.
var structure = wordSet{list: "structure"}

// isStructured reports whether lines are a document rather than a list with a
// heading: lines with unknown keys are then not text of the requester.
func isStructured(lines []line) bool {
	known, keys := 0, 0
	for i := range lines {
		key, _, ok := splitKey(strings.TrimLeft(lines[i].text, " -"))
		if !ok {
			continue
		}
		keys++
		if structure.has(strings.ToLower(key)) {
			known++
		}
	}
	return known >= 1 && keys >= 2
}

// isFile reports whether the whole text is a pasted file: nearly all lines
// could be part of one, and several keys are known.
func isFile(lines []line) bool {
	known, inside, all := 0, 0, 0
	for i := range lines {
		text := lines[i].text
		if text == "" {
			continue
		}
		all++
		if !isDocumentLine(text) {
			continue
		}
		inside++
		if key, _, ok := splitKey(strings.TrimLeft(text, " -")); ok && structure.has(strings.ToLower(key)) {
			known++
		}
	}
	return known >= 3 && inside*10 >= all*7
}

// cutKey splits "key: value" with or without quotes, and cleans the value.
func cutKey(text string) (key, value string, ok bool) {
	key, value, ok = splitKey(text)
	return key, cleanValue(value), ok
}

// splitKey is cutKey with the value unchanged. A key has no space.
func splitKey(text string) (key, value string, ok bool) {
	if text == "" {
		return "", "", false
	}
	if quote := text[0]; quote == '"' || quote == '\'' {
		key, rest, closed := strings.Cut(text[1:], string(quote))
		rest, colon := strings.CutPrefix(strings.TrimLeft(rest, " "), ":")
		if !closed || !colon || strings.Contains(key, " ") {
			return "", "", false
		}
		return key, rest, true
	}
	at := strings.Index(text, ": ")
	switch {
	case at >= 0:
	case strings.HasSuffix(text, ":"):
		at = len(text) - 1
	default:
		return "", "", false
	}
	if !isBareKey(text[:at]) {
		return "", "", false
	}
	return text[:at], text[at+1:], true
}

// isBareKey reports whether a text is a key without quotes.
func isBareKey(text string) bool {
	for i := range len(text) {
		if c := text[i]; !isAlnum(c) && strings.IndexByte("_-./@:$+,", c) < 0 {
			return false
		}
	}
	return text != "" && !strings.HasSuffix(text, ":")
}

// cleanValue removes comments, quotes, commas and anchors from a value.
func cleanValue(value string) string {
	value = strings.TrimSpace(value)
	if before, _, ok := strings.Cut(value, " #"); ok {
		value = strings.TrimSpace(before)
	}
	if strings.HasPrefix(value, "#") {
		return ""
	}
	value = strings.TrimSpace(strings.TrimSuffix(value, ","))
	if strings.HasPrefix(value, "&") || strings.HasPrefix(value, "!!") {
		_, value, _ = strings.Cut(value, " ")
	}
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		value = value[1 : n-1]
	}
	return strings.Trim(value, "\"'`")
}

// frame is an open mapping of a document.
type frame struct {
	indent   int
	parent   string // the key above
	settings []setting
}

// document is the state of reading one.
type document struct {
	*scan
	strict bool    // it is a file, in which unknown keys are not text of the requester
	opens  bool    // a mapping follows the line
	frames []frame // the open mappings, the outermost first
}

// read reads one line and reports whether the line is finished.
func (d *document) read(l *line) bool {
	text, indent := strings.TrimLeft(l.text, " "), l.indent()
	switch {
	case text == "":
		return false
	case isBrackets(text):
		if text[0] == '}' {
			d.closeTo(indent) // the next mapping may be indented as this one
		}
		return true
	case text[0] == '#':
		return d.strict
	}
	inside, at := d.openItems(text, indent)
	if strings.HasPrefix(inside, "{") && d.flow(l, inside, d.lastKey()) {
		return true
	}
	key, value, ok := cutKey(inside)
	switch {
	case !ok:
		return (inside != text || isString(text)) && d.item(l, inside, at)
	case !d.strict && strings.Contains(value, "`"):
		return false // a sentence with spans of code
	}
	return d.readKey(setting{key, value, l}, at)
}

// isTagged reports whether a value is an image with its tag.
func (s *scan) isTagged(value string) bool {
	r := s.peek(value)
	return r.isImage(tagged) && !r.untagged()
}

// openItems begins the items of lists that a line opens, "- - a", and returns the text
// behind their marks with its indentation.
func (d *document) openItems(text string, indent int) (inside string, at int) {
	inside, at = text, indent
	for strings.HasPrefix(inside, "- ") {
		d.closeTo(at)
		inside = strings.TrimLeft(inside[len("- "):], " ")
		at = indent + len(text) - len(inside)
	}
	return inside, at
}

// readKey reads a key and its value at an indentation, and reports whether the line is
// finished.
func (d *document) readKey(one setting, indent int) bool {
	d.openMapping(indent)
	if strings.HasPrefix(one.value, "{") && d.flow(one.line, one.value, one.key) {
		return true
	}
	d.note(one)
	return d.tagsOf(one, indent) || d.readCopy(one, indent) || d.readKnownKey(one, indent)
}

// openMapping opens a mapping for a key at an indentation, unless the key is one more of
// the mapping that is open.
func (d *document) openMapping(indent int) {
	d.closeTo(indent)
	if n := len(d.frames); n == 0 || d.frames[n-1].indent < indent {
		d.frames = append(d.frames, frame{indent: indent, parent: d.lastKey()})
	}
}

// readKnownKey reads a key by its name, and reports whether the line is finished. The parts
// of an image become one when their mapping is closed.
func (d *document) readKnownKey(one setting, indent int) bool {
	value := one.value
	switch key := strings.ToLower(one.key); {
	case nameStem(key) != "", isTagKey(key), treeKeys.has(key):
		return value != "" || d.strict
	case platformKeys.has(key), targetKeys.has(key) && value != "":
		return true
	case key == "uses" && strings.HasPrefix(value, "docker://"), key == "container" && d.strict && d.scan.peek(value).strength >= official:
		d.scan.offer(one.line, indent, d.scan.readWord(value), inKey) // of a workflow
		return true
	case isImageKey(lower(d.frames[len(d.frames)-1].parent)) && d.scan.isTagged(value):
		d.scan.offer(one.line, indent, d.scan.readWord(value), inKey) // "controllerImages:" above "webhook: a/b:1"
		return true
	case key == "kubernetesversion":
		d.scan.release(one.line, indent, value)
		return true
	}
	if !d.strict || strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[") {
		return false // a sentence, or the flow style, whose keys readWords knows
	}
	d.mention(one.line, value)
	return true
}

// readCopy reads a line of a list of image-syncer, with the source on the left and the
// target on the right, "quay.io/a/b:1,2: me.io/a/b", and reports whether it is one.
func (d *document) readCopy(one setting, indent int) bool {
	if !strings.Contains(one.key, "/") || isVersion(behindArrow(one.value)) || d.opens {
		return false
	}
	source, more, several := strings.Cut(one.key, ",")
	r := d.scan.readWord(source)
	if r.strength < tagged || len(r.images) == 0 {
		return false
	}
	d.scan.offer(one.line, indent, r, inSyncKey)
	if several {
		name := source[:strings.LastIndexByte(source, ':')+1]
		for _, tag := range strings.Split(more, ",") {
			d.scan.offer(one.line, indent, d.scan.readWord(name+tag), inSyncKey)
		}
	}
	return true
}

// tagsOf reads a repository with a list of its tags, "quay.io/a/b": ["1.2"], and
// reports whether it is one, or is in a list of "skopeo sync", perhaps with its tags below.
func (d *document) tagsOf(one setting, indent int) bool {
	name, sync := d.below(one.key)
	if !strings.HasPrefix(one.value, "[") || !strings.Contains(name, "/") {
		return sync
	}
	tags := itemsIn(one.value)
	if r := d.scan.peek(name); !sync && (!r.untagged() || r.strength < path || tagsIn(setting{"tags", one.value, one.line}) == nil) {
		return false
	}
	if len(tags) == 0 {
		tags = []string{"**"}
	}
	for _, tag := range tags[:min(len(tags), MaxExpansion)] {
		d.offerBelow(one.line, indent, name, tag)
	}
	return true
}

// below returns the repository that a key names in the mappings of a registry and its
// namespaces, "quay.io: {coreos: {etcd: [v3.5.17]}}", or of a list of "skopeo sync",
// "quay.io: {images: {coreos/etcd: [v3.5.17]}}", and whether it is the latter. Another key
// is returned as it is.
func (d *document) below(key string) (name string, sync bool) {
	const deepest = 16 // mappings, which keeps the time linear
	if len(d.frames) > deepest {
		return key, false
	}
	space := ""
	for i, f := range d.frames {
		images := f.parent == "images" && space != ""
		switch {
		case known.IsRegistry(f.parent), isDomain(f.parent) && i+1 < len(d.frames) && d.frames[i+1].parent == "images":
			space = f.parent
		case space != "" && !images:
			space += "/" + f.parent
		}
		sync = images
	}
	if space == "" || !sync && (listKeys.has(lower(key)) || partOf(key) != noPart) {
		return key, false
	}
	return space + "/" + key, sync
}

// offerBelow offers an image, by its tag or digest, whose other parts are the keys of the
// open mappings.
func (d *document) offerBelow(l *line, indent int, name, tag string) {
	mark := ":"
	if strings.HasPrefix(tag, "sha256:") {
		mark = "@"
	}
	d.scan.offer(l, indent, d.scan.readWord(name+mark+tag), inKey)
	for _, f := range d.frames {
		if n := len(f.settings); n > 0 { // only mappings on one line have none
			d.scan.finish(f.settings[n-1].line)
		}
	}
}

// behindArrow returns the wanted version after an arrow in a value: the second
// of "v1.2 -> v1.3".
func behindArrow(value string) string {
	for _, arrow := range []string{"->", "=>"} {
		if before, after, ok := strings.Cut(value, arrow); ok && isVersion(strings.Trim(before, " `\"'")) {
			return strings.Trim(after, " `\"'")
		}
	}
	return value
}

// flow reads a mapping on one line below a key, "{source: a/b:1, target: me.io/b:1}",
// and reports whether it names an image.
func (d *document) flow(l *line, text, parent string) bool {
	inside, ok := strings.CutSuffix(strings.TrimSuffix(strings.TrimSpace(text[1:]), ","), "}")
	if !ok || strings.Contains(inside, "{") {
		return false
	}
	var settings []setting
	for _, part := range strings.Split(inside, ",") {
		if key, value, ok := cutKey(strings.TrimSpace(part)); ok {
			settings = append(settings, setting{key, value, l})
		} else if n := len(settings) - 1; n >= 0 && settings[n].value != "" && settings[n].value[0] == '[' {
			settings[n].value += "," + part // of a list
		}
	}
	from := len(d.scan.candidates)
	d.scan.join(inKey, parent, settings)
	return len(d.scan.candidates) > from || slices.ContainsFunc(settings, func(one setting) bool { return one.key == "type" && noImages.has(one.value) })
}

// noImages are the types of records in bills of materials that are no images.
var noImages = wordSet{list: "library|operating-system|application|framework|file|device|firmware"}

// note keeps a setting in the open mapping.
func (d *document) note(one setting) {
	top := &d.frames[len(d.frames)-1]
	top.settings = append(top.settings, one)
	switch {
	case one.key == "script" && top.parent == "build":
		d.scan.job = true
	case one.key == "images" && one.value == "":
		for _, beside := range top.settings[max(0, len(top.settings)-maxUses):] {
			if beside.key == "registry" && isDomain(beside.value) {
				d.scan.registry = beside.value // of all images in the list below
			}
		}
	case !isDomain(one.value):
	case one.key == "registry" && top.parent == "source":
		d.scan.registry = one.value // of the images to copy
	case strings.EqualFold(one.key, "imageRegistry") && (top.parent == "global" || len(d.frames) == 1):
		d.scan.registry = one.value // of a chart
	}
}

// listKeys are the keys of lists of tags.
var listKeys = wordSet{list: "tags|tag|versions|version|allow|include"}

// item reads a list item that is not a mapping, and reports whether it is
// finished.
func (d *document) item(l *line, text string, indent int) bool {
	value, parent := cleanValue(text), strings.ToLower(d.lastKey())
	if len(d.frames) > 0 && listKeys.has(parent) && (isTagWord(value) || isTagPattern(text)) {
		d.note(setting{"tags", value, l})
		return d.strict
	}
	name, sync := d.below(d.lastKey())
	if sync {
		d.offerBelow(l, indent, name, value)
		return true
	}
	if host := d.hostBeside(parent); host != "" && d.offerAt(host, value, l, indent) {
		return true
	}
	if r := d.scan.peek(name); strings.Contains(name, "/") && r.strength >= tagged && len(r.images) > 0 {
		if r.untagged() && looksLikeTag(value) {
			d.offerBelow(l, indent, name, value)
		}
		return true // or image-syncer's targets
	}
	if !d.strict || parent == "" || isImageKey(parent) || otherLists.has(parent) {
		return false // a later pass reads the words
	}
	d.mention(l, value)
	return true
}

// otherLists are keys of lists of images that isImageKey does not know.
var otherLists = wordSet{list: "services|hub-mirror"}

// offerAt offers an image at a registry, if the value is a path without a registry, and
// reports whether it is one.
func (d *document) offerAt(host, value string, l *line, indent int) bool {
	r := d.scan.peek(value)
	if len(r.images) != 1 || r.strength < path || !r.images[0].has(AssumedHost) {
		return false
	}
	d.scan.offer(l, indent, readWord(at(host, r.images[0].Reference)), inKey)
	return true
}

// mention reads the value of a key that does not name images: an argument or a
// variable counts if it is a full name with tag or digest.
func (d *document) mention(l *line, value string) {
	if !strings.Contains(value, "/") || strings.Contains(value, "://") || strings.ContainsAny(value, " {") {
		return
	}
	r := d.scan.readWord(value)
	if r.strength == certain && len(r.images) == 1 && !r.untagged() {
		d.scan.offer(l, l.indent(), r, inOtherKey)
	}
}

// hostBeside returns the registry that a key beside the current list names, if the key of
// the list, parent, is that of images.
func (d *document) hostBeside(parent string) string {
	if len(d.frames) == 0 || parent != "images" {
		return ""
	}
	settings := d.frames[len(d.frames)-1].settings
	for _, one := range settings[max(0, len(settings)-maxUses):] {
		if labels()[lower(one.key)] == registryPart && known.IsRegistry(one.value) {
			return one.value
		}
	}
	return ""
}

// lastKey returns the key that was read last in the open frames.
func (d *document) lastKey() string {
	for i := len(d.frames) - 1; i >= 0; i-- {
		settings := d.frames[i].settings
		if n := len(settings); n > 0 {
			return settings[n-1].key
		}
	}
	return ""
}

// closeTo closes the mappings deeper than indent.
func (d *document) closeTo(indent int) {
	for n := len(d.frames); n > 0 && d.frames[n-1].indent > indent; n = len(d.frames) {
		d.closeLast()
	}
}

// closeLast closes the last of the open mappings: it makes images of its settings, or
// gives them to the mapping above.
func (d *document) closeLast() {
	n := len(d.frames) - 1
	closed := d.frames[n]
	d.frames = d.frames[:n]
	switch {
	case n > 0 && targetKeys.has(lower(closed.parent)) && d.frames[n-1].hasSource():
		for _, one := range closed.settings {
			d.scan.finish(one.line) // of places to copy to
		}
	case n > 0 && closed.parent == "tags": // of regsync, above "allow:" with a list
		d.frames[n-1].settings = append(d.frames[n-1].settings, closed.tags()...)
	case n > 0 && closed.parent == "ref": // "url: oci://…" above "ref:" with a tag
		d.frames[n-1].settings = append(d.frames[n-1].settings, closed.settings...)
	case !d.offerAll(closed.settings):
		from := len(d.scan.candidates)
		d.scan.join(inKey, closed.parent, closed.settings)
		built := n > 0 && d.frames[n-1].parent == "services" && has(closed.settings, "build")
		for i := range d.scan.candidates[from:] {
			d.scan.candidates[from+i].doubted = built // the name of what Compose builds
		}
	}
}

// hasSource reports whether a mapping names an image to copy.
func (f *frame) hasSource() bool {
	return slices.ContainsFunc(f.settings, func(one setting) bool { return sourceWords.has(lower(one.key)) || isImageKey(lower(one.key)) })
}

// tags returns the settings of a mapping that are tags, with the key of one.
func (f *frame) tags() (all []setting) {
	for _, one := range f.settings {
		if one.value != "" && (one.key == "source" || listKeys.has(lower(one.key))) {
			all = append(all, setting{"tags", one.value, one.line})
		}
	}
	return all
}

// offerAll offers the values of a mapping if each is a reference with a tag,
// whatever the keys, and reports whether that is so: "studio: a/studio:1".
func (d *document) offerAll(settings []setting) bool {
	const fewest = 2
	if len(settings) < fewest {
		return false
	}
	hosted := false
	for _, one := range settings {
		r, key := d.scan.peek(one.value), lower(one.key)
		if r.strength < tagged || len(r.images) != 1 || r.untagged() {
			return false
		}
		if targetKeys.has(key) || isImageKey(key) {
			return false
		}
		hosted = hosted || strings.Contains(one.value, "/")
	}
	if !hosted {
		return false
	}
	for _, one := range settings {
		d.scan.offer(one.line, one.line.indent(), d.scan.readWord(one.value), inKey)
	}
	return true
}
