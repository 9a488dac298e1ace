package lists

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/imageferry/ferry/internal/pattern"
)

// templatePattern matches a template that can be read, and the text between its
// braces.
var templatePattern = &pattern.Regexp{Text: `\{\{-?\s*(.*?)\s*-?\}\}`}

// tokenPattern matches a token of a template: a text in quotes, a mark, or a word.
var tokenPattern = &pattern.Regexp{Text: "\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`|[()|]|[^\\s()|\"`]+"}

// maxTokens limits a template, and so how deep its parentheses are.
const maxTokens = 100

// template expands a template of regsync, in the subset of text/template that lists
// use: fields, texts, the functions of call, parentheses and "|". The time is that of
// the run. Files and the environment's credentials are not read.
func (r *reader) template(line int, text string, fields map[string]string) (string, bool) {
	ok := true
	result := templatePattern.Compiled().ReplaceAllStringFunc(text, func(whole string) string {
		e := expansion{reader: r, line: line, fields: fields, tokens: tokenPattern.Compiled().FindAllString(templatePattern.FindStringSubmatch(whole)[1], -1)}
		if len(e.tokens) > maxTokens {
			e.tokens = nil // not supported
		}
		value, err := e.pipeline()
		switch {
		case err != "":
		case len(e.tokens) > 0:
			err = "has a parenthesis that is not opened"
		case value.list:
			err = "is a list, not text"
		}
		switch {
		case err != "":
			r.fault(line, fmt.Sprintf("has the template %s, which %s", quote(whole), err),
				"the supported functions are env, default, split, join, index, lower, upper, trimSpace and time.Now.Format, and the field .Sync.Source")
			ok = false
		case e.missing != "":
			_, ok = r.variable(line, e.missing)
		case e.refused:
			ok = false
		}
		return strings.Join(value.texts, "")
	})
	if ok && strings.Contains(result, "{{") {
		r.fault(line, "has a template that is not closed", "")
		return "", false
	}
	return result, ok
}

// expansion is the evaluation of one template.
type expansion struct {
	*reader
	line    int
	fields  map[string]string
	tokens  []string
	missing string // a variable that is not set, for which there is no default
	refused bool   // a variable was refused, which is a fault already
}

// value is a text, or a list of them.
type value struct {
	texts []string
	list  bool
}

func text(s string) value { return value{texts: []string{s}} }

// pipeline evaluates commands up to the end or a closing parenthesis. The value of a
// command is the last argument of the next one. The error is a clause.
func (e *expansion) pipeline() (v value, err string) {
	for first := true; ; first = false {
		var words []string // the function, or nothing
		var args []value
		for len(e.tokens) > 0 && e.tokens[0] != "|" && e.tokens[0] != ")" {
			token := e.tokens[0]
			e.tokens = e.tokens[1:]
			field, known := e.fields[token]
			unquoted, malformed := strconv.Unquote(token)
			switch {
			case token == "(":
				inner, err := e.pipeline()
				if err == "" && len(e.tokens) == 0 {
					err = "has a parenthesis that is not closed"
				}
				if err != "" {
					return v, err
				}
				e.tokens = e.tokens[1:]
				args = append(args, inner)
			case known:
				args = append(args, text(field))
			case malformed == nil:
				args = append(args, text(unquoted))
			case len(words)+len(args) == 0:
				words = append(words, token)
			default:
				args = append(args, text(token)) // a number
			}
		}
		if !first {
			args = append(args, v)
		}
		switch {
		case len(words) == 1:
			v, err = e.call(words[0], args)
		case len(args) == 1 && first:
			v = args[0]
		default:
			err = "is not supported"
		}
		if err != "" || len(e.tokens) == 0 || e.tokens[0] == ")" {
			return v, err
		}
		e.tokens = e.tokens[1:]
	}
}

// call calls a function of regsync
// (https://github.com/regclient/regclient/blob/main/pkg/template/template.go).
func (e *expansion) call(function string, args []value) (value, string) {
	texts := make([]string, 2)
	for i, a := range args[:min(len(args), 2)] {
		texts[i] = strings.Join(a.texts, "")
		if a.list && (i > 0 || function != "join" && function != "index") {
			return value{}, "has a list in place of a text"
		}
	}
	switch name := fmt.Sprint(function, " ", len(args)); name {
	case "env 1":
		return text(e.env(texts[0])), ""
	case "default 2":
		if texts[1] == "" {
			e.missing = ""
			return args[0], ""
		}
		return args[1], ""
	case "lower 1":
		return text(strings.ToLower(texts[0])), ""
	case "upper 1":
		return text(strings.ToUpper(texts[0])), ""
	case "trimSpace 1":
		return text(strings.TrimSpace(texts[0])), ""
	case "split 2":
		return value{strings.Split(texts[0], texts[1]), true}, ""
	case "join 2":
		return text(strings.Join(args[0].texts, texts[1])), ""
	case "index 2":
		n, err := strconv.Atoi(texts[1])
		if err != nil || !args[0].list || n < 0 || n >= len(args[0].texts) {
			return value{}, "names a part that does not exist"
		}
		return text(args[0].texts[n]), ""
	case "time.Now.Format 1":
		return text(e.now.Format(texts[0])), ""
	}
	return value{}, "is not supported"
}

// env returns a variable. One that may hold a credential is a fault.
func (e *expansion) env(name string) string {
	if !isCredential(name) && (e.getenv == nil || e.getenv(name) == "") {
		e.missing = name
		return ""
	}
	found, ok := e.variable(e.line, name)
	e.refused = e.refused || !ok
	return found
}
