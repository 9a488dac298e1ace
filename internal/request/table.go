package request

import "strings"

// readTables reads what "docker images", "crictl images", "docker ps", "ctr
// images ls" and "kubectl get -o wide" print: a heading in capitals that says
// in which column the image is, and rows.
func (s *scan) readTables() {
	var t *table
	for i, l := range s.lines {
		if s.taken[i] {
			t = nil
			continue
		}
		if heading := readHeading(l.text); heading != nil {
			t = heading
			s.taken[i] = true
			continue
		}
		if t == nil && !strings.Contains(l.text, "  ") {
			continue // columns are apart by more than one space
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

// table says in which field of a row the image stands, counted from 0 or, if
// negative, from the end; tag is -1 if it has no field of its own.
type table struct {
	image, tag int
}

// readHeading reads the heading of a table; nil if it is none.
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

func (s *scan) readRow(l line, fields []string, t table) bool {
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
