package plan

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/imageferry/ferry/internal/reference"
)

// TestWithin makes random plans for targets with quotas, and executes them: nothing
// is written beyond a limit, nothing is left out that would have fitted, and the
// targets hold no more afterwards than was reserved.
func TestWithin(t *testing.T) {
	ref := func(text string) reference.Reference {
		r, err := reference.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for seed := range uint64(1000) {
		random := rand.New(rand.NewPCG(seed, 7))
		held := map[string]map[reference.Reference]bool{} // by repository
		put := func(r reference.Reference) {
			name := r.Repository().String()
			if held[name] == nil {
				held[name] = map[reference.Reference]bool{}
			}
			held[name][r] = true
		}
		name := func(target string) reference.Reference {
			return ref(fmt.Sprintf("%s/img-%d:%d", target, random.IntN(8), random.IntN(3)))
		}
		targets := []string{"docker.io/me", "quay.io/org"}
		for range random.IntN(12) {
			put(name(targets[random.IntN(2)]))
		}
		stock := func(target string) Stock {
			s := Stock{Target: target, Repositories: random.IntN(8), Tags: random.IntN(12), Held: map[string]int{}}
			for repository, tags := range held {
				r := ref(repository + ":x").Repository()
				if s.Of(r) {
					s.Held[repository] = len(tags)
				}
			}
			return s
		}
		stocks := []Stock{stock(targets[0]), stock(targets[1])}
		var steps []Step
		for range 1 + random.IntN(10) {
			step := Step{Destinations: []Destination{{Mirror: name(targets[0])}, {Mirror: name(targets[1])}, {Mirror: ref("ghcr.io/free/x:1")}}}
			if random.IntN(4) == 0 {
				step.Destinations[0].ByDigest = ref(step.Destinations[0].Mirror.Repository().String() + ":digest")
			}
			steps = append(steps, step)
		}
		has := func(r reference.Reference) bool { return held[r.Repository().String()][r] }
		before := map[reference.Reference]bool{}
		for _, tags := range held {
			for r := range tags {
				before[r] = true
			}
		}
		surplus, after := Within(steps, stocks, func(r reference.Reference) bool { return before[r] })
		for i, step := range steps {
			for k, d := range step.Destinations {
				over := func() bool {
					for _, s := range stocks {
						repositories, tags := 0, 0
						for repository, all := range held {
							if s.Of(ref(repository + ":x").Repository()) {
								repositories, tags = repositories+1, tags+len(all)
							}
						}
						within := len(s.Held)
						sum := 0
						for _, n := range s.Held {
							sum += n
						}
						if s.Repositories > 0 && repositories > max(s.Repositories, within) || s.Tags > 0 && tags > max(s.Tags, sum) {
							return true
						}
					}
					return false
				}
				wanted := d.Mirror
				if !d.ByDigest.IsZero() && random.IntN(2) == 0 {
					wanted = d.ByDigest
				}
				fresh := !has(wanted)
				put(wanted)
				exceeds := over()
				switch {
				case surplus[i][k] == 0 && exceeds:
					t.Fatalf("seed %d: %s is beyond a limit", seed, wanted)
				case surplus[i][k] != 0 && !exceeds && d.ByDigest.IsZero() && fresh && !anyByDigest(steps):
					t.Fatalf("seed %d: %s would have fitted", seed, wanted)
				}
				if surplus[i][k] != 0 && fresh {
					delete(held[wanted.Repository().String()], wanted)
					if len(held[wanted.Repository().String()]) == 0 {
						delete(held, wanted.Repository().String())
					}
				}
			}
		}
		for _, s := range after {
			most, tags := 0, 0
			for _, n := range s.Held {
				most += n
			}
			for repository, all := range held {
				if s.Of(ref(repository + ":x").Repository()) {
					tags += len(all)
					if _, ok := s.Held[repository]; !ok {
						t.Fatalf("seed %d: %s is not reserved", seed, repository)
					}
				}
			}
			if tags > most {
				t.Fatalf("seed %d: %s holds %d tags, but %d are reserved", seed, s.Target, tags, most)
			}
		}
	}
}

func anyByDigest(steps []Step) bool {
	for _, s := range steps {
		for _, d := range s.Destinations {
			if !d.ByDigest.IsZero() {
				return true
			}
		}
	}
	return false
}
