package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/suggest"
)

// maxFile is the size limit of the policy file, in bytes. A file with a hundred
// sources has 10 KiB.
const maxFile = 64 << 10

// decoder walks the nodes of a policy file. It reports each fault with its line
// and continues, so that all are found at once.
type decoder struct {
	path        string
	fault, note func(Fault)
}

// value is a node and its name, the path of keys that leads to it.
type value struct {
	node *yaml.Node
	name string
}

// keys maps the keys of an object to the readers of their values.
type keys map[string]func(value)

// parse returns the root of the only document, or nil if there is nothing to
// read. Aliases are refused, so that a small file cannot expand to a large one.
func (d *decoder) parse(data []byte) *yaml.Node {
	broken := func(line int, reason, cure string) {
		d.fault(Fault{Kind: Broken, Place: File, Path: d.path, Line: line, Reason: reason, Cure: cure})
	}
	invalid := func(err error) {
		line, reason, cure := suggest.YAML(string(data), err)
		broken(line, "is not YAML: "+clip(reason), cure)
	}
	if len(data) > maxFile {
		broken(0, fmt.Sprintf("has %d bytes; the limit is %d", len(data), maxFile), "")
		return nil
	}
	if !utf8.Valid(data) {
		broken(0, "is not UTF-8", "")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		invalid(err)
		return nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		broken(second.Line, "has a second document; only one is allowed", "")
		return nil
	case !errors.Is(err, io.EOF):
		invalid(err)
		return nil
	}
	root := document.Content[0]
	if null(root) {
		return nil
	}
	return root
}

func (d *decoder) origin(v value) origin {
	return origin{Name: v.name, Place: File, Path: d.path, Line: v.node.Line}
}

// wrong reports a fault of v.
func (d *decoder) wrong(v value, reason, cure string) { d.fault(d.origin(v).fault(reason, cure)) }

// requires reports that key is missing in v, unless the key is there with a
// fault, which has been reported already.
func (d *decoder) requires(v value, key string) {
	if v.node.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i < len(v.node.Content); i += 2 {
		if v.node.Content[i].Value == key && !null(v.node.Content[i+1]) {
			return
		}
	}
	d.fault(d.origin(v).fault(fmt.Sprintf("has no %q", key), "").as(Missing))
}

// object reads a mapping. A key without a value counts as missing.
func (d *decoder) object(node *yaml.Node, name string, known keys) {
	if node.Kind != yaml.MappingNode {
		cure := ""
		for _, first := range []string{"to", "host"} { // the first keys of items in lists
			if _, ok := known[first]; ok && node.Kind == yaml.ScalarNode {
				cure = fmt.Sprintf(`write "%s:" in front of it`, first)
			}
		}
		if strings.Contains(node.Value, suggest.WideColon) {
			cure = suggest.WideColonCure
		}
		d.wrong(value{node, name}, "is "+kind(node)+", not keys with values", cure)
		return
	}
	seen := map[string]int{}
	for i := 0; i < len(node.Content); i += 2 {
		key := value{node.Content[i], join(name, clip(node.Content[i].Value))}
		v := value{node.Content[i+1], key.name}
		read, ok := known[key.node.Value]
		switch line := seen[key.node.Value]; {
		case key.node.Kind != yaml.ScalarNode:
			d.wrong(value{key.node, name}, "has a key that is "+kind(key.node), "")
			continue
		case !ok:
			d.unknown(key, slices.Sorted(maps.Keys(known)))
			continue
		case line > 0:
			d.fault(d.origin(key).fault(fmt.Sprintf("appears twice, first on line %d", line), "").as(Repeated))
			continue
		}
		seen[key.node.Value] = key.node.Line
		if null(v.node) {
			continue
		}
		instead := ""
		if env := key.node.Value + "-env"; known[env] != nil {
			instead = env
		}
		if !d.expression(v, instead) {
			read(v)
		}
	}
}

// expression reports whether v contains an expression of a workflow, which is
// a fault. Instead is a key for the name of an environment variable with the
// value, if there is one.
func (d *decoder) expression(v value, instead string) bool {
	if v.node.Kind != yaml.ScalarNode || !strings.Contains(v.node.Value, "${{") {
		return false
	}
	// The value may be a password, so the fault does not repeat it.
	cure := "this file is not a workflow, so expressions are not evaluated: write the value"
	switch {
	case strings.HasSuffix(v.name, "-env"):
		cure = "this file is not a workflow, so expressions are not evaluated: write the name of an environment variable, and set that variable from the secret in the workflow"
	case instead != "":
		cure = fmt.Sprintf("this file is not a workflow, so expressions are not evaluated: write %s with the name of an environment variable, and set that variable from the secret in the workflow", instead)
	}
	d.wrong(v, "contains an expression", cure)
	return true
}

