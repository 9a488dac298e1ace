package setup

import (
	"bytes"
	"slices"
	"strings"
)

// edit adds the change of one file to a part. place finds the insertions; check
// checks that the result has the intended meaning and no other change.
func (p *Part) edit(m *Machine, file string, place func([]byte) ([]Insertion, error), check func(before, after []byte) error) {
	before, err := m.read(file)
	if err == nil {
		err = p.change(file, before, place, check)
	}
	if err != nil {
		p.Problems = append(p.Problems, "/"+file+" is left unchanged: "+err.Error())
	}
}

func (p *Part) change(file string, before []byte, place func([]byte) ([]Insertion, error), check func(before, after []byte) error) error {
	mark := bytes.HasPrefix(before, bom)
	text := bytes.TrimPrefix(before, bom)
	insertions, err := place(text)
	if err != nil || len(insertions) == 0 {
		return err
	}
	after := insert(text, insertions)
	if err := check(text, after); err != nil {
		return err
	}
	if mark {
		after = append(slices.Clone(bom), after...)
		for i := range insertions {
			insertions[i].At += len(bom)
		}
	}
	p.Changes = append(p.Changes, Change{Path: file, Before: before, After: after, Insertions: insertions})
	return nil
}

// authority adds the authorities of the front to a file of certificates, and
// returns the file's absolute name; empty if there are none.
func (p *Part) authority(m *Machine, file string, front *Front) string {
	if front.CA == "" {
		return ""
	}
	p.edit(m, file, func(data []byte) ([]Insertion, error) {
		if bytes.Contains(bytes.ReplaceAll(data, []byte("\r"), nil), []byte(front.CA)) {
			return nil, nil
		}
		return appended(data, front.CA), nil
	}, func(_, _ []byte) error { return nil })
	return "/" + file
}

// bom is the byte order mark, which some editors write at the start of a file.
var bom = []byte("\xef\xbb\xbf")

// insert applies the insertions, which are ordered by offset.
func insert(data []byte, insertions []Insertion) []byte {
	var out []byte
	at := 0
	for _, i := range insertions {
		out = append(out, data[at:i.At]...)
		out = append(out, i.Text...)
		at = i.At
	}
	return append(out, data[at:]...)
}

// lineEnd returns the line end that a file uses.
func lineEnd(data []byte) string {
	if i := bytes.IndexByte(data, '\n'); i > 0 && data[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// appended inserts text at the end of a file, on a new line.
func appended(data []byte, text string) []Insertion {
	end := lineEnd(data)
	text = strings.ReplaceAll(text, "\n", end)
	if len(data) > 0 {
		text = end + text
		if !bytes.HasSuffix(data, []byte("\n")) {
			text = end + text
		}
	}
	return []Insertion{{len(data), text}}
}
