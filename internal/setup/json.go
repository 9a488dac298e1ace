package setup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// member is a member of a JSON object, with offsets in the file.
type member struct {
	name         string
	at           int // of the name
	value, after int // begin and end of the value
}

// object is a JSON object.
type object struct {
	open, end int // after "{", and at "}"
	members   []member
}

// standardJSON returns JSON of the same length and lines in which comments and
// commas before a closing bracket are spaces. Other faults stay.
func standardJSON(data []byte) []byte {
	out := bytes.Clone(data)
	// The last two bytes that are neither space nor in a comment.
	var last, before byte
	lastAt := 0
	for i := 0; i < len(out); i++ {
		c := out[i]
		rest := out[i:]
		length := 1
		switch {
		case c == '"':
			for length < len(rest) && rest[length] != '"' {
				if rest[length] == '\\' {
					length++
				}
				length++
			}
			length++
		case c == '/':
			if length = comment(rest); length == 0 {
				return out // it is not JSON
			}
			for j, b := range rest[:length] {
				if b != '\n' && b != '\r' {
					rest[j] = ' '
				}
			}
			i += length - 1
			continue
		case (c == '}' || c == ']') && last == ',' && before != 0 && strings.IndexByte("[{,:", before) < 0:
			out[lastAt] = ' '
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			continue
		}
		before, last, lastAt = last, c, i
		i += length - 1
	}
	return out
}

// comment returns the length of the comment that a text begins with, or 0 if
// there is none that ends.
func comment(text []byte) int {
	switch {
	case bytes.HasPrefix(text, []byte("//")):
		if end := bytes.IndexByte(text, '\n'); end >= 0 {
			return end
		}
		return len(text)
	case bytes.HasPrefix(text, []byte("/*")):
		if end := bytes.Index(text[2:], []byte("*/")); end >= 0 {
			return end + 4
		}
	}
	return 0
}

// readObject reads an object of standard JSON. An empty text has an empty one.
func readObject(text []byte) (object, error) {
	var o object
	d := json.NewDecoder(bytes.NewReader(text))
	wrong := func(err error) error {
		return fmt.Errorf("it is not valid JSON (%w); fix it first", err)
	}
	first, err := d.Token()
	if err != nil {
		return o, wrong(err)
	}
	if first != json.Delim('{') {
		return o, errors.New("it is not a JSON object")
	}
	o.open = int(d.InputOffset())
	for at := o.open; d.More(); {
		name, err := d.Token()
		if err != nil {
			return o, wrong(err)
		}
		m := member{at: at + bytes.IndexByte(text[at:], '"')}
		m.name, _ = name.(string) // the decoder accepts no other name
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return o, wrong(err)
		}
		m.after = int(d.InputOffset())
		m.value = m.after - len(value)
		o.members = append(o.members, m)
		at = m.after
	}
	if _, err := d.Token(); err != nil {
		return o, wrong(err)
	}
	o.end = int(d.InputOffset()) - 1
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return o, wrong(errors.New("there is more after the object"))
	}
	return o, nil
}

// find returns the only member of a name, or nil.
func (o object) find(name string) (found *member, err error) {
	for i := range o.members {
		if o.members[i].name != name {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("it has the key %q twice; remove one of them first", name)
		}
		found = &o.members[i]
	}
	return found, nil
}

// jsonString returns a string in JSON.
func jsonString(s string) string { text, _ := json.Marshal(s); return string(text) } // strings always marshal

// jsonMember inserts a member as the first one of the object that a file has.
// written is the member with its name.
func jsonMember(data, text []byte, o object, written string) []Insertion {
	if len(o.members) > 0 {
		return before(text, o.open, o.members[0].at, written)
	}
	end := lineEnd(data)
	inserted := end + "  " + written
	if !bytes.Contains(text[o.open:o.end], []byte("\n")) {
		inserted += end
	}
	return []Insertion{{o.open, inserted}}
}

// isBlank reports whether there is nothing in a file.
func isBlank(data []byte) bool { return len(bytes.TrimSpace(data)) == 0 }

// jsonFirst inserts value as the first element of the array of strings under
// key in a JSON object, and creates the array if necessary. It inserts nothing
// if the array has the value.
func jsonFirst(data []byte, key, value string) ([]Insertion, error) {
	quoted := jsonString(value)
	written := jsonString(key) + ": [" + quoted + "]"
	if isBlank(data) {
		return []Insertion{{0, "{\n  " + written + "\n}\n"}}, nil
	}
	text := standardJSON(data)
	o, err := readObject(text)
	if err != nil {
		return nil, err
	}
	found, err := o.find(key)
	switch {
	case err != nil:
		return nil, err
	case found == nil:
		return jsonMember(data, text, o, written), nil
	}
	var all []json.RawMessage
	if text[found.value] != '[' || json.Unmarshal(text[found.value:found.after], &all) != nil {
		return nil, fmt.Errorf("%q is not a list", key)
	}
	for _, e := range all {
		var has string
		if json.Unmarshal(e, &has) == nil && strings.TrimSuffix(has, "/") == value {
			return nil, nil
		}
	}
	open := found.value + 1
	if len(all) == 0 {
		return []Insertion{{open, quoted}}, nil
	}
	return before(text, open, open+bytes.Index(text[open:], all[0]), quoted), nil
}

// before inserts an element before the first one of an object or array, on its
// own line if that has one. open is the offset after the bracket, first that of
// the element.
func before(text []byte, open, first int, written string) []Insertion {
	space := string(text[open:first])
	i := strings.LastIndexByte(space, '\n')
	if i < 0 {
		return []Insertion{{first, written + ", "}}
	}
	line := space[i:] // the line end and the indentation
	if i > 0 && space[i-1] == '\r' {
		line = "\r" + line
	}
	return []Insertion{{open, line + written + ","}}
}

// jsonValues returns the members of a file, without exact floats.
func jsonValues(data []byte) (map[string]any, error) {
	all := map[string]any{}
	if isBlank(data) {
		return all, nil
	}
	d := json.NewDecoder(bytes.NewReader(standardJSON(data)))
	d.UseNumber() // not every number has an exact float64
	return all, d.Decode(&all)
}

// jsonChecked checks that the list under key begins with value, and that
// nothing else has changed.
func jsonChecked(key, value string) func(before, after []byte) error {
	return jsonEdited(func(all map[string]any) {
		old, _ := all[key].([]any)
		all[key] = append([]any{value}, old...)
	})
}

// jsonEdited checks that edit, and nothing else, has been done to a file.
func jsonEdited(edit func(map[string]any)) func(before, after []byte) error {
	return func(before, after []byte) error {
		was, err := jsonValues(before)
		if err != nil {
			return err
		}
		edit(was)
		is, err := jsonValues(after)
		if err != nil || !reflect.DeepEqual(was, is) {
			return errors.New("it cannot be edited without changing something else")
		}
		return nil
	}
}
