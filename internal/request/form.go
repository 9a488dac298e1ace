package request

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/imageferry/ferry/internal/known"
)

// field is a label of a form with the values after or below it.
type field struct {
	part   part
	values []string
	line   *line // of the first value
	lines  []int // the indices of all its lines
}

// readForms reads an image whose parts follow labels or headings: "镜像名:
// coreos/flannel" above "版本: v0.15.1". A name that needs no other field is left
// to the passes that read lines.
func (s *scan) readForms() {
	var fields []field
	flush := func() {
		if hasPart(fields, namePart) || hasPart(fields, registryPart) {
			s.joinForm(fields)
		} else {
			s.shareField(fields)
		}
		fields = nil
	}
	files := filesAmong(s.lines)
	for i := 0; i < len(s.lines); {
		if s.taken[i] || s.lines[i].text == "" || s.full() || files[i] && isOfFile(s.lines[i].text) {
			i++
			continue
		}
		f, next := s.readField(i)
		switch {
		case f.part == noPart && next > i+1: // a field with another meaning
		case f.part == noPart:
			if isList(s.lines[i].text) {
				flush()
			}
		case hasPart(fields, f.part) && f.part == namePart:
			flush()
			fallthrough
		default:
			fields = append(fields, f)
		}
		i = next
	}
	flush()
}

// filesAmong reports which lines belong to a file of settings: one of their keys opens a
// mapping, and none is a label for an image but "name".
func filesAmong(lines []line) []bool {
	is := make([]bool, len(lines))
	for from := 0; from < len(lines); {
		mapping, image, to := false, false, from
		for ; to < len(lines) && (to == from || isDocumentLine(lines[to].text) && lines[to].fenced == lines[from].fenced); to++ {
			l := &lines[to]
			key, value, ok := splitKey(l.text)
			if !ok || l.indent() > 0 {
				continue
			}
			next := nextText(lines, to+1)
			mapping = mapping || value == "" && next < len(lines) && lines[next].indent() > 0 && isKeyLine(lines[next].text)
			image = image || partOf(key) == namePart && key != "name"
		}
		for n := from; n < to; n++ {
			is[n] = mapping && !image
		}
		from = to
	}
	return is
}

// isOfFile reports whether a line has a key of a file that names the file or its
// format: "version: '3.8'" in one for Compose.
func isOfFile(text string) bool {
	return strings.HasPrefix(text, "name:") || strings.HasPrefix(text, "version:")
}

// shareField notes the tag of a record that has no name: it may be that of an
// image elsewhere.
func (s *scan) shareField(fields []field) {
	for _, f := range fields {
		if f.part == targetPart && len(f.values) == 1 && strings.Contains(f.values[0], "/") {
			s.taken[f.lines[0]] = true // no source
		}
	}
	at := 0
	for at < len(fields) && fields[at].part != tagPart {
		at++
	}
	if at == len(fields) {
		return
	}
	if len(fields[at].values) != 1 {
		s.noteField(fields[at])
		return
	}
	if tag := trimWord(fields[at].values[0]); isTagWord(tag) || strings.ContainsAny(tag, "0123456789") && !strings.ContainsAny(tag, "/:@") {
		s.shared = append(s.shared, sharedTag{fields[at].line.number, tag})
	}
}

// isList reports whether a line could be an item unrelated to a form's fields.
func isList(text string) bool {
	stripped, _ := stripMarkers(text)
	return strings.HasPrefix(stripped, "```") || isSeparator(stripped)
}

// isSeparator reports whether a line separates one record from the next.
func isSeparator(text string) bool {
	return len(text) >= 3 && strings.Trim(text, "-=*_") == ""
}

func hasPart(fields []field, p part) bool {
	for _, f := range fields {
		if f.part == p {
			return true
		}
	}
	return false
}

// readField reads the label on a line with its values, and returns the index of
// the next line. The part is empty if the label is unknown.
func (s *scan) readField(i int) (f field, next int) {
	const longest, longestLabel = 400, 80 // bytes
	l := &s.lines[i]
	if len(l.text) > longest || l.indent() > 0 {
		return field{}, i + 1
	}
	label, value, ok := labelOf(l.text)
	if !ok || len(label) > longestLabel || strings.Contains(label, "//") {
		return field{}, i + 1
	}
	label, _ = stripMarkers(label)
	p := partOf(label)
	if p == noPart && isNamespace(label) {
		p = namespacePart
	}
	if p == namePart && strings.Count(value, "`") > 2 {
		return field{}, i + 1 // a sentence: "`a/b`, tag `1.2`"
	}
	heading := strings.HasPrefix(l.text, "#")
	if value = cleanField(value); value != "" {
		p, value = s.partOfField(i, p, label, value)
		if p != noPart && heading && !isFieldValue(p, value) {
			return field{}, i + 1
		}
		return field{part: p, line: l, lines: []int{i}, values: valuesIn(p, value)}, i + 1
	}
	if !heading && (p == noPart || i+1 < len(s.lines) && isKeyLine(s.lines[i+1].text)) {
		return field{}, i + 1
	}
	return s.readBelow(i, p)
}

