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

// grid is a table whose columns are named by its heading: "| Image | Tag |", or "SOURCE
// DESTINATION TAG" above plain columns, or comma-separated values.
type grid struct {
	heading  int    // the index of the line with the heading
	first    int    // and of the first row
	markdown bool   // the cells are between vertical bars
	mark     string // or between commas or semicolons; empty for plain columns
	headings []string
	columns  []part // the parts of an image that are in them
	named    int    // the column with the name, -1 for none
	known    int    // the number of known headings
}

// readGrid reads the table whose heading is on a line, by the names of its columns. It
// claims the rows with images and returns their number.
func (s *scan) readGrid(i int) int {
	g, ok := s.openGrid(i)
	if !ok {
		return 0
	}
	g.headings = g.cut(s.lines[i].text)
	var row []string
	if g.first < len(s.lines) {
		row = g.cut(s.lines[g.first].text)
	}
	if !g.markdown && len(row) != len(g.headings) {
		return 0
	}
	g.nameColumns(row)
	switch {
	case g.markdown && g.named < 0 && len(g.headings) == 2:
		return s.readFieldRows(g.first)
	case g.named < 0 || !g.isKnown():
		return 0
	}
	return s.readGridRows(&g)
}

// openGrid returns the table that begins on a line, without its columns; ok is false if
// none does.
func (s *scan) openGrid(i int) (g grid, ok bool) {
	const most = 120 // bytes of the heading of plain columns
	g = grid{heading: i, first: i + 1}
	heading := s.lines[i].text
	if g.markdown = s.isMarkdownHeading(i); g.markdown {
		for g.first < len(s.lines) && isRule(s.lines[g.first].text) {
			g.first++
		}
		return g, g.first > i+1
	}
	if g.mark = csvMark(heading); g.mark != "" {
		return g, true
	}
	return g, len(heading) <= most && !strings.ContainsAny(heading, ":/.,") && g.first < len(s.lines) && len(strings.Fields(heading)) >= 2
}

// isMarkdownHeading reports whether a line can be the heading of a Markdown table, which
// needs no bars at its ends if a rule is below it.
func (s *scan) isMarkdownHeading(i int) bool {
	heading := s.lines[i].text
	if strings.HasPrefix(strings.TrimSpace(heading), "|") {
		return !isRule(heading)
	}
	return strings.Contains(heading, " | ") && s.isAboveRule(i)
}

// isAboveRule reports whether a line stands above the rule of a Markdown table.
func (s *scan) isAboveRule(n int) bool {
	return n+1 < len(s.lines) && isRule(s.lines[n+1].text)
}

// cut returns the cells of a row.
func (g *grid) cut(row string) []string {
	switch {
	case g.markdown:
		return cutCells(row)
	case g.mark != "":
		return cutCSV(row, g.mark)
	}
	return strings.Fields(row)
}

// isKnown reports whether enough of the headings are known for what is no Markdown to be
// a table: all of them, or two of comma-separated values.
func (g *grid) isKnown() bool {
	return g.markdown || g.known >= len(g.columns) || g.mark != "" && g.known >= 2
}

// readGridRows reads the rows, and claims those with images. If some rows say that their
// image is there already, those of the others are requested.
func (s *scan) readGridRows(g *grid) (rows int) {
	from := len(s.candidates)
	there := map[int]bool{} // the lines of images that need not be mirrored
	for n := g.first; n < len(s.lines) && s.lines[n].text != "" && !s.taken[n]; n++ {
		l := &s.lines[n]
		cells := g.cut(l.text)
		if g.markdown && !strings.Contains(l.text, "|") || !g.markdown && len(cells) != len(g.columns) {
			break // it is no row
		}
		if rows == 0 && n > g.first && s.isHeading(g, n, cells) {
			break // another table begins, which keeps the time linear
		}
		switch {
		case s.readGridRow(g, l, cells):
			s.taken[n] = true
			rows++
			if isThereCell(g.headings, cells, g.named) {
				there[l.number] = true
			}
		case g.named < len(cells) && (cells[g.named] == "" || cells[g.named][0] == '('):
			s.taken[n] = true // the image is struck out
		}
	}
	if len(there) < rows {
		excludeLines(s.candidates[from:], there)
	}
	s.taken[g.heading] = s.taken[g.heading] || rows > 0
	return rows
}

