// Package e2e is the end-to-end suite: Ferry as it ships, under the names and
// protocols of production, between real registries and real container clients.
// See package sandbox for how. It needs root and the programs that .ci/run
// installs; without them it fails rather than passing for nothing.
package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageferry/ferry/e2e/github"
	"github.com/imageferry/ferry/e2e/npm"
	"github.com/imageferry/ferry/e2e/sandbox"
)

// hosts are who the names in the sandbox belong to.
var hosts = map[string]string{
	"gcr.io":                "1.2.3.1",
	"registry-1.docker.io":  "1.2.3.2",
	"index.docker.io":       "1.2.3.2",
	"docker.io":             "1.2.3.2",
	"auth.docker.io":        "1.2.3.3",
	"api.github.com":        "1.2.3.4",
	"registry.example.com":  "1.2.3.5",
	"front.example.com":     "1.2.3.6",
	"gcr.front.example.com": "1.2.3.6",
	"acme.example.com":      "1.2.3.8",
	"storage.example.com":   "1.2.3.7",
	"quay.io":               "127.0.0.2", // a public name that leads inside
	"proxy.example.com":     "127.0.0.3",
}

// programs are what the suite runs besides Go.
var programs = []string{"act", "bash", "buildah", "buildctl", "buildkitd", "containerd", "containerd2", "cosign", "crictl", "ctr", "docker", "dockerd", "git", "helm", "ip", "moby-dockerd", "node", "npm", "pebble", "podman", "skopeo"}

// authority signs for all hosts.
var authority *sandbox.Authority

func TestMain(m *testing.M) {
	status, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	os.Exit(status)
}

func run(m *testing.M) (int, error) {
	if sandbox.Dir() == "" {
		return sandbox.Enter(hosts, prepare)
	}
	if err := sandbox.Furnish(); err != nil {
		return 0, err
	}
	var err error
	if authority, err = sandbox.NewAuthority(); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// The files that prepare leaves in the sandbox's folder.
func ferryFile() string       { return filepath.Join(sandbox.Dir(), "ferry") }
func completeFile() string    { return filepath.Join(sandbox.Dir(), "ferry-acme") }
func conformanceFile() string { return filepath.Join(sandbox.Dir(), "conformance") }
func examplesFile() string    { return filepath.Join(sandbox.Dir(), "webhooks.json") }
func apiFile() string         { return filepath.Join(sandbox.Dir(), "api.json") }

// prepare does what needs the outside world: it builds Ferry with the script
// that ships, and the Worker, and fetches GitHub's example payloads and the
// description of its API.
func prepare(dir string) error {
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("the end-to-end suite runs %s: install it, or let .ci/run do it: %w", program, err)
		}
	}
	if out, err := exec.Command(filepath.Join("..", ".github", "scripts", "build"), filepath.Join(dir, "ferry")).CombinedOutput(); err != nil {
		return fmt.Errorf("building Ferry: %w: %s", err, out)
	}
	complete := exec.Command("go", "build", "-o", filepath.Join(dir, "ferry-acme"), "./cmd/ferry")
	complete.Dir = ".."
	if out, err := complete.CombinedOutput(); err != nil {
		return fmt.Errorf("building Ferry with everything: %w: %s", err, out)
	}
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "conformance"), "github.com/opencontainers/distribution-spec/conformance").CombinedOutput(); err != nil {
		return fmt.Errorf("building the conformance suite: %w: %s", err, out)
	}
	if out, err := exec.Command("sh", "-c", "cd ../edge && { npm ls >/dev/null 2>&1 || npm ci --ignore-scripts --no-audit --no-fund; } && npm run -s build").CombinedOutput(); err != nil {
		return fmt.Errorf("building the Worker: %w: %s", err, out)
	}
	examples, err := npm.File("@octokit/webhooks-examples", "7.6.1", "api.github.com/index.json")
	if err != nil {
		return err
	}
	description, err := github.Fetch()
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "webhooks.json"), examples, 0o644),
		os.WriteFile(filepath.Join(dir, "api.json"), description, 0o644),
		keepGoCaches(),
	)
}

// keepGoCaches lets builds in the sandbox use the caches of this machine,
// although their home is another and there is no module proxy.
func keepGoCaches() error {
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		return fmt.Errorf("asking go for its caches: %w", err)
	}
	folders := strings.Fields(string(out))
	return errors.Join(
		os.Setenv("GOCACHE", folders[0]),
		os.Setenv("GOMODCACHE", folders[1]),
		os.Setenv("GOPROXY", "off"),
	)
}
