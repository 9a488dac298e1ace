package report

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/request"
)

// constants returns the values of all string constants of a type in a package
// of Ferry.
func constants(t *testing.T, room, typeName string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", room, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != typeName {
				return true
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
				value, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, value)
			}
			return true
		})
	}
	if len(values) == 0 {
		t.Fatalf("no constants of %s.%s found: has the type moved?", room, typeName)
	}
	return values
}

// TestEveryCodeHasItsSentence checks that every code has words in every
// language.
func TestEveryCodeHasItsSentence(t *testing.T) {
	has := func(l *language, words any) map[string]bool {
		found := map[string]bool{}
		v := reflect.ValueOf(words)
		for i := range v.Len() {
			key := v.Index(i).FieldByName("key").String()
			if found[key] {
				t.Errorf("%s has words for %s twice", l.tag, key)
			}
			found[key] = true
		}
		for key := range found {
			if code, _, ok := strings.Cut(key, " "); ok { // with a side
				delete(found, key)
				found[code] = true
			}
		}
		return found
	}
	for _, l := range languages() {
		for _, table := range []struct {
			room, kind string
			words      any
		}{
			{"failure", "Code", l.Failures},
			{"request", "ProblemCode", l.Problems},
			{"request", "Assumption", l.Assumptions},
			{"mirror", "Change", l.Changes},
			{"mirror", "PublicState", l.Public},
			{"config", "Place", l.Places},
			{"config", "Kind", l.Faults},
			{"config", "Who", l.Audiences},
			{"doctor", "Kind", l.Doctor.Findings},
		} {
			found := has(l, table.words)
			known := constants(t, table.room, table.kind)
			for _, code := range known {
				if !found[code] {
					t.Errorf("%s: no words for %s.%s %q", l.tag, table.room, table.kind, code)
				}
				delete(found, code)
			}
			for code := range found {
				t.Errorf("%s: words for %s.%s %q, which does not exist", l.tag, table.room, table.kind, code)
			}
		}
	}
}

// TestProblemsHaveCures: each problem with a request says what to write, if not in a
// suggestion.
func TestProblemsHaveCures(t *testing.T) {
	suggested := []request.ProblemCode{request.LookalikeHost, request.Ambiguous, request.AllTags}
	for _, l := range languages() {
		for _, code := range constants(t, "request", "ProblemCode") {
			code := request.ProblemCode(code)
			if cured := l.Problems.of(code).Cure != ""; cured == slices.Contains(suggested, code) {
				t.Errorf("%s: the cure of %s is there: %t", l.tag, code, cured)
			}
		}
	}
}

// sentences collects all texts of a language by their path in the struct.
func sentences(v reflect.Value, at string, into map[string]string) {
	switch v.Kind() {
	case reflect.String:
		into[at] = v.String()
	case reflect.Struct:
		for i := range v.NumField() {
			sentences(v.Field(i), at+"."+v.Type().Field(i).Name, into)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			name, item := strconv.Itoa(i), v.Index(i)
			if item.Kind() == reflect.Struct && item.FieldByName("key").IsValid() { // of a table
				name, item = item.FieldByName("key").String(), item.FieldByName("words")
			}
			sentences(item, at+"["+name+"]", into)
		}
	}
}

// TestTextsAreFields checks that the file of a language has nothing but the fields of
// a language.
func TestTextsAreFields(t *testing.T) {
	for _, file := range []string{textsInEnglish, textsInChinese} {
		decoder := json.NewDecoder(strings.NewReader(file))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&language{}); err != nil {
			t.Errorf("%.40q: %v", file, err)
		}
	}
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// TestLanguagesSayTheSame checks that every language has the sentences and
// placeholders of the first.
func TestLanguagesSayTheSame(t *testing.T) {
	all := languages()
	model := map[string]string{}
	sentences(reflect.ValueOf(*all[0]), "", model)
	for _, l := range all[1:] {
		texts := map[string]string{}
		sentences(reflect.ValueOf(*l), "", texts)
		for at, text := range model {
			translated, ok := texts[at]
			switch {
			case !ok:
				t.Errorf("%s lacks %s", l.tag, at)
			case text != "" && translated == "" && !strings.HasSuffix(at, ".One") && at != ".Stop":
				t.Errorf("%s: %s is empty", l.tag, at)
			}
			a, b := placeholder.FindAllString(text, -1), placeholder.FindAllString(translated, -1)
			slices.Sort(a)
			slices.Sort(b)
			if !slices.Equal(a, b) && !strings.HasSuffix(at, ".One") {
				t.Errorf("%s: %s has the placeholders %v, not %v", l.tag, at, b, a)
			}
		}
		for at := range texts {
			if _, ok := model[at]; !ok {
				t.Errorf("%s: %s is in no other language", l.tag, at)
			}
		}
	}
}

// TestSentencesAreWhole looks for unclosed Markdown in the tables.
func TestSentencesAreWhole(t *testing.T) {
	for _, l := range languages() {
		texts := map[string]string{}
		sentences(reflect.ValueOf(*l), "", texts)
		for at, text := range texts {
			if strings.Count(text, "`")%2 != 0 || strings.Count(text, "**")%2 != 0 || strings.ContainsAny(text, "<>|@") && !strings.Contains(text, "`-> name:tag`") && at != ".EmptyExample" {
				t.Errorf("%s: %s is %q", l.tag, at, text)
			}
		}
	}
}

func TestSpeak(t *testing.T) {
	chinese, english := request.Request{Chinese: true}, request.Request{English: true}
	for _, c := range []struct {
		configured string
		request    request.Request
		owners     string
		want       string
	}{
		{"auto", chinese, "en", "zh"}, {"auto", english, "zh", "en"}, {"auto", request.Request{}, "zh", "zh"}, {"auto", request.Request{}, "en", "en"},
		{"", chinese, "", "zh"}, {"", request.Request{}, "", "en"}, {"en", chinese, "zh", "en"}, {"zh", english, "en", "zh"}, {"xx", english, "xx", "en"},
	} {
		if got := speak(c.configured, c.request, c.owners).tag; got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
