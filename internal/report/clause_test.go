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

	"github.com/imageferry/ferry/internal/texts"
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
		if name := identifier(e.Fun); name == "Sprintf" || name == "Errorf" {
			return regexp.MustCompile(`%\.?\d*[qsdvtw]`).ReplaceAllString(patternOf(e.Args[0]), "{}")
		}
	}
	return "{}"
}

// identifier is the last name of an expression.
func identifier(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// messages are what is said in a part of a file of a room: all faults of the
// configuration and of lists, and all mistakes in a command line.
func messages(room string, n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.CallExpr:
		switch identifier(n.Fun) {
		case "wrong", "fault", "note", "loginFault", "broken", "matching":
			return n.Args
		case "Errorf":
			if room != "lists" {
				return []ast.Expr{n}
			}
		case "New":
			if room != "config" && room != "lists" {
				return n.Args
			}
		}
	case *ast.CompositeLit:
		if identifier(n.Type) == "usageError" {
			return n.Elts
		}
	case *ast.KeyValueExpr:
		if name := identifier(n.Key); name == "Reason" || name == "Cure" || name == "problem" {
			return []ast.Expr{n.Value}
		}
	case *ast.AssignStmt:
		for _, to := range n.Lhs {
			if slices.Contains([]string{"cure", "reason", "Reason", "Cure"}, identifier(to)) {
				return n.Rhs
			}
		}
	case *ast.ValueSpec:
		if name := n.Names[len(n.Names)-1].Name; strings.HasSuffix(name, "Cure") || name == "name" {
			return n.Values
		}
	case *ast.FuncDecl:
		var all []ast.Expr
		if slices.Contains([]string{"kind", "setAt", "notAmong", "mistake"}, n.Name.Name) {
			ast.Inspect(n, func(n ast.Node) bool {
				if r, ok := n.(*ast.ReturnStmt); ok {
					all = append(all, r.Results...)
				}
				return true
			})
		}
		return all
	}
	return nil
}

// words are those of a sentence; what has less than two of them is a piece of one.
var words = regexp.MustCompile(`[A-Za-z]{3,}`)

// leftEnglish are words of a text of which a clause fits a part only.
var leftEnglish = regexp.MustCompile(`(?:^|[^-\w])(?:the|which|is|are|an?|not|of|from)\b`)

// clausesOf are the messages of a room.
func clausesOf(t *testing.T, room string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", room, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(room, err)
	}
	var all []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			for _, e := range messages(room, n) {
				if p := patternOf(e); len(words.FindAllString(p, 2)) == 2 {
					all = append(all, p)
				}
			}
			return true
		})
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(text string) bool { return text == "one attempt" }) // never shown
}

// TestClauses: nobody is told of a mistake that has no Chinese.
func TestClauses(t *testing.T) {
	for _, room := range []string{"config", "cli", "lists", "selection", "pull", "setup", "upstream"} {
		for _, text := range clausesOf(t, room) {
			text = strings.ReplaceAll(text, "{}", "x1")
			if strings.HasPrefix(text, ", ") || strings.HasPrefix(text, "; ") { // the end of another
				text = "x1" + text
			}
			said := chinese().clause(text)
			if strings.Contains(said, "{1}") || leftEnglish.MatchString(said) || !strings.ContainsFunc(said, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
				t.Errorf("%s says %q, which is in no clause of texts/clauses.zh.json: %q", room, text, said)
			}
		}
	}
}

// TestClausesAreSaid: each clause is in the list once, and some room says it.
func TestClausesAreSaid(t *testing.T) {
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || filepath.Base(filepath.Dir(file)) == "report" {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if e, ok := n.(*ast.BasicLit); ok {
				said.WriteString(patternOf(e) + "\n")
			}
			return true
		})
	}
	all := said.String()
	seen := map[string]bool{}
	var clauses [][2]string
	if err := texts.Decode(clausesInChinese, &clauses); err != nil {
		t.Fatal("texts/clauses.zh.json: ", err)
	}
	for _, c := range clauses {
		if seen[c[0]] {
			t.Errorf("%q is in the list twice", c[0])
		}
		seen[c[0]] = true
		for piece := range strings.SplitSeq(c[0], "{}") { // the text may be joined from several
			if piece = strings.TrimSpace(piece); len(words.FindAllString(piece, 2)) == 2 && !strings.Contains(all, piece) {
				t.Errorf("no room says %q of %q", piece, c[0])
			}
		}
	}
}

func TestTranslated(t *testing.T) {
	for text, want := range map[string]string{
		`is "flatt"`: `是 "flatt"`,
		`did you mean "flat"? valid values: flat, host`:            `是不是 "flat"？可用的值：flat, host`,
		`write "a", "b" or "c"`:                                    `请写 "a", "b" 或 "c"`,
		"is a list, not text":                                      "是列表，不是文本",
		"is not the name of an environment variable":               "不是环境变量的名称",
		"line 3 has 2 words":                                       "第 3 行有 2 个词",
		"is empty and there is no other login for quay.io":         "为空，也没有 quay.io 的其他登录账号",
		`set it in the environment, or log in with "docker login"`: `请在环境变量中设置，或者用 "docker login" 登录`,
		`unknown command "cpoy"; did you mean "copy"?`:             `没有命令 "cpoy"，是不是 "copy"？`,
		"is {1} {2}":        "是 {1} {2}",
		"said in no clause": "said in no clause",
		"":                  "",
	} {
		if got := chinese().clause(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if got := english.clause(text); got != text {
			t.Errorf("English: %q became %q", text, got)
		}
	}
}
