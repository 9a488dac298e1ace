package lists

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/imageferry/ferry/internal/suggest"
)

// maxNodes limits the nodes of a document with its aliases expanded: aliases
// make a document larger than its text.
const maxNodes = 2_000_000

// maxDepth limits aliases of aliases.
const maxDepth = 100

// maxDocuments limits the documents of hauler in one file.
const maxDocuments = 1000

// document returns the root of the only document of a text, or nil if the text
// is empty.
func (r *reader) document(text []byte) *yaml.Node {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil
	}
	for err == nil {
		var next yaml.Node
		if err = decoder.Decode(&next); err != nil {
			break
		}
		if !isHauler(r.value(r.follow(document.Content[0]), "apiVersion")) || len(r.more) == maxDocuments {
			r.fault(next.Line, "starts a second document; only the first is read", "split it into two lists")
			break
		}
		r.more = append(r.more, r.follow(next.Content[0]))
	}
	if err != nil && !errors.Is(err, io.EOF) {
		line, reason, cure := suggest.YAML(string(text), err)
		r.fault(line, "is not YAML: "+reason, cure)
		return nil
	}
	root := r.follow(document.Content[0])
	if root.Kind != yaml.MappingNode && !r.isDiun(root) {
		cure := ""
		if bytes.Contains(text, []byte(suggest.WideColon)) {
			cure = suggest.WideColonCure
		}
		r.fault(root.Line, "is "+kind(root)+", not keys with values", cure)
		return nil
	}
	return root
}

// pairs returns the pairs of a mapping, followed by the pairs that "<<" merges
// into it. A repeated key is a fault; the first one counts.
func (r *reader) pairs(mapping *yaml.Node) []pair {
	mapping = r.follow(mapping)
	if all, ok := r.mappings[mapping]; ok || mapping.Kind != yaml.MappingNode || !r.afford(len(mapping.Content)) {
		return all
	}
	r.mappings[mapping] = nil // in case a mapping merges itself
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
			r.fault(key.Line, fmt.Sprintf("repeats a key of line %d", line), "remove one of the two")
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

// value returns the value of a key of a mapping; null for none.
func (r *reader) value(mapping *yaml.Node, key string) *yaml.Node {
	for _, p := range r.pairs(mapping) {
		if p.name() == key {
			return p.value
		}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: mapping.Line}
}

func isHauler(version *yaml.Node) bool {
	return strings.HasPrefix(version.Value, "content.hauler.cattle.io/")
}

// diunKeys are the keys of an image in the file of diun's file provider
// (https://crazymax.dev/diun/providers/file/).
var diunKeys = []string{"name", "regopt", "watch_repo", "notify_on", "max_tags", "include_tags", "exclude_tags", "sort_tags", "hub_tpl", "hub_link", "platform", "metadata"}

// isDiun reports whether a document is the file of diun's file provider: images with
// names and other keys, all of them diun's.
func (r *reader) isDiun(root *yaml.Node) bool {
	more := false
	for _, item := range r.items(root) {
		all := r.pairs(item)
		for _, p := range all {
			if !slices.Contains(diunKeys, p.name()) {
				return false
			}
		}
		if !r.has(item, "name") {
			return false
		}
		more = more || len(all) > 1
	}
	return more && root.Kind == yaml.SequenceNode
}

// items returns the items of a sequence, or a single value as the only item.
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

// afford counts nodes, and reports whether the limit allows n more.
func (r *reader) afford(n int) bool {
	if r.nodes > maxNodes {
		return false
	}
	if r.nodes += n + 1; r.nodes > maxNodes {
		r.fault(0, "has too many aliases: the expanded list is too large", "write the entries without aliases, or split the list")
		return false
	}
	return true
}

// follow returns the node that an alias stands for.
func (r *reader) follow(node *yaml.Node) *yaml.Node {
	for range maxDepth {
		if node.Kind != yaml.AliasNode || node.Alias == nil {
			return node
		}
		node = node.Alias
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: node.Line}
}

// text returns a scalar as text. Anything else is a fault.
func (r *reader) text(name string, node *yaml.Node) (string, bool) {
	text := strings.TrimSpace(node.Value)
	switch {
	case node.Kind != yaml.ScalarNode:
		r.fault(node.Line, fmt.Sprintf("has %s in %q, not text", kind(node), name), "")
	case text == "" || null(node):
		r.fault(node.Line, fmt.Sprintf("has an empty %q", name), "")
	default:
		return text, true
	}
	return "", false
}

// texts returns the items of a sequence of texts.
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
	default: // a scalar: aliases are already followed
		return "a single value"
	}
}
