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
//	               sentence says (said.go) and of a newer version (newer.go)
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
	// Templates are the texts of the repository's own issue templates. What
	// stands in them is not the requester's.
	Templates []string
	// Repository is "owner/name" of the repository that was asked, whose own
	// address is never an image. May be empty.
	Repository string
}

// Request is what was understood.
type Request struct {
	// Images are in the order in which they were written, without duplicates.
	Images []Image
	// Problems are the places that look like a wish for an image but cannot
	// be served as they are, in order.
	Problems []Problem
	// LeftOut is what has the form of a reference and is in neither Images nor
	// Problems, in order, without duplicates.
	LeftOut []LeftOut
	// Platforms were asked for the whole request; empty for all. They are
	// already applied to the Images that name none of their own.
	Platforms []reference.Platform
	// Chinese reports whether the person wrote in Chinese, and English whether
	// in another language. Names, commands and files say nothing of either.
	Chinese, English bool
}

// Image is one image that was asked for.
type Image struct {
	Reference reference.Reference
	// Written is the piece of the request that named it: foreign text.
	Written string
	// Line is where it stands in the body, from 1; 0 for the title.
	Line int
	// Platforms are those to copy; empty for all.
	Platforms []reference.Platform
	// As is the custom mirror name that was asked for; zero for none.
	As Alias
	// Assumptions say what was repaired or filled in to get here, in order.
	Assumptions []Assumption
	// Alternatives are versions that stand elsewhere in the text and could be
	// meant where the tag was assumed; at most eight.
	Alternatives []string
}

// LeftOut is something that has the form of a reference and was not taken for
// asked for.
type LeftOut struct {
	Reference reference.Reference
	// Written is the piece of the request that named it: foreign text.
	Written string
	// Line is where it stands in the body, from 1; 0 for the title.
	Line int
	// Reason says why it was left out.
	Reason Reason
}

// Alias is a custom mirror name: a path in the owner's namespace and a tag.
// Both satisfy the grammar; either may be empty.
type Alias struct {
	Path, Tag string
}

// String is "path:tag", "path" or empty.
func (a Alias) String() string {
	if a.Tag == "" {
		return a.Path
	}
	return a.Path + ":" + a.Tag
}

// Problem is a piece of a request that could not be served as it stands.
type Problem struct {
	Code ProblemCode
	// Written is the piece of the request: foreign text, at most 200 bytes.
	Written string
	// Line is where it stands in the body, from 1; 0 for the title.
	Line int
	// Suggestion is what to write instead, a canonical reference or a word of
	// Ferry's own; empty if there is none.
	Suggestion string
	// Choices are what could be meant, of which one is to be written: canonical
	// references, of the code WhichTag alone.
	Choices []string
}
