package setup

import (
	"bytes"

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

// closed returns the line end that is missing if the line is the last one.
func closed(data []byte, line int) string {
	if at := lineAt(data, line+1); at == len(data) && !bytes.HasSuffix(data, []byte("\n")) {
		return lineEnd(data)
	}
	return ""
}
