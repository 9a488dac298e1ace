package lists_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/lists"
	"github.com/imageferry/ferry/internal/reference"
)

// TestDeal: every entry is in one shard, whatever their order; a repository is in
// one; and no shard has more than the average and the largest repository.
func TestDeal(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		var text strings.Builder
		most := 0
		total := 0
		for repository := range 1 + r.IntN(60) {
			images := 1 + r.IntN(20)
			most, total = max(most, images), total+images
			for image := range images {
				fmt.Fprintf(&text, "quay.io/ns/r%d:%d\n", repository, image)
			}
		}
		entries := lists.Read([]byte(text.String()), lists.Options{}).Entries
		shards := 1 + r.IntN(9)
		dealt := lists.Deal(entries, shards)
		of, loads := map[reference.Repository]int{}, make([]int, shards)
		for i, shard := range dealt {
			source := entries[i].Source
			if before, ok := of[source]; ok && before != shard {
				t.Fatalf("%s is in two shards", source)
			}
			of[source] = shard
			loads[shard]++
		}
		if slices.Max(loads) > total/shards+most {
			t.Errorf("%d images of at most %d a repository are dealt as %d", total, most, loads)
		}
		r.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		for i, shard := range lists.Deal(entries, shards) {
			if of[entries[i].Source] != shard {
				t.Fatalf("%s is in another shard in another order", entries[i].Source)
			}
		}
	}
}