// labelOf splits a line into the label of a field and its value, which is empty if it is
// below the line.
func labelOf(text string) (label, value string, ok bool) {
	if strings.HasPrefix(text, "#") {
		label = strings.TrimLeft(text, "#")
		if inside, after, cut := strings.Cut(label, ":"); cut && strings.TrimSpace(after) != "" {
			return inside, after, true
		}
		return label, "", true
	}
	if label, value, ok = strings.Cut(text, ":"); ok {
		return label, value, true
	}
	if label, value, ok = strings.Cut(text, "="); ok && partOf(label) != noPart && strings.IndexFunc(label, isForeign) >= 0 {
		return label, value, true // "镜像=a/b"
	}
	if question, answer, asks := strings.Cut(text, "?"); asks && partOf(question) != noPart {
		return question, answer, true // "**Which image?** a/b"
	}
	return cutForeignLabel(text)
}

// cutForeignLabel is labelOf for a label in another script, with a space instead of a
// colon: "イメージ名 a/b".
func cutForeignLabel(text string) (label, value string, ok bool) {
	const longest = 120 // bytes
	if len(text) >= longest || strings.IndexFunc(text, isForeign) < 0 {
		return "", "", false
	}
	words := strings.Fields(strings.TrimLeft(text, "*- "))
	if len(words) != 2 || labels()[words[0]] == noPart || strings.IndexFunc(words[1], isForeign) >= 0 {
		return "", "", false
	}
	return words[0], words[1], true
}

// readBelow reads the values of a part below the line with its label, and returns the index
// of the line behind them.
func (s *scan) readBelow(i int, p part) (f field, next int) {
	f = field{part: p, line: &s.lines[i], lines: []int{i}}
	n := i + 1
	for n < len(s.lines) && strings.TrimSpace(s.lines[n].text) == "" {
		n++
	}
	for ; n < len(s.lines) && s.lines[n].text != "" && !strings.HasPrefix(s.lines[n].text, "#") && !s.taken[n]; n++ {
		text, skip := stripMarkers(s.lines[n].text)
		if key, after, cut := strings.Cut(text, ":"); cut && partOf(key) != noPart && (after == "" || after[0] == ' ') {
			break
		}
		if skip {
			continue
		}
		if len(f.values) == 0 {
			f.line = &s.lines[n]
		}
		f.values = append(f.values, valuesIn(p, cleanField(text))...)
		f.lines = append(f.lines, n)
	}
	return f, n
}

// registryWords changes what people call a registry to its short name.
var registryWords = strings.NewReplacer("the ", "", " container registry", "", " packages", "", " registry", "", " public", "", "amazon ", "", "red hat ", "", "google", "gcr", "github", "ghcr", "microsoft", "mcr", " ", "")

// hostInWords returns the registry that a field names, also in words; empty for none. A
// label such as "Source" can be that of a registry as well as that of an image.
func hostInWords(p part, label, value string) string {
	if p == noPart && known.IsRegistry(value) {
		return value // whatever it is called
	}
	label = lower(label)
	if p == registryPart || p == namePart && (strings.Contains(label, "source") || strings.Contains(label, "from") || strings.Contains(label, "源")) {
		return known.ByShortName(registryWords.Replace(lower(value)))
	}
	return ""
}

// partOfField returns the part and the value of a field, with regard to both.
func (s *scan) partOfField(i int, p part, label, value string) (part, string) {
	if host := hostInWords(p, label, value); host != "" {
		return registryPart, host
	}
	if (p == noPart || p == registryPart) && s.isNameAboveTag(i, value, p) {
		return namePart, value
	}
	if isNamespaceWord(value) && i+1 < len(s.lines) && partOfLine(s.lines[i+1].text) == namePart {
		return registryPart, value // with a namespace
	}
	return p, value
}

// isNameAboveTag reports whether the value of a label that is unknown, or that of a
// registry, is an image without a tag, and the label on the next line is for one.
func (s *scan) isNameAboveTag(i int, value string, p part) bool {
	r := s.peek(value)
	return (r.strength == certain || p == registryPart && r.strength == path && r.images[0].has(AssumedHost)) && r.untagged() && i+1 < len(s.lines) && partOfLine(s.lines[i+1].text) == tagPart
}

// partOfLine returns the part that the label of a line announces.
func partOfLine(text string) part {
	label, _, ok := strings.Cut(text, ":")
	if !ok {
		return noPart
	}
	label, _ = stripMarkers(label)
	return partOf(label)
}

