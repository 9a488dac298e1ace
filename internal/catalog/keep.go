package catalog

import (
	"slices"
	"sort"
	"time"

	"github.com/imageferry/ferry/internal/reference"
)

// Rules say which mirrors stay: those that one of the rules keeps.
type Rules struct {
	Newest int  // of each repository of a source at a target, those that changed last, and those at the same time
	Days   int  // those whose content has changed in so many days
	Asked  int  // those that an answer to an issue has, in so many days
	Listed bool // those of lists
	// Platforms, if any, are the platforms of which a mirror must have one to stay.
	Platforms []reference.Platform
}

// Surplus returns the images at mirrors that no rule keeps, in the order of the
// snapshot. asked has the times of the last answers to issues, by mirror. A mirror of
// several sources stays if it stays for one of them.
func (s Snapshot) Surplus(r Rules, asked map[reference.Reference]time.Time, now time.Time) (surplus []*Image) {
	changed, requested := now.AddDate(0, 0, -r.Days), now.AddDate(0, 0, -r.Asked)
	stays := map[reference.Reference]bool{}
	var all []*Image
	for _, repository := range s.Repositories {
		newest, last := map[reference.Repository]int{}, map[reference.Repository]time.Time{}
		images := make([]*Image, len(repository.Images))
		for k := range images {
			images[k] = &repository.Images[k]
		}
		all = append(all, images...)
		sort.SliceStable(images, func(i, j int) bool { return images[i].At.After(images[j].At) })
		for _, i := range images {
			if r.Platforms != nil && !i.has(r.Platforms) {
				continue
			}
			at := i.Mirror.Repository()
			if newest[at]++; newest[at] <= r.Newest {
				last[at] = i.At
			}
			// After a rebuild, and of those that one run has copied, the times are equal.
			if r.Newest > 0 && i.At.Equal(last[at]) || i.At.After(changed) || r.Listed && i.listed() || asked[i.Mirror].After(requested) {
				stays[i.Mirror] = true
			}
		}
	}
	for _, i := range all {
		if !stays[i.Mirror] {
			surplus = append(surplus, i)
		}
	}
	return surplus
}

// has reports whether an image has one of the platforms, as far as they are known.
func (i *Image) has(platforms []reference.Platform) bool {
	if len(i.Platforms) == 0 { // after a rebuild
		return true
	}
	for _, p := range i.Platforms {
		if slices.Contains(platforms, p) {
			return true
		}
	}
	return false
}
