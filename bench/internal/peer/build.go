package peer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// source is a program at a version that the Go module proxy has.
type source struct{ program, module, version, path string }

var sources = []source{
	{"crane", "github.com/google/go-containerregistry", "v0.22.1", "./cmd/crane"},
	{"regctl", "github.com/regclient/regclient", "v0.11.7", "./cmd/regctl"},
	{"regsync", "github.com/regclient/regclient", "v0.11.7", "./cmd/regsync"},
	{"oras", "oras.land/oras", "v1.3.3", "./cmd/oras"},
}

// Build compiles what the peers need into dir: ferry from tree as it is released,
// the others at their pinned versions, unless they are there already.
func Build(ctx context.Context, tree, dir string, peers []Peer) error {
	needed := map[string]bool{}
	for _, p := range peers {
		needed[p.program] = true
	}
	if needed["ferry"] {
		if err := release(ctx, tree, filepath.Join(dir, "ferry")); err != nil {
			return fmt.Errorf("building ferry: %w", err)
		}
	}
	for _, s := range sources {
		binary := filepath.Join(dir, s.binary())
		if _, err := os.Stat(binary); err == nil || !needed[s.program] {
			continue
		}
		if err := s.build(ctx, binary); err != nil {
			return fmt.Errorf("building %s %s: %w", s.program, s.version, err)
		}
	}
	return nil
}

func (s source) binary() string { return s.program + "-" + s.version }

// build works inside the module as the proxy gives it, so that the program has
// exactly the dependencies of its release. `go install` would do the same for
// most, but not for modules of which the proxy has no list of versions.
func (s source) build(ctx context.Context, binary string) error {
	out, err := run(exec.CommandContext(ctx, "go", "mod", "download", "-json", s.module+"@"+s.version))
	if err != nil {
		return err
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return fmt.Errorf("reading the answer of go mod download: %w", err)
	}
	return compile(ctx, module.Dir, s.path, binary)
}

// Revision returns the revision of the tree from which ferry is built.
func Revision(tree string) string {
	out, err := run(exec.Command("git", "-C", tree, "describe", "--always", "--dirty"))
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// release builds ferry by the script of its own tree.
func release(ctx context.Context, tree, binary string) error {
	binary, err := filepath.Abs(binary) // the script changes the folder
	if err != nil {
		return err
	}
	_, err = run(exec.CommandContext(ctx, filepath.Join(tree, ".github", "scripts", "build"), binary))
	return err
}

func compile(ctx context.Context, dir, path, binary string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", binary, path)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	_, err := run(cmd)
	return err
}

// run returns what the command prints, and an error that holds its complaints.
func run(cmd *exec.Cmd) ([]byte, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("running %s: %w\n%s", cmd.Args[0], err, stderr.Bytes())
	}
	return out, nil
}

// Versions says what is compared, one program an entry.
func Versions() []string {
	var versions []string
	for _, s := range sources {
		versions = append(versions, s.program+" "+s.version)
	}
	if out, err := run(exec.Command("skopeo", "--version")); err == nil {
		versions = append(versions, "skopeo "+strings.TrimSpace(strings.TrimPrefix(string(out), "skopeo version ")))
	}
	return versions
}
