// Package shards holds what the jobs of a run that is divided hand to each other: the
// file of the plan, which one job writes, and files of receipts, one for each shard.
package shards

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/fanout"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/report"
)

// version is the version of the files of plans and receipts. Their content is
// for the same version of Ferry only.
const version = 2

// maxPlan limits the size of the file of a plan, and of one with receipts, in bytes: an
// image has about one thousand, without manifests.
const maxPlan = 1 << 30

// Plan is the plan of a run of several jobs, of lists or of an issue's request.
type Plan struct {
	Version int
	ID      string // the digest of the rest: receipts name it
	// Marker is that of the comment on the issue, which the jobs do not answer; zero for
	// lists.
	Marker ledger.Marker `json:",omitzero"`
	// Bytes are the distinct bytes to copy, and Created the places in Images of the
	// repositories that are new: what is reserved of the requester's daily limits.
	Bytes   int64
	Created []int `json:",omitzero"`
	// Elsewhere is what public mirrors have answered about the images, for the answer.
	Elsewhere map[reference.Reference][]mirror.Elsewhere `json:",omitzero"`
	// Images are the results of all images. What the shards copy has neither receipt
	// nor failure.
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
	At    time.Time // when it was made
	Rates fanout.Rates
	// Homes are the steps that are probably first to have a blob that several need.
	Homes     map[v1.Hash]int
	Manifests []*registry.Manifest // of the images to copy, as far as they have been read
	// Measured is what the jobs have achieved, by their receipts.
	Measured []fanout.Measure `json:"-"`
}

// id returns the digest of a plan.
func (p *Plan) id() string {
	same := *p
	same.ID = ""
	text, err := json.Marshal(&same)
	if err != nil {
		return ""
	}
	return registry.NewManifest("", text).Digest.Hex
}

// Write writes the file of a plan.
func (p *Plan) Write(file string) error {
	p.Version = version
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

// Read reads a plan and checks that it is complete: each result has its image and its
// destination, the indices are valid, and every image is in one shard. The error says
// what to do.
func Read(file string) (*Plan, error) {
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
	if head.Version != version {
		return nil, fmt.Errorf("%s is a plan of another version of Ferry: plan again with the version that copies", file)
	}
	p := &Plan{}
	if json.Unmarshal(text, p) != nil || p.ID != p.id() || !p.sound() {
		return nil, fmt.Errorf("%s has been changed, or is incomplete: plan again", file)
	}
	return p, nil
}

// sound reports whether a plan is complete.
func (p *Plan) sound() bool {
	if slices.ContainsFunc(p.Images, func(i report.Synced) bool { return i.Result.Image == nil || i.Result.Destination == nil }) {
		return false
	}
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
	for _, step := range p.Homes {
		if step < 0 || step >= n {
			return false
		}
	}
	return len(all) == n
}

// Known returns the manifests of a plan by their digests.
func (p *Plan) Known() map[v1.Hash]*registry.Manifest {
	all := make(map[v1.Hash]*registry.Manifest, len(p.Manifests))
	for _, m := range p.Manifests {
		if m != nil && m.Has(m.Digest) {
			all[m.Digest] = m
		}
	}
	return all
}

// Arrived reports whether a target, which holds a digest now, has got an image since
// it was planned.
func (p *Plan) Arrived(step, destination int, held v1.Hash) bool {
	return held != v1.Hash{} && (held == p.Steps[step].Image.Reference.Digest() || held != p.Images[p.Indices[step][destination]].Before)
}

// Assign gives the shards the steps of the plan. places are the places in Images of
// their destinations, in order.
func (p *Plan) Assign(places []int, manifests map[v1.Hash]*registry.Manifest, d Division) {
	p.Bytes, p.Sizes, p.Dealt, p.Homes, p.Rates = d.Bytes, d.Sizes, d.Dealt, d.Homes, d.Rates
	for i := range p.Steps {
		n := len(p.Steps[i].Destinations)
		p.Indices = append(p.Indices, places[:n])
		places = places[n:]
	}
	for _, m := range manifests {
		p.Manifests = append(p.Manifests, m)
	}
}

// Numbers returns the numbers of the shards as a JSON array, for the matrix of a
// workflow.
func (p *Plan) Numbers() string {
	numbers := make([]int, len(p.Lists))
	for i := range numbers {
		numbers[i] = i + 1
	}
	return strings.ReplaceAll(fmt.Sprint(numbers), " ", ",")
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
