package report

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// patternOf is the text that an expression makes, with {} for what is known only
// when the program runs.
func patternOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			if text, err := strconv.Unquote(e.Value); err == nil {
				return text
			}
		}
	case *ast.BinaryExpr:
		return patternOf(e.X) + patternOf(e.Y)
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "Sprintf" || f.Sel.Name == "Errorf") {
			return regexp.MustCompile(`%[qsd]`).ReplaceAllString(patternOf(e.Args[0]), "{}")
		}
	}
	return "{}"
}

// clausesOf are the texts of faults in the files of the room config.
func clausesOf(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../config/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	var all []string
	add := func(e ast.Expr) {
		if p := patternOf(e); len(strings.ReplaceAll(p, "{}", "")) > 3 && strings.Contains(p, " ") && !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	for _, file := range files {
		// What "ferry serve" is told is never part of an answer.
		if strings.HasSuffix(file, "_test.go") || filepath.Base(file) == "serve.go" {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				name := ""
				switch f := n.Fun.(type) {
				case *ast.SelectorExpr:
					name = f.Sel.Name
				case *ast.Ident:
					name = f.Name
				}
				switch name {
				case "wrong", "fault", "loginFault", "broken", "matching":
					for _, arg := range n.Args {
						add(arg)
					}
				case "Errorf":
					add(n)
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && (key.Name == "Reason" || key.Name == "Cure") {
					add(n.Value)
				}
			case *ast.AssignStmt:
				for i, to := range n.Lhs {
					name := ""
					switch to := to.(type) {
					case *ast.Ident:
						name = to.Name
					case *ast.SelectorExpr:
						name = to.Sel.Name
					}
					if i < len(n.Rhs) && slices.Contains([]string{"cure", "reason", "Reason", "Cure"}, name) {
						add(n.Rhs[i])
					}
				}
			case *ast.ValueSpec:
				for i, to := range n.Names {
					if i < len(n.Values) && (strings.HasSuffix(to.Name, "Cure") || to.Name == "name") {
						add(n.Values[i])
					}
				}
			case *ast.ReturnStmt:
				for _, result := range n.Results {
					add(result)
				}
			}
			return true
		})
	}
	slices.Sort(all)
	return all
}

// TestFaultsInChinese: config says nothing that has no Chinese.
func TestFaultsInChinese(t *testing.T) {
	for _, text := range clausesOf(t) {
		text = strings.ReplaceAll(text, "{}", "x1")
		if strings.HasPrefix(text, ", ") || strings.HasPrefix(text, "; ") { // the end of another
			text = "x1" + text
		}
		said := translate(chineseClauses, text)
		if strings.Contains(said, "{") && !strings.Contains(text, "{") || !strings.ContainsFunc(said, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("config says %q, which is in no clause of chinese_clauses.go: %q", text, said)
		}
	}
}

func TestTranslate(t *testing.T) {
	for text, want := range map[string]string{
		`is "flatt"`: `是 "flatt"`,
		`did you mean "flat"? valid values: flat, host`:              `是不是 "flat"？可用的值：flat, host`,
		`write "a", "b" or "c"`:                                      `请写 "a", "b" 或 "c"`,
		"is a list, not text":                                        "是列表，不是文本",
		"is not the name of an environment variable":                 "不是环境变量的名称",
		"line 3 has 2 words":                                         "第 3 行有 2 个词",
		"is empty and there is no other login for quay.io":           "为空，也没有 quay.io 的其他登录账号",
		"set it in the environment, or log in with \"docker login\"": "请在环境变量中设置，或者用 \"docker login\" 登录",
		"is {1} {2}":        "是 {1} {2}",
		"said in no clause": "said in no clause",
		"":                  "",
	} {
		if got := translate(chineseClauses, text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := english().fault("is empty"); got != "is empty" {
		t.Errorf("English: %q", got)
	}
}
