package architecture

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// The rules that every workflow and action here keeps, because anybody on the
// internet starts them and they hold the target's password. The first two are
// GitHub's ("Secure use reference", script injections and pinning); zizmor has
// audits for most of the others, but is not a Go program.

// TestWorkflows holds what ships to the rules.
func TestWorkflows(t *testing.T) {
	root := filepath.Join("..", "..")
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.y*ml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no workflows found: has this test moved?")
	}
	examples, err := filepath.Glob(filepath.Join(root, "examples", "*", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(examples) == 0 {
		t.Fatal("no examples found: has this test moved?")
	}
	files = append(append(files, examples...), filepath.Join(root, "action.yml"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// People paste the examples before the first release has a SHA.
		shown := strings.ReplaceAll(string(text), "uses: imageferry/ferry@v1 ", "uses: ./ ")
		for _, v := range violations(t, shown) {
			t.Errorf("%s:%s", filepath.ToSlash(strings.TrimPrefix(file, root+string(filepath.Separator))), v)
		}
	}
}

// TestPermissions: the jobs that run Ferry have these permissions alone. Logins
// without a password need another one, which the owner of a fork may have added
// (docs/oidc.md). In a private repository, only a job with actions: read can tell
// a requester that nothing will retry.
func TestPermissions(t *testing.T) {
	repository := os.Getenv("GITHUB_REPOSITORY")
	fork := repository != "" && repository != "imageferry/ferry"
	want := map[string]string{
		"catalog": "map[catalog:map[contents:write issues:read]]",
		"mirror":  "map[announce:map[contents:read issues:write] archive:map[contents:read issues:write] join:map[actions:read contents:read issues:write] mirror:map[actions:read contents:read issues:write] release:map[contents:write] shard:map[contents:read issues:read]]",
		"sweep":   "map[sweep:map[contents:read issues:write]]",
		"doctor":  "map[doctor:map[actions:read contents:read issues:write]]",
		"sync":    "map[join:map[contents:write] plan:map[contents:read] shard:map[contents:read]]",
		"lists":   "map[join:map[contents:read] plan:map[contents:read] shard:map[contents:read]]",
		"save":    "map[save:map[contents:read]]",
	}
	for name := range want {
		var workflow struct {
			Jobs map[string]struct{ Permissions map[string]string }
		}
		unmarshal(t, filepath.Join("..", "..", ".github", "workflows", name+".yml"), &workflow)
		got := map[string]map[string]string{}
		for job, has := range workflow.Jobs {
			if fork {
				delete(has.Permissions, "id-token")
				delete(has.Permissions, "packages")
			}
			got[job] = has.Permissions
		}
		if fmt.Sprint(got) != want[name] {
			t.Errorf("the jobs of %s have the permissions %v, want %s", name, got, want[name])
		}
	}
}

// TestListsIsSync: the workflow for other repositories has the jobs of sync, step by
// step. It uses the action of a release instead of these sources, takes inputs instead
// of variables, and writes to no branch.
func TestListsIsSync(t *testing.T) {
	jobs := func(name string) string {
		text, err := os.ReadFile(filepath.Join("..", "..", ".github", "workflows", name))
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(strings.ReplaceAll(string(text), "\r\n", "\n"), "\njobs:\n")
		var lines []string
		for line := range strings.Lines(after) {
			code, _, _ := strings.Cut(line, " #") // a permission in a comment may be one of a fork
			if code = strings.TrimRight(code, " \n"); code != "" && !strings.HasSuffix(code, "id-token: write") && !strings.HasSuffix(code, "packages: write") {
				lines = append(lines, code)
			}
		}
		return strings.Join(lines, "\n") + "\n"
	}
	branch := regexp.MustCompile(`      - uses: actions/checkout@\w+\n        continue-on-error: true\n(?:        .*\n)+`)
	sync := branch.ReplaceAllString(jobs("sync.yml"), "")
	for _, differ := range [][2]string{
		{"uses: ./\n", "uses: imageferry/ferry@v1\n"},
		{"${{ inputs.files || vars.FERRY_LISTS || 'default' }}", "${{ inputs.lists }}"},
		{"${{ vars.FERRY_JOBS }}", "${{ inputs.jobs }}"},
		{"${{ vars.FERRY_TARGET || secrets.FERRY_TARGET }}", "${{ inputs.target }}"},
		{"${{ vars.FERRY_USERNAME || secrets.FERRY_USERNAME }}", "${{ inputs.username }}"},
		{"${{ vars.FERRY_PLATFORMS }}", "${{ inputs.platforms }}"},
		{"${{ vars.FERRY_PROFILE }}", "${{ inputs.profile }}"},
		{"${{ vars.FERRY_LANGUAGE }}", "${{ inputs.language }}"},
		{"${{ vars.FERRY_SOURCES }}", "${{ inputs.sources }}"},
		{"secrets.FERRY_PASSWORD", "secrets.password"},
		{"secrets.FERRY_LOGINS", "secrets.logins"},
		// A caller has lists.
		{"- if: inputs.files != '' || vars.FERRY_LISTS != '' || hashFiles('images.txt', 'images.yaml', 'images.yml') != ''\n        id: ferry\n", "- id: ferry\n"},
		// Without a branch for the catalog, it joins the shards alone.
		{"needs.plan.outputs.changed == 'true'", "needs.plan.outputs.shards != '' && needs.plan.outputs.shards != '[]'"},
		{"contents: write\n", "contents: read\n"},
		{"          FERRY_REQUESTS: ${{ vars.FERRY_REQUESTS }}\n", ""},
		{"          FERRY_LOG: catalog\n", ""},
	} {
		if !strings.Contains(sync, differ[0]) {
			t.Errorf("sync.yml lacks %q", differ[0])
		}
		sync = strings.ReplaceAll(sync, differ[0], differ[1])
	}
	if diff := cmp.Diff(strings.Split(sync, "\n"), strings.Split(jobs("lists.yml"), "\n")); diff != "" {
		t.Errorf("lists.yml differs from sync.yml (-want +got):\n%s", diff)
	}
}

// TestSettingsMayBeSecrets: whoever sets a fork up in a hurry puts everything
// under secrets. A target that is not seen there would send the login elsewhere.
// Logins of sources come with the variable that names the sources.
func TestSettingsMayBeSecrets(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", ".github", "workflows", "*.y*ml"))
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var document yaml.Node
		if err := yaml.Unmarshal(text, &document); err != nil {
			t.Fatal(err)
		}
		eachMapping(document.Content[0], func(m *yaml.Node) {
			if uses := get(m, "uses"); uses == nil || uses.Value != "./" {
				return
			}
			// A login for a source that is not configured is a fault.
			if sources := get(get(m, "env"), "FERRY_SOURCES"); get(get(m, "with"), "logins") != nil && (sources == nil || sources.Value != "${{ vars.FERRY_SOURCES }}") {
				t.Errorf("%s:%d: the action gets logins, and no FERRY_SOURCES", filepath.Base(file), m.Line)
			}
			if get(get(m, "with"), "save") != nil || get(get(m, "with"), "archive") != nil || get(get(m, "with"), "catalog") != nil { // which have no target
				return
			}
			steps++
			for _, input := range []string{"target", "username"} {
				name := "FERRY_" + strings.ToUpper(input)
				want := fmt.Sprintf("${{ vars.%[1]s || secrets.%[1]s }}", name)
				if value := get(get(m, "with"), input); value == nil || value.Value != want {
					t.Errorf("%s: %s of the action is not %s", filepath.Base(file), input, want)
				}
			}
		})
	}
	if steps == 0 {
		t.Error("no workflow uses the action")
	}
}

// violations are the places of a workflow or action that break a rule, each
// with its line and the cure.
func violations(t *testing.T, text string) []string {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	top := document.Content[0]
	var found []string
	complain := func(n *yaml.Node, format string, args ...any) {
		found = append(found, fmt.Sprintf("%d: ", n.Line)+fmt.Sprintf(format, args...))
	}
	each(top, func(key string, value *yaml.Node) {
		switch key {
		case "run", "script":
			if strings.Contains(value.Value, "${{") {
				complain(value, "an expression in %s is pasted into code: hand it over in env and quote the variable", key)
			}
		case "uses":
			if !pinned(value) {
				complain(value, "%s is not pinned: write the full commit SHA, and the version in a comment behind it", value.Value)
			}
		case "secrets":
			if value.Value == "inherit" {
				complain(value, "secrets: inherit gives all of them away: name those that are needed")
			}
		}
	})
	eachMapping(top, func(m *yaml.Node) {
		if uses := get(m, "uses"); uses != nil && strings.HasPrefix(uses.Value, "actions/checkout@") {
			if persist := get(get(m, "with"), "persist-credentials"); persist == nil || persist.Value != "false" {
				complain(uses, "checkout leaves the token in .git/config: set persist-credentials: false")
			}
		}
	})
	jobs := get(top, "jobs")
	if jobs == nil {
		return found // an action has no more
	}
	if names(get(top, "on"), "pull_request_target") {
		complain(top, "pull_request_target runs with secrets on what strangers wrote: do without")
	}
	// A run that follows another one has no secret, and takes nothing from the other
	// run but how it ended. What remains is the token of the job.
	if names(get(top, "on"), "workflow_run") && taken.MatchString(ended.Replace(text)) {
		complain(top, "workflow_run runs with secrets on what strangers wrote: use none, and only the conclusion of the run")
	}
	if p := get(top, "permissions"); p == nil || p.Kind != yaml.MappingNode || len(p.Content) > 0 {
		complain(top, "permissions at the top must be {}: each job asks for its own")
	}
	if names(get(top, "on"), "issues") {
		if get(top, "concurrency") != nil {
			complain(top, "a run that is skipped drops one that waits: concurrency is the job's, not the workflow's")
		}
		for _, job := range values(jobs) {
			if get(job, "needs") != nil && get(job, "concurrency") == nil {
				continue // its run has begun, and nothing may drop it
			}
			group, cancel := get(get(job, "concurrency"), "group"), get(get(job, "concurrency"), "cancel-in-progress")
			if group == nil || !strings.Contains(group.Value, "github.event.issue.number") || cancel == nil || cancel.Value != "false" {
				complain(job, "requests get in each other's way or lost: group them by github.event.issue.number, with cancel-in-progress: false")
			}
		}
	}
	for _, wide := range append([]*yaml.Node{top}, values(jobs)...) {
		each(get(wide, "env"), func(_ string, value *yaml.Node) {
			if strings.Contains(value.Value, "secrets.") {
				complain(value, "a secret in the env of a job or workflow is every step's: hand it to the one that needs it")
			}
		})
	}
	for i := 0; i < len(jobs.Content); i += 2 {
		name, job := jobs.Content[i], jobs.Content[i+1]
		if get(job, "permissions") == nil {
			complain(name, "job %s has no permissions: write what it needs", name.Value)
		}
		if get(job, "uses") == nil && get(job, "timeout-minutes") == nil {
			complain(name, "job %s has no timeout-minutes: without it a hanging run lasts six hours", name.Value)
		}
	}
	return found
}

var (
	// ended drops what a workflow may know of the run that it follows, and taken
	// finds what it may not have: expressions, files and artifacts.
	ended = strings.NewReplacer("github.event_name", "", "github.event.workflow_run.conclusion", "")
	taken = regexp.MustCompile(`(?i)\bsecrets\b|\bgithub\.event|\bgithub\[|toJSON\(\s*github|GITHUB_EVENT_PATH|\bdownload\b`)

	fullSHA = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
	version = regexp.MustCompile(`^# v\d`)
)

func pinned(uses *yaml.Node) bool {
	return strings.HasPrefix(uses.Value, "./") || fullSHA.MatchString(uses.Value) && version.MatchString(uses.LineComment)
}

// each visits every key of every mapping below n.
func each(n *yaml.Node, visit func(key string, value *yaml.Node)) {
	eachMapping(n, func(m *yaml.Node) {
		for i := 0; i < len(m.Content); i += 2 {
			visit(m.Content[i].Value, m.Content[i+1])
		}
	})
}

func eachMapping(n *yaml.Node, visit func(*yaml.Node)) {
	if n == nil {
		return
	}
	if n.Kind == yaml.MappingNode {
		visit(n)
	}
	for _, child := range n.Content {
		eachMapping(child, visit)
	}
}

// get is the value of key in the mapping m, nil if there is none.
func get(m *yaml.Node, key string) *yaml.Node {
	if m == nil || m.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i+1]
		}
	}
	return nil
}