func (d *decoder) unknown(key value, known []string) {
	switch key.node.Value {
	case "password", "token", "secret":
		if slices.Contains(known, "password-env") {
			d.wrong(key, "must not be in the file", `store it as a secret, and set "password-env" to the name of the environment variable that holds it`)
			return
		}
	}
	cure := "the keys allowed here are " + strings.Join(known, ", ")
	own := dashedKey(key.node.Value)
	if slices.Contains(known, "targets") {
		ofTarget := d.targetKeys(&listedTarget{})[own] != nil
		switch {
		case key.node.Value == "target", key.node.Value == "to":
			d.fault(d.origin(key).fault("is unknown", `write "targets:", and below it "- to: docker.io/user"`).as(Unknown))
			return
		case ofTarget:
			d.fault(d.origin(key).fault("is unknown here", fmt.Sprintf("write %s in the item of targets that it belongs to", own)).as(Unknown))
			return
		}
	}
	if slices.Contains(known, "to") && slices.Contains([]string{"target", "targets"}, key.node.Value) {
		cure = `write "to"`
	}
	if word := suggest.Nearest(own, known); word != "" {
		cure = fmt.Sprintf("did you mean %q? %s", word, cure)
	}
	d.fault(d.origin(key).fault("is unknown", cure).as(Unknown))
}

// dashedKey returns a key in the way of this file: "plain-http" for "plainHttp"
// and "plain_http".
func dashedKey(key string) string {
	var b strings.Builder
	for i, r := range key {
		switch {
		case r >= 'A' && r <= 'Z':
			if i > 0 && key[i-1] >= 'a' && key[i-1] <= 'z' {
				b.WriteByte('-')
			}
			b.WriteRune(r | 0x20)
		case r == '_':
			b.WriteByte('-')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// list reads a sequence.
func (d *decoder) list(v value, read func(value)) {
	if v.node.Kind != yaml.SequenceNode {
		d.wrong(v, "is "+kind(v.node)+", not a list", `begin each item with "- "`)
		return
	}
	for i, node := range v.node.Content {
		if item := (value{node, fmt.Sprintf("%s[%d]", v.name, i)}); !d.expression(item, "") {
			read(item)
		}
	}
}

// text reads a scalar as text, even if YAML takes it for a number or another
// type. Empty text is a fault.
func (d *decoder) text(v value) (string, bool) {
	text := strings.TrimSpace(v.node.Value)
	switch {
	case v.node.Kind != yaml.ScalarNode:
		d.wrong(v, "is "+kind(v.node)+", not text", "")
	case text == "":
		d.fault(d.origin(v).fault("is empty", "").as(Missing))
	default:
		return text, true
	}
	return "", false
}

func (d *decoder) word(v value, words []string, to *string) {
	text, ok := d.text(v)
	if !ok {
		return
	}
	if reason, cure := notAmong(text, words); reason != "" {
		d.wrong(v, reason, cure)
		return
	}
	*to = text
}

func (d *decoder) who(v value, to *Who) {
	text := string(*to)
	d.word(v, audiences(), &text)
	*to = Who(text)
}

func (d *decoder) matching(v value, form *pattern.Regexp, what string, to *string) {
	text, ok := d.text(v)
	if !ok {
		return
	}
	if !form.MatchString(text) {
		// The value may be a password, so the fault does not repeat it.
		cure := ""
		if form.MatchString(strings.ToLower(text)) {
			cure = "write it in lower case"
		}
		d.wrong(v, "is not "+what, cure)
		return
	}
	*to = text
}

func (d *decoder) flag(v value, to *bool) {
	if v.node.Kind != yaml.ScalarNode || v.node.Tag != "!!bool" {
		cure := "write true or false"
		switch strings.ToLower(v.node.Value) {
		case "true", "false":
			cure = fmt.Sprintf("write %s without quotes", strings.ToLower(v.node.Value))
		case "yes", "y", "on", "1":
			cure = "write true"
		case "no", "n", "off", "0":
			cure = "write false"
		}
		d.wrong(v, "is not true or false", cure)
		return
	}
	*to = strings.EqualFold(v.node.Value, "true")
}

func (d *decoder) count(v value, most int, to *int) {
	n, err := strconv.Atoi(v.node.Value)
	if v.node.Kind != yaml.ScalarNode || err != nil || n < 1 || n > most {
		d.wrong(v, fmt.Sprintf("is not a number from 1 to %d", most), "")
		return
	}
	*to = n
}

var sizePattern = &pattern.Regexp{Text: `(?i)^([0-9]{1,15}) ?(B|[KMGT]i?B)?$`}

// ParseSize reads a number of bytes: a number, or a number with a unit, which
// is a multiple of a thousand ("GB") or of 1024 ("GiB"). It returns false for anything else, and for more
// than an int64 holds.
func ParseSize(text string) (int64, bool) {
	m := sizePattern.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	n, _ := strconv.ParseInt(m[1], 10, 64)
	factor := int64(1)
	if unit := strings.ToUpper(m[2]); len(unit) > 1 {
		base := int64(1000)
		if len(unit) == 3 {
			base = 1024
		}
		for range 1 + strings.IndexByte("KMGT", unit[0]) {
			factor *= base
		}
	}
	return n * factor, n <= math.MaxInt64/factor
}

// bytes reads a size in bytes.
func (d *decoder) bytes(v value, most int64, to *int64) {
	if v.node.Kind != yaml.ScalarNode || !sizePattern.MatchString(v.node.Value) {
		d.wrong(v, "is not a size", `write bytes or a unit, such as "20GiB"`)
		return
	}
	n, ok := ParseSize(v.node.Value)
	if n < 1 || n > most || !ok {
		d.wrong(v, fmt.Sprintf("is not from 1 byte to %d GiB", most>>30), "")
		return
	}
	*to = n
}

func null(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

func kind(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias, which is not supported"
	default: // a scalar: a document never stands inside another node
		return "a single value"
	}
}

func join(name, key string) string {
	if name == "" {
		return key
	}
	return name + "." + key
}
