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
		d := document{scan: s, strict: whole || isStructured(s.lines[from:to])}
		for i := from; i < to; i++ {
			d.opens = opensMapping(s.lines[i], s.lines[i+1:to])
			s.taken[i] = d.read(&s.lines[i])
			if d.strict && opensScript(s.lines[i].text) {
				for n := i + 1; n < len(s.lines) && (s.lines[n].text == "" || s.lines[n].indent() > s.lines[i].indent()); n++ {
					s.lines[n].script = true
				}
			}
		}
		d.closeTo(-1)
		parameters := s.parameters
		s.parameters = forest{}
		parameters.flush(s)
		from = to
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
	if text == "" || text[0] == '#' || isBrackets(text) || strings.HasPrefix(text, "- ") {
		return true
	}
	_, _, ok := splitKey(text)
	return ok || isFlow(text)
}

// isFlow reports whether a line is a mapping of its own: {"image": "a/b:1"}.
func isFlow(text string) bool {
	return text[0] == '{' && strings.HasSuffix(strings.TrimSuffix(text, ","), "}") && strings.Contains(text, ":")
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
		l := &lines[i]
		key, _, ok := splitKey(strings.TrimLeft(l.text, " -"))
		if ok {
			keys++
			if structure.has(strings.ToLower(key)) {
				known++
			}
		}
	}
	return known >= 1 && keys >= 2
}

