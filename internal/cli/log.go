package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/imageferry/ferry/internal/catalog"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

// catalogOptions are the flags of "ferry catalog".
type catalogOptions struct{ in, output, request string }

// maxLog is the maximum size of a file of the log, in bytes.
const maxLog = 64 << 20

// readLog reads all files of the log. It prints faults to standard error; sound
// reports that there were none.
func readLog(env wiring.Env, folder string) (all []catalog.Change, sound bool, err error) {
	sound = true
	if _, err := os.Stat(filepath.Join(folder, filepath.FromSlash(catalog.Folder))); errors.Is(err, fs.ErrNotExist) {
		return nil, true, nil // the first run
	}
	root, err := os.OpenRoot(folder) // links in the log cannot lead out of it
	if err != nil {
		return nil, false, err
	}
	defer root.Close()
	in := report.Terminal{Language: language(env)}
	err = fs.WalkDir(root.FS(), catalog.Folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || filepath.Ext(path) != ".jsonl" {
			return err
		}
		if info, err := entry.Info(); err == nil && info.Size() > maxLog {
			return fmt.Errorf("%s has %d bytes; the limit is %d", path, info.Size(), maxLog)
		}
		text, err := fs.ReadFile(root.FS(), path)
		if err != nil {
			return err
		}
		changes, faults := catalog.Read(text)
		all = append(all, changes...)
		for _, f := range faults {
			sound = false
			fmt.Fprintf(env.Stderr, "ferry catalog: %s:%d: %s\n", path, f.Line, in.Message(f.Err.Error()))
		}
		return nil
	})
	return all, sound, err
}

// changesOf returns the changes in records, which come from a file. It prints faults
// to standard error; sound reports that there were none.
func changesOf(env wiring.Env, s catalog.Snapshot, file string, records []byte) (changes []catalog.Change, sound bool, err error) {
	changes, faults, err := catalog.Changes(s, records, env.Time().UTC())
	for _, f := range faults {
		say(env, env.Stderr, "ferry catalog: %s: record %d: %s\n", file, f.Line, report.Terminal{Language: language(env)}.Message(f.Err.Error()))
	}
	return changes, len(faults) == 0, err
}

// logPath returns the path of this run's file of the log.
func logPath(env wiring.Env) string {
	now := env.Time().UTC()
	name := now.Format("150405")
	if run := env.Getenv("GITHUB_RUN_ID"); run != "" {
		name = run + "-" + cmp.Or(env.Getenv("GITHUB_RUN_ATTEMPT"), "1")
	}
	return catalog.Path(now, name)
}

// writeLog writes a new file of the log.
func writeLog(env wiring.Env, folder string, changes []catalog.Change) error {
	text, err := catalog.Lines(changes)
	if err != nil {
		return err
	}
	path := filepath.Join(folder, filepath.FromSlash(logPath(env)))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
