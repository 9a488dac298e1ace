package setup

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/imageferry/ferry/internal/pattern"
)

// inline is a table in braces, which nothing can be added to.
type inline map[string]any

// literal is a value other than a string, as written: "true", "2".
type literal string

// readTOML parses a TOML file (https://toml.io/en/v1.1.0) into map[string]any
// for tables, inline for inline tables, []any for arrays, string for strings,
// and literal for all other values.
func readTOML(data []byte) (map[string]any, error) {
	all := map[string]any{}
	table := all
	headers := map[string]bool{}
	t := &tomlText{text: string(data)}
	err := errors.New("it is not UTF-8")
	if utf8.Valid(data) {
		err = nil
	}
	for t.skip(true); err == nil && t.at < len(t.text); t.skip(true) {
		switch {
		case t.take("[["):
			path := t.keys()
			t.want("]]")
			headers = map[string]bool{} // its tables can be defined again
			table, err = addRow(all, path)
		case t.take("["):
			path := t.keys()
			t.want("]")
			name := fmt.Sprintf("%q", path)
			if table, err = descend(all, path); headers[name] {
				err = fmt.Errorf("the table %s appears twice", name)
			}
			headers[name] = true
		default:
			err = t.pair(table)
		}
		t.endLine()
	}
	if t.bad > 0 {
		err = fmt.Errorf("line %d", 1+strings.Count(t.text[:t.bad-1], "\n"))
	}
	if err != nil {
		return nil, fmt.Errorf("it is not valid TOML (%w); fix it first", err)
	}
	return all, nil
}

// addRow adds a table to the array of tables at a path.
func addRow(all map[string]any, path []string) (map[string]any, error) {
	last := path[len(path)-1]
	above, err := descend(all, path[:len(path)-1])
	if err != nil {
		return nil, err
	}
	rows, ok := above[last].([]any)
	if above[last] != nil && !ok {
		return nil, fmt.Errorf("%q is an array of tables and something else", last)
	}
	row := map[string]any{}
	above[last] = append(rows, any(row))
	return row, nil
}

// descend returns the table at a path below tree; of an array of tables, the
// last one.
func descend(tree map[string]any, path []string) (map[string]any, error) {
	for _, key := range path {
		below := tree[key]
		if rows, ok := below.([]any); ok && len(rows) > 0 {
			below = rows[len(rows)-1]
		}
		switch below := below.(type) {
		case nil:
			next := map[string]any{}
			tree[key], tree = next, next
		case map[string]any:
			tree = below
		default:
			return nil, fmt.Errorf("%q is a table and a value", key)
		}
	}
	return tree, nil
}

// tomlText is a TOML file that is being read.
type tomlText struct {
	text  string
	at    int
	bad   int // offset of the first fault, plus one; zero for none
	depth int // of arrays and inline tables, of one value
}

// maxDepth is how deep arrays and inline tables may be, as in encoding/json: the
// stack of a goroutine is limited.
const maxDepth = 10000

// fail notes a fault, and ends the reading.
func (t *tomlText) fail() {
	if t.bad == 0 {
		t.bad = t.at + 1
	}
	t.at = len(t.text)
}

// take skips a token if it is next.
func (t *tomlText) take(token string) bool {
	if !strings.HasPrefix(t.text[t.at:], token) {
		return false
	}
	t.at += len(token)
	return true
}

// want skips a token that must be next.
func (t *tomlText) want(token string) {
	if !t.take(token) {
		t.fail()
	}
}

// skip skips spaces and, if lines may end here, line ends and comments.
func (t *tomlText) skip(lines bool) {
	for {
		switch {
		case t.take(" "), t.take("\t"), lines && (t.take("\n") || t.take("\r\n")):
		case lines && t.take("#"):
			for t.at < len(t.text) && t.text[t.at] != '\n' && !strings.HasPrefix(t.text[t.at:], "\r\n") {
				t.character()
			}
		default:
			return
		}
	}
}

// character skips a byte of a comment or a string, and returns it.
func (t *tomlText) character() byte {
	c := t.text[t.at]
	if c < ' ' && c != '\t' || c == 0x7f {
		t.fail()
		return 0
	}
	t.at++
	return c
}

// endLine skips the end of a line, with a comment.
func (t *tomlText) endLine() {
	if t.skip(false); t.at < len(t.text) && strings.IndexByte("\r\n#", t.text[t.at]) < 0 {
		t.fail()
	}
}

// keys reads the parts of a dotted key.
func (t *tomlText) keys() (path []string) {
	for {
		t.skip(false)
		key := bareKey.Compiled().FindString(t.text[t.at:])
		t.at += len(key)
		if key == "" {
			key = t.quoted(false)
		}
		path = append(path, key)
		if t.skip(false); !t.take(".") {
			return path
		}
	}
}

var bareKey = &pattern.Regexp{Text: `^[A-Za-z0-9_-]+`}

// pair reads a key with its value into a table.
func (t *tomlText) pair(table map[string]any) error {
	path := t.keys()
	t.want("=")
	value, err := t.value()
	if err != nil || t.bad > 0 {
		return err
	}
	if table, err = descend(table, path[:len(path)-1]); err != nil {
		return err
	}
	last := path[len(path)-1]
	if _, ok := table[last]; ok {
		return fmt.Errorf("the key %q appears twice", last)
	}
	table[last] = value
	return nil
}