// isFile reports whether the whole text is a pasted file: nearly all lines
// could be part of one, and several keys are known.
func isFile(lines []line) bool {
	known, inside, all := 0, 0, 0
	for i := range lines {
		l := &lines[i]
		if l.text == "" {
			continue
		}
		all++
		if isDocumentLine(l.text) {
			inside++
			if key, _, ok := splitKey(strings.TrimLeft(l.text, " -")); ok && structure.has(strings.ToLower(key)) {
				known++
			}
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
	if at < 0 {
		if !strings.HasSuffix(text, ":") {
			return "", "", false
		}
		at = len(text) - 1
	}
	key = text[:at]
	for i := range len(key) {
		if c := key[i]; !isAlnum(c) && strings.IndexByte("_-./@:$+,", c) < 0 {
			return "", "", false
		}
	}
	if key == "" || strings.HasSuffix(key, ":") {
		return "", "", false
	}
	return key, text[at+1:], true
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
	strict bool
	opens  bool // a mapping follows the line
	frames []frame
}

// read reads one line and reports whether the line is finished.
func (d *document) read(l *line) bool {
	text := strings.TrimLeft(l.text, " ")
	indent := l.indent()
	if text == "" || isBrackets(text) {
		if strings.HasPrefix(text, "}") {
			d.closeTo(indent) // the next mapping may be indented as this one
		}
		return text != ""
	}
	if text[0] == '#' {
		return d.strict
	}
	item := false
	for strings.HasPrefix(text, "- ") {
		d.closeTo(indent)
		rest := strings.TrimLeft(text[2:], " ")
		indent += len(text) - len(rest)
		text = rest
		item = true
	}
	if strings.HasPrefix(text, "{") && d.flow(l, text, d.lastKey()) {
		return true
	}
	key, value, ok := cutKey(text)
	if !ok {
		return item && d.item(l, text, indent)
	}
	if !d.strict && strings.Contains(value, "`") {
		return false // a sentence with spans of code
	}
	d.closeTo(indent)
	if n := len(d.frames); n == 0 || d.frames[n-1].indent < indent {
		d.frames = append(d.frames, frame{indent: indent, parent: d.lastKey()})
	}
	if strings.HasPrefix(value, "{") && d.flow(l, value, key) {
		return true
	}
	d.note(key, value, l)
	if tags, list := strings.CutPrefix(value, "["); list && strings.Contains(key, "/") && d.syncHost() == "" && d.tagsOf(key, strings.TrimSuffix(tags, "]"), l, indent) {
		return true
	}
	if strings.Contains(key, "/") && !isVersion(behindArrow(value)) && !d.opens {
		// A list of image-syncer: the source is on the left, the target on the
		// right.
		name, tags, several := strings.Cut(key, ",")
		if r := d.scan.readWord(name); r.strength >= tagged && len(r.images) > 0 {
			d.scan.offer(l, indent, r, inSyncKey)
			for _, tag := range strings.Split(tags, ",") {
				if several {
					d.scan.offer(l, indent, d.scan.readWord(name[:strings.LastIndexByte(name, ':')+1]+tag), inSyncKey)
				}
			}
			return true
		}
	}
	if d.syncList(key, value, l) {
		return true
	}
	switch lower := strings.ToLower(key); {
	case nameStem(lower) != "", isTagKey(lower), treeKeys.has(lower):
		return value != "" || d.strict
	case platformKeys.has(lower), targetKeys.has(lower) && value != "":
		return true
	case lower == "uses" && strings.HasPrefix(value, "docker://"), lower == "container" && d.strict && d.scan.peek(value).strength >= official:
		d.scan.offer(l, indent, d.scan.readWord(value), inKey)
		return true
	case lower == "kubernetesversion":
		d.scan.release(l, indent, value)
		return true
	}
	if d.strict && (strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[")) {
		return false // the flow style, whose keys readWords knows
	}
	if d.strict {
		d.mention(l, value)
	}
	return d.strict
}

// tagsOf reads a repository with a list of its tags, "quay.io/a/b": ["1.2"], and
// reports whether it is one.
func (d *document) tagsOf(repository, list string, l *line, at int) bool {
	if r := d.scan.peek(repository); !r.untagged() || r.strength < path {
		return false
	}
	var tags []string
	for _, tag := range strings.Split(list, ",") {
		if tag = cleanValue(tag); !isTagWord(tag) || strings.ContainsAny(tag, "/:") {
			return false
		}
		tags = append(tags, tag)
	}
	for _, tag := range tags[:min(len(tags), MaxExpansion)] {
		d.scan.offer(l, at, d.scan.readWord(repository+":"+tag), inKey)
	}
	return true
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
	if !ok || strings.ContainsAny(inside, "{[") {
		return false
	}
	var settings []setting
	for _, part := range strings.Split(inside, ",") {
		if key, value, ok := cutKey(strings.TrimSpace(part)); ok {
			settings = append(settings, setting{key, value, l})
		}
	}
	from := len(d.scan.candidates)
	d.scan.join(inKey, parent, settings)
	return len(d.scan.candidates) > from
}

// note keeps a setting in the current frame.
func (d *document) note(key, value string, l *line) {
	top := &d.frames[len(d.frames)-1]
	top.settings = append(top.settings, setting{key, value, l})
	switch {
	case key == "script" && top.parent == "build":
		d.scan.job = true
	case key == "images" && value == "":
		for _, one := range top.settings {
			if one.key == "registry" && isDomain(one.value) {
				d.scan.registry = one.value // of all images in the list below
			}
		}
	case isDomain(value) && (strings.EqualFold(key, "imageRegistry") && (top.parent == "global" || len(d.frames) == 1) || key == "registry" && top.parent == "source"):
		d.scan.registry = value
	}
}

// listKeys are the keys of lists of tags.
var listKeys = wordSet{list: "tags|tag|versions|version|allow|include"}

// item reads a list item that is not a mapping, and reports whether it is
// finished.
func (d *document) item(l *line, text string, indent int) bool {
	parent := strings.ToLower(d.lastKey())
	if listKeys.has(parent) && len(d.frames) > 0 && (isTagWord(cleanValue(text)) || isTagPattern(text)) {
		d.note("tags", cleanValue(text), l)
		return d.strict
	}
	if n := len(d.frames); n > 0 && d.frames[n-1].parent == "images" {
		if host := d.syncHost(); host != "" {
			d.scan.offer(l, indent, syncImage(host, d.lastKey(), cleanValue(text)), inKey)
			return true
		}
	}
	if host := d.hostBeside(); host != "" && parent == "images" {
		if r := d.scan.readWord(cleanValue(text)); len(r.images) == 1 && r.strength >= path && r.images[0].has(AssumedHost) {
			d.scan.offer(l, indent, readWord(at(host, r.images[0].Reference)), inKey)
			return true
		}
	}
	if r := d.scan.peek(parent); strings.Contains(parent, "/") && r.strength >= tagged && len(r.images) > 0 {
		if tag := cleanValue(text); r.untagged() && looksLikeTag(tag) {
			d.scan.offer(l, indent, d.scan.readWord(parent+":"+tag), inKey)
		}
		return true // or image-syncer's targets
	}
	if !d.strict || parent == "" || parent == "images" || parent == "services" || parent == "image" || parent == "hub-mirror" || isImageKey(parent) {
		return false
	}
	d.mention(l, cleanValue(text))
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

// hostBeside returns the registry that a key beside the current list names.
func (d *document) hostBeside() string {
	if len(d.frames) == 0 {
		return ""
	}
	for _, one := range d.frames[len(d.frames)-1].settings {
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

// closeTo closes frames deeper than indent.
func (d *document) closeTo(indent int) {
	for n := len(d.frames); n > 0 && d.frames[n-1].indent > indent; n = len(d.frames) {
		top := d.frames[n-1]
		d.frames = d.frames[:n-1]
		if n > 1 && top.parent == "tags" {
			// regsync's "tags:" above "allow:" with a list.
			for _, one := range top.settings {
				if (listKeys.has(lower(one.key)) || one.key == "source") && one.value != "" {
					d.frames[n-2].settings = append(d.frames[n-2].settings, setting{"tags", one.value, one.line})
				}
			}
			continue
		}
		if n > 1 && top.parent == "ref" { // "url: oci://…" above "ref:" with a tag
			d.frames[n-2].settings = append(d.frames[n-2].settings, top.settings...)
			continue
		}
		if !d.offerAll(top.settings) {
			from := len(d.scan.candidates)
			d.scan.join(inKey, top.parent, top.settings)
			built := n > 1 && d.frames[n-2].parent == "services" && slices.ContainsFunc(top.settings, func(one setting) bool { return one.key == "build" })
			for i := range d.scan.candidates[from:] {
				d.scan.candidates[from+i].doubted = built // the name of what Compose builds
			}
		}
	}
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
		r := d.scan.peek(one.value)
		if r.strength < tagged || len(r.images) != 1 || r.untagged() || targetKeys.has(lower(one.key)) || isImageKey(lower(one.key)) {
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

// syncHost returns the registry of the current list of "skopeo sync": "host:",
// then "images:", then repositories with their tags.
func (d *document) syncHost() string {
	for i := len(d.frames) - 1; i > 0; i-- {
		if strings.ToLower(d.frames[i].parent) != "images" {
			continue
		}
		if host := d.frames[i-1].parent; isDomain(host) {
			return host
		}
	}
	return ""
}

// syncList reads "repository: [tags]" in the list of "skopeo sync".
func (d *document) syncList(repository, value string, l *line) bool {
	top := d.frames[len(d.frames)-1]
	if strings.ToLower(top.parent) != "images" {
		return false
	}
	host := d.syncHost()
	if host == "" {
		return false
	}
	if inside, ok := strings.CutPrefix(value, "["); ok {
		tags := strings.Split(strings.TrimSuffix(inside, "]"), ",")
		if strings.TrimSpace(strings.Join(tags, "")) == "" {
			tags[0] = "**"
		}
		for _, tag := range tags {
			d.scan.offer(l, l.indent(), syncImage(host, repository, cleanValue(tag)), inKey)
		}
	}
	return true
}

// syncImage returns the image of one tag or digest in a list.
func syncImage(host, repository, tag string) reading {
	if strings.HasPrefix(tag, "sha256:") {
		return readWord(host + "/" + repository + "@" + tag)
	}
	return readWord(host + "/" + repository + ":" + tag)
}
