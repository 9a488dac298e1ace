package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/catalog"
	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

// overlap is how much longer ago than the last known answer comments are read
// again: an answer can be older than another one that was harvested before.
const overlap = 48 * time.Hour

// errUnread is the error of comments that could not be read.
var errUnread = errors.New("not all comments could be read: run the command again")

// harvested returns the changes in Ferry's own comments that the snapshot does not have.
// It prints faults to standard error; sound reports that there were none, and all that
// all comments were read.
func harvested(ctx context.Context, env wiring.Env, hub *publish.Client, s catalog.Snapshot) (changes []catalog.Change, sound, all bool, err error) {
	var since time.Time
	if last := s.Harvested(); !last.IsZero() {
		since = last.Add(-overlap)
	}
	said, all, err := hub.Said(ctx, since)
	if err != nil {
		return nil, false, false, err
	}
	var answers []catalog.Answer
	for _, comment := range said {
		if records, ok := report.RecordsIn(comment.Body); ok {
			answers = append(answers, catalog.Answer{Issue: comment.Issue, Records: records, At: comment.Edited})
		}
	}
	changes, faults := catalog.Harvest(s, answers)
	for _, f := range faults {
		unreadable(env, "catalog", f.Line, f.Err)
	}
	say(env, env.Stdout, "%d answers, %d changes\n", len(answers), len(changes))
	if without := len(said) - len(answers); without > 0 && since.IsZero() {
		say(env, env.Stdout, "%d comments have no records: nothing was mirrored, or an earlier version of Ferry wrote them\n", without)
	}
	return changes, len(faults) == 0, all, nil
}

// unreadable prints why a command cannot read the answer to an issue.
func unreadable(env wiring.Env, command string, issue int, err error) {
	say(env, env.Stderr, "ferry %s: issue #%d: %s\n", command, issue, report.Terminal{Language: language(env)}.Message(err.Error()))
}

// harvest commits to the branch what issues got, as Ferry's own comments say; s is what
// the log says. sound reports whether all records could be read.
func harvest(ctx context.Context, env wiring.Env, o catalogOptions, log []catalog.Change, s catalog.Snapshot) (sound bool, err error) {
	hub, err := wiring.NewGitHub(env)
	switch {
	case err != nil:
		return false, err
	case hub == nil:
		return false, usageError{"there is no repository to read: set GITHUB_REPOSITORY to its owner and name, such as alice/ferry, and GITHUB_TOKEN"}
	}
	changes, sound, all, err := harvested(ctx, env, hub, s)
	if err == nil && len(log)+len(changes) > 0 {
		err = commitChanges(ctx, env, hub, o, log, changes)
	}
	if err == nil && !all {
		err = errUnread
	}
	return sound, err
}

// sitePath is the folder of the site in the branch, from which GitHub Pages can
// serve it.
const sitePath = "docs/"

// aboutSite returns what the page says beside the log: who may make requests, if the
// policy that is in effect says it, and the quotas of its targets. It must not depend on
// more, so that "ferry catalog check" finds the same.
func aboutSite(env wiring.Env, form string, s catalog.Snapshot) catalog.About {
	a := catalog.About{Request: form}
	if env.Getenv("FERRY_CONFIG") == "" && env.Getenv("GITHUB_ACTIONS") != "true" {
		return a // a file in the current directory belongs to its workflow
	}
	options := config.Options{ReadFile: os.ReadFile, Getenv: func(name string) string {
		if name == "FERRY_CONFIG" || name == "FERRY_REQUESTS" || name == "GITHUB_WORKSPACE" {
			return env.Getenv(name)
		}
		return "" // jobs have different targets
	}}
	cfg, err := config.Load(options)
	if err != nil {
		return a
	}
	requests := cfg.Requests
	options.Fork = true
	if fork, _ := config.Load(options); fork.Requests != requests {
		requests = "" // a fork has another default
	}
	var stocks []plan.Stock
	held := s.Holdings().Repositories
	for i := range cfg.Targets {
		t := &cfg.Targets[i]
		if t.Quota == (config.Quota{}) {
			continue
		}
		stock := plan.Stock{Target: t.String(), Repositories: t.Quota.Repositories, Tags: t.Quota.Tags, Held: map[string]int{}}
		for name, tags := range held {
			if strings.HasPrefix(name, stock.Target+"/") {
				stock.Held[name] = tags
			}
		}
		stocks = append(stocks, stock)
	}
	a.English, a.Chinese = report.Policy("en", requests, stocks), report.Policy("zh", requests, stocks)
	return a
}

// updated returns the files of the branch that are made from the log and differ from
// those in the folder.
func updated(env wiring.Env, o catalogOptions, s catalog.Snapshot) (map[string]string, error) {
	form, _ := requestForm(env, cmp.Or(o.request, env.Getenv("GITHUB_REPOSITORY")))
	holdings, err := s.Holdings().File()
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	add := func(path string, text []byte) {
		if old, err := os.ReadFile(filepath.Join(o.in, filepath.FromSlash(path))); err != nil || !bytes.Equal(old, text) {
			files[path] = string(text)
		}
	}
	add(catalog.HoldingsFile, holdings)
	err = s.Write(aboutSite(env, form, s), func(path string, text []byte) error {
		add(sitePath+path, text)
		return nil
	})
	return files, err
}

// maxCommit is the size of a commit above which another one is made, in bytes:
// GitHub limits the size of a request.
const maxCommit = 4 << 20

// commitChanges commits changes of the log to the branch: a file of the log, and then
// the files that are made from the whole log. Without changes these can differ as well,
// after a change of the policy file or of Ferry.
func commitChanges(ctx context.Context, env wiring.Env, hub *publish.Client, o catalogOptions, log, changes []catalog.Change) error {
	files, err := updated(env, o, catalog.Fold(append(log, changes...)))
	if err != nil {
		return err
	}
	text, err := catalog.Lines(changes)
	if err != nil {
		return err
	}
	batch, size := map[string]string{}, len(text)
	if size > 0 {
		batch[logPath(env)] = string(text)
	}
	commit := func() error {
		if len(batch) == 0 {
			return nil
		}
		return hub.Commit(ctx, catalog.Branch, fmt.Sprintf("catalog: %d changes", len(changes)), batch)
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if size+len(files[path]) > maxCommit {
			if err := commit(); err != nil {
				return err
			}
			batch, size = map[string]string{}, 0
		}
		batch[path] = files[path]
		size += len(files[path])
	}
	return commit()
}