// values are those of the mapping m.
func values(m *yaml.Node) []*yaml.Node {
	var all []*yaml.Node
	for i := 1; i < len(m.Content); i += 2 {
		all = append(all, m.Content[i])
	}
	return all
}

// names reports whether the triggers, a word, a list or a mapping, have one of
// that name.
func names(on *yaml.Node, trigger string) bool {
	if on == nil {
		return false
	}
	return on.Value == trigger || get(on, trigger) != nil ||
		slices.ContainsFunc(on.Content, func(n *yaml.Node) bool { return on.Kind == yaml.SequenceNode && n.Value == trigger })
}

// TestViolations breaks each rule once, in a workflow that keeps the others.
func TestViolations(t *testing.T) {
	const good = `
on:
  push:
  issues:
permissions: {}
jobs:
  build:
    concurrency:
      group: a-${{ github.event.issue.number }}
      cancel-in-progress: false
    env: { PLAIN: "${{ vars.PLAIN }}" }
    permissions: { contents: read }
    timeout-minutes: 5
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7
        with: { persist-credentials: false }
      - run: echo "$TITLE"
        env: { TITLE: "${{ github.event.issue.title }}" }
      - uses: ./
`
	if found := violations(t, good); len(found) > 0 {
		t.Fatalf("the good workflow has violations: %q", found)
	}
	tests := []struct{ name, old, new, want string }{
		{"expression in a script", `echo "$TITLE"`, `echo "${{ github.event.issue.title }}"`, "17: an expression in run"},
		{"any expression", `echo "$TITLE"`, `echo "${{ matrix.go }}"`, "17: an expression in run"},
		{"tag instead of a SHA", "3d3c42e5aac5ba805825da76410c181273ba90b1", "v7", "15: actions/checkout@v7 is not pinned"},
		{"SHA without a version", " # v7", "", "is not pinned"},
		{"credentials kept", "with: { persist-credentials: false }", "with: { fetch-depth: 1 }", "15: checkout leaves the token"},
		{"trigger with secrets", "push:", "pull_request_target:", "pull_request_target runs with secrets"},
		{"trigger in a list", "on:\n  push:\n  issues:", "on: [push, workflow_run]", "workflow_run runs with secrets"}, // on the title of an issue
		{"top permissions missing", "permissions: {}\n", "", "permissions at the top"},
		{"top permissions wide", "permissions: {}", "permissions: write-all", "permissions at the top"},
		{"job permissions missing", "    permissions: { contents: read }\n", "", "7: job build has no permissions"},
		{"requests that cancel each other", "cancel-in-progress: false", "cancel-in-progress: true", "requests get in each other's way"},
		{"one queue for all requests", "a-${{ github.event.issue.number }}", "all", "requests get in each other's way"},
		{"a group that skipped runs join", "permissions: {}\n", "permissions: {}\nconcurrency: all\n", "a run that is skipped drops one"},
		{"a secret for the whole job", "vars.PLAIN", "secrets.PLAIN", "is every step's"},
		{"no time-out", "    timeout-minutes: 5\n", "", "7: job build has no timeout-minutes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bad := strings.Replace(good, test.old, test.new, 1)
			found := violations(t, bad)
			if len(found) != 1 || !strings.Contains(found[0], test.want) {
				t.Errorf("violations %q, want one with %q", found, test.want)
			}
		})
	}
}