func (t *tomlText) value() (any, error) {
	t.depth++
	defer func() { t.depth-- }()
	if t.depth > maxDepth {
		t.fail()
	}
	switch t.skip(false); {
	case t.take("["):
		list := []any{}
		for t.skip(true); !t.take("]"); t.skip(true) {
			item, err := t.value()
			if err != nil || t.bad > 0 {
				return nil, err
			}
			list = append(list, item)
			if t.skip(true); !t.take(",") && !strings.HasPrefix(t.text[t.at:], "]") {
				t.fail()
			}
		}
		return list, nil
	case t.take("{"):
		table := map[string]any{}
		for t.skip(true); !t.take("}"); t.skip(true) { // of several lines since TOML 1.1
			if err := t.pair(table); err != nil || t.bad > 0 {
				return nil, err
			}
			if t.skip(true); !t.take(",") && !strings.HasPrefix(t.text[t.at:], "}") {
				t.fail()
			}
		}
		return inline(table), nil
	case strings.HasPrefix(t.text[t.at:], `"`), strings.HasPrefix(t.text[t.at:], "'"):
		return t.quoted(true), nil
	}
	word := scalar.Compiled().FindString(t.text[t.at:])
	if word == "" {
		t.fail()
	}
	t.at += len(word)
	return literal(word), nil
}

// scalar finds numbers, booleans, dates and times.
var scalar = &pattern.Regexp{Text: `^(\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?)?|\d\d:\d\d(:\d\d(\.\d+)?)?|` +
	`0x[0-9a-fA-F](_?[0-9a-fA-F])*|0o[0-7](_?[0-7])*|0b[01](_?[01])*|true|false|[+-]?(inf|nan|(0|[1-9](_?\d)*)(\.\d(_?\d)*)?([eE][+-]?\d(_?\d)*)?))`}

// quoted reads a string of one line or, if several are allowed, of several.
func (t *tomlText) quoted(several bool) string {
	mark := ""
	for _, m := range []string{`"`, "'", `"""`, "'''"} {
		if strings.HasPrefix(t.text[t.at:], m) && (several || len(m) == 1) {
			mark = m
		}
	}
	if mark == "" {
		t.fail()
		return ""
	}
	t.at += len(mark)
	several = len(mark) > 1
	if several && !t.take("\n") {
		t.take("\r\n")
	}
	var out strings.Builder
	for t.at < len(t.text) {
		from := t.at
		switch {
		case t.take(mark):
			for n := 0; several && n < 2 && t.take(mark[:1]); n++ { // quotes before the mark
				out.WriteByte(mark[0])
			}
			return out.String()
		case mark[0] == '"' && t.take(`\`):
			out.WriteString(t.escaped(several))
		case several && (t.take("\n") || t.take("\r\n")):
			out.WriteString(t.text[from:t.at])
		default:
			out.WriteByte(t.character())
		}
	}
	t.fail()
	return ""
}

// escaped reads what is after a backslash.
func (t *tomlText) escaped(several bool) string {
	rest := t.text[t.at:]
	if end := len(rest) - len(strings.TrimLeft(rest, " \t\r\n")); end > 0 { // the end of a line
		if space := strings.ReplaceAll(rest[:end], "\r\n", "\n"); !several || !strings.Contains(space, "\n") || strings.Contains(space, "\r") ||
			strings.Trim(space[:strings.IndexByte(space, '\n')], " \t") != "" {
			t.fail()
		}
		t.at = min(t.at+end, len(t.text))
		return ""
	}
	if t.take("e") {
		return "\x1b"
	}
	length := 1
	switch {
	case strings.HasPrefix(rest, "u"):
		length = 5
	case strings.HasPrefix(rest, "U"):
		length = 9
	}
	if length > len(rest) || strings.IndexByte(`btnfr"\uU`, rest[0]) < 0 {
		t.fail()
		return ""
	}
	t.at += length
	text, err := strconv.Unquote(`"\` + rest[:length] + `"`)
	if err != nil {
		t.fail()
	}
	return text
}

// lookUp returns the value at a path of keys below a table, or nil.
func lookUp(value any, keys ...string) any {
	for _, key := range keys {
		switch table := value.(type) {
		case map[string]any:
			value = table[key]
		case inline:
			value = table[key]
		default:
			return nil
		}
	}
	return value
}

// tomlChecked checks that the TOML text added is present, and that nothing else
// has changed.
func tomlChecked(before, after []byte, added string) error {
	was, err := readTOML(before)
	if err != nil {
		return err
	}
	is, err := readTOML(after)
	if err != nil {
		return errors.New("it cannot be edited without breaking it")
	}
	more, err := readTOML([]byte(added))
	if err != nil {
		return err
	}
	merge(was, more)
	if !reflect.DeepEqual(was, is) {
		return errors.New("it cannot be edited without changing something else")
	}
	return nil
}

// agrees reports whether a table has the keys of TOML lines, with their values.
func agrees(table any, lines string) bool {
	want, err := readTOML([]byte(lines))
	for key, value := range want {
		if !reflect.DeepEqual(lookUp(table, key), value) {
			return false
		}
	}
	return err == nil
}

// merge adds more to tree.
func merge(tree, more map[string]any) {
	for key, value := range more {
		below, ok := tree[key].(map[string]any)
		if table, isTable := value.(map[string]any); ok && isTable {
			merge(below, table)
		} else {
			tree[key] = value
		}
	}
}
