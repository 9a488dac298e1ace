// Package architecture holds no code, only the tests that keep the project in
// the shape that docs/design.md draws: which room may know which, who may have
// effects, and what a workflow may contain.
package architecture

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/imageferry/ferry"

// The modules of others, by the import paths that they are known under.
const (
	moduleRegistry = "github.com/google/go-containerregistry"
	moduleGitHub   = "github.com/google/go-github"
	moduleActions  = "github.com/sethvargo/go-githubactions"
	moduleCrypto   = "golang.org/x/crypto"
	moduleProxy    = "golang.org/x/net"
	moduleYAML     = "go.yaml.in/yaml"
	moduleTerminal = "golang.org/x/term"
	moduleSystem   = "golang.org/x/sys"
)

// digests is the package of the digest type that references and receipts hold.
// Rooms that know references may name the type; that gives them no registry.
const digests = moduleRegistry + "/pkg/v1"

// testModules are those that only tests may import, in any room.
var testModules = []string{
	"github.com/google/go-cmp",
	"github.com/pelletier/go-toml/v2",
	"github.com/tailscale/hujson",
	"golang.org/x/tools",
}

// room is what one package may know.
type room struct {
	rooms   []string // of ours
	modules []string // of others
	pure    bool     // no files, no network, no processes, no log
}

// rooms lists every package. Data moves from event to publish; a later room
// may know an earlier one's types, never the reverse, and only the entries (cli, bot, demo) know many.
var rooms = map[string]room{
	"reference": {rooms: []string{"pattern"}, modules: []string{moduleRegistry}, pure: true},
	"failure":   {pure: true},
	"pattern":   {pure: true},
	"texts":     {pure: true},
	"clients":   {rooms: []string{"name", "pattern", "reference"}, pure: true},
	"suggest":   {rooms: []string{"pattern"}, pure: true},
	"known":     {rooms: []string{"pattern", "suggest"}, pure: true},
	"catalog":   {rooms: []string{"clients", "reference", "texts"}, pure: true},
	"archive":   {rooms: []string{"distribution", "failure", "pattern", "reference", "registry", "texts", "transfer"}, modules: []string{moduleRegistry}},
	"pull":      {rooms: []string{"clients", "failure", "reference"}},
	"setup":     {rooms: []string{"clients", "known", "pattern", "reference"}, modules: []string{moduleYAML}},
	"event":     {rooms: []string{"pattern"}},
	"request":   {rooms: []string{"known", "pattern", "reference", "texts"}, pure: true},
	"name":      {rooms: []string{"known", "pattern", "reference"}, pure: true},
	"lists":     {rooms: []string{"known", "pattern", "reference", "request", "selection", "suggest"}, modules: []string{moduleYAML}, pure: true},
	"upstream":  {rooms: []string{"lists", "outbound", "pattern", "selection"}},
	"fanout":    {pure: true},
	"selection": {rooms: []string{"pattern", "reference", "suggest"}, pure: true},
	"plan":      {rooms: []string{"config", "failure", "name", "reference", "request"}, pure: true},
	"patience":  {},
	"oidc":      {rooms: []string{"known", "pattern"}, pure: true},
	"outbound":  {rooms: []string{"known", "reference"}, modules: []string{moduleProxy}},
	"registry":  {rooms: []string{"config", "distribution", "failure", "known", "oidc", "outbound", "patience", "pattern", "reference"}, modules: []string{moduleRegistry}},
	"transfer":  {rooms: []string{"failure", "reference"}, modules: []string{moduleRegistry}},
	"front":     {rooms: []string{"distribution", "failure", "name", "pattern", "reference", "registry", "transfer"}, modules: []string{moduleRegistry, moduleCrypto}},
	"mirror":    {rooms: []string{"failure", "known", "name", "pattern", "plan", "reference", "registry", "request", "suggest", "transfer"}, modules: []string{moduleRegistry}},
	"shards":    {rooms: []string{"failure", "fanout", "ledger", "mirror", "plan", "reference", "registry", "report"}, modules: []string{digests}},
	"doctor":    {rooms: []string{"config", "failure", "known", "plan", "reference", "registry"}, modules: []string{moduleRegistry}},
	"ledger":    {rooms: []string{"config", "pattern", "request"}, pure: true},
	"report":    {rooms: []string{"clients", "config", "doctor", "failure", "known", "ledger", "mirror", "pattern", "plan", "reference", "request", "selection", "texts"}, pure: true},
	"publish":   {rooms: []string{"config", "event", "failure", "ledger", "patience"}, modules: []string{moduleGitHub}},
	"runner":    {rooms: []string{"pattern"}, modules: []string{moduleActions}},
	"config":    {rooms: []string{"known", "name", "oidc", "pattern", "reference", "suggest"}, modules: []string{moduleYAML}},

	// What clients and servers of the registry protocol share.
	"distribution": {},

	// Stand-ins for the outside, for tests and for the demo.
	"fakecloud":    {},
	"fakegithub":   {rooms: []string{"event"}},
	"fakeproxy":    {},
	"fakeworld":    {rooms: []string{"event", "fakeregistry"}},
	"fakeregistry": {rooms: []string{"distribution"}},
	"conformance":  {rooms: []string{"config", "distribution", "failure", "fakeregistry", "mirror", "plan", "reference", "registry", "report", "request"}},

	// wiring makes the parts; cli, bot and demo are the entries that use them.
	"wiring": {rooms: []string{
		"catalog", "config", "event", "failure", "front", "known", "ledger", "mirror", "name", "oidc", "outbound", "patience", "plan", "publish", "reference", "registry", "report", "request", "runner", "transfer", "upstream",
	}},
	"bot": {rooms: []string{
		"config", "doctor", "event", "failure", "ledger", "lists", "mirror", "pattern", "plan", "publish", "reference", "registry", "report", "request", "runner", "shards", "wiring",
	}},
	"demo": {rooms: []string{"bot", "config", "event", "fakegithub", "fakeregistry", "front", "ledger", "pattern", "reference", "transfer", "wiring"}, modules: []string{moduleRegistry}},
	"cli": {rooms: []string{
		"archive", "bot", "catalog", "clients", "config", "demo", "doctor", "failure", "fanout", "front", "known", "ledger", "lists", "mirror", "name", "pattern", "plan", "publish", "pull", "reference", "registry", "report",
		"request", "runner", "selection", "setup", "shards", "suggest", "texts", "transfer", "upstream", "wiring",
	}, modules: []string{moduleSystem, moduleTerminal}},
	"cmd/ferry": {rooms: []string{"cli", "runner", "wiring"}},

	// A program that brings known's lists up to date.
	"known/generate": {},

	"architecture": {rooms: []string{"known"}, modules: []string{moduleYAML}},
}

