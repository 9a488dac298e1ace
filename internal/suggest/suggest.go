// Package suggest finds what somebody probably meant: the word for a misspelt
// one, and what to write instead of invalid YAML.
package suggest

import "strings"

// Distance returns the optimal string alignment distance of a and b: how many
// bytes to insert, delete, replace or swap with their neighbour to turn a into
// b. It takes len(a)*len(b) steps, so callers should limit both.
func Distance(a, b string) int {
	var rows [3 * 65]int // names are short
	all, n := rows[:], len(b)+1
	if 3*n > len(all) {
		all = make([]int, 3*n)
	}
	before, last, row := all[:n], all[n:2*n], all[2*n:3*n]
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, change)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// Nearest returns the word of which written, in any case, is a misspelling: of
// the words that differ in at most one of three bytes, the first of the
// nearest. It is empty if there is none.
func Nearest(written string, words []string) string {
	written = strings.ToLower(written)
	best, least := "", len(written)/3
	for _, word := range words {
		if max(len(word)-len(written), len(written)-len(word)) > least {
			continue
		}
		if d := Distance(written, word); d <= least && (best == "" || d < least) {
			best, least = word, d
		}
	}
	return best
}
