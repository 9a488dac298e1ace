package lists

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/selection"
)

// imageSyncer reads a list of github.com/AliyunContainerService/image-syncer: a
// mapping of sources to destinations, or the old configuration with "auth" and
// "images", where variables are not expanded.
func (r *reader) imageSyncer(root []pair) {
	expand := true
	for _, p := range root {
		if p.name() == "images" && r.follow(p.value).Kind == yaml.MappingNode {
			expand = false
		}
	}
	if expand {
		r.syncerImages(root, true)
		return
	}
	for _, p := range root {
		switch p.name() {
		case "images":
			r.syncerImages(r.pairs(p.value), false)
		case "auth":
			r.logins(r.pairs(p.value))
		default:
			r.note(p.line(), fmt.Sprintf("has the key %s, which is unknown", quote(p.name())), "")
		}
	}
}

// isLogin reports whether a value is a login of image-syncer.
func (r *reader) isLogin(value *yaml.Node) bool {
	return value.Kind == yaml.MappingNode && r.has(value, "username", "password")
}

// logins records a note that the logins in a list are not used. It does not
// read them.
func (r *reader) logins(all []pair) {
	var hosts []string
	for _, p := range all {
		if r.isLogin(r.follow(p.value)) {
			hosts = append(hosts, p.name())
		}
	}
	if len(hosts) == 0 {
		return
	}
	r.note(all[0].line(), "has logins for "+shorten(hosts)+", which are not read from a list", loginCure)
}

const loginCure = `log in with "docker login", or put "HOST USER PASSWORD" into the secret FERRY_LOGINS; start the line with "source" for a registry that images are copied from`

// shorten joins the first few names.
func shorten(names []string) string {
	const most = 5
	text := strings.Join(names[:min(len(names), most)], ", ")
	if len(names) > most {
		text += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return text
}

func (r *reader) syncerImages(all []pair, expand bool) {
	for _, p := range all {
		e, ok := r.syncerSource(p.line(), p.name())
		if !ok {
			continue
		}
		var seen []string
		broken := false
		for _, item := range r.items(p.value) {
			text, ok := r.text(shortened(p.name()), item)
			if ok && expand {
				text, ok = r.expand(item.Line, text)
			}
			if !ok {
				broken = true
				continue
			}
			if slices.Contains(seen, text) {
				continue
			}
			seen = append(seen, text)
			if to, ok := r.syncerDestination(item.Line, text, e); ok {
				e.To = append(e.To, to)
			}
		}
		switch {
		case len(e.To) > 0:
			r.add(e)
		case seen == nil && !broken:
			r.fault(p.line(), "has no destination for "+quote(p.name()), "write a repository after it")
		}
	}
}

func shortened(text string) string { return reference.Clip(text, maxQuoted) }

// syncerSource reads a source: "repo" for all tags, "repo:tag", "repo:tag,tag",
// "repo@digest" or "repo:/expression/", which matches anywhere in a tag.
func (r *reader) syncerSource(line int, text string) (Entry, bool) {
	e := Entry{Line: line}
	name, tag, digest := split(text)
	var ok bool
	if e.Source, ok = r.repository(line, name); !ok {
		return Entry{}, false
	}
	switch {
	case digest != "":
		if e.Digest, ok = r.digest(line, digest); !ok {
			return Entry{}, false
		}
	case tag == "" && strings.HasSuffix(text, ":"):
		r.fault(line, fmt.Sprintf("has %s without a tag after the colon", quote(text)), "")
		return Entry{}, false
	case tag == "":
	case tag[0] == '/':
		expression, closed := strings.CutSuffix(tag[1:], "/")
		if !closed {
			r.fault(line, `has a regular expression without "/" at its end`, "")
			return Entry{}, false
		}
		p, ok := r.expression(line, expression, expression)
		if !ok {
			return Entry{}, false
		}
		e.Tags.Sets = []selection.Set{{Allow: []selection.Pattern{p}}}
	default:
		if e.Tags.Tags, ok = r.tags(line, e.Source, strings.Split(tag, ",")); !ok {
			return Entry{}, false
		}
	}
	return e, true
}

// expression compiles a regular expression that was converted from another
// form.
func (r *reader) expression(line int, written, text string) (selection.Pattern, bool) {
	p, err := selection.ParseRegexp(text)
	if err != nil {
		r.fault(line, fmt.Sprintf("has %s, which %s", quote(written), err), "")
	}
	return p, err == nil
}

// tags checks tags against the grammar.
func (r *reader) tags(line int, repo reference.Repository, texts []string) ([]string, bool) {
	tags := make([]string, len(texts))
	for i, text := range texts {
		tags[i] = strings.TrimSpace(text)
		if _, err := repo.Tagged(tags[i]); err != nil {
			r.fault(line, fmt.Sprintf("has %s, which is not a tag", quote(text)), "")
			return nil, false
		}
	}
	return tags, true
}

// syncerDestination reads a destination, with a tag for each tag of the source
// or with none.
func (r *reader) syncerDestination(line int, text string, e Entry) (Destination, bool) {
	name, tag, digest := split(text)
	ref, err := reference.Parse(name)
	if err != nil {
		r.fault(line, fmt.Sprintf("has the destination %s, which is not a repository", quote(text)), "")
		return Destination{}, false
	}
	to := Destination{Repository: ref.Repository()}
	named, _ := e.Tags.Named()
	switch {
	case digest != "":
		if digest != e.Digest.String() {
			r.fault(line, "has different digests at the source and the destination", "leave out the digest at the destination")
			return Destination{}, false
		}
	case tag == "":
	default:
		var ok bool
		if to.Tags, ok = r.tags(line, to.Repository, strings.Split(tag, ",")); !ok {
			return Destination{}, false
		}
		most := len(named)
		if e.Digest.Hex != "" {
			most = 1
		}
		if len(to.Tags) != most {
			r.fault(line, fmt.Sprintf("has %d tags at the destination and %d at the source", len(to.Tags), most), "write as many, or none at the destination")
			return Destination{}, false
		}
	}
	return to, true
}

// variablePattern matches a variable as os.ExpandEnv does.
var variablePattern = &pattern.Regexp{Text: `\$(?:\{([^{}]*)\}|([A-Za-z_][A-Za-z0-9_]*))`}

// expand replaces the variables in a destination. It does not expand those that
// may hold credentials, since the content of a list is shown.
func (r *reader) expand(line int, text string) (string, bool) {
	ok := true
	expanded := variablePattern.Compiled().ReplaceAllStringFunc(text, func(whole string) string {
		value, found := r.variable(line, strings.Trim(whole, "${}"))
		ok = ok && found
		return value
	})
	return expanded, ok
}

// variable returns the value of an environment variable.
func (r *reader) variable(line int, name string) (string, bool) {
	if isCredential(name) {
		r.fault(line, fmt.Sprintf("has the variable %s, which may hold a credential, so it is not expanded", name), "")
		return "", false
	}
	value := ""
	if r.getenv != nil {
		value = r.getenv(name)
	}
	if value == "" {
		r.fault(line, fmt.Sprintf("has the variable %s, which is not set", shortened(name)), "set it in the environment, or write its value")
	}
	return value, value != ""
}

// isCredential reports whether a variable may hold a credential.
func isCredential(name string) bool {
	upper := strings.ToUpper(name)
	for _, word := range []string{"PASS", "TOKEN", "SECRET", "KEY", "LOGIN", "CRED", "AUTH", "ACTIONS_"} {
		if strings.Contains(upper, word) {
			return true
		}
	}
	return false
}
