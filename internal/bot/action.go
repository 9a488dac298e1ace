package bot

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/runner"
	"github.com/imageferry/ferry/internal/shards"
	"github.com/imageferry/ferry/internal/wiring"
)

// actionRun is one run of the Action: the event, the owner's configuration, and
// the client of GitHub.
type actionRun struct {
	env   wiring.Env
	out   *runner.Runner
	log   *slog.Logger
	dry   bool
	event event.Event
	cfg   *config.Config
	// faults of the configuration: no request is served until the owner fixes
	// them.
	faults config.Faults
	hub    *publish.Client // nil if no issue is involved
	key    ledger.Key
	engine *wiring.Engine // nil until there is something to copy
	// manifests are those that were read to divide a request; see registries.
	manifests map[v1.Hash]*registry.Manifest
	divided   *shards.Plan // with the results of the jobs of this run; nil if there were none
	tongue    string       // language of the repository; empty until it is needed
}

// input returns a variable of the environment. The inputs of a
// workflow_dispatch replace variables that the workflow does not pass on.
func (s *actionRun) input(variable string) string {
	if value := s.env.Getenv(variable); value != "" {
		return value
	}
	if name, ok := strings.CutPrefix(variable, "FERRY_"); ok {
		switch name {
		case "IMAGES", "PLATFORMS", "ISSUE":
			return s.event.Inputs[strings.ToLower(name)]
		case "TARGET_OVERRIDE":
			if s.env.Getenv("FERRY_TARGET") == "" {
				return s.event.Inputs["target"]
			}
		}
	}
	return ""
}

// now returns the time, by GitHub's clock if known.
func (s *actionRun) now() time.Time {
	if s.hub != nil {
		return s.hub.Now()
	}
	return s.env.Time()
}

// page returns the address of a page of the repository on GitHub.
func (s *actionRun) page(path string) string {
	r := s.event.Repository
	if r.Name == "" {
		return ""
	}
	return s.env.Site() + "/" + r.Owner + "/" + r.Name + path
}

// templates returns the texts of the repository's issue templates, which are
// not requests. They are read from the checkout; without one there are none.
func (s *actionRun) templates() []string {
	const most = 20 // files, of at most 64 KiB each
	root := s.env.Getenv("GITHUB_WORKSPACE")
	if root == "" {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(root, ".github", "ISSUE_TEMPLATE", "*"))
	if err != nil {
		return nil
	}
	var texts []string
	for _, file := range files[:min(len(files), most)] {
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() || info.Size() > 64<<10 {
			continue
		}
		if data, err := os.ReadFile(file); err == nil {
			texts = append(texts, string(data))
		}
	}
	return texts
}

// sweeps reports whether this run looks for unfinished requests: on a schedule,
// or if a workflow without inputs, such as the sweep, is started by hand.
func (s *actionRun) sweeps() bool {
	if s.input("FERRY_IMAGES") != "" || s.input("FERRY_ISSUE") != "" {
		return false
	}
	return s.event.Kind == event.Schedule || s.event.Kind == event.Dispatch && len(s.event.Inputs) == 0
}

// foreign reports whether this run is of a workflow that uses the action, in
// a repository that is about something else.
func (s *actionRun) foreign() bool { return s.env.Getenv("FERRY_ACTION_REPOSITORY") != "" }
