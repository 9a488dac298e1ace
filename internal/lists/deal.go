package lists

import (
	"maps"
	"path"
	"slices"
)

// someTags is how many tags an entry is taken for that does not say how many it
// chooses.
const someTags = 30

// Deal deals entries to shards, of which each job works on one, and gives the
// shard of each entry, from 0. Entries of one repository stay together, because
// their images share layers and their tags are listed once; so do repositories with
// one last component, which may want one mirror name. Those with the most images
// are dealt first, each to the shard with the least. Everybody who has the same
// list deals it in the same way.
func Deal(entries []Entry, shards int) []int {
	weights := map[string]int{}
	for _, e := range entries {
		weights[path.Base(e.Source.Path())] += e.weight()
	}
	names := slices.Sorted(maps.Keys(weights))
	slices.SortStableFunc(names, func(a, b string) int { return weights[b] - weights[a] })
	loads := make([]int, shards)
	of := make(map[string]int, len(weights))
	for _, name := range names {
		least := slices.Index(loads, slices.Min(loads))
		of[name] = least
		loads[least] += weights[name]
	}
	dealt := make([]int, len(entries))
	for i, e := range entries {
		dealt[i] = of[path.Base(e.Source.Path())]
	}
	return dealt
}

// weight is about how many images the entry is.
func (e Entry) weight() int {
	tags := someTags
	switch named, ok := e.Named(); {
	case ok:
		tags = len(named)
	case e.Tags.Newest > 0:
		tags = min(tags, e.Tags.Newest)
	case e.Tags.NewestPatchOf > 0:
		tags = min(tags, e.Tags.NewestPatchOf)
	}
	return tags * max(1, len(e.Targets)+len(e.To))
}
