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
	"time"

	"github.com/imageferry/ferry/internal/catalog"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

// overlap is how much longer ago than the last known answer comments are read
// again: an answer can be older than another one that was harvested before.
const overlap = 48 * time.Hour

// harvest adds to the log what issues got, as Ferry's own comments say; s is what the
// log says. It commits the changes to the branch, or writes a whole log to the folder.
// sound reports whether all records could be read.
func harvest(ctx context.Context, env wiring.Env, o catalogOptions, log []catalog.Change, s catalog.Snapshot, whole bool) (sound bool, err error) {
	in := report.Terminal{Language: language(env)}
	hub, err := wiring.NewGitHub(env)
	switch {
	case err != nil:
		return false, err
	case hub == nil:
		return false, usageError{"there is no repository to read: set GITHUB_REPOSITORY to its owner and name, such as alice/ferry, and GITHUB_TOKEN"}
	case whole && len(log) > 0:
		return false, usageError{fmt.Sprintf("%s has a log already: name an empty folder with --in", o.in)}
	}
	var since time.Time
	if last := s.Harvested(); !last.IsZero() {
		since = last.Add(-overlap)
	}
	said, all, err := hub.Said(ctx, since)
	if err != nil {
		return false, err
	}
	var answers []catalog.Answer
	without := 0
	for _, comment := range said {
		if records, ok := report.RecordsIn(comment.Body); ok {
			answers = append(answers, catalog.Answer{Issue: comment.Issue, Records: records, At: comment.Edited})
		} else {
			without++
		}
	}
	changes, faults := catalog.Harvest(s, answers)
	for _, f := range faults {
		say(env, env.Stderr, "ferry catalog: issue #%d: %s\n", f.Line, in.Message(f.Err.Error()))
	}
	say(env, env.Stdout, "%d answers, %d changes\n", len(answers), len(changes))
	switch {
	case whole:
		say(env, env.Stdout, "not known: what lists have copied, unless you add records of \"ferry sync --json\"; which mirrors have moved before their last answer; which images their sources no longer have\n")
		if without > 0 {
			say(env, env.Stdout, "%d comments have no records: nothing was mirrored, or an earlier version of Ferry wrote them\n", without)
		}
		if len(changes) > 0 {
			err = writeLog(env, o.in, changes)
		}
	case len(changes) > 0:
		err = commitChanges(ctx, env, hub, o, log, changes)
	}
	if err == nil && !all {
		err = errors.New("not all comments could be read: run the command again")
	}
	return len(faults) == 0, err
}

// sitePath is the folder of the site in the branch, from which GitHub Pages can
// serve it.
const sitePath = "docs/"

// updated returns the files of the branch that are made from the log and differ from
// those in the folder.
func updated(env wiring.Env, o catalogOptions, s catalog.Snapshot) (map[string]string, error) {
	form, _ := requestForm(env, cmp.Or(o.request, env.Getenv("GITHUB_REPOSITORY")))
	holdings, err := s.Holdings().File()
	if err != nil {
		return nil, err
	}
	files := map[string]string{catalog.HoldingsFile: string(holdings)}
	err = s.Write(form, func(path string, text []byte) error {
		path = sitePath + path
		if old, err := os.ReadFile(filepath.Join(o.in, filepath.FromSlash(path))); err != nil || !bytes.Equal(old, text) {
			files[path] = string(text)
		}
		return nil
	})
	return files, err
}

// maxCommit is the size of a commit above which another one is made, in bytes:
// GitHub limits the size of a request.
const maxCommit = 4 << 20

// commitChanges commits changes of the log to the branch: a file of the log, and then
// the files that are made from the whole log.
func commitChanges(ctx context.Context, env wiring.Env, hub *publish.Client, o catalogOptions, log, changes []catalog.Change) error {
	files, err := updated(env, o, catalog.Fold(append(log, changes...)))
	if err != nil {
		return err
	}
	text, err := catalog.Lines(changes)
	if err != nil {
		return err
	}
	batch, size := map[string]string{logPath(env): string(text)}, len(text)
	commit := func() error {
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
