package shards

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fanout"
	"github.com/imageferry/ferry/internal/mirror"
)

// Receipt is a line of a file of receipts: the result at an index of a plan's Images.
// The first line has no result.
type Receipt struct {
	Version int    // of the first line
	Plan    string // the ID, in the first line
	Attempt int    // in the first line

	// Measure is what the job has achieved, in the last line of a job that was not
	// stopped, which has no result either.
	Measure *fanout.Measure `json:",omitempty"`

	// Stopped says why the job has left the rest, in the last line of one that was stopped
	// because the request is no longer this run's.
	Stopped string `json:",omitempty"`

	Index   int
	Receipt *mirror.Receipt `json:",omitempty"`
	Failure *failure.Error  `json:",omitempty"`
}

// File is a file of receipts to which lines are added.
type File struct{ *os.File }

// Create creates the file of receipts of a shard of a plan in a folder, for an attempt
// of its job.
func (p *Plan) Create(folder string, shard, attempt int) (File, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return File{}, err
	}
	f, err := os.OpenFile(filepath.Join(folder, fmt.Sprintf("shard-%d.jsonl", shard)), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return File{}, err
	}
	r := File{f}
	return r, r.Add(&Receipt{Version: version, Plan: p.ID, Attempt: attempt})
}

// Add adds a line at once, so that a job that is killed leaves what it did.
func (r File) Add(line *Receipt) error { return json.NewEncoder(r.File).Encode(line) }

// Receipts are the results of all shards by their indices.
type Receipts map[int]*Receipt

// Receipts reads all files of receipts in a folder, which need not exist. A file of
// another plan and an incomplete line are left out: say is called with a format and its
// operands, the file first; so for a job that was stopped. What another job or attempt has copied since the plan counts as copied.
func (p *Plan) Receipts(folder string, say func(format string, operands ...any)) (Receipts, error) {
	all := Receipts{}
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
			all.read(file, text, p, say)
		}
	}
	for i, r := range all {
		if r.Receipt != nil && r.Receipt.Digest != p.Images[i].Before {
			r.Receipt.Present = false
		}
	}
	return all, err
}

// read reads a file of receipts.
func (all Receipts) read(file string, text []byte, p *Plan, say func(format string, operands ...any)) {
	var head Receipt
	first, text, _ := bytes.Cut(text, []byte("\n"))
	switch {
	case json.Unmarshal(first, &head) != nil || head.Version == 0:
		say("warning: %s has no receipts, or is incomplete; the target is asked instead\n", file)
		return
	case head.Version != version:
		say("warning: %s is of another version of Ferry; the target is asked instead\n", file)
		return
	case head.Plan != p.ID:
		say("warning: %s belongs to another plan; the target is asked instead\n", file)
		return
	}
	incomplete := false
	for line := range bytes.Lines(text) {
		r := &Receipt{}
		err := json.Unmarshal(line, r)
		if err == nil && r.Measure != nil {
			p.Measured = append(p.Measured, *r.Measure)
			continue
		}
		if err == nil && r.Stopped != "" {
			say("%s: stopped: %s\n", file, r.Stopped)
			continue
		}
		if err != nil || r.Index < 0 || r.Index >= len(p.Images) || (r.Receipt == nil) == (r.Failure == nil) {
			incomplete = true
			continue
		}
		r.Attempt = head.Attempt
		if old := all[r.Index]; old == nil || r.better(old) {
			all[r.Index] = r
		}
	}
	if incomplete {
		say("warning: %s has a line that is incomplete; the target is asked instead\n", file)
	}
}

// better reports whether a result counts more than another one for the same image:
// a copy more than that the target has it, that more than a failure, and a later
// attempt more than an earlier one.
func (r *Receipt) better(o *Receipt) bool {
	if a, b := r.rank(), o.rank(); a != b {
		return a > b
	}
	return r.Attempt > o.Attempt
}

func (r *Receipt) rank() int {
	switch {
	case r.Receipt == nil:
		return 0
	case r.Receipt.Present:
		return 1
	}
	return 2
}
