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
}

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
		text += "\n\n" + string(l.headings.more.of(b.cut))
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
const reserve = 2 << 10

// compose writes the blocks in at most budget bytes. It cuts the blocks of the
// highest rank first and says what it left out. What it cuts stays cut.
func compose(l *language, budget int, blocks []*block) string {
	document := &block{inner: blocks}
	text := document.text(l)
	if len(text) <= budget {
		return text
	}
	leaves := document.leaves()
	slices.SortStableFunc(leaves, func(a, b *block) int { return b.rank - a.rank })
	for _, leaf := range leaves {
		excess := len(text) + reserve - budget
		if excess <= 0 {
			break
		}
		if leaf.rank == 0 {
			continue
		}
		for excess > 0 && leaf.cut < len(leaf.items) {
			leaf.cut++
			excess -= len(leaf.items[len(leaf.items)-leaf.cut]) + len("\n")
		}
		text = document.text(l)
	}
	var gone []string
	for _, leaf := range document.leaves() {
		if leaf.cut > 0 && leaf.cut == len(leaf.items) {
			gone = append(gone, string(leaf.name))
		}
	}
	if gone != nil {
		note := fill(l.headings.cutAll, "{blocks}", md(strings.Join(gone, string(l.comma))))
		text += "\n\n" + string(note)
	}
	return text
}
