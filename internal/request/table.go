package request

import (
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// readTables reads the output of "docker images", "crictl images", "docker ps",
// "ctr images ls" and "kubectl get -o wide": a heading in capital letters that
// identifies the column of the image, and rows.
func (s *scan) readTables() {
	var t *table
	for i := range s.lines {
		l := &s.lines[i]
		if s.taken[i] {
			t = nil
			continue
		}
		if n := s.readGrid(i); n > 0 {
			t = nil
			continue
		}
		if heading := readHeading(l.text); heading != nil {
			t = heading
			s.taken[i] = true
			continue
		}
		if t == nil && !strings.Contains(l.text, "  ") {
			continue // columns are separated by more than one space
		}
		fields := strings.Fields(l.text)
		switch {
		case t != nil && len(fields) > t.image:
			s.taken[i] = s.readRow(l, fields, *t)
		case len(fields) >= 3 && isImageID(fields[2]) && readWord(fields[0]).strength >= bare:
			s.taken[i] = s.readRow(l, fields, table{image: 0, tag: 1})
		case t == nil || l.text == "":
			t = nil
		}
	}
}

// table gives the field of the image in a row, counted from 0 or, if negative,
// from the end; tag is -1 if it has no field.
type table struct {
	image, tag int
}

// readHeading parses the heading of a table; nil if it is not one.
func readHeading(text string) *table {
	if len(text) > 300 || !strings.Contains(text, "IMAGE") && !strings.Contains(text, "REF ") {
		return nil
	}
	heading := text
	fields := strings.Fields(heading)
	if len(fields) < 3 {
		return nil
	}
	switch {
	case fields[0] == "REPOSITORY" && fields[1] == "TAG", fields[0] == "IMAGE" && fields[1] == "TAG" && fields[2] == "IMAGE":
		return &table{0, 1}
	case fields[0] == "REF" && fields[1] == "TYPE", fields[0] == "IMAGE" && fields[1] == "ID" && len(fields) > 3 && fields[2] == "DISK":
		return &table{0, -1}
	case strings.HasPrefix(heading, "CONTAINER ID") && fields[2] == "IMAGE":
		return &table{1, -1}
	}
	return nil
}

func (s *scan) readRow(l *line, fields []string, t table) bool {
	name := fields[t.image]
	if strings.Contains(name, "<none>") {
		return true
	}
	if t.tag > 0 && len(fields) > t.tag && !strings.Contains(fields[t.tag], "<") {
		if w := s.readWord(name + ":" + fields[t.tag]); len(w.images) == 1 && w.strength > nothing {
			w.images[0].Written = clip(name + ":" + fields[t.tag])
			return s.offer(l, 0, w, inColumn)
		}
	}
	r := s.readWord(name)
	return len(r.images) > 0 && s.offer(l, 0, r, inColumn)
}

// isImageID reports whether a field is the short or long ID of an image.
func isImageID(field string) bool {
	field = strings.TrimPrefix(field, "sha256:")
	return len(field) >= 12 && len(field) <= 64 && strings.Trim(field, "0123456789abcdef") == ""
}

// readGrid reads the table whose heading is on a line, by the names of its
// columns: "| Image | Tag |", or "SOURCE DESTINATION TAG" above plain columns.
// It claims the rows with images and returns their number.
func (s *scan) readGrid(i int) int {
	heading := s.lines[i].text
	cut, first, markdown, mark := strings.Fields, i+1, false, ""
	if strings.HasPrefix(strings.TrimSpace(heading), "|") || strings.Contains(heading, " | ") && i+1 < len(s.lines) && isRule(s.lines[i+1].text) {
		cut, markdown = cutCells, true
		for first < len(s.lines) && isRule(s.lines[first].text) {
			first++
		}
		if first == i+1 {
			return 0
		}
	} else if mark = csvMark(heading); mark != "" {
		cut = func(row string) []string { return cutCSV(row, mark) }
	} else if len(heading) > 120 || strings.ContainsAny(heading, ":/.,") || first == len(s.lines) || len(strings.Fields(heading)) < 2 {
		return 0
	}
	headings, row, wanted := cut(heading), []string(nil), -1
	if first < len(s.lines) {
		row = cut(s.lines[first].text)
	}
	if markdown {
		wanted = wantedVersions(headings, row)
	} else if len(row) != len(headings) {
		return 0
	}
	columns, named, known := columnsOf(headings, row, wanted)
	if markdown && named < 0 && len(headings) == 2 {
		return s.readFieldRows(first)
	}
	if named < 0 || !markdown && known < len(columns) && (mark == "" || known < 2) {
		return 0
	}
	rows, from := 0, len(s.candidates)
	there := map[int]bool{} // the lines of images that need not be mirrored
	for n := first; n < len(s.lines) && s.lines[n].text != "" && !s.taken[n]; n++ {
		cells := cut(s.lines[n].text)
		if !markdown && len(cells) != len(columns) || markdown && !strings.Contains(s.lines[n].text, "|") {
			break
		}
		if s.readGridRow(&s.lines[n], cells, columns, named) {
			s.taken[n] = true
			rows++
			if isThereCell(headings, cells, named) {
				there[s.lines[n].number] = true
			}
		} else if named < len(cells) && (cells[named] == "" || cells[named][0] == '(') {
			s.taken[n] = true // the image is struck out
		}
	}
	if len(there) < rows {
		excludeLines(s.candidates[from:], there)
	}
	s.taken[i] = s.taken[i] || rows > 0
	return rows
}

// excludeLines drops the candidates on some lines, by their numbers.
func excludeLines(all []candidate, lines map[int]bool) {
	for i := range all {
		if c := &all[i]; lines[c.line] {
			c.place = inExclusion
			c.judge(dropped, inExclusion.name)
		}
	}
}

// maxHeading is how many bytes of the heading of a column count, because each row looks
// at them.
const maxHeading = 80

// isThereCell reports whether a cell of a row says that its image is there already or
// not needed.
func isThereCell(headings, cells []string, named int) bool {
	for n, cell := range cells[:min(len(cells), len(headings))] {
		said := lower(strings.Trim(cell, "*_` "))
		head := lower(headings[n][:min(len(headings[n]), maxHeading)])
		if n != named && said != "" && (thereCells.starts(said) || yesCells.has(said) && thereHeads.in(head) || noCells.has(said) && wantedHeads.starts(head)) {
			return true
		}
	}
	return false
}

// thereCells are beginnings of cells that say so; yesCells do below headings with one
// of thereHeads, and noCells below headings that begin with one of wantedHeads.
var (
	thereCells  = phrases{list: "thereCells"}
	yesCells    = wordSet{list: "yesCells"}
	noCells     = wordSet{list: "noCells"}
	thereHeads  = phrases{list: "thereHeads"}
	wantedHeads = phrases{list: "wantedHeads"}
)

// readFieldRows reads a table whose rows are the fields of a form, "| Source
// registry | quay.io |", and claims them all if they name an image.
func (s *scan) readFieldRows(first int) (rows int) {
	var fields []field
	n := first
	for ; n < len(s.lines) && strings.Contains(s.lines[n].text, "|") && !s.taken[n]; n++ {
		cells := cutCells(s.lines[n].text)
		if len(cells) != 2 {
			return 0
		}
		p := partOf(cells[0])
		if at := strings.LastIndex(cells[0], ": "); p == noPart && at >= 0 {
			p = partOf(cells[0][at+2:]) // "Source filter: Tag"
		}
		if p == noPart && isNamespace(cells[0]) {
			p = namespacePart
		}
		if value := cleanField(cells[1]); p != noPart && value != "" && !hasPart(fields, p) {
			fields = append(fields, field{p, valuesIn(p, value), &s.lines[n], []int{n}})
		}
	}
	from := len(s.candidates)
	if s.joinForm(fields); len(s.candidates) == from {
		return 0
	}
	for i := first; i < n; i++ {
		s.taken[i] = true
	}
	return n - first
}

// csvMark returns the mark between the columns of a heading of comma-separated
// values; empty if it is none.
func csvMark(heading string) string {
	for _, mark := range []string{",", ";"} {
		if len(heading) <= 120 && strings.Contains(heading, mark) && !strings.ContainsAny(heading, ":/. ") {
			return mark
		}
	}
	return ""
}

// cutCSV returns the values of a row, without quotes.
func cutCSV(row, mark string) []string {
	values := strings.Split(row, mark)
	for i, value := range values {
		values[i] = strings.Trim(value, " \"'")
	}
	return values
}

// columnsOf returns the parts of an image in the columns according to their
// headings, the column of its name (-1 for none) and the number of known
// headings. row is the first one below them, wanted the column of the wanted versions,
// -1 for none.
func columnsOf(headings, row []string, wanted int) (columns []part, named, known int) {
	named = -1
	for n, cell := range headings {
		isName := n < len(row) && strings.Contains(row[n], "/") // below "source"
		if wanted >= 0 && (n == wanted || isOldVersion(cell) && !isName) {
			p := noPart
			if n == wanted {
				p = tagPart
			}
			columns = append(columns, p)
			known++
			continue
		}
		side, p := sideOf(strings.Trim(cell, "*_` "))
		if p == noPart {
			p = partOf(cell)
		}
		if wantedHeads.starts(lower(strings.Trim(cell, "*_` "))) && n < len(row) && readWord(cleanField(row[n])).strength >= tagged {
			p, side = namePart, sourceSide // "to mirror"
		}
		if p == namePart && n < len(row) && isRegistryCell(row[n]) {
			p = registryPart // "quay.io" below "source"
		}
		switch {
		case wanted < 0:
		case p == tagPart:
			p = noPart
		case p == noPart && named < 0 && components.has(lower(strings.Trim(cell, "*_` "))):
			p = namePart
		}
		if side == targetSide {
			p = targetPart
		}
		if p != noPart {
			known++
		}
		if p == noPart && isNamespace(cell) {
			p = namespacePart
		}
		if p == namePart && (named < 0 || side == sourceSide || isImageKey(lower(cell)) && !isImageKey(lower(headings[named]))) {
			if named >= 0 {
				columns[named] = noPart
			}
			named = n
		} else if p == namePart {
			p = noPart
		}
		columns = append(columns, p)
	}
	return columns, named, known
}

// isRegistryCell reports whether a cell holds only the host of a registry.
func isRegistryCell(cell string) bool { return known.IsRegistry(cleanField(cell)) }

// components are headings of columns with names of updated components.
var components = wordSet{list: "components"}

// The headings of columns with versions, without words such as "tag": wanted
// versions and existing versions.
var (
	newVersions = wordSet{list: "newVersions"}
	oldVersions = wordSet{list: "from|original|origin|source"} // others are not parts of an image
)

// versionWords are removed from such headings.
var versionWords = strings.NewReplacer("version", "", "image tag", "", "tag", "", "版本号", "", "版本", "", "标签", "")

func bareHeading(cell string) string {
	cell, _, _ = strings.Cut(cell, " (") // "new tag (wanted)"
	return strings.Trim(versionWords.Replace(strings.ToLower(cell)), "*_`-: ")
}

func isOldVersion(cell string) bool { return oldVersions.has(bareHeading(cell)) }

// wantedVersions returns the column of the wanted versions in a Markdown table of
// updates with this first row; -1 for other tables.
func wantedVersions(headings, row []string) int {
	for n, cell := range headings {
		if newVersions.has(bareHeading(cell)) && n < len(row) && isVersion(versionIn(row[n])) {
			return n
		}
	}
	return -1
}

// versionIn returns the version in a cell, the second of two with an arrow in
// between.
func versionIn(cell string) string {
	return cleanField(behindArrow(noEmphasis.Replace(cell)))
}

var noEmphasis = strings.NewReplacer("`", "", "**", "")

// isRule reports whether a line separates the heading of a Markdown table from its rows.
func isRule(text string) bool {
	return strings.Contains(text, "-") && strings.Trim(text, "|-: +=") == ""
}

// cutCells returns the cells of a row of a Markdown table.
func cutCells(row string) []string {
	cells := strings.Split(strings.Trim(strings.TrimSpace(row), "|"), "|")
	for i, cell := range cells {
		cells[i] = strings.TrimSpace(cell)
	}
	return cells
}

// readGridRow reads one row and reports whether it names an image.
func (s *scan) readGridRow(l *line, cells []string, columns []part, named int) bool {
	if named >= len(cells) {
		return false
	}
	registry, namespace := "", ""
	var tags, digests []string
	var platforms []reference.Platform
	for n, cell := range cells[:min(len(cells), len(columns))] {
		switch value := cleanField(cell); columns[n] {
		case registryPart:
			if isDomain(value) {
				registry = strings.TrimRight(value, "/") + "/"
			}
		case namespacePart:
			namespace = value
		case tagPart:
			for _, tag := range valuesIn(tagPart, versionIn(cell)) {
				if isTagWord(tag) && len(tags) < maxUses {
					tags = append(tags, strings.TrimLeft(tag, ":"))
				}
			}
		case platformPart:
			platforms, _ = platformValue(value)
		default: // the name is read below
			if _, err := reference.ParseDigest(value); err == nil {
				digests = append(digests, value)
			}
		}
	}
	found := false
	for _, word := range strings.FieldsFunc(resolveLinks(maskTags(cells[named])), func(r rune) bool { return strings.ContainsRune(" ,;`\"'()", r) }) {
		if word = strings.Trim(word, "*_"); registry != "" && !strings.HasPrefix(word, registry) {
			word = registry + inNamespaceOf(namespace, word)
		}
		r := s.peek(word)
		all := []string{word}
		switch {
		case r.untagged() && len(tags) == 0 && len(digests) == 1:
			all[0] += "@" + digests[0]
		case r.untagged() && len(tags) > 0:
			all = nil
			for _, tag := range tags {
				all = append(all, word+":"+tag)
			}
		}
		for _, one := range all {
			r := s.readWord(one)
			for i := range r.images {
				r.images[i].Platforms = addPlatform(r.images[i].Platforms, platforms...)
			}
			found = s.offer(l, max(0, strings.Index(l.text, word)), r, inCell) || found
		}
	}
	return found
}