// effects are the standard library's ways out, which pure rooms do without.
var effects = []string{"log", "log/slog", "net", "net/http", "os", "os/exec", "os/signal", "syscall"}

func TestArrows(t *testing.T) {
	for dir, files := range imports(t) {
		allowed, ok := rooms[dir]
		if !ok {
			t.Errorf("package %s is not in the table: add it to rooms in this file, with the few packages that it may know", dir)
			continue
		}
		for file, paths := range files {
			for _, imported := range paths {
				if complaint := allowed.complaint(imported, strings.HasSuffix(file, "_test.go")); complaint != "" {
					t.Errorf("%s imports %s: %s", file, imported, complaint)
				}
			}
		}
	}
}

// complaint says what is wrong about importing importPath, if anything.
func (r room) complaint(importPath string, test bool) string {
	if ours, ok := strings.CutPrefix(importPath, module+"/"); ok {
		// Tests may put rooms together; what ships may not.
		if test || slices.Contains(r.rooms, strings.TrimPrefix(ours, "internal/")) {
			return ""
		}
		return "this room may not know that one. Take the value as an argument and let the caller hand it over, or move the code to the room that may know it. " +
			"If the arrow itself is new and right, add it to rooms in internal/architecture"
	}
	if host, _, _ := strings.Cut(importPath, "/"); !strings.Contains(host, ".") { // the standard library
		if r.pure && !test && slices.Contains(effects, importPath) {
			return "this room is pure. Take what it needs as an argument, and leave files, network and log to the entries and the rooms at the ends"
		}
		return ""
	}
	if test && (within(importPath, testModules) || knownModule(importPath)) || within(importPath, r.modules) ||
		importPath == digests && slices.Contains(r.rooms, "reference") {
		return ""
	}
	return "this room may not know that module. Call the room that wraps it. " +
		"A new module needs a reason in the pull request (what for, how big, who maintains it) and a line in rooms in internal/architecture"
}

func within(importPath string, modules []string) bool {
	return slices.ContainsFunc(modules, func(m string) bool {
		return importPath == m || strings.HasPrefix(importPath, m+"/")
	})
}

