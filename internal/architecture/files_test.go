package architecture_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// layers are the files of a room from the bottom up: a file uses those of its
// own line and of the lines above it. A room of more than maxFree files is listed.
var layers = map[string][]string{
	"runner": {
		"clean",
		"runner stream",
		"log files",
	},
	"wiring": {
		"build",
		"env",
		"helper network tell verify",
		"engine github upstream",
		"fill",
		"front",
	},
	"doctor": {
		"finding sample",
		"configuration repository",
		"patient",
		"target mirrors",
		"doctor",
	},
	"cli": {
		"terminal terminal_other terminal_windows errno_other errno_windows",
		"say",
		"input",
		"command",
		"load display parse lists seen",
		"published",
		"name",
		"copy",
		"mirrors",
		"serve setup demo doctor run verify version",
		"log",
		"harvest",
		"sync divide shard join",
		"rebuild",
		"save catalog keep",
		"ask",
		"pull",
		"cli completion manual help",
	},
	"catalog": {
		"catalog",
		"records holdings",
		"harvest",
		"keep",
		"feed", "page",
		"api",
		"lookup",
	},
	"archive": {
		"archive tar files",
		"write folder",
		"open",
		"verify source",
	},
	"plan": {
		"asker",
		"policy",
		"plan",
		"list quota",
		"doubt",
	},
	"config": {
		"fault secret",
		"config",
		"decode docker front load logins oidc policy serve sources targets",
	},
	"mirror": {
		"each nearest receipt source",
		"allowance attached event slow",
		"tree choose glance budget",
		"adapt public",
		"mirror",
		"tags",
		"image elsewhere quota delete",
		"put referrers",
		"attest",
		"hold run",
		"look read",
	},
	"bot": {
		"action ours",
		"tongue job archive board lost",
		"schedule asker recall greeting",
		"answer",
		"divide facts visibility",
		"progress",
		"work",
		"setup preview issue",
		"input join command sweep",
		"run",
	},
	"front": {
		"memory refusal ranges rules budget listener certificate desk flight",
		"acme acme_absent",
		"question",
		"names places",
		"guests lapses meters",
		"front answer",
		"tour sample",
		"manifests blobs lists requests",
		"serve",
		"server",
	},
	"report": {
		"markdown units title report",
		"console language",
		"clause",
		"terminal_english",
		"english",
		"languages document outcome",
		"records answer",
		"commands reasons approval archive hidden",
		"list verdict sections annotations originals",
		"render help terminal considered doctor",
		"synced",
	},
	"request": {
		"request codes",
		"text words tokens language marks markdown keys",
		"host mirror",
		"image parts repair braces link platform weigh links joined",
		"candidate place layout",
		"evidence",
		"scan wording",
		"intent",
		"signals",
		"leftover dockerfile settings table log hubmirror document xml form release variables template mask hidden grammar shell archive",
		"prose clauses entries listed sentence spoken readwords neighbours tagsbehind newer correction exclusion noplatform saidtags listtags longertags tags tagitems namespace selection faults",
		"rules_apart rules_copies rules_excluded rules_guess rules_lists rules_longer rules_mentions rules_registry rules_spaces rules_tags rules_title rules_vague beside command",
		"rules",
		"decide",
		"dialects",
		"understand",
		"explain",
	},
	"lists": {
		"upstream",
		"lists",
		"reader",
		"document repository",
		"outside",
		"lines",
		"native imagesyncer",
		"template",
		"skopeo regsync others",
		"detect",
		"pasted",
	},
	"upstream": {
		"web",
		"tags",
		"upstream",
	},
	"selection": {
		"pattern",
		"version",
		"constraint regsync",
		"selection",
		"parse",
	},
	"setup": {
		"types",
		"edit diff json toml yaml",
		"docker containerd podman k3s buildkit",
		"proxy",
		"owner_unix owner_windows",
		"setup apply",
		"install",
	},
	"reference": {
		"grammar",
		"reference",
		"platform inside",
	},
	"known": {
		"registry images",
		"registries",
		"known",
		"hosts mirrors",
	},
	"name": {
		"scheme",
		"labels",
		"code tag pattern",
		"one",
		"name public",
	},
	"clients": {
		"mirror",
		"docker ferry podman nerdctl ctr k3s crictl take trial front sed kustomize",
		"clients",
	},
	"ledger": {
		"state",
		"marker",
		"next",
	},
	"publish": {
		"options errors cache",
		"transport",
		"client",
		"issue",
		"labels comment commit",
		"setup conversation",
	},
	"fakegithub": {
		"events windows",
		"answers",
		"server",
		"call roles",
		"shapes",
		"issues labels comments workflows git limits",
		"repository",
		"reactions snapshot",
		"serve",
	},
	"conformance": {
		"words",
		"trial",
		"behaviours",
		"variants",
		"failures optional places rarities refusals",
		"suite",
	},
	"fakeregistry": {
		"registry",
		"auth fault delete upload",
		"manifest",
		"real",
		"image hub",
		"serve",
		"behaviour",
	},
	"demo": {
		"render",
		"demo words",
		"request",
		"serve",
	},
	"outbound": {
		"trips guard host unsent_linux unsent_other",
		"proxy",
		"dialer",
		"connections",
		"transport",
	},
	"registry": {
		"watchdog challenge body meaning",
		"wire backoff refusal address",
		"account",
		"tokenserver token",
		"auth guest",
		"client",
		"manifest lists manage upload blob probe read",
		"announcement",
		"clients",
	},
	"transfer": {
		"source tuning tuner slots",
		"pace",
		"engine memory stream host attempt uploads",
		"fetch",
		"reader hedge",
		"connections",
		"lease send",
		"place open",
	},
}

