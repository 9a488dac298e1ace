// Package request reads the texts of issues and finds the images that they
// request. It does no I/O, accepts any input, and takes time linear in its size.
//
// # How a request is read
//
// The text is normalised (text.go). What belongs to a template or is not meant
// is masked (template.go, mask.go, hidden.go), and variables are expanded
// (variables.go). Then the title and the body are scanned separately (scan.go)
// by the dialects in dialects.go. Each dialect reads one family of shapes, and
// the later ones skip the lines that it has read:
//
//	release.go     "kubeadm v1.30.2": all images of a release
//	form.go        "镜像名: a/b" and "版本: v1", fields with values
//	namespace.go   names in a list below their common namespace
//	dockerfile.go  FROM, ARG, COPY --from
//	table.go       tables with headings, output of "docker images"
//	document.go    YAML and JSON; settings.go joins registry, repository, tag
//	xml.go         templates in XML
//	log.go         events and error messages that name an image
//	hubmirror.go   the list of hub-mirror's requests
//	shell.go       command lines, by the grammar in grammar.go
//	prose.go       everything else: lists, rows of tables, sentences
//
// A line of prose is read by spoken.go: its words (sentence.go, readwords.go) and
// the words around a name (neighbours.go, tagsbehind.go), then what the line says:
// newer versions (newer.go), what is not wanted (exclusion.go, noplatform.go), tags
// in words (saidtags.go, listtags.go) or without an image (tags.go), corrections
// (correction.go), faulty versions (faults.go), ranges of tags (selection.go), and
// the part of it with an image (clauses.go).
//
// Only readWord (image.go) makes a reference of a word. It reads parts
// (parts.go), links (link.go), braces (braces.go), platforms (platform.go),
// hosts and their look-alikes (host.go) and addresses of other mirrors
// (mirror.go), repairs what is unambiguous (repair.go), and gives the word a
// strength (weigh.go): how likely it is an image by its form alone.
//
// The dialect adds the place of the word. One table (place.go) says which
// strength a place requires, and what happens to a weaker word: the word is a
// candidate (candidate.go). The candidates and what the lines say are the evidence
// (evidence.go). Whether the text asks for images or only mentions some is the sum
// of a table of signals (signals.go, intent.go). The rules for title, body and
// sentences are a list (rules.go), and by subject in the files rules_*.go. The
// remaining candidates are the request, together with the lines that have to name
// an image and do not (entries.go, decide.go).
//
// All dialects use joined.go (names broken over lines), tokens.go (words),
// markdown.go (bullets, numbers, links) and language.go (what words of several
// languages say about a sentence). archive.go looks for the wish to have the
// images in a file. The lists of words of sentences, labels and commands are in
// texts (words.go, grammar.go). codes.go defines the problems and assumptions;
// command.go reads comments.
//
// A shape that is read incorrectly becomes a case in testdata first.
package request

import (
	"github.com/imageferry/ferry/internal/reference"
)

// Input is the text of one request, as written.
type Input struct {
	Title string
	Body  string
	// List reports whether each line of Body has to name an image, as in a file
	// of images: one that does not is a Problem. The same holds for the fields
	// for images in an issue from a form.
	List bool
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
	// NoWish reports whether the text is prose that asks for no image, such as a
	// question or an idea about the project.
	NoWish bool
	// Archive reports whether the images are wanted in a file as well.
	Archive bool
	// Chinese reports whether the text is in Chinese, and English whether it is
	// in another language. Names, commands and files do not count.
	Chinese, English bool
}

// Image is one requested image.
type Image struct {
	Reference reference.Reference
	// Written is its text in the request: foreign text.
	Written string `json:",omitzero"`
	// Line is its line in the body, from 1; 0 for the title.
	Line int `json:",omitzero"`
	// Platforms are the platforms to copy; empty for all.
	Platforms []reference.Platform `json:",omitzero"`
	// As is the requested custom name; zero for none.
	As Alias `json:",omitzero"`
	// Assumptions are the repairs and assumptions, in order.
	Assumptions []Assumption `json:",omitzero"`
	// Alternatives are versions elsewhere in the text that could be meant if
	// the tag was assumed; at most eight.
	Alternatives []string `json:",omitzero"`
	// Namesakes are other repositories that could be meant, if the name was
	// guessed and is not that of an official image.
	Namesakes []reference.Repository `json:",omitzero"`
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
	// written; only for the codes WhichTag and WhichImage.
	Choices []string
}
