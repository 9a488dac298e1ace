package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/imageferry/ferry/internal/catalog"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/shards"
	"github.com/imageferry/ferry/internal/wiring"
)

// runJoin reports the result of a plan, from the receipts of its shards.
func (s *syncing) runJoin(ctx context.Context) (int, error) {
	p, err := shards.Read(s.o.plan)
	if err != nil {
		return wiring.StatusUsage, err
	}
	got, err := p.Receipts(s.o.join, func(format string, file ...any) { say(s.env, s.env.Stderr, format, file...) })
	if err != nil {
		return wiring.StatusUsage, fmt.Errorf("--join: %w", err)
	}
	if err := s.ask(ctx, p, got); err != nil {
		return wiring.StatusUsage, err
	}
	s.sum.Images, s.sum.Unlisted = p.Images, p.Unlisted
	for i, indices := range p.Indices {
		for k, index := range indices {
			to := &p.Images[index].Result
			to.Destination = &p.Steps[i].Destinations[k]
			to.Receipt, to.Failure = got[index].Receipt, got[index].Failure
		}
	}
	status := wiring.StatusDone
	if len(p.Lists) > 0 { // else the job of the plan has reported it
		for _, line := range p.Seen {
			s.now.add(line)
		}
		if len(p.Measured) > 0 {
			s.now.measure(p.Measured)
		}
		s.compared()
		if err := errors.Join(s.print(), s.remember(ctx)); err != nil {
			return wiring.StatusFailed, err
		}
		if s.sum.Failed() || p.Faults > 0 {
			status = wiring.StatusFailed
		}
	}
	if s.o.log == "" {
		return status, nil
	}
	if err := s.note(ctx); err != nil {
		return wiring.StatusFailed, fmt.Errorf("--log: %w", err)
	}
	return status, nil
}

// note commits what has changed to the log of the catalog, with the site.
func (s *syncing) note(ctx context.Context) error {
	log, _, err := readLog(s.env, s.o.log) // lines that cannot be read are told
	if err != nil {
		return err
	}
	records, err := json.Marshal(s.sum.Records())
	if err != nil {
		return err
	}
	changes, _, err := changesOf(s.env, catalog.Fold(log), s.o.plan, records)
	if err != nil || len(changes) == 0 {
		return err
	}
	say(s.env, s.env.Stderr, "%d changes\n", len(changes))
	hub, err := wiring.NewGitHub(s.env)
	if err != nil {
		return err
	}
	if hub == nil {
		return usageError{"there is no repository to write to: set GITHUB_REPOSITORY to its owner and name, such as alice/ferry, and GITHUB_TOKEN"}
	}
	return commitChanges(ctx, s.env, hub, catalogOptions{in: s.o.log}, log, changes)
}

// ask asks the targets about images without receipts, and adds what it finds: a
// job may have died after a copy. What is not there counts as stopped.
func (s *syncing) ask(ctx context.Context, p *shards.Plan, got shards.Receipts) error {
	var lost []int
	var steps []plan.Step
	for i, indices := range p.Indices {
		for _, index := range indices {
			if got[index] == nil {
				lost, steps = append(lost, i), append(steps, p.Steps[i])
				break
			}
		}
	}
	if len(lost) == 0 {
		return nil
	}
	if err := s.open(p); err != nil {
		return err
	}
	defer s.engine.Close()
	for n, standings := range s.engine.Look(ctx, steps, mirror.NoSources) {
		for k, index := range p.Indices[lost[n]] {
			if got[index] != nil {
				continue
			}
			r := &shards.Receipt{Failure: &failure.Error{Code: failure.Cancelled}}
			if held := standings[k].Held; p.Arrived(lost[n], k, held) {
				r = &shards.Receipt{Receipt: &mirror.Receipt{
					Mirror: steps[n].Destinations[k].Mirror, SourceDigest: steps[n].Image.Reference.Digest(), Digest: held, Size: p.Sizes[lost[n]],
				}}
			}
			got[index] = r
		}
	}
	return nil
}
