package bot

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/runner"
	"github.com/imageferry/ferry/internal/wiring"
)

// actionRun is one run of the Action: who called, what the owner decided, and the
// line to GitHub.
type actionRun struct {
	env   wiring.Env
	out   *runner.Runner
	log   *slog.Logger
	dry   bool
	event event.Event
	cfg   *config.Config
	// faults keep every request from being served until the owner cures them.
	faults config.Faults
	hub    *publish.Client // nil if no issue is involved
	key    ledger.Key
	engine *wiring.Engine // nil until there is something to copy
}

// input is the environment, in which the inputs of a workflow_dispatch stand in
// for variables that the workflow does not hand on itself.
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

// now is the time, by GitHub's clock if it has told it.
func (s *actionRun) now() time.Time {
	if s.hub != nil {
		return s.hub.Now()
	}
	return s.env.Time()
}

// page is the address of a page of the repository on GitHub's site.
func (s *actionRun) page(path string) string {
	r := s.event.Repository
	if r.Name == "" {
		return ""
	}
	return s.env.Site() + "/" + r.Owner + "/" + r.Name + path
}

// templates are the texts of the repository's own issue templates: what stands
// in them is nobody's wish. The checkout has them; without one there are none.
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

// sweeps reports whether this run is to look for what was left open: a schedule,
// or a start by hand of a workflow without inputs, as the sweep's is.
func (s *actionRun) sweeps() bool {
	if s.input("FERRY_IMAGES") != "" || s.input("FERRY_ISSUE") != "" {
		return false
	}
	return s.event.Kind == event.Schedule || s.event.Kind == event.Dispatch && len(s.event.Inputs) == 0
}

// foreign reports whether this run is of a workflow that uses the action, in
// a repository that is about something else.
func (s *actionRun) foreign() bool { return s.env.Getenv("FERRY_ACTION_REPOSITORY") != "" }
