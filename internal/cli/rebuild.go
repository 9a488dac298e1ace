package cli

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/imageferry/ferry/internal/catalog"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/runner"
	"github.com/imageferry/ferry/internal/wiring"
)

// rebuild writes a log to an empty folder: of the answers to issues, and of what the
// targets have under the names that lists, answers and the targets themselves give. It
// says what cannot be known. sound reports whether everything could be read.
func rebuild(ctx context.Context, env wiring.Env, o catalogOptions, files []string) (sound bool, err error) {
	hub, err := wiring.NewGitHub(env)
	if err != nil {
		return false, err
	}
	var log []catalog.Change
	var all bool
	if sound = true; hub == nil {
		say(env, env.Stdout, "not known: what issues got, because GITHUB_REPOSITORY or GITHUB_TOKEN is not set\n")
	} else if log, sound, all, err = harvested(ctx, env, hub, catalog.Snapshot{}); err != nil {
		return false, err
	} else if !all {
		return false, errUnread
	}
	s := newSyncing(env, runner.New(env.Getenv, env.Stdout, env.Stderr), syncOptions{check: true, missing: true, rebuild: true, limit: chosenLimit}, seen{})
	if files = listFiles(env, files); len(files) == 0 {
		say(env, env.Stdout, "not known: what lists name, because there is no list\n")
	}
	read, err := s.readLists(ctx, files)
	if err != nil {
		return false, err
	}
	s.start()
	defer s.engine.Close()
	p, err := s.everything(ctx, read.entries, log)
	if err != nil {
		return false, err
	}
	s.compare(ctx, p)
	if ctx.Err() != nil {
		return false, errors.New("stopped; nothing is saved")
	}
	left, unasked := map[string]bool{}, 0 // mirrors of answers that stay in the log
	for i := range s.sum.Images {
		r := &s.sum.Images[i].Result
		if r.Receipt == nil {
			if r.Failure == nil || r.Destination.Mirror.IsZero() {
				continue // it is not there, or the plan has refused it
			}
			unasked++
		}
		left[pair(r.Image.Reference, r.Destination.Mirror)] = true
	}
	kept := log[:0]
	for i := range log {
		if left[pair(log[i].Source, log[i].Mirror)] {
			kept = append(kept, log[i])
		}
	}
	absent := len(log) - len(kept)
	records, err := json.Marshal(s.sum.Records())
	if err != nil {
		return false, err
	}
	changes, _, err := catalog.Changes(catalog.Fold(kept), records, env.Time()) // all names in the records are valid
	if err != nil {
		return false, err
	}
	for i := range changes {
		if c := &changes[i]; c.What != catalog.Failed { // its target has not answered
			kept = append(kept, *c)
		}
	}
	if unasked > 0 {
		say(env, env.Stdout, "not known: whether %d mirrors exist, because their registries gave no usable answer\n", unasked)
	}
	say(env, env.Stdout, "not known: what mirrors had before, what \"ferry keep\" has deleted, whether the sources have changed, and of mirrors that no answer to an issue has the time (the log has that of this run), the platforms and the size\n")
	say(env, env.Stdout, "%d changes; %d others are left out, because their mirrors no longer exist\n", len(kept), absent)
	if len(kept) > 0 {
		err = writeLog(env, o.in, kept)
	}
	return sound && len(read.faults) == 0, err
}

// pair names an image at a mirror.
func pair(source, mirror reference.Reference) string { return source.String() + " " + mirror.String() }

// everything returns a plan of all mirrors that lists, changes and targets name.
func (s *syncing) everything(ctx context.Context, entries []listed, log []catalog.Change) (plan.Plan, error) {
	p, err := plan.MakeList(s.wishes(ctx, entries), s.cfg)
	if err != nil {
		return p, err
	}
	schemes, err := plan.Schemes(s.cfg)
	if err != nil {
		return p, err
	}
	known := map[string]bool{}
	for i := range p.Steps {
		for k := range p.Steps[i].Destinations {
			known[pair(p.Steps[i].Image.Reference, p.Steps[i].Destinations[k].Mirror)] = true
		}
	}
	add := func(source, mirror reference.Reference) {
		if k := pair(source, mirror); !known[k] {
			known[k] = true
			step := plan.Step{Destinations: []plan.Destination{{Mirror: mirror}}}
			step.Image.Reference = source
			p.Steps = append(p.Steps, step)
		}
	}
	for i := range log {
		add(log[i].Source, log[i].Mirror)
	}
	for i, scheme := range schemes {
		target := s.cfg.Targets[i].String()
		names, all := s.engine.Names(ctx, target)
		if !all {
			say(s.env, s.env.Stdout, "not known: what else %s has, because the registry does not list it\n", target)
		}
		others := 0
		for _, name := range names {
			if source, err := scheme.Source(name); err == nil {
				add(source, name)
			} else {
				others++
			}
		}
		if others > 0 {
			say(s.env, s.env.Stdout, "not known: the sources of %d names at %s\n", others, target)
		}
	}
	return p, nil
}
