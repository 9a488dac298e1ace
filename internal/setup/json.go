package setup

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/tailscale/hujson"
)

// jsonFirst puts value in front of the array of strings that key names in a
// JSON object, and makes the array if there is none. There is nothing to insert
// if the array has the value.
func jsonFirst(data []byte, key, value string) ([]Insertion, error) {
	quoted := func(s string) string { text, _ := json.Marshal(s); return string(text) } // a string has no error
	if len(strings.TrimSpace(string(data))) == 0 {
		return []Insertion{{0, "{\n  " + quoted(key) + ": [" + quoted(value) + "]\n}\n"}}, nil
	}
	root, err := hujson.Parse(slices.Clone(data))
	if err != nil {
		return nil, fmt.Errorf("it is not valid JSON (%w); mend it first", err)
	}
	object, ok := root.Value.(*hujson.Object)
	if !ok {
		return nil, errors.New("it does not hold a JSON object")
	}
	var found *hujson.Value
	for i := range object.Members {
		if name, ok := object.Members[i].Name.Value.(hujson.Literal); ok && name.String() == key {
			if found != nil {
				return nil, fmt.Errorf("it has the key %q twice; remove one of them first", key)
			}
			found = &object.Members[i].Value
		}
	}
	end := lineEnd(data)
	if found == nil {
		member := quoted(key) + ": [" + quoted(value) + "]"
		at := root.StartOffset + 1
		if len(object.Members) == 0 {
			text := end + "  " + member
			if !strings.Contains(string(object.AfterExtra), "\n") {
				text += end
			}
			return []Insertion{{at, text}}, nil
		}
		return before(at, object.Members[0].Name, member), nil
	}
	array, ok := found.Value.(*hujson.Array)
	if !ok {
		return nil, fmt.Errorf("%q is not a list", key)
	}
	for _, e := range array.Elements {
		if literal, ok := e.Value.(hujson.Literal); ok && strings.TrimSuffix(literal.String(), "/") == value {
			return nil, nil
		}
	}
	if len(array.Elements) == 0 {
		return []Insertion{{found.StartOffset + 1, quoted(value)}}, nil
	}
	return before(found.StartOffset+1, array.Elements[0], quoted(value)), nil
}

// before puts text in front of the first element of an object or array, on a
// line of its own if the element has one. Open is the offset behind the bracket.
func before(open int, first hujson.Value, text string) []Insertion {
	space := string(first.BeforeExtra)
	i := strings.LastIndexByte(space, '\n')
	if i < 0 {
		return []Insertion{{first.StartOffset, text + ", "}}
	}
	line := space[i:] // the line end and the indentation
	if i > 0 && space[i-1] == '\r' {
		line = "\r" + line
	}
	return []Insertion{{open, line + text + ","}}
}

// jsonChecked holds the new text against the old: the list of key has value in
// front, and nothing else has changed.
func jsonChecked(key, value string) func(before, after []byte) error {
	read := func(data []byte) (map[string]any, error) {
		standard, err := hujson.Standardize(slices.Clone(data))
		if err != nil {
			return nil, err
		}
		var all map[string]any
		return all, json.Unmarshal(standard, &all)
	}
	return func(before, after []byte) error {
		was := map[string]any{}
		if len(strings.TrimSpace(string(before))) > 0 {
			var err error
			if was, err = read(before); err != nil {
				return err
			}
		}
		is, err := read(after)
		if err != nil {
			return err
		}
		old, _ := was[key].([]any)
		want := append([]any{value}, old...)
		got, _ := is[key].([]any)
		delete(was, key)
		delete(is, key)
		if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(was, is) {
			return errors.New("it cannot be edited without changing something else")
		}
		return nil
	}
}
