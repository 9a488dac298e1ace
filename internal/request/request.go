// Package request reads what people write and finds the images that a
// sensible human would say they want. It is pure, total and linear in the
// size of its input: hostile text goes in, typed references come out.
//
// # How a request is read
//
// Text is normalised (text.go), what stands in templates is taken away
// (template.go), pasted scripts are written out (variables.go), and the title
// and the body are scanned apart (scan.go) by a row of passes. Each pass knows
// one family of shapes and takes the lines that it understands from the later
// ones:
//
//	release.go     "kubeadm v1.30.2": the whole set of a release
//	form.go        "镜像名: a/b" and "版本: v1", each behind or below its label
//	namespace.go   names in a list below the namespace that they share
//	dockerfile.go  FROM, ARG, COPY --from
//	table.go       what "docker images" and its like print
//	document.go    YAML and JSON by keys and indentation; settings.go joins
//	               registry, repository and tag
//	log.go         events and error messages that announce an image
//	hubmirror.go   the list of hub-mirror's requests
//	shell.go       pasted command lines, by the grammar of grammar.go
//	prose.go       everything else: lists, rows of tables, sentences; a word
//	               in the light of those beside it (neighbours.go), of what its
//	               sentence says (said.go) and of a newer version (newer.go);
//	               ranges of tags (selection.go)
//
// Whatever a pass holds for an image goes through readWord (image.go), the
// only place where a word becomes a reference: its parts (parts.go), links
// (link.go), braces (braces.go), platforms (platform.go), repairs (repair.go),
// mirrors turned back into originals (mirror.go), hosts and their look-alikes
// (host.go). A word gets a strength (weigh.go), how sure its form alone makes it
// an image. The pass says in which place it stands; what a place demands, and
// what becomes of less, is one table (evidence.go). What title, body and
// sentences say about each other is a list of named rules (rules.go); what they
// leave is the request (decide.go).
//
// The passes share the tools that take text apart: joined.go (what is broken
// over lines), tokens.go (a line into words), markdown.go (bullets, numbers,
// links), language.go (what words of Chinese and English say about a sentence).
// codes.go has the names of what comes back besides images; command.go reads
// comments, not requests.
//
// A shape that is read wrongly becomes a case in testdata first.
package request

import (
	"github.com/imageferry/ferry/internal/reference"
)

// Input is the text of one request, as written.
type Input struct {
	Title string
	Body  string
	// Templates are the texts of the repository's issue templates, which are
	// not part of the request.
	Templates []string
	// Repository is "owner/name" of the repository with the issue. Its own
	// address is never an image. May be empty.
	Repository string
}

// Request is the result of parsing.
type Request struct {
	// Images are in the order of the text, without duplicates.
	Images []Image
	// Problems are requests for images that cannot be served as written, in
	// order.
	Problems []Problem
	// LeftOut are references that are neither in Images nor in Problems, in
	// order, without duplicates.
	LeftOut []LeftOut
	// Platforms are the platforms for the whole request; empty for all. They
	// have been applied to Images without their own.
	Platforms []reference.Platform
	// Chinese reports whether the text is in Chinese, and English whether it is
	// in another language. Names, commands and files do not count.
	Chinese, English bool
}

// Image is one requested image.
type Image struct {
	Reference reference.Reference
	// Written is its text in the request: foreign text.
	Written string
	// Line is its line in the body, from 1; 0 for the title.
	Line int
	// Platforms are the platforms to copy; empty for all.
	Platforms []reference.Platform
	// As is the requested custom name; zero for none.
	As Alias
	// Assumptions are the repairs and assumptions, in order.
	Assumptions []Assumption
	// Alternatives are versions elsewhere in the text that could be meant if
	// the tag was assumed; at most eight.
	Alternatives []string
}

// LeftOut is a reference that was not taken as requested.
type LeftOut struct {
	Reference reference.Reference
	// Written is its text in the request: foreign text.
	Written string
	// Line is its line in the body, from 1; 0 for the title.
	Line int
	// Reason is why it was left out.
	Reason Reason
}

// Alias is a custom mirror name: a path in the owner's namespace and a tag.
// Both are valid; either may be empty.
type Alias struct {
	Path, Tag string
}

// String returns "path:tag", "path" or an empty string.
func (a Alias) String() string {
	if a.Tag == "" {
		return a.Path
	}
	return a.Path + ":" + a.Tag
}

// Problem is a piece of a request that cannot be served as written.
type Problem struct {
	Code ProblemCode
	// Written is its text in the request: foreign text, at most 200 bytes.
	Written string
	// Line is its line in the body, from 1; 0 for the title.
	Line int
	// Suggestion is what to write instead, a canonical reference or a word of
	// Ferry; empty if there is none.
	Suggestion string
	// Choices are the possible canonical references, of which one has to be
	// written; only for the code WhichTag.
	Choices []string
}
