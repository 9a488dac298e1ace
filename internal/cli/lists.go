package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/lists"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/selection"
	"github.com/imageferry/ferry/internal/upstream"
	"github.com/imageferry/ferry/internal/wiring"
)

// listed is an entry of a list with its place, such as "images.txt:14".
type listed struct {
	lists.Entry
	at string
}

// outside is an upstream of a list, and what was read of it.
type outside struct {
	lists.Upstream
	file     string
	texts    []upstream.Text
	verdicts []selection.Verdict
	err      error
}

// readings are the entries and faults of several lists.
type readings struct {
	entries       []listed
	outside       []outside
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

// ofPullRequest reports whether the content of the lists may not be the owner's yet.
func ofPullRequest(env wiring.Env) bool {
	return strings.HasPrefix(env.Getenv("GITHUB_EVENT_NAME"), "pull_request")
}

// today returns the day of a run that a schedule has started; zero for others.
func today(env wiring.Env) time.Time {
	if env.Getenv("GITHUB_EVENT_NAME") != "schedule" {
		return time.Time{}
	}
	return env.Time().UTC()
}

// readLists reads lists. The error is for a file that cannot be read.
func readLists(env wiring.Env, files []string) (readings, error) {
	var all readings
	for _, file := range files {
		text, err := fileText(env, file, lists.MaxBytes)
		if err != nil {
			return readings{}, err
		}
		l := lists.Read(text, lists.Options{Getenv: env.Getenv, Today: today(env), Now: env.Time().UTC()})
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
		for _, u := range l.Upstreams {
			all.outside = append(all.outside, outside{Upstream: u, file: file})
		}
	}
	return all, nil
}

// outsideAtOnce is how many upstreams are read at once.
const outsideAtOnce = 8

// follow reads the upstreams of the lists and adds the images in them to the
// entries, each with the version that it comes from. It returns which versions
// were selected. A text with more images than limit adds none.
func (all *readings) follow(ctx context.Context, env wiring.Env, limit int) []report.Chosen {
	slots := make(chan struct{}, outsideAtOnce)
	reader := env.Upstream()
	var wait sync.WaitGroup
	for i := range all.outside {
		if u := &all.outside[i]; u.Kind == lists.Chart && ofPullRequest(env) {
			u.tell(&all.notes, "is not followed for a pull request, since Helm connects to what the list says", "")
			continue
		}
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			u := &all.outside[i]
			u.texts, u.verdicts, u.err = reader.Read(ctx, &u.Upstream)
		})
	}
	wait.Wait()
	var chosen []report.Chosen
	for i := range all.outside {
		u := &all.outside[i]
		if u.verdicts != nil {
			chosen = append(chosen, report.Chosen{List: u.at(), Source: cmp.Or(u.From, string(u.Kind)), Verdicts: u.verdicts})
		}
		if u.err != nil {
			u.tell(&all.faults, u.err.Error(), "")
		}
		for k := range u.texts {
			all.name(u, &u.texts[k], limit)
		}
	}
	return chosen
}

func (u *outside) at() string { return u.file + ":" + strconv.Itoa(u.Line) }

// tell adds a fault at the line of an upstream.
func (u *outside) tell(to *[]config.Fault, reason, cure string) {
	*to = append(*to, config.Fault{Place: config.File, Path: u.file, Line: u.Line, Reason: reason, Cure: cure})
}

// name adds the images that a text of an upstream names.
func (all *readings) name(u *outside, text *upstream.Text, limit int) {
	if text.Note != "" {
		u.tell(&all.notes, text.Note, "")
	}
	entries, faults := u.Entries(text.Body)
	if n := len(entries); n > limit {
		u.tell(&all.faults, fmt.Sprintf("has %d images in %s; the limit is %d", n, text.Name, limit), "")
		return
	}
	for i := range entries {
		all.entries = append(all.entries, listed{entries[i], u.at() + " " + text.Name})
	}
	to := &all.faults
	if u.Kind == lists.Chart { // whoever mirrors it cannot mend it
		to = &all.notes
	}
	for _, f := range faults {
		u.tell(to, f.Reason, "it is in "+text.Name)
	}
	if len(entries) == 0 {
		u.tell(&all.faults, "finds no image in "+text.Name, "")
	}
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
