package setup

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yamlKey finds a key of a mapping and its value.
func yamlKey(mapping *yaml.Node, name string) (key, value *yaml.Node) {
	if mapping.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i], mapping.Content[i+1]
		}
	}
	return nil, nil
}

// yamlAt returns the value at two keys below root, or nil.
func yamlAt(root *yaml.Node, key, below string) *yaml.Node {
	_, value := yamlKey(root, key)
	if value != nil {
		_, value = yamlKey(value, below)
	}
	return value
}

// sameYAML reports whether a node has the value that text has.
func sameYAML(n *yaml.Node, text string) bool {
	var is, want any
	return n.Decode(&is) == nil && yaml.Unmarshal([]byte(text), &want) == nil && reflect.DeepEqual(is, want)
}

// yamlEntry returns a key with the lines of its value below it.
func yamlEntry(key, value string) string { return key + ":\n" + indented(value, "  ") }

// indented puts indent in front of each line.
func indented(lines, indent string) string {
	return indent + strings.ReplaceAll(strings.TrimSuffix(lines, "\n"), "\n", "\n"+indent) + "\n"
}

// yamlBelow inserts entries at the start of the mapping under a key of root. If
// root lacks the key, it returns the text to append to the file instead.
func yamlBelow(data []byte, root *yaml.Node, key, entries string) (insertions []Insertion, rest string, err error) {
	if entries == "" {
		return nil, "", nil
	}
	name, mapping := yamlKey(root, key)
	var at int
	var text string
	switch {
	case name == nil:
		return nil, yamlEntry(key, entries), nil
	case mapping.Tag == "!!null" && mapping.Value == "":
		at, text = lineAt(data, name.Line+1), indented(entries, "  ")
		if open(data, name.Line) {
			text = "\n" + text
		}
	case mapping.Kind != yaml.MappingNode || mapping.Style&yaml.FlowStyle != 0 || len(mapping.Content) == 0 || mapping.Anchor != "":
		return nil, "", fmt.Errorf("%q is not a mapping with one registry on each line", key)
	default:
		at, text = lineAt(data, mapping.Content[0].Line), indented(entries, strings.Repeat(" ", mapping.Content[0].Column-1))
	}
	return []Insertion{{at, strings.ReplaceAll(text, "\n", lineEnd(data))}}, "", nil
}

// lineAt returns the offset of a line, counted from 1, or the length of the
// data if there are fewer lines.
func lineAt(data []byte, line int) int {
	at := 0
	for ; line > 1; line-- {
		i := bytes.IndexByte(data[at:], '\n')
		if i < 0 {
			return len(data)
		}
		at += i + 1
	}
	return at
}

// open reports whether a line is the last one and lacks its line end.
func open(data []byte, line int) bool {
	return lineAt(data, line+1) == len(data) && !bytes.HasSuffix(data, []byte("\n"))
}
