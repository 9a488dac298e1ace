package architecture

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReleaseBeforeCache: a binary that a digest of the sources names is taken
// before one that only the cache vouches for.
func TestReleaseBeforeCache(t *testing.T) {
	var action struct {
		Runs struct {
			Steps []struct{ ID, If, Uses string }
		}
	}
	unmarshal(t, filepath.Join("..", "..", "action.yml"), &action)
	fetched := false
	for _, step := range action.Runs.Steps {
		fetched = fetched || step.ID == "fetch" && step.If == ""
		if strings.HasPrefix(step.Uses, "actions/cache/") && (!fetched || !strings.Contains(step.If, "steps.fetch.outputs.fetched != 'true'")) {
			t.Errorf("%s is used although a release may be there", step.Uses)
		}
	}
}

// TestReleaseIsMadeInParts: no job of the release that runs the code of the
// repository, or of others, may write or sign.
func TestReleaseIsMadeInParts(t *testing.T) {
	var workflow struct {
		Jobs map[string]struct {
			Permissions map[string]string
			Steps       []struct{ Uses, Run string }
		}
	}
	unmarshal(t, filepath.Join("..", "..", ".github", "workflows", "release.yml"), &workflow)
	for name, job := range workflow.Jobs {
		writes := false
		for _, access := range job.Permissions {
			writes = writes || access == "write"
		}
		for _, step := range job.Steps {
			if writes && (strings.HasPrefix(step.Uses, "actions/checkout@") || step.Uses != "" && !strings.HasPrefix(step.Uses, "actions/attest@")) {
				t.Errorf("job %s may write and uses %s", name, step.Uses)
			}
			if writes && strings.Contains(step.Run, "go ") {
				t.Errorf("job %s may write and runs %q", name, step.Run)
			}
		}
	}
	if len(workflow.Jobs) < 3 {
		t.Errorf("%d jobs", len(workflow.Jobs))
	}
}

// TestGoVersion: whatever builds Ferry on GitHub takes the newest fixes of the
// Go that go.mod asks for. setup-go would take go.mod by its letter, and that
// names the first of them.
func TestGoVersion(t *testing.T) {
	root := filepath.Join("..", "..")
	least := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, filepath.Join(root, "go.mod")))
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range append(files, filepath.Join(root, "action.yml")) {
		for _, m := range regexp.MustCompile(`(?m)^ *go-version(\S*): (\S+)`).FindAllStringSubmatch(read(t, file), -1) {
			found++
			if m[1] != "" || m[2] != least[1]+".x" {
				t.Errorf("%s has %q, want go-version: %s.x", file, strings.TrimSpace(m[0]), least[1])
			}
		}
	}
	if found == 0 {
		t.Error("nothing sets up Go: has it moved?")
	}
}

// TestReleaseBuildsLikeTheAction: a released binary is to be the one that the
// action would have built. The image has another one, with everything.
func TestReleaseBuildsLikeTheAction(t *testing.T) {
	root := filepath.Join("..", "..")
	script := read(t, filepath.Join(root, ".github", "scripts", "build"))
	var release struct {
		Builds []struct {
			ID                        string
			Main, Env, Flags, Ldflags any
			Gcflags                   []string
		}
		Archives []struct {
			IDs          []string
			NameTemplate string `yaml:"name_template"`
		}
	}
	unmarshal(t, filepath.Join(root, ".goreleaser.yaml"), &release)
	if len(release.Builds) != 2 || len(release.Archives) != 2 {
		t.Fatalf("%d builds in %d archives, want 2 and 2", len(release.Builds), len(release.Archives))
	}
	if all, archive := release.Builds[1], release.Archives[1]; strings.Contains(words(all.Flags), "tags") || words(archive.IDs) != all.ID ||
		!strings.HasPrefix(archive.NameTemplate, "{{ .ProjectName }}-acme_") || !strings.Contains(read(t, filepath.Join(root, ".github", "workflows", "release.yml")), `"dist/ferry-acme_${version}_linux_$arch.tar.gz"`) {
		t.Error("the image is not made of the build with everything")
	}
	b := release.Builds[0]
	var gcflags strings.Builder
	for _, flag := range b.Gcflags {
		fmt.Fprintf(&gcflags, " -gcflags='%s'", flag)
	}
	want := fmt.Sprintf("%s go build %s -ldflags='%s'%s -o \"$out\" %s", words(b.Env), words(b.Flags), words(b.Ldflags), gcflags.String(), b.Main)
	if !strings.Contains(script, want) {
		t.Errorf("the script does not build by %q", want)
	}
}

func words(list any) string {
	return strings.Trim(fmt.Sprint(list), "[]")
}
