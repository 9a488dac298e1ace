package lists

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxNodes bounds the nodes of a document with aliases followed: a text that
// refers to itself again and again is larger than it looks.
const maxNodes = 2_000_000

// maxDepth bounds the aliases that lead to aliases.
const maxDepth = 100

// document is the root of the only document of a text, nil if there is none.
func (r *reader) document(text []byte) *yaml.Node {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		err = decoder.Decode(&second)
		if err == nil {
			r.fault(second.Line, "begins a second document, and only the first is read", "make two lists of it")
		} else if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	if err != nil {
		r.broken(text, err)
		return nil
	}
	root := r.follow(document.Content[0])
	if root.Kind != yaml.MappingNode {
		cure := ""
		if bytes.Contains(text, []byte(wideColon)) {
			cure = wideColonCure
		}
		r.fault(root.Line, "is "+kind(root)+", not keys with values", cure)
		return nil
	}
	return root
}

// wideColon is the colon of Chinese keyboards.
const wideColon, wideColonCure = "：", `write ":" and a space between a key and its value, not the full-width "："`

// yamlLine is how the YAML library begins its errors, and quoted what it quotes.
var (
	yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)
	quoted   = regexp.MustCompile(`'[^']{2,}'`)
)

// broken reports a text that is no YAML. The library quotes names of anchors,
// which may be the beginning of a password.
func (r *reader) broken(text []byte, err error) {
	reason, line := err.Error(), 1
	if m := yamlLine.FindStringSubmatch(reason); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
		reason = reason[len(m[0]):]
	}
	cure := ""
	switch {
	case strings.Contains(reason, "anchor"):
		cure = `put quotes around a value that begins with "*" or "&"`
	case bytes.Contains(text, []byte("\n\t")):
		cure = "indent with spaces, YAML takes no tabs"
	case bytes.Contains(text, []byte(wideColon)):
		cure = wideColonCure
	}
	r.fault(line, "is not YAML: "+quoted.ReplaceAllString(reason, "…"), cure)
}

// pairs are those of a mapping, with what "<<" merges into it behind its own. A key
// that is there twice is a fault, and counts once.
func (r *reader) pairs(mapping *yaml.Node) []pair {
	mapping = r.follow(mapping)
	if all, ok := r.mappings[mapping]; ok || mapping.Kind != yaml.MappingNode || !r.afford(len(mapping.Content)) {
		return all
	}
	r.mappings[mapping] = nil // for a mapping that merges itself
	var all, merged []pair
	lines := map[string]int{}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := r.follow(mapping.Content[i]), r.follow(mapping.Content[i+1])
		line, again := lines[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			r.fault(key.Line, "has a key that is "+kind(key), "")
		case key.Value == "<<":
			for _, m := range r.items(value) {
				merged = append(merged, r.pairs(m)...)
			}
		case again:
			r.fault(key.Line, fmt.Sprintf("has a key again that is on line %d", line), "remove one of the two")
		default:
			lines[key.Value] = key.Line
			all = append(all, pair{key, value})
		}
	}
	for _, p := range merged {
		if _, ok := lines[p.name()]; !ok {
			lines[p.name()] = p.line()
			all = append(all, p)
		}
	}
	r.mappings[mapping] = all
	return all
}

// has reports whether a mapping has one of the keys.
func (r *reader) has(mapping *yaml.Node, keys ...string) bool {
	for _, p := range r.pairs(mapping) {
		for _, key := range keys {
			if p.name() == key {
				return true
			}
		}
	}
	return false
}

// items are those of a sequence, or a single value as the only one.
func (r *reader) items(node *yaml.Node) []*yaml.Node {
	node = r.follow(node)
	if null(node) {
		return nil
	}
	if node.Kind != yaml.SequenceNode {
		return []*yaml.Node{node}
	}
	if !r.afford(len(node.Content)) {
		return nil
	}
	items := make([]*yaml.Node, len(node.Content))
	for i, item := range node.Content {
		items[i] = r.follow(item)
	}
	return items
}

// afford counts nodes, and reports whether there are not too many.
func (r *reader) afford(n int) bool {
	if r.nodes > maxNodes {
		return false
	}
	if r.nodes += n + 1; r.nodes > maxNodes {
		r.fault(0, "refers to its own parts too often: written out it is too large", "write the entries out, or split the list")
		return false
	}
	return true
}

// follow is what an alias stands for.
func (r *reader) follow(node *yaml.Node) *yaml.Node {
	for range maxDepth {
		if node.Kind != yaml.AliasNode || node.Alias == nil {
			return node
		}
		node = node.Alias
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: node.Line}
}

// text is a scalar as text. Anything else is a fault.
func (r *reader) text(name string, node *yaml.Node) (string, bool) {
	text := strings.TrimSpace(node.Value)
	switch {
	case node.Kind != yaml.ScalarNode:
		r.fault(node.Line, fmt.Sprintf("has %s in %q, not text", kind(node), name), "")
	case text == "" || null(node):
		r.fault(node.Line, fmt.Sprintf("has nothing in %q", name), "")
	default:
		return text, true
	}
	return "", false
}

// texts are the items of a sequence of texts.
func (r *reader) texts(name string, node *yaml.Node) []string {
	var all []string
	for _, item := range r.items(node) {
		if text, ok := r.text(name, item); ok {
			all = append(all, text)
		}
	}
	return all
}

func null(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

func kind(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default: // a scalar: aliases were followed
		return "a single value"
	}
}