// knownModule reports whether any room may import the module.
func knownModule(importPath string) bool {
	for _, r := range rooms {
		if within(importPath, r.modules) {
			return true
		}
	}
	return false
}

// imports gives, for each package of the module, what each of its files imports.
func imports(t *testing.T) map[string]map[string][]string {
	t.Helper()
	packages := map[string]map[string][]string{}
	root := filepath.Join("..", "..")
	for _, top := range []string{"internal", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(file string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && entry.Name() == "testdata":
				return fs.SkipDir
			case entry.IsDir() || filepath.Ext(file) != ".go":
				return nil
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			relative, err := filepath.Rel(root, file)
			if err != nil {
				return err
			}
			relative = filepath.ToSlash(relative)
			dir := strings.TrimPrefix(path.Dir(relative), "internal/")
			if packages[dir] == nil {
				packages[dir] = map[string][]string{}
			}
			for _, spec := range parsed.Imports {
				imported, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					return err
				}
				packages[dir][relative] = append(packages[dir][relative], imported)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(packages) == 0 {
		t.Fatal("no packages found: has this test moved?")
	}
	return packages
}

// TestArrowsPointOneWay keeps the table itself honest: every room that it
// names exists in it, and no two rooms can reach each other.
func TestArrowsPointOneWay(t *testing.T) {
	done := map[string]bool{}
	var visit func(name string, trail []string)
	visit = func(name string, trail []string) {
		if slices.Contains(trail, name) {
			t.Errorf("rooms know each other in a circle: %s", strings.Join(append(trail, name), " → "))
			return
		}
		if done[name] {
			return
		}
		r, ok := rooms[name]
		if !ok {
			t.Errorf("the table lets %v know %s, which it does not list", trail, name)
		}
		for _, next := range r.rooms {
			visit(next, append(slices.Clone(trail), name))
		}
		done[name] = true
	}
	for name := range rooms {
		visit(name, nil)
	}
}

// TestGrantsAreUsed finds rooms and modules that a room may know and does not.
func TestGrantsAreUsed(t *testing.T) {
	packages := imports(t)
	for name, r := range rooms {
		var all []string
		for file, paths := range packages[name] {
			if !strings.HasSuffix(file, "_test.go") || name == "architecture" {
				all = append(all, paths...)
			}
		}
		used := func(granted string) bool {
			return slices.ContainsFunc(all, func(imported string) bool { return within(imported, []string{granted}) })
		}
		for _, other := range r.rooms {
			if !used(module + "/internal/" + other) {
				t.Errorf("%s may know %s and does not: remove it from rooms in this file", name, other)
			}
		}
		for _, m := range r.modules {
			if !used(m) {
				t.Errorf("%s may know %s and does not: remove it from rooms in this file", name, m)
			}
		}
	}
}

func TestComplaints(t *testing.T) {
	tests := []struct {
		room, imports string
		test, wrong   bool
	}{
		{room: "request", imports: module + "/internal/reference"},
		{room: "request", imports: module + "/internal/plan", wrong: true},
		{room: "mirror", imports: module + "/internal/report", wrong: true},
		{room: "mirror", imports: module + "/internal/fakeregistry", wrong: true},
		{room: "mirror", imports: module + "/internal/fakeregistry", test: true},
		{room: "report", imports: "net/http", wrong: true},
		{room: "report", imports: "os", wrong: true},
		{room: "report", imports: "os", test: true},
		{room: "report", imports: "net/url"},
		{room: "runner", imports: "os"},
		{room: "report", imports: moduleRegistry + "/pkg/v1"},
		{room: "report", imports: moduleRegistry + "/pkg/v1/remote", wrong: true},
		{room: "publish", imports: moduleGitHub + "/v62/github"},
		{room: "report", imports: moduleGitHub + "/v62/github", wrong: true},
		{room: "report", imports: "github.com/google/go-githubber", wrong: true},
		{room: "publish", imports: "github.com/google/go-githubber", wrong: true},
		{room: "publish", imports: "github.com/google/go-cmp/cmp", wrong: true},
		{room: "publish", imports: "github.com/google/go-cmp/cmp", test: true},
		{room: "publish", imports: "github.com/stretchr/testify/assert", test: true, wrong: true},
	}
	for _, test := range tests {
		complaint := rooms[test.room].complaint(test.imports, test.test)
		if (complaint != "") != test.wrong {
			t.Errorf("%s imports %s (test file: %t): complaint %q, want one: %t", test.room, test.imports, test.test, complaint, test.wrong)
		}
	}
}