// isForeign reports whether a rune is beyond ASCII.
func isForeign(r rune) bool { return r >= utf8.RuneSelf }

// isKeyLine reports whether a line belongs to a document.
func isKeyLine(text string) bool {
	_, _, ok := splitKey(strings.TrimLeft(text, " -"))
	return ok
}

// cleanField removes emphasis, quotes and code marks from a value.
func cleanField(value string) string {
	value = strings.Trim(strings.TrimSpace(value), "*_`\"' ")
	if strings.EqualFold(value, "no response") {
		return ""
	}
	return value
}

// valuesIn returns the comma-separated values of a field that may have several, and the
// name in one without the remark behind it.
func valuesIn(p part, value string) []string {
	if p == namePart {
		value = withoutRemark(value)
	}
	if p != tagPart && p != platformPart {
		return []string{value}
	}
	var all []string
	if open := strings.IndexByte(value, '('); open > 0 {
		value = value[:open] // "1.2(1.3 还没测过)"
	}
	for _, one := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(", ;|[]\"", r) }) {
		if one = cleanField(one); one != "" && one != "and" && one != "和" && one != "&" {
			all = append(all, one)
		}
	}
	return all
}

// withoutRemark returns a name without the remark in brackets behind it, unless that has a
// part of a reference: "openeuler/openeuler (Docker Hub)".
func withoutRemark(name string) string {
	before, remark, ok := strings.Cut(name, "(")
	if remark, closed := strings.CutSuffix(remark, ")"); !ok || !closed || strings.ContainsAny(remark, "/:.@0123456789") {
		return name
	}
	return strings.TrimRight(before, " `")
}

// isFieldValue reports whether a value could be that part of an image.
func isFieldValue(p part, value string) bool {
	switch p {
	case tagPart:
		return isTagWord(value)
	case registryPart:
		return isDomain(value)
	case namePart, namespacePart:
		return !strings.ContainsAny(value, " ,")
	default: // digests and platforms are checked later
		return true
	}
}

// isTagWord reports whether a value is a tag rather than a word about tags.
func isTagWord(value string) bool {
	return isVersion(strings.TrimLeft(value, ":")) || isTag(value)
}

// record is an image whose parts are the fields of a form.
type record struct {
	settings []setting // but the tags
	tags     []setting
	lines    []int // the indices of the lines of all fields that belong to it
	copied   bool  // a field says where to copy it
}

// joinForm builds images from the fields of one record.
func (s *scan) joinForm(fields []field) {
	if s.joinNames(fields) {
		return
	}
	r, ok := s.recordOf(fields)
	if !ok {
		return
	}
	name, ok := r.name()
	if !ok {
		s.noteLoneFields(r.tags)
		return
	}
	hosted := has(r.settings, string(registryPart))
	if host, _, _ := strings.Cut(name, "/"); hosted && known.IsRegistry(host) {
		var others []setting
		for _, one := range r.settings {
			if one.key != string(registryPart) {
				others = append(others, one)
			}
		}
		r.settings = others
		hosted = false
	}
	complete := isComplete(name)
	if !hosted && !r.copied && (complete || len(r.tags) == 0) && !r.hasRemark() {
		return // the lines say all
	}
	if complete {
		r.tags = nil
	}
	if len(r.tags) == 0 {
		s.join(inField, "", r.settings)
	}
	for _, tag := range r.tags {
		s.join(inField, "", append(slices.Clip(r.settings), tag))
	}
	for _, i := range r.lines {
		s.taken[i] = true
	}
}

// name returns the name of the image.
func (r *record) name() (name string, ok bool) {
	at := r.nameAt()
	if at < 0 {
		return "", false
	}
	return r.settings[at].value, true
}

func (r *record) nameAt() int {
	return slices.IndexFunc(r.settings, func(one setting) bool { return one.key == string(namePart) })
}

// hasRemark reports whether there is a remark behind the name of the image.
func (r *record) hasRemark() bool {
	name := r.settings[r.nameAt()]
	written := cleanField(name.line.text)
	rest := withoutRemark(written)
	return rest != written && strings.HasSuffix(rest, name.value)
}

// recordOf returns the record that fields make; ok is false if they list several images,
// which are on lines of their own. More settings than maxUses are not read.
func (s *scan) recordOf(fields []field) (r record, ok bool) {
	for _, f := range fields {
		if f.part == targetPart && len(f.values) == 1 && strings.ContainsAny(f.values[0], "/.") {
			r.copied = true
		} else if f.part == tagPart {
			for _, value := range f.values {
				if isTagWord(value) {
					r.tags = append(r.tags, setting{"tag", strings.TrimLeft(value, ":"), f.line})
				}
			}
		} else if len(r.settings) == maxUses {
			continue // each tag is joined to all settings
		} else if one, ok := s.fieldSetting(f); ok {
			r.settings = append(r.settings, one)
		} else if f.part == namePart {
			s.noteTagFields(fields)
			return r, false
		} else {
			continue
		}
		r.lines = append(r.lines, f.lines...)
	}
	return r, true
}

