package shards

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/fanout"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/registry"
)

// Jobs is how many jobs the owner allows, and what each achieves.
type Jobs struct {
	least, most int
	Rates       fanout.Rates
}

// UsualJobs is the usual maximum: the account's other workflows need some of GitHub's
// twenty concurrent jobs, too.
const UsualJobs = "8"

// ParseJobs reads a number of jobs: "8" for at most eight, "4-8" for at least four.
// Their rates are the usual ones.
func ParseJobs(text string) (j Jobs, err error) {
	j.Rates = fanout.Usual()
	first, last, ranged := strings.Cut(text, "-")
	j.least, err = strconv.Atoi(first)
	if j.most = j.least; !ranged {
		j.least = 1
	} else if err == nil {
		j.most, err = strconv.Atoi(last)
	}
	if err != nil || j.least < 1 || j.most < j.least || j.most > fanout.MaxJobs {
		return Jobs{}, fmt.Errorf("the number of jobs is %q; write a number from 1 to %d, or a range such as 4-8", text, fanout.MaxJobs)
	}
	return j, nil
}

// Division says which job copies which image. Lists is empty if the work is not worth
// several jobs.
type Division struct {
	fanout.Dealt
	Sizes []int64       // of the images, in bytes
	Bytes int64         // distinct, of all images
	Bound time.Duration // the least time
	Homes map[v1.Hash]int
	Rates fanout.Rates
}

// Divide deals images to jobs. images are the steps as they are at their sources; one
// that could not be read, which is nil, has no bytes: the job that copies it says why.
func Divide(steps []plan.Step, images []*mirror.Image, jobs Jobs) (d Division) {
	w, ids, sizes := survey(steps, images)
	d.Sizes, d.Rates = sizes, jobs.Rates
	for _, size := range w.Sizes {
		d.Bytes += size
	}
	if n := w.Jobs(jobs.Rates, jobs.least, jobs.most); n > 1 {
		d.Dealt, d.Bound, d.Homes = w.Deal(jobs.Rates, n), w.Bound(jobs.Rates, n), map[v1.Hash]int{}
		homes := w.Homes(d.Lists)
		for b, id := range ids {
			if homes[id] >= 0 {
				d.Homes[b.digest] = homes[id]
			}
		}
	}
	return d
}

// blob is a blob of a fanout.Work.
type blob struct {
	digest  v1.Hash
	targets string // a blob that one target has, another may lack
}

// survey returns the blobs of images, their indices in the work, and the sizes of the
// images.
func survey(steps []plan.Step, images []*mirror.Image) (fanout.Work, map[blob]int32, []int64) {
	w := fanout.Work{Images: make([]fanout.Image, len(steps))}
	sizes := make([]int64, len(steps))
	ids := map[blob]int32{}
	for i, image := range images {
		w.Images[i].Trips = 3
		if image == nil {
			continue
		}
		targets := make([]string, len(steps[i].Destinations))
		for k, d := range steps[i].Destinations {
			targets[k] = d.Mirror.Repository().Host()
		}
		key := strings.Join(targets, " ")
		for _, d := range image.Blobs {
			id, ok := ids[blob{d.Digest, key}]
			if !ok {
				id = int32(len(w.Sizes))
				ids[blob{d.Digest, key}] = id
				w.Sizes = append(w.Sizes, d.Size)
			}
			w.Images[i].Blobs = append(w.Images[i].Blobs, id)
		}
		w.Images[i].Trips += len(image.Manifests) + 2*len(image.Blobs)*len(targets)
		sizes[i] = image.Size
	}
	return w, ids, sizes
}

// maxManifests limits the manifests of a plan together, in bytes. Others are read
// again.
const maxManifests = 128 << 20

// Keep adds the manifests of images to those of a plan, as far as they fit.
func Keep(all map[v1.Hash]*registry.Manifest, images []*mirror.Image) {
	kept := int64(0)
	for _, m := range all {
		kept += int64(len(m.Body))
	}
	for _, image := range images {
		if image == nil {
			continue
		}
		for _, m := range image.Manifests {
			if size := int64(len(m.Body)); all[m.Digest] == nil && size <= maxManifests-kept {
				kept += size
				all[m.Digest] = m
			}
		}
	}
}
