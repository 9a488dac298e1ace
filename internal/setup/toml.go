package setup

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/BurntSushi/toml"
)

// readTOML is the content of a TOML file.
func readTOML(data []byte) (map[string]any, error) {
	all := map[string]any{}
	if err := toml.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("it is not valid TOML (%w); mend it first", err)
	}
	return all, nil
}

// lookUp is the value at a path of keys, nil if there is none.
func lookUp(tree map[string]any, keys ...string) any {
	var value any = tree
	for _, key := range keys {
		table, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = table[key]
	}
	return value
}

// tomlChecked holds the new text against the old: added, a TOML text, is there
// now, and everything else is as it was.
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

// merge puts more into tree.
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
