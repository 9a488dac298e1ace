package report

import (
	"slices"
	"strings"
)

// block is a piece of Markdown that begins and ends by itself: what opens it,
// its items with a line each or more, what closes it. Cutting takes whole
// items from the end of a block, so a fence, a table or a fold is never cut in
// its middle. A block has items or inner blocks, not both.
type block struct {
	name        md // for the note that it was cut; blocks with items have one
	open, close md
	items       []md
	inner       []*block
	rank        int // blocks of the highest rank are cut first; 0 is never cut
	cut         int // items that were taken from the end
	elsewhere   md  // where the items are that were cut; empty for nowhere
}

// The ranks of the blocks, from the last that is cut to the first: what the
// reader can make of the rest by himself goes before what nothing else tells.
const (
	rankFailures = iota + 1
	rankProblems
	rankCommands
	rankList
	rankChanges
	rankAssumptions
	rankTools
	rankLeftOut
	rankManifests
	rankOtherTargets
	rankDetails
	rankWords
)

// text is the block as it stands after cutting; empty if nothing of it is left.
func (b *block) text(l *language) string {
	if b.cut > 0 && b.cut == len(b.items) {
		return ""
	}
	var parts []string
	if len(b.inner) > 0 {
		for _, inner := range b.inner {
			if text := inner.text(l); text != "" {
				parts = append(parts, text)
			}
		}
		if parts == nil {
			return ""
		}
		if b.open != "" {
			parts = slices.Insert(parts, 0, string(b.open))
		}
		if b.close != "" {
			parts = append(parts, string(b.close))
		}
		return strings.Join(parts, "\n\n")
	}
	if b.open != "" {
		parts = append(parts, string(b.open))
	}
	for _, item := range b.items[:len(b.items)-b.cut] {
		parts = append(parts, string(item))
	}
	if b.close != "" {
		parts = append(parts, string(b.close))
	}
	text := strings.Join(parts, "\n")
	if b.cut > 0 {
		text += "\n\n_" + string(l.headings.more.of(b.cut)+l.full(b.elsewhere)) + "_"
	}
	return text
}

// leaves are the blocks without inner blocks, in order.
func (b *block) leaves() []*block {
	if len(b.inner) == 0 {
		return []*block{b}
	}
	var all []*block
	for _, inner := range b.inner {
		all = append(all, inner.leaves()...)
	}
	return all
}

// paragraph is a block that is never cut.
func paragraph(text md) *block { return &block{open: text} }

// fold shows its blocks only on a click. It leaves out those that are nil.
func fold(summary md, inner ...*block) *block {
	inner = slices.DeleteFunc(inner, func(b *block) bool { return b == nil })
	return &block{open: "<details><summary>" + summary + "</summary>", inner: inner, close: "</details>"}
}

// reserve is room for the notes about cuts: one for each block and the last
// one with their names.
const reserve = 4 << 10

// compose writes the blocks in at most budget bytes. It cuts the blocks of the
// highest rank first and says what it left out, and that it is all at address
// if that is not empty. What it cuts stays cut.
func compose(l *language, budget int, address string, blocks []*block) string {
	document := &block{inner: blocks}
	text := document.text(l)
	if len(text) <= budget {
		return text
	}
	leaves := document.leaves()
	slices.SortStableFunc(leaves, func(a, b *block) int { return b.rank - a.rank })
	for _, floor := range []int{budget / 5, 0} { // so that no long block takes all room from the others
		for _, leaf := range leaves {
			excess := len(text) + reserve - budget
			if excess <= 0 {
				break
			}
			if leaf.rank == 0 {
				continue
			}
			if address != "" {
				leaf.elsewhere = link(l.headings.summary, address)
			}
			if leaf.rank > rankCommands {
				leaf.shorten(excess, 0)
			} else {
				leaf.shorten(excess, floor)
			}
			text = document.text(l)
		}
	}
	var gone []string
	var elsewhere md
	for _, leaf := range document.leaves() {
		if leaf.cut > 0 && leaf.cut == len(leaf.items) {
			gone, elsewhere = append(gone, string(leaf.name)), leaf.elsewhere
		}
	}
	if gone != nil {
		note := fill(l.headings.cutAll, "{blocks}", md(strings.Join(gone, string(l.comma)))) + l.full(elsewhere)
		text += "\n\n_" + string(note) + "_"
	}
	return text
}

// shorten takes items from the end, until excess bytes are gone or what is
// left has no more than floor.
func (b *block) shorten(excess, floor int) {
	left := 0
	for _, item := range b.items[:len(b.items)-b.cut] {
		left += len(item) + len("\n")
	}
	for excess > 0 && left > floor && b.cut < len(b.items) {
		b.cut++
		n := len(b.items[len(b.items)-b.cut]) + len("\n")
		excess, left = excess-n, left-n
	}
}

// full says where all of something is that was cut.
func (l *language) full(elsewhere md) md {
	if elsewhere == "" {
		return ""
	}
	return l.stop + fill(l.headings.elsewhere, "{summary}", elsewhere)
}
