package setup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/tailscale/hujson"
)

// jsonFirst inserts value as the first element of the array of strings under
// key in a JSON object, and creates the array if necessary. It inserts nothing
// if the array has the value.
func jsonFirst(data []byte, key, value string) ([]Insertion, error) {
	quoted := func(s string) string { text, _ := json.Marshal(s); return string(text) } // strings always marshal
	if len(strings.TrimSpace(string(data))) == 0 {
		return []Insertion{{0, "{\n  " + quoted(key) + ": [" + quoted(value) + "]\n}\n"}}, nil
	}
	root, err := hujson.Parse(slices.Clone(data))
	if err != nil {
		return nil, fmt.Errorf("it is not valid JSON (%w); fix it first", err)
	}
	object, ok := root.Value.(*hujson.Object)
	if !ok {
		return nil, errors.New("it is not a JSON object")
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

// before inserts text before the first element of an object or array, on its
// own line if the element has one. open is the offset after the bracket.
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

// jsonChecked checks that the list under key begins with value, and that
// nothing else has changed.
func jsonChecked(key, value string) func(before, after []byte) error {
	read := func(data []byte) (map[string]any, error) {
		standard, err := hujson.Standardize(slices.Clone(data))
		if err != nil {
			return nil, err
		}
		var all map[string]any
		numbers := json.NewDecoder(bytes.NewReader(standard))
		numbers.UseNumber() // not every number has an exact float64
		return all, numbers.Decode(&all)
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