// isHeading reports whether a line, cut into cells, can be the heading of another table of
// the same kind.
func (s *scan) isHeading(g *grid, n int, cells []string) bool {
	if g.markdown {
		return s.isAboveRule(n)
	}
	other := grid{mark: g.mark, headings: cells}
	other.nameColumns(nil)
	return other.named >= 0 && other.isKnown()
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
	for ; n < len(s.lines) && strings.Contains(s.lines[n].text, "|") && !s.taken[n] && !s.isAboveRule(n); n++ {
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

// nameColumns finds out the parts of an image in the columns by their headings and the
// first row.
func (g *grid) nameColumns(row []string) {
	wanted := -1
	if g.markdown {
		wanted = wantedVersions(g.headings, row)
	}
	g.named = -1
	for n, heading := range g.headings {
		c := column{heading: heading, title: strings.Trim(heading, "*_` ")}
		if n < len(row) {
			c.first = row[n]
		}
		switch {
		case n == wanted:
			c.part, c.known = tagPart, true
		case wanted >= 0 && c.hasOldVersions():
			c.known = true
		default:
			c.read(wanted >= 0, g.named >= 0)
		}
		g.add(c)
	}
}

// add adds a column. Of several with a name, the one of the source is that of the image,
// or the one that is called so.
func (g *grid) add(c column) {
	if c.known {
		g.known++
	}
	if c.part == namePart {
		switch {
		case g.named < 0:
			g.named = len(g.columns)
		case c.source || isImageKey(lower(c.heading)) && !isImageKey(lower(g.headings[g.named])):
			g.columns[g.named] = noPart
			g.named = len(g.columns)
		default:
			c.part = noPart
		}
	}
	g.columns = append(g.columns, c.part)
}

// column is a column of a table.
type column struct {
	heading string
	title   string // the heading without emphasis
	first   string // the cell in the first row; empty if there is none
	part    part   // of an image
	source  bool   // of the image to copy
	known   bool   // the heading is known
}

// read finds out the part by the heading and the first cell. In a table of updates, other
// versions than the wanted ones are not tags, and components are names if no column in
// front has one.
func (c *column) read(update, named bool) {
	from, p := c.sideAndPart()
	switch {
	case from == targetSide:
		p = targetPart
	case update && p == tagPart:
		p = noPart
	case update && p == noPart && !named && components.has(lower(c.title)):
		p = namePart
	}
	c.part, c.source, c.known = p, from == sourceSide, p != noPart
	if p == noPart && isNamespace(c.heading) {
		c.part = namespacePart
	}
}

// sideAndPart returns what the heading says, with regard to the first cell.
func (c *column) sideAndPart() (from side, p part) {
	from, p = sideOf(c.title)
	if p == noPart {
		p = partOf(c.heading)
	}
	if wantedHeads.starts(lower(c.title)) && readWord(cleanField(c.first)).strength >= tagged {
		from, p = sourceSide, namePart // "to mirror"
	}
	if (p == namePart || p == noPart && !mirrorHosts.in(lower(c.title))) && isRegistryCell(c.first) {
		p = registryPart // "quay.io" below "source", or any heading but "mirror"
	}
	return from, p
}

// hasOldVersions reports whether a column of a table of updates has the versions that are
// replaced. "source" may also be that of an image.
func (c *column) hasOldVersions() bool {
	return oldVersions.has(bareHeading(c.heading)) && !strings.Contains(c.first, "/")
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

// joinCell returns the image in a cell that has only its name, in quotes or before a comma,
// and its tag, "`a/b`, 1.2", or else the cell.
func joinCell(cell string) string {
	words := strings.Fields(cell)
	if len(words) != 2 || !strings.HasSuffix(words[0], "`") && !strings.HasSuffix(words[0], ",") || isComplete(words[0]) || !isTagOfCell(words[1]) {
		return cell
	}
	return strings.Trim(words[0], "`\"'*,") + ":" + words[1]
}

// isTagOfCell reports whether a cell is the tag of the image in the cell before it, and
// not a size: "1.2GB".
func isTagOfCell(cell string) bool {
	return isTag(cell) && strings.ContainsAny(cell, ".-") && !strings.ContainsAny(cell, "/:") && !strings.HasSuffix(cell, "B")
}

// gridRow is a row of a table, without the name of its image.
type gridRow struct {
	registry, namespace string
	tags, digests       []string
	platforms           []reference.Platform
}

// readGridRow reads one row and reports whether it names an image.
func (s *scan) readGridRow(g *grid, l *line, cells []string) (found bool) {
	if g.named >= len(cells) {
		return false
	}
	row := g.rowOf(cells)
	name := joinCell(resolveLinks(maskTags(cells[g.named])))
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" ,;`\"'()", r) }) {
		if word = strings.Trim(word, "*_"); row.registry != "" && isHostless(word) {
			word = row.registry + inNamespaceOf(row.namespace, word)
		}
		at := max(0, strings.Index(l.text, word))
		for _, full := range row.complete(word, s.peek(word)) {
			r := s.readWord(full)
			for i := range r.images {
				r.images[i].Platforms = addPlatform(r.images[i].Platforms, row.platforms...)
			}
			found = s.offer(l, at, r, inCell) || found
		}
	}
	return found
}

// rowOf reads the cells of a row but that of the name.
func (g *grid) rowOf(cells []string) (row gridRow) {
	for n, cell := range cells[:min(len(cells), len(g.columns))] {
		switch value := cleanField(cell); g.columns[n] {
		case registryPart:
			if isDomain(value) {
				row.registry = strings.TrimRight(value, "/") + "/"
			}
		case namespacePart:
			row.namespace = value
		case tagPart:
			row.addTags(cell)
		case platformPart:
			row.platforms, _ = platformValue(value)
		default: // a digest needs no heading
			if _, err := reference.ParseDigest(value); err == nil {
				row.digests = append(row.digests, value)
			}
		}
	}
	return row
}

// addTags adds the tags in a cell.
func (row *gridRow) addTags(cell string) {
	for _, tag := range valuesIn(tagPart, versionIn(cell)) {
		if isTagWord(tag) && len(row.tags) < maxUses {
			row.tags = append(row.tags, strings.TrimLeft(tag, ":"))
		}
	}
}

// complete returns a name, read as r, with each tag of the row, or with its only digest,
// unless it has its own.
func (row *gridRow) complete(name string, r reading) (all []string) {
	switch {
	case !r.untagged():
	case len(row.tags) > 0:
		for _, tag := range row.tags {
			all = append(all, name+":"+tag)
		}
		return all
	case len(row.digests) == 1:
		return []string{name + "@" + row.digests[0]}
	}
	return []string{name}
}
