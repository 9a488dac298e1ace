package selection

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/suggest"
)

// maxNewest limits the numbers after "newest" and "newest-patch-of".
const maxNewest = 10_000

// The words that can follow the tag.
const (
	wordNewest        = "newest"
	wordNewestPatchOf = "newest-patch-of"
	wordExcept        = "except"
	wordVariant       = "variant"
	wordExtract       = "extract"
	wordMoving        = "moving"
	wordPrereleases   = "prereleases"
)

func keywords() []string {
	return []string{wordNewest, wordNewestPatchOf, wordExcept, wordVariant, wordExtract, wordMoving, wordPrereleases}
}

// Parse parses a selection from a list: the text after the colon of an image,
// and the words that follow. The text may be
//
//	1.27            a tag
//	1.26,1.27       several, which may be globs
//	1.2?.*          a glob
//	>=7.0 <8        a range
//	/^v\d+$/        a regular expression
//	*               all tags
//
// An empty text means the tag "latest" or, before "newest", all versions. The
// words are "newest N", "newest-patch-of N", "except TAGS", "-alpine" or
// "variant alpine", "extract /v(.*)/", "moving" and "prereleases". The error is a
// clause.
func Parse(tag string, words []string) (Selection, error) {
	p := parser{words: words}
	base := p.base(tag)
	var s Selection
	var denied []Pattern
	for len(p.words) > 0 {
		word := p.next()
		var err error
		switch {
		case word == wordNewest:
			s.Newest, err = p.count(word)
		case word == wordNewestPatchOf:
			s.NewestPatchOf, err = p.count(word)
		case word == wordMoving:
			s.Moving = true
		case word == wordPrereleases:
			s.Prereleases = true
		case word == wordExcept:
			var more []Pattern
			more, err = p.patterns(word)
			denied = append(denied, more...)
		case word == wordVariant:
			s.Variant, err = variant(p.next())
		case word == wordExtract:
			s.Extract, err = extract(p.next())
		case len(word) > 1 && word[0] == '-':
			s.Variant, err = variant(word[1:])
		default:
			err = unknown(word)
		}
		if err != nil {
			return Selection{}, err
		}
	}
	ranked := s.Newest > 0 || s.NewestPatchOf > 0
	versions := s.Moving || s.Prereleases || s.Variant != nil || s.Extract != nil
	set, named, err := parseBase(base, ranked || versions)
	if err != nil {
		return Selection{}, err
	}
	if named != nil && !ranked && denied == nil && !versions {
		return Selection{Tags: named}, nil
	}
	for _, tag := range named {
		set.Allow = append(set.Allow, Exactly(tag))
	}
	if len(set.Ranges) == 0 && versions {
		return Selection{}, errors.New(`has "-variant", "extract", "moving" or "prereleases", which are for ranges of versions`)
	}
	set.Deny = denied
	s.Sets = []Set{set}
	return s, nil
}

// parser holds the words that are not parsed yet.
type parser struct{ words []string }

// next returns the next word, or "" at the end.
func (p *parser) next() string {
	if len(p.words) == 0 {
		return ""
	}
	word := p.words[0]
	p.words = p.words[1:]
	return word
}

// base returns the tag with the words that belong to its range.
func (p *parser) base(tag string) string {
	base := []string{tag}
	for len(p.words) > 0 {
		word := p.words[0]
		operator := strings.ContainsRune("<>=~^!|,", rune(word[0])) || word == "-"
		number := (tag != "" || len(base) > 1) && (isDigit(word[0]) || len(word) > 1 && word[0] == 'v' && isDigit(word[1]))
		if !operator && !number {
			break
		}
		base = append(base, p.next())
	}
	return strings.TrimSpace(strings.Join(base, " "))
}

func (p *parser) count(word string) (int, error) {
	n, err := strconv.Atoi(p.next())
	if err != nil || n < 1 || n > maxNewest {
		return 0, fmt.Errorf("has %q without a number from 1 to %d after it", word, maxNewest)
	}
	return n, nil
}

func (p *parser) patterns(word string) ([]Pattern, error) {
	text := p.next()
	if text == "" {
		return nil, fmt.Errorf("has %q without tags after it", word)
	}
	return parsePatterns(text)
}