// maxFree is how many files a room may have that keep no order.
const maxFree = 5

// TestLayered: no room grows without an order of its files.
func TestLayered(t *testing.T) {
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			count[filepath.Base(filepath.Dir(file))]++
		}
	}
	for room, n := range count {
		if n > maxFree && layers[room] == nil {
			t.Errorf("%s has %d files and no layers: list them in this file, from the bottom up", room, n)
		}
	}
}

// TestFiles finds the uses inside a room that run against its layers.
func TestFiles(t *testing.T) {
	fset := token.NewFileSet()
	packages := importer.ForCompiler(fset, "gc", compiled(t))
	for room, order := range layers {
		level := map[string]int{}
		for n, names := range order {
			for name := range strings.FieldsSeq(names) {
				level[name+".go"] = n
			}
		}
		found := map[string][]string{}
		for use, name := range uses(t, fset, packages, filepath.Join("..", room)) {
			from, to, _ := strings.Cut(use, " -> ")
			to, _, _ = strings.Cut(to, " ")
			a, known := level[from]
			b, alsoKnown := level[to]
			switch {
			case !known || !alsoKnown:
				t.Errorf("%s: %s stands in no layer", room, use)
			case a < b:
				found[from+" -> "+to] = append(found[from+" -> "+to], name)
			}
		}
		for edge, names := range found {
			slices.Sort(names)
			t.Errorf("%s: %s: %s", room, edge, strings.Join(names, ", "))
		}
	}
}

// compiled opens what the compiler has written of each package that the rooms
// import, which is faster than to read their sources.
func compiled(t *testing.T) func(path string) (io.ReadCloser, error) {
	t.Helper()
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", "../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		files[path] = file
	}
	return func(path string) (io.ReadCloser, error) { return os.Open(files[path]) }
}

// uses are the package-level names and methods that one file takes from another.
func uses(t *testing.T, fset *token.FileSet, packages types.Importer, dir string) map[string]string {
	t.Helper()
	matches, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range matches {
		if ok, err := build.Default.MatchFile(dir, filepath.Base(name)); err != nil || !ok || strings.HasSuffix(name, "_test.go") {
			continue // one for another system
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: packages}
	pkg, err := conf.Check(dir, fset, files, info)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for id, o := range info.Uses {
		_, method := o.(*types.Func)
		if o.Pkg() != pkg || o.Parent() != pkg.Scope() && !method {
			continue
		}
		from, to := filepath.Base(fset.Position(id.Pos()).Filename), filepath.Base(fset.Position(o.Pos()).Filename)
		if from != to {
			found[fmt.Sprintf("%s -> %s %s", from, to, o.Name())] = o.Name()
		}
	}
	return found
}
