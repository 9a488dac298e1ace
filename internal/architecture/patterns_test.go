package architecture

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every run pays for what is compiled at the start, so package variables hold
// expressions that are compiled when they are first used; and those must compile.
func TestPatterns(t *testing.T) {
	compiled := 0
	for dir, files := range imports(t) {
		if dir == "known/generate" { // a tool
			continue
		}
		var parsed []*ast.File
		constants := map[string]ast.Expr{}
		set := token.NewFileSet()
		for file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(set, filepath.Join("..", "..", file), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			parsed = append(parsed, f)
			for _, d := range f.Decls {
				valuesOf(d, token.CONST, func(name string, value ast.Expr) { constants[name] = value })
			}
		}
		for _, f := range parsed {
			for _, d := range f.Decls {
				valuesOf(d, token.VAR, func(name string, value ast.Expr) {
					ast.Inspect(value, func(n ast.Node) bool {
						switch n := n.(type) {
						case *ast.FuncLit:
							return false
						case *ast.SelectorExpr:
							if x, ok := n.X.(*ast.Ident); ok && x.Name == "regexp" && strings.HasPrefix(n.Sel.Name, "MustCompile") {
								t.Errorf("%s: %s is compiled at the start of every run: use pattern.Regexp", set.Position(n.Pos()), name)
							}
						}
						return true
					})
				})
			}
			ast.Inspect(f, func(n ast.Node) bool {
				field, ok := n.(*ast.KeyValueExpr)
				if !ok {
					return true
				}
				if key, ok := field.Key.(*ast.Ident); ok && key.Name == "Text" && imported(f, module+"/internal/pattern") {
					if text := evaluate(field.Value, constants); text.Kind() == constant.String {
						compiled++
						if _, err := regexp.Compile(constant.StringVal(text)); err != nil {
							t.Errorf("%s: %v", set.Position(n.Pos()), err)
						}
					}
				}
				return true
			})
		}
	}
	if compiled < 80 {
		t.Errorf("only %d expressions were found", compiled)
	}
}

// valuesOf calls f for each constant or variable of a declaration that has a value.
func valuesOf(d ast.Decl, kind token.Token, f func(name string, value ast.Expr)) {
	general, ok := d.(*ast.GenDecl)
	if !ok || general.Tok != kind {
		return
	}
	for _, s := range general.Specs {
		spec := s.(*ast.ValueSpec)
		for i, value := range spec.Values {
			f(spec.Names[i].Name, value)
		}
	}
}

func imported(f *ast.File, path string) bool {
	for _, i := range f.Imports {
		if i.Path.Value == `"`+path+`"` {
			return true
		}
	}
	return false
}

// evaluate returns the value of a constant string, and an unknown one for others.
func evaluate(e ast.Expr, constants map[string]ast.Expr) constant.Value {
	switch e := e.(type) {
	case *ast.BasicLit:
		return constant.MakeFromLiteral(e.Value, e.Kind, 0)
	case *ast.Ident:
		if value, ok := constants[e.Name]; ok {
			return evaluate(value, constants)
		}
	case *ast.BinaryExpr:
		x, y := evaluate(e.X, constants), evaluate(e.Y, constants)
		if x.Kind() == constant.String && y.Kind() == constant.String {
			return constant.BinaryOp(x, e.Op, y)
		}
	}
	return constant.MakeUnknown()
}