// TestAfterAnotherRun: a workflow that follows another one may see how that one
// ended, and nothing else.
func TestAfterAnotherRun(t *testing.T) {
	const follows = `
on:
  workflow_run: { workflows: [mirror], types: [completed] }
  workflow_dispatch:
permissions: {}
jobs:
  build:
    if: github.event_name != 'workflow_run' || github.event.workflow_run.conclusion == 'success'
    permissions: { contents: write }
    timeout-minutes: 5
    steps:
      - run: echo "$A"
        env: { A: "ALLOWED" }
`
	if found := violations(t, follows); len(found) > 0 {
		t.Errorf("the good workflow has violations: %q", found)
	}
	for _, wrong := range []string{
		"${{ secrets.FERRY_PASSWORD }}", "${{ toJSON(secrets) }}", "${{ secrets['FERRY_PASSWORD'] }}",
		"${{ github.event.workflow_run.head_sha }}", "${{ github.event.workflow_run.head_branch }}", "${{ github.event['workflow_run'].id }}",
		"${{ toJSON(github.event) }}", "${{ github['event'].action }}", "${{ toJSON( github ) }}", "$GITHUB_EVENT_PATH",
		"actions/download-artifact", "gh run download",
	} {
		if found := violations(t, strings.Replace(follows, "ALLOWED", wrong, 1)); len(found) != 1 || !strings.Contains(found[0], "workflow_run runs with secrets") {
			t.Errorf("%s: violations %q", wrong, found)
		}
	}
}
