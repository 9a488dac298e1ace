package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fanout"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

// planVersion is the version of the files of plans and receipts. Their content is
// for the same version of Ferry only.
const planVersion = 1

const (
	// maxPlan limits the size of the file of a plan, and of one with receipts, in
	// bytes: an image has about one thousand, without manifests.
	maxPlan = 1 << 30
	// maxManifests limits the manifests of a plan together, in bytes. Others are
	// read again.
	maxManifests = 128 << 20
)

// planFile is the plan of a run of several jobs.
type planFile struct {
	Version int
	ID      string // the digest of the rest: receipts name it
	// Images are the results of all images, without their steps. What the shards
	// copy has neither receipt nor failure.
	Images   []report.Synced
	Unlisted []report.Unlisted
	Faults   int      // how many entries of the lists could not be read
	Seen     []string // the comparisons of this run; see seen
	// Steps are what the shards copy, each by its digest. Of each, Indices are the
	// places of its destinations in Images, and Sizes the bytes.
	Steps   []plan.Step
	Indices [][]int
	Sizes   []int64
	fanout.Dealt
	Manifests []*registry.Manifest // of the images to copy, as far as they have been read
}

// id returns the digest of a plan.
func (p *planFile) id() string {
	same := *p
	same.ID = ""
	text, err := json.Marshal(&same)
	if err != nil {
		return ""
	}
	return registry.NewManifest("", text).Digest.Hex
}

// write writes the file of a plan.
func (p *planFile) write(file string) error {
	p.Version = planVersion
	p.ID = p.id()
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(json.NewEncoder(f).Encode(p), f.Close())
}

// readPlan reads a plan and checks that it is complete: the indices in it are
// valid, and every image is in one shard.
func readPlan(file string) (*planFile, error) {
	text, err := readLimited(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no plan %s: the job that writes it with --plan failed, or its file was not passed on", file)
	}
	if err != nil {
		return nil, err
	}
	var head struct{ Version int }
	if json.Unmarshal(text, &head) != nil {
		return nil, fmt.Errorf("%s is not a plan, or is incomplete: plan again", file)
	}
	if head.Version != planVersion {
		return nil, fmt.Errorf("%s is a plan of another version of Ferry: plan again with the version that copies", file)
	}
	p := &planFile{}
	if json.Unmarshal(text, p) != nil || p.ID != p.id() || !p.sound() {
		return nil, fmt.Errorf("%s has been changed, or is incomplete: plan again", file)
	}
	return p, nil
}

// sound reports whether the indices of a plan are valid.
func (p *planFile) sound() bool {
	n := len(p.Steps)
	if len(p.Indices) != n || len(p.Sizes) != n || len(p.Fresh) != n || len(p.Lists) > fanout.MaxJobs {
		return false
	}
	all := slices.Concat(p.Lists...)
	slices.Sort(all)
	for i, step := range all {
		if i != step {
			return false
		}
	}
	for i, indices := range p.Indices {
		if len(indices) != len(p.Steps[i].Destinations) {
			return false
		}
		for _, index := range indices {
			if index < 0 || index >= len(p.Images) {
				return false
			}
		}
	}
	return len(all) == n
}

// manifests returns the manifests of a plan by their digests.
func (p *planFile) manifests() map[v1.Hash]*registry.Manifest {
	all := make(map[v1.Hash]*registry.Manifest, len(p.Manifests))
	for _, m := range p.Manifests {
		if m != nil && m.Has(m.Digest) {
			all[m.Digest] = m
		}
	}
	return all
}

// receipt is a line of a file of receipts: the result at an index of a plan's
// Images. The first line has no result.
type receipt struct {
	Version int    // of the first line
	Plan    string // the ID, in the first line
	Attempt int    // in the first line

	Index   int
	Receipt *mirror.Receipt `json:",omitempty"`
	Failure *failure.Error  `json:",omitempty"`
}

// receiptFile is a file of receipts to which lines are added.
type receiptFile struct{ f *os.File }

// createReceipts creates the file of receipts of a shard in a folder.
func createReceipts(folder string, shard int, head *receipt) (receiptFile, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return receiptFile{}, err
	}
	f, err := os.OpenFile(filepath.Join(folder, fmt.Sprintf("shard-%d.jsonl", shard)), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return receiptFile{}, err
	}
	r := receiptFile{f}
	return r, r.add(head)
}

// add adds a line at once, so that a job that is killed leaves what it did.
func (r receiptFile) add(line *receipt) error { return json.NewEncoder(r.f).Encode(line) }

// receipts are the results of all shards by their indices.
type receipts map[int]*receipt

// readReceipts reads all files of receipts in a folder. A file of another plan and
// an incomplete line are left out, with a warning.
func readReceipts(env wiring.Env, folder string, p *planFile) (receipts, error) {
	all := receipts{}
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil // no shard has left anything
	}
	for _, entry := range entries {
		if err != nil || !entry.Type().IsRegular() || filepath.Ext(entry.Name()) != ".jsonl" {
			continue
		}
		file := filepath.Join(folder, entry.Name())
		var text []byte
		if text, err = readLimited(file); err == nil {
			all.read(env, file, text, p)
		}
	}
	return all, err
}

// read reads a file of receipts.
func (all receipts) read(env wiring.Env, file string, text []byte, p *planFile) {
	var head receipt
	first, text, _ := bytes.Cut(text, []byte("\n"))
	switch {
	case json.Unmarshal(first, &head) != nil || head.Version == 0:
		say(env, env.Stderr, "warning: %s has no receipts, or is incomplete; the target is asked instead\n", file)
		return
	case head.Version != planVersion:
		say(env, env.Stderr, "warning: %s is of another version of Ferry; the target is asked instead\n", file)
		return
	case head.Plan != p.ID:
		say(env, env.Stderr, "warning: %s belongs to another plan; the target is asked instead\n", file)
		return
	}
	incomplete := false
	for line := range bytes.Lines(text) {
		r := &receipt{}
		if json.Unmarshal(line, r) != nil || r.Index < 0 || r.Index >= len(p.Images) || (r.Receipt == nil) == (r.Failure == nil) {
			incomplete = true
			continue
		}
		r.Attempt = head.Attempt
		if old := all[r.Index]; old == nil || r.better(old) {
			all[r.Index] = r
		}
	}
	if incomplete {
		say(env, env.Stderr, "warning: %s has a line that is incomplete; the target is asked instead\n", file)
	}
}

// better reports whether a result counts more than another one for the same image:
// a copy more than that the target has it, that more than a failure, and a later
// attempt more than an earlier one.
func (r *receipt) better(o *receipt) bool {
	if a, b := r.rank(), o.rank(); a != b {
		return a > b
	}
	return r.Attempt > o.Attempt
}

func (r *receipt) rank() int {
	switch {
	case r.Receipt == nil:
		return 0
	case r.Receipt.Present:
		return 1
	}
	return 2
}

// readLimited reads a file of at most maxPlan bytes.
func readLimited(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPlan+1))
	if err == nil && len(text) > maxPlan {
		err = fmt.Errorf("%s has more than %d bytes", file, maxPlan)
	}
	return text, err
}
