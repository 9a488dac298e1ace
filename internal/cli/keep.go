package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/catalog"
	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

var keepCommand = command{
	name:    "keep",
	summary: "delete mirrors that no rule keeps",
	declare: func(env wiring.Env, flags *flagSet) action {
		in := flags.String("in", ".", "`folder` of the log")
		apply := flags.Bool("apply", false, "delete them")
		return func(ctx context.Context, args []string) (int, error) {
			if err := noArguments(args); err != nil {
				return wiring.StatusUsage, err
			}
			return runKeep(ctx, env, *in, *apply)
		}
	},
}

func runKeep(ctx context.Context, env wiring.Env, in string, apply bool) (int, error) {
	cfg, err := load(env, true, nil)
	if err != nil {
		return wiring.StatusUsage, err
	}
	rules := catalog.Rules(cfg.Keep)
	if rules.Newest+rules.Days+rules.Asked == 0 && !rules.Listed {
		return wiring.StatusUsage, usageError{`the policy file has no rules: write "keep:", and below it for example "newest: 3"`}
	}
	log, sound, err := readLog(env, in)
	switch {
	case err != nil:
		return wiring.StatusUsage, err
	case !sound:
		return wiring.StatusFailed, errors.New("nothing is deleted while the log has lines that cannot be read")
	}
	hub, err := wiring.NewGitHub(env)
	if err != nil {
		return wiring.StatusUsage, err
	}
	s := catalog.Fold(log)
	var asked map[reference.Reference]time.Time
	if rules.Asked > 0 {
		if hub == nil {
			return wiring.StatusUsage, errNoAnswers
		}
		since := env.Time().AddDate(0, 0, -rules.Asked)
		if asked, err = answered(ctx, env, hub, since); err != nil {
			return wiring.StatusFailed, err
		}
		if len(asked) == 0 {
			personal, err := hub.Personal(ctx)
			if err != nil {
				return wiring.StatusFailed, err
			}
			if personal || s.Harvested().After(since) { // the answers are by another account
				return wiring.StatusUsage, errNoAnswers
			}
		}
	}
	var removals []mirror.Removal
	var images [][]*catalog.Image // of each: a mirror of several sources has one for each
	at := map[reference.Reference]int{}
	for _, i := range s.Surplus(rules, asked, env.Time()) {
		for _, t := range cfg.Targets {
			if strings.HasPrefix(i.Mirror.String(), t.String()+"/") {
				content := i.Mirror.WithDigest(i.Digest)
				k, known := at[content]
				if !known {
					k = len(removals)
					at[content] = k
					removals = append(removals, mirror.Removal{Mirror: i.Mirror, Digest: i.Digest})
					images = append(images, nil)
				}
				images[k] = append(images[k], i)
				break
			}
		}
	}
	if apply {
		return deleteAll(ctx, env, cfg, hub, in, log, removals, images)
	}
	for i := range removals {
		fmt.Fprintf(env.Stdout, "%s %s\n", removals[i].Mirror, removals[i].Digest)
	}
	say(env, env.Stdout, "mirrors to delete: %d; to delete them, add --apply\n", len(removals))
	return wiring.StatusDone, nil
}

// errNoAnswers is the error of a rule that would keep nothing.
var errNoAnswers = usageError{`the rule "asked" reads issues: set GITHUB_REPOSITORY, and the GITHUB_TOKEN of the account that answers`}

// answered returns when issues last got mirrors, since then. It fails if a record cannot
// be read: it may be of a mirror to keep.
func answered(ctx context.Context, env wiring.Env, hub *publish.Client, since time.Time) (map[reference.Reference]time.Time, error) {
	said, all, err := hub.Said(ctx, since)
	if err == nil && !all {
		err = errUnread
	}
	at := map[reference.Reference]time.Time{}
	for _, comment := range said {
		records, ok := report.RecordsIn(comment.Body)
		if !ok {
			continue // nothing was mirrored
		}
		changes, faults, unread := catalog.Changes(catalog.Snapshot{}, records, comment.Edited)
		if unread == nil && len(faults) > 0 {
			unread = faults[0].Err
		}
		if unread != nil {
			unreadable(env, "keep", comment.Issue, unread)
			err = errors.New("nothing is deleted while answers cannot be read")
		}
		for _, c := range changes {
			at[c.Mirror] = c.At
		}
	}
	return at, err
}

// removed are the lines for the results of deletions.
var removed = [...]saying{
	mirror.Unanswered: "failed   %[1]s: the registry gave no usable answer\n",
	mirror.Deleted:    "deleted  %[1]s\n",
	mirror.Moved:      "kept     %[1]s: its tag has moved since it was mirrored\n",
	mirror.Shared:     "kept     %[1]s: the registry only deletes by digest, and another tag has the same content\n",
	mirror.ByHand:     "by hand  %[1]s: the registry does not delete for this login; open %[2]s\n",
}

// deleteAll deletes mirrors, and writes to the log which are gone, for each of their images.
func deleteAll(ctx context.Context, env wiring.Env, cfg *config.Config, hub *publish.Client, in string, log []catalog.Change, removals []mirror.Removal, images [][]*catalog.Image) (int, error) {
	engine := wiring.NewEngine(env, cfg, wiring.EngineOptions{Registries: env.Registries(nil)})
	defer engine.Close()
	status := wiring.StatusDone
	var changes []catalog.Change
	for k, result := range engine.Delete(ctx, removals) {
		r := &removals[k]
		say(env, env.Stdout, string(removed[result]), r.Mirror, report.Console(r.Mirror.Repository()))
		switch result {
		case mirror.Deleted:
			for _, i := range images[k] {
				changes = append(changes, catalog.Change{At: env.Time().UTC().Truncate(time.Second), What: catalog.Deleted, Source: i.Source, Mirror: i.Mirror, Digest: i.Digest})
			}
		case mirror.Unanswered, mirror.ByHand:
			status = wiring.StatusFailed
		case mirror.Moved, mirror.Shared:
		}
	}
	var err error
	if len(changes) > 0 && hub != nil && env.Getenv("GITHUB_ACTIONS") == "true" {
		err = commitChanges(ctx, env, hub, catalogOptions{in: in}, log, changes)
	} else if len(changes) > 0 {
		err = writeLog(env, in, changes)
	}
	if err != nil {
		status = wiring.StatusFailed
	}
	return status, err
}