// ParsePattern parses a tag, a glob or a regular expression between slashes. The
// error is a clause.
func ParsePattern(text string) (Pattern, error) {
	all, err := parsePatterns(text)
	if err == nil && len(all) > 1 {
		err = fmt.Errorf("has %q; write one glob or regular expression", clip(text))
	}
	if err != nil {
		return Pattern{}, err
	}
	return all[0], nil
}

// parsePatterns parses tags and globs separated by commas, or one regular
// expression.
func parsePatterns(text string) ([]Pattern, error) {
	if expression, ok := betweenSlashes(text); ok {
		p, err := ParseRegexp(expression)
		if err != nil {
			return nil, fmt.Errorf("has %q, which %w", clip(text), err)
		}
		return []Pattern{p}, nil
	}
	var all []Pattern
	for _, part := range strings.Split(text, ",") {
		p, err := ParseGlob(part)
		switch {
		case err != nil:
			return nil, fmt.Errorf("has %q, which %w", clip(part), err)
		case p.glob == "" && !reference.ValidTag(part):
			return nil, fmt.Errorf("has %q, which is not a tag", clip(part))
		}
		all = append(all, p)
	}
	return all, nil
}

func betweenSlashes(text string) (string, bool) {
	if len(text) > 1 && text[0] == '/' && text[len(text)-1] == '/' {
		return text[1 : len(text)-1], true
	}
	return "", false
}

// parseBase parses the text in place of the tag: named tags, or a set. If
// versions is set, "" and "*" mean all versions.
func parseBase(text string, versions bool) (set Set, named []string, err error) {
	switch {
	case text == "" && !versions:
		return Set{}, []string{"latest"}, nil
	case (text == "" || text == "*") && versions:
		text = ">=0"
	case text == "*":
		return Set{}, nil, nil
	case text[0] == '/':
		if _, ok := betweenSlashes(text); !ok {
			return Set{}, nil, errors.New(`has a regular expression without "/" at its end`)
		}
	}
	if text[0] != '/' && (strings.ContainsAny(text, "<>=~^!|") || strings.Contains(text, " ")) {
		r, err := ParseRange(text, Ferry)
		return Set{Ranges: []*Range{r}}, nil, err
	}
	patterns, err := parsePatterns(text)
	if err != nil {
		return Set{}, nil, err
	}
	for _, p := range patterns {
		if p.exact == "" {
			return Set{Allow: patterns}, nil, nil
		}
		if !slices.Contains(named, p.exact) {
			named = append(named, p.exact)
		}
	}
	return Set{}, named, nil
}

func variant(text string) (*Pattern, error) {
	if text == "" {
		return nil, fmt.Errorf("has %q without a name after it", wordVariant)
	}
	p, err := ParseGlob(text)
	if err != nil {
		return nil, fmt.Errorf("has %q, which %w", clip(text), err)
	}
	return &p, nil
}

// extract parses the regular expression that finds the version in a tag.
func extract(text string) (*Pattern, error) {
	expression, ok := betweenSlashes(text)
	if !ok {
		return nil, fmt.Errorf(`has %q without a regular expression such as /^v(.*)$/ after it`, wordExtract)
	}
	p, err := ParseRegexp(expression)
	if err == nil && p.expression.NumSubexp() > 1 {
		err = fmt.Errorf("has %d groups; one of them has to be the version: write (?:…) for the others", p.expression.NumSubexp())
	}
	if err != nil {
		return nil, fmt.Errorf("has %q, which %w", clip(text), err)
	}
	return &p, nil
}

func unknown(word string) error {
	if near := suggest.Nearest(word, keywords()); near != "" {
		return fmt.Errorf("has %q, which is not allowed here; did you mean %q?", clip(word), near)
	}
	return fmt.Errorf("has %q, which is not allowed here", clip(word))
}

// IsKeyword reports whether a word says how to select, rather than what.
func IsKeyword(word string) bool { return slices.Contains(keywords(), word) }

// IsWord reports whether a word can follow the tag in a selection, even if it
// is slightly misspelled.
func IsWord(word string) bool {
	return word != "" && (strings.ContainsRune("<>=~^!|-", rune(word[0])) || suggest.Nearest(word, keywords()) != "")
}
