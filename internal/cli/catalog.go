package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/catalog"
	"github.com/imageferry/ferry/internal/wiring"
)

var catalogCommand = command{
	name:    "catalog",
	args:    "add|harvest|rebuild|build|check|search [ARGUMENT...]",
	summary: "keep a log of all mirrors and build a site from it",
	words:   catalogVerbs(),
	declare: func(env wiring.Env, flags *flagSet) action {
		var o catalogOptions
		flags.StringVar(&o.in, "in", ".", "`folder` of the log")
		flags.StringVar(&o.output, "output", "", "`folder` of the site")
		flags.letter("output", "o")
		flags.StringVar(&o.request, "request", "", "`owner/repository` for requests of images that are not found (default: that of the workflow)")
		return func(ctx context.Context, args []string) (int, error) { return runCatalog(ctx, env, o, args) }
	},
}

// catalogMemory is the target of the garbage collector, in bytes. The log is read into
// memory as a whole: 100,000 images take 150 MiB.
const catalogMemory = 240 << 20

// catalogVerbs returns the actions of "ferry catalog".
func catalogVerbs() []string {
	return []string{"add", "harvest", "rebuild", "build", "check", "search"}
}

func runCatalog(ctx context.Context, env wiring.Env, o catalogOptions, args []string) (int, error) {
	if len(args) == 0 || !slices.Contains(catalogVerbs(), args[0]) {
		return wiring.StatusUsage, wordAmong(strings.Join(args[:min(1, len(args))], ""), catalogVerbs(), "the first argument must be one of ")
	}
	verb, rest := args[0], args[1:]
	if env.Getenv("GOGC") == "" && env.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(50) // it is off: a small log would take as much as a large one
		debug.SetMemoryLimit(catalogMemory)
	}
	if (verb == "build" || verb == "check") && o.output == "" {
		return wiring.StatusUsage, usageError{"there is no folder for the site: set -o, for example -o site"}
	}
	if verb == "add" && len(rest) == 0 {
		return wiring.StatusUsage, usageError{"there is no file with records: name one, or use - for standard input"}
	}
	if verb == "search" && len(rest) == 0 {
		return wiring.StatusUsage, usageError{"there are no words to search for"}
	}
	log, sound, err := readLog(env, o.in)
	if err != nil {
		return wiring.StatusUsage, err
	}
	snapshot := catalog.Fold(log)
	status := wiring.StatusDone
	if !sound {
		status = wiring.StatusFailed
	}
	switch verb {
	case "harvest":
		ok, err := harvest(ctx, env, o, log, snapshot)
		if err != nil || !ok {
			return wiring.StatusFailed, err
		}
	case "rebuild":
		if len(log) > 0 || !sound {
			return wiring.StatusUsage, usageError{fmt.Sprintf("%s has a log already: name an empty folder with --in", o.in)}
		}
		ok, err := rebuild(ctx, env, o, rest)
		if err != nil || !ok {
			return wiring.StatusFailed, err
		}
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
		files := 0
		var differ []error
		write := writeSite(o.output, &files)
		if verb == "check" {
			write = checkSite(o.output, &files, &differ)
		}
		if err := errors.Join(snapshot.Write(aboutSite(env, form, snapshot), write), errors.Join(differ...)); err != nil {
			return wiring.StatusFailed, err
		}
		say(env, env.Stdout, "%s: %d repositories, %d files\n", o.output, len(snapshot.Repositories), files)
	}
	return status, nil
}

// addRecords writes the changes in records into a new file of the log.
func addRecords(env wiring.Env, folder string, s catalog.Snapshot, files []string) (sound bool, err error) {
	sound = true
	var all []catalog.Change
	for _, file := range files {
		text, err := fileText(env, file, maxLog)
		if err != nil {
			return false, err
		}
		changes, ok, err := changesOf(env, s, file, text)
		if err != nil {
			return false, fmt.Errorf("%s %w", file, err)
		}
		sound = sound && ok
		all = append(all, changes...)
	}
	say(env, env.Stdout, "%d changes\n", len(all))
	if len(all) == 0 {
		return sound, nil
	}
	return sound, writeLog(env, folder, all)
}

// writeSite returns a function that writes the files of a site and counts them. It
// keeps other files.
func writeSite(folder string, files *int) func(path string, text []byte) error {
	made := map[string]bool{}
	return func(path string, text []byte) error {
		*files++
		path = filepath.Join(folder, filepath.FromSlash(path))
		if dir := filepath.Dir(path); !made[dir] {
			made[dir] = true
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
		}
		return os.WriteFile(path, text, 0o644)
	}
}

// checkSite returns a function that compares the files of a site with the expected
// ones and counts them.
func checkSite(folder string, files *int, differ *[]error) func(path string, text []byte) error {
	return func(path string, want []byte) error {
		*files++
		text, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(path)))
		if err == nil && !bytes.Equal(text, want) {
			err = fmt.Errorf("%s differs from the log", path)
		}
		if err != nil {
			*differ = append(*differ, err)
		}
		return nil
	}
}
