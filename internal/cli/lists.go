package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/lists"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/wiring"
)

// listed is an entry of a list with its place, such as "images.txt:14".
type listed struct {
	lists.Entry
	at string
}

// readings are the entries and faults of several lists.
type readings struct {
	entries       []listed
	faults, notes []config.Fault
	foreign       string // the first file that is not a list
}

// listFiles returns the named files. If there are none, or only "default", it
// returns the default files that exist.
func listFiles(env wiring.Env, named []string) []string {
	if len(named) == 0 {
		named = strings.Fields(env.Getenv("FERRY_LISTS"))
	}
	if len(named) > 0 && !slices.Equal(named, []string{"default"}) {
		return named
	}
	return slices.DeleteFunc([]string{"images.txt", "images.yaml", "images.yml"}, func(file string) bool {
		_, err := os.Stat(file)
		return err != nil
	})
}

// readLists reads lists. The error is for a file that cannot be read.
func readLists(env wiring.Env, files []string) (readings, error) {
	var all readings
	for _, file := range files {
		text, err := fileText(env, file, lists.MaxBytes)
		if err != nil {
			return readings{}, err
		}
		l := lists.Read(text, lists.Options{Getenv: env.Getenv})
		fault := func(f lists.Fault) config.Fault {
			return config.Fault{Place: config.File, Path: file, Line: f.Line, Reason: f.Reason, Cure: f.Cure}
		}
		for _, f := range l.Notes {
			all.notes = append(all.notes, fault(f))
		}
		for _, f := range l.Faults {
			all.faults = append(all.faults, fault(f))
		}
		if l.Format == lists.Unknown && len(l.Faults) > 0 && all.foreign == "" {
			all.foreign = file
		}
		for _, e := range l.Entries {
			all.entries = append(all.entries, listed{e, fmt.Sprintf("%s:%d", file, e.Line)})
		}
	}
	return all, nil
}

// toList returns the distinct repositories whose tags the selections of
// entries need.
func toList(entries []listed) []reference.Repository {
	var repositories []reference.Repository
	seen := map[reference.Repository]bool{}
	for _, e := range entries {
		if _, named := e.Named(); !named && !seen[e.Source] {
			seen[e.Source] = true
			repositories = append(repositories, e.Source)
		}
	}
	return repositories
}

// targetsOf returns the distinct targets that entries name, each
// "host/namespace".
func targetsOf(entries []listed) []string {
	var targets []string
	seen := map[string]bool{}
	for _, e := range entries {
		all := slices.Clone(e.Targets)
		for _, to := range e.To {
			all = append(all, plan.Place{Repository: to.Repository}.Target())
		}
		for _, t := range all {
			if !seen[t] {
				seen[t] = true
				targets = append(targets, t)
			}
		}
	}
	return targets
}
