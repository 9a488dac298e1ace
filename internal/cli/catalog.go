package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/catalog"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

var catalogCommand = command{
	name:    "catalog",
	args:    "add|build|check|search [ARGUMENT...]",
	summary: "keep a log of all mirrors and build a site from it",
	help: `Keeps a log of all mirrors in a folder, for example the checkout of a branch
"catalog", and builds a site from it: a search page, a list for each registry and a
JSON API (docs/catalog.md).

    ferry sync --json > records.json
    ferry catalog add records.json --in catalog
    ferry catalog build --in catalog --output site

add reads records of "ferry copy --json" and "ferry sync --json" ("-" is standard
input), and writes the changes that are not in the log yet to a new file of the log.
build writes the site. check compares a site with the log, file by file. search lists
the mirrors whose names or digests contain all words. The same log always gives the
same site. The command does not use the network.

Exit status: 0 if done, 1 if a line or a record cannot be read, the site differs, or
nothing was found.`,
	words: catalogVerbs(),
	declare: func(env wiring.Env, flags *flagSet) action {
		var o catalogOptions
		flags.StringVar(&o.in, "in", ".", "`folder` of the log")
		flags.StringVar(&o.output, "output", "", "`folder` of the site")
		flags.letter("output", "o")
		flags.StringVar(&o.request, "request", "", "`owner/repository` for requests of images that are not found (default: that of the workflow)")
		return func(_ context.Context, args []string) (int, error) { return runCatalog(env, o, args) }
	},
}

// catalogVerbs returns the actions of "ferry catalog".
func catalogVerbs() []string { return []string{"add", "build", "check", "search"} }

// catalogOptions are the flags of "ferry catalog".
type catalogOptions struct{ in, output, request string }

func runCatalog(env wiring.Env, o catalogOptions, args []string) (int, error) {
	if len(args) == 0 || !slices.Contains(catalogVerbs(), args[0]) {
		return wiring.StatusUsage, usageError{"the first argument must be one of " + strings.Join(catalogVerbs(), ", ")}
	}
	verb, rest := args[0], args[1:]
	if (verb == "build" || verb == "check") && o.output == "" {
		return wiring.StatusUsage, usageError{"there is no folder for the site: set -o, for example -o site"}
	}
	if (verb == "add" || verb == "search") && len(rest) == 0 {
		return wiring.StatusUsage, usageError{map[string]string{"add": "there is no file with records: name one, or use - for standard input", "search": "there are no words to search for"}[verb]}
	}
	snapshot, sound, err := readLog(env, o.in)
	if err != nil {
		return wiring.StatusUsage, err
	}
	status := wiring.StatusDone
	if !sound {
		status = wiring.StatusFailed
	}
	switch verb {
	case "add":
		ok, err := addRecords(env, o.in, snapshot, rest)
		if err != nil || !ok {
			return wiring.StatusFailed, err
		}
	case "search":
		found := snapshot.Search(rest)
		for _, r := range found {
			for _, i := range r.Images {
				fmt.Fprintf(env.Stdout, "%s → %s %s\n", i.Source, i.Mirror, i.Digest)
			}
		}
		if len(found) == 0 {
			return wiring.StatusFailed, errors.New("nothing was found")
		}
	default:
		form, ok := requestForm(env, cmp.Or(o.request, env.Getenv("GITHUB_REPOSITORY")))
		if !ok && o.request != "" {
			return wiring.StatusUsage, usageError{fmt.Sprintf("--request is %q; write the owner and the name of a repository, such as alice/ferry", o.request)}
		}
		files, err := snapshot.Files(form)
		if err == nil && verb == "build" {
			err = writeSite(o.output, files)
		} else if err == nil {
			err = checkSite(o.output, files)
		}
		if err != nil {
			return wiring.StatusFailed, err
		}
		say(env, env.Stdout, "%s: %d repositories, %d files\n", o.output, len(snapshot.Repositories), len(files))
	}
	return status, nil
}

// maxLog is the maximum size of a file of the log, in bytes.
const maxLog = 64 << 20

// readLog reads all files of the log. It prints faults to standard error; sound
// reports that there were none.
func readLog(env wiring.Env, folder string) (s catalog.Snapshot, sound bool, err error) {
	sound = true
	if _, err := os.Stat(filepath.Join(folder, filepath.FromSlash(catalog.Folder))); errors.Is(err, fs.ErrNotExist) {
		return s, true, nil // the first run
	}
	root, err := os.OpenRoot(folder) // links in the log cannot lead out of it
	if err != nil {
		return s, false, err
	}
	defer root.Close()
	in := report.Terminal{Language: language(env)}
	var all []catalog.Change
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
	return catalog.Fold(all), sound, err
}

// addRecords writes the changes in records into a new file of the log.
func addRecords(env wiring.Env, folder string, s catalog.Snapshot, files []string) (sound bool, err error) {
	sound = true
	now := env.Time().UTC()
	in := report.Terminal{Language: language(env)}
	var all []catalog.Change
	for _, file := range files {
		text, err := fileText(env, file, maxLog)
		if err != nil {
			return false, err
		}
		changes, faults, err := catalog.Changes(s, text, now)
		if err != nil {
			return false, fmt.Errorf("%s %w", file, err)
		}
		for _, f := range faults {
			sound = false
			say(env, env.Stderr, "ferry catalog: %s: record %d: %s\n", file, f.Line, in.Message(f.Err.Error()))
		}
		all = append(all, changes...)
	}
	say(env, env.Stdout, "%d changes\n", len(all))
	if len(all) == 0 {
		return sound, nil
	}
	text, err := catalog.Lines(all)
	if err != nil {
		return false, err
	}
	name := now.Format("150405")
	if run := env.Getenv("GITHUB_RUN_ID"); run != "" {
		name = run + "-" + cmp.Or(env.Getenv("GITHUB_RUN_ATTEMPT"), "1")
	}
	path := filepath.Join(folder, filepath.FromSlash(catalog.Path(now, name)))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return false, err
	}
	_, err = f.Write(text)
	return sound, errors.Join(err, f.Close())
}

// writeSite writes the files of a site. It keeps other files.
func writeSite(folder string, files []catalog.File) error {
	for _, f := range files {
		path := filepath.Join(folder, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.Text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// checkSite compares the files of a site with the expected ones.
func checkSite(folder string, files []catalog.File) error {
	var differ []error
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(f.Path)))
		if err != nil {
			differ = append(differ, err)
		} else if !bytes.Equal(text, f.Text) {
			differ = append(differ, fmt.Errorf("%s differs from the log", f.Path))
		}
	}
	return errors.Join(differ...)
}