// noteTagFields notes the tags in the fields of a record whose images are listed.
func (s *scan) noteTagFields(fields []field) {
	for _, f := range fields {
		if f.part == tagPart {
			s.noteField(f)
		}
	}
}

// noteField notes the tags in a field of a record whose images are listed.
func (s *scan) noteField(f field) {
	for _, value := range f.values {
		if (isVersion(value) || looksLikeTag(value)) && len(s.apart) < maxUses {
			s.apart = append(s.apart, apartTag{line: f.line.number, tag: value, announced: len(f.values) > 1})
		}
	}
}

// noteLoneFields notes the tags in fields of a record without a name, which may be
// those of the image in the title.
func (s *scan) noteLoneFields(tags []setting) {
	for _, one := range tags[:min(len(tags), maxUses)] {
		s.apart = append(s.apart, apartTag{line: one.line.number, tag: one.value, noun: true, announced: true})
	}
}

// tagEnds begin a remark behind a tag.
var tagEnds = wordSet{list: "for|in|on|all|für|pour|para"}

// namesOfForm are several names in one field, and what other fields say of all of them.
type namesOfForm struct {
	names []string
	from  []*line // of the names
	tags  []string
	space string // the namespace of all names, with a slash behind it
	lines []int  // of the fields
}

// readNames reads several names in one field, and reports whether the other fields
// belong to it.
func (s *scan) readNames(fields []field) (all namesOfForm, ok bool) {
	for _, f := range fields {
		switch f.part {
		case namePart:
			for n, value := range f.values {
				at := f.line
				if len(f.lines) == len(f.values)+1 {
					at = &s.lines[f.lines[n+1]] // a list below the label
				}
				for _, name := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }) {
					all.names, all.from = append(all.names, name), append(all.from, at)
				}
			}
		case tagPart:
			all.tags = f.values
			if at := slices.IndexFunc(all.tags, tagEnds.has); at > 0 {
				all.tags = all.tags[:at] // "v1.9.0 for all three"
			}
		case registryPart:
			if len(f.values) != 1 || !isNamespaceWord(f.values[0]) {
				return all, false
			}
			all.space = f.values[0] + "/"
		case namespacePart:
			continue
		default:
			return all, false
		}
		all.lines = append(all.lines, f.lines...)
	}
	tags := len(all.tags)
	return all, len(all.names) >= 2 && (tags == 1 || tags == len(all.names)) && !slices.ContainsFunc(all.tags, func(tag string) bool { return !isTagWord(tag) })
}

// complete puts the names into their namespace: that of the form, or that of the first
// name if they begin like it.
func (all *namesOfForm) complete() {
	parent, first, ok := cutLast(all.names[0])
	part, _, _ := strings.Cut(first, "-")
	for n, name := range all.names {
		if ok && strings.HasPrefix(name, part+"-") && !strings.Contains(name, "/") {
			all.names[n] = parent + "/" + name
		}
		all.names[n] = all.space + all.names[n]
	}
}

// joinNames combines several names in one field with the tags in another, and
// reports whether the fields have this form.
func (s *scan) joinNames(fields []field) bool {
	all, ok := s.readNames(fields)
	if !ok || all.space != "" && slices.ContainsFunc(all.names, func(name string) bool { return strings.Contains(name, "/") }) {
		return false
	}
	all.complete()
	for _, name := range all.names {
		if r := s.peek(name); !r.untagged() || r.strength < official {
			return false
		}
	}
	where := inField
	if all.space != "" {
		where = inNamespace
	}
	for n, name := range all.names {
		s.join(where, "", []setting{{string(namePart), name, all.from[n]}, {string(tagPart), strings.TrimLeft(all.tags[n%len(all.tags)], ":"), all.from[n]}})
	}
	for _, i := range all.lines {
		s.taken[i] = true
	}
	return true
}

// fieldSetting returns a field with a single value that fits its label.
func (s *scan) fieldSetting(f field) (one setting, ok bool) {
	if len(f.values) != 1 || !isFieldValue(f.part, f.values[0]) {
		return setting{}, false
	}
	value := strings.TrimRight(f.values[0], "/:")
	if f.part == namePart {
		r := s.readWord(value)
		if len(r.images) != 1 {
			return setting{}, false
		}
		if strings.Contains(value, "://") {
			if value = r.images[0].Reference.String(); r.untagged() {
				value = r.images[0].Reference.Repository().String()
			}
		}
	}
	return setting{string(f.part), value, f.line}, true
}
