package setup

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/pelletier/go-toml/v2/unstable"
)

// readTOML parses a TOML file into map[string]any for tables, inline for inline
// tables, []any for arrays, string for strings, and literal for all other values. It uses the parser of
// go-toml without its decoder for Go types, which is the larger part.
func readTOML(data []byte) (map[string]any, error) {
	all := map[string]any{}
	table := all
	headers := map[string]bool{}
	var p unstable.Parser
	p.Reset(data)
	err := func() error {
		for p.NextExpression() {
			var err error
			switch e := p.Expression(); e.Kind {
			case unstable.KeyValue:
				err = assign(table, e)
			case unstable.Table:
				path := keys(e)
				name := fmt.Sprintf("%q", path)
				if headers[name] {
					return fmt.Errorf("the table %s appears twice", name)
				}
				headers[name] = true
				table, err = descend(all, path)
			case unstable.ArrayTable:
				path := keys(e)
				headers = map[string]bool{} // its tables can be defined again
				above, err := descend(all, path[:len(path)-1])
				if err != nil {
					return err
				}
				last := path[len(path)-1]
				rows, ok := above[last].([]any)
				if above[last] != nil && !ok {
					return fmt.Errorf("%q is an array of tables and something else", last)
				}
				table = map[string]any{}
				above[last] = append(rows, any(table))
			}
			if err != nil {
				return err
			}
		}
		return p.Error()
	}()
	if err != nil {
		return nil, fmt.Errorf("it is not valid TOML (%w); fix it first", err)
	}
	return all, nil
}

// keys returns the parts of the dotted key of a table or a value.
func keys(n *unstable.Node) []string {
	var path []string
	for i := n.Key(); i.Next(); {
		path = append(path, string(i.Node().Data))
	}
	return path
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

// assign sets a key of a table to its value.
func assign(table map[string]any, n *unstable.Node) error {
	path := keys(n)
	table, err := descend(table, path[:len(path)-1])
	if err != nil {
		return err
	}
	last := path[len(path)-1]
	if _, ok := table[last]; ok {
		return fmt.Errorf("the key %q appears twice", last)
	}
	table[last], err = value(n.Value())
	return err
}

func value(n *unstable.Node) (any, error) {
	switch n.Kind {
	case unstable.Array:
		list := []any{}
		for i := n.Children(); i.Next(); {
			item, err := value(i.Node())
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		return list, nil
	case unstable.InlineTable:
		table := map[string]any{}
		for i := n.Children(); i.Next(); {
			if err := assign(table, i.Node()); err != nil {
				return nil, err
			}
		}
		return inline(table), nil
	case unstable.String:
		return string(n.Data), nil
	}
	return literal(n.Data), nil
}

// inline is a table in braces, which nothing can be added to.
type inline map[string]any

// literal is a value other than a string, as written: "true", "2".
type literal string

// lookUp returns the value at a path of keys, or nil.
func lookUp(tree map[string]any, keys ...string) any {
	var value any = tree
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
func tomlChecked(added string) func(before, after []byte) error {
	return func(before, after []byte) error {
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
}

// agrees reports whether a table has the keys of TOML lines, with their values.
func agrees(table any, lines string) bool {
	want, err := readTOML([]byte(lines))
	for key, value := range want {
		if !reflect.DeepEqual(lookUp(map[string]any{"": table}, "", key), value) {
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
