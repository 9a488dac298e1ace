package report

import (
	"slices"
	"sort"
	"strings"
)

// block is a self-contained piece of Markdown: an opening, items of one or more
// lines, and an end. Cutting removes whole items from the end of a block, so a
// fence, a table or a fold is never cut in the middle. A block has items or
// inner blocks, not both.
type block struct {
	name        md // for the note that the block was cut; required if there are items
	open, close md
	items       []md
	inner       []*block
	rank        int  // blocks of the highest rank are cut first; 0 is never cut
	cut         int  // number of items removed from the end
	elsewhere   md   // where all items are; empty for nowhere
	silent      bool // readers do not miss what is cut
}

// The ranks of the blocks, from the last to be cut to the first. Blocks that
// readers can work out from the rest are cut before those that they cannot.
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
	rankRecords
)

// text returns the block after cutting; empty if nothing is left.
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
			parts = append([]string{string(b.open)}, parts...)
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
	if b.cut > 0 && !b.silent {
		text += "\n\n_" + string(l.Headings.More.of(b.cut)+l.full(b.elsewhere)) + "_"
	}
	return text
}

// leaves returns the blocks without inner blocks, in order.
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

// paragraph returns a block that is never cut.
func paragraph(text md) *block { return &block{open: text} }

// fold returns a block whose inner blocks are shown on a click. Inner blocks
// that are nil are left out.
func fold(summary md, inner ...*block) *block {
	inner = slices.DeleteFunc(inner, func(b *block) bool { return b == nil })
	return &block{open: "<details><summary>" + summary + "</summary>", inner: inner, close: "</details>"}
}

// reserve is the room for the notes about cuts: one for each block, and a last
// one with their names.
const reserve = 4 << 10

// compose joins the blocks in at most budget bytes. It cuts the blocks of the
// highest rank first and notes what was left out, and that the whole text is at
// address unless that is empty. The cuts stay in the blocks.
func compose(l *language, budget int, address string, blocks []*block) string {
	document := &block{inner: blocks}
	text := document.text(l)
	if len(text) <= budget {
		return text
	}
	leaves := document.leaves()
	sort.SliceStable(leaves, func(i, j int) bool { return leaves[i].rank > leaves[j].rank })
	for _, floor := range []int{budget / 5, 0} { // the first round stops at a fifth, so that one long block does not crowd out the others
		for _, leaf := range leaves {
			excess := len(text) + reserve - budget
			if excess <= 0 {
				break
			}
			if leaf.rank == 0 {
				continue
			}
			if address != "" {
				leaf.elsewhere = link(l.Headings.Summary, address)
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
		if leaf.cut > 0 && leaf.cut == len(leaf.items) && !leaf.silent {
			elsewhere = leaf.elsewhere
			if name := string(leaf.name); !slices.Contains(gone, name) {
				gone = append(gone, name)
			}
		}
	}
	if gone != nil {
		note := fill(l.Headings.CutAll, "{blocks}", md(strings.Join(gone, string(l.Comma)))) + l.full(elsewhere)
		text += "\n\n_" + string(note) + "_"
	}
	return text
}

// shorten removes items from the end until excess bytes are saved or the rest
// has at most floor bytes.
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

// full is the note about where the whole of a block is.
func (l *language) full(elsewhere md) md {
	if elsewhere == "" {
		return ""
	}
	return l.Stop + fill(l.Headings.Elsewhere, "{summary}", elsewhere)
}
