// Package report makes everything that people read: the comment under an
// issue, the step summary, annotations, outputs, titles, and the lines on a
// terminal. Typed results go in, text comes out, in Chinese and in English.
//
// It is pure, and it is the last gate for foreign text. The type md stands for
// Markdown that is ours or was made harmless; only markdown.go turns a string
// into md, so that no registry's error body and no requester's line can
// mention people, link, close a fence, break a table or forge the hidden
// marker. Commands hold canonical references and nothing else.
package report

import (
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// Input is all that the answer to one request is made of, and nothing else. The
// zero value of every field is allowed.
type Input struct {
	Language   string // "zh" or "en"; anything else means the language of the request
	Owners     string // the language that a request is answered in that does not tell its own
	Repository string // address of the repository that was asked, "https://github.com/owner/name", for links to its settings
	RunURL     string // address of this run; empty outside Actions
	Version    string // Ferry's own

	Issue int    // number of the issue; 0 for none
	Title string // the issue's title as it stands: foreign text

	Before string // Ferry's comment as it stands: what it says to have arrived stays said

	Phase    Phase
	Progress Progress // while Phase is Running

	Request request.Request
	Plan    plan.Plan
	Results []mirror.Result
	Locked  []reference.Repository // of the mirrors, that nobody can pull from without a login
	SetUp   config.Faults          // what the owner has to set right before anything can be served

	Marker  ledger.Marker // the first line of the comment; Issue, Request and State are Render's to fill in
	Key     ledger.Key    // signs it
	NextTry time.Time     // when what failed for now is tried again; zero if that is not known
}

// Phase tells how far the work on a request has come.
type Phase int

// The phases.
const (
	Finished    Phase = iota // every step has its result
	Running                  // steps without a result are being worked on
	Interrupted              // the job was told to stop; a later run goes on with what is left
	Withdrawn                // the request was cancelled by a command
	GivenUp                  // it was tried for as long as the owner allows; what is left is not tried again
)

// Progress is how far the bytes of a running request have come, over all its
// images and targets.
type Progress struct {
	Layers, LayersDone int
	Bytes, BytesDone   int64 // like Layers 0 until all manifests have been read
	Rate               int64 // bytes a second, lately; 0 if unknown
}

// Report is the answer to one request, in every form.
type Report struct {
	Comment string // Markdown; its first line is the Marker; at most MaxComment bytes
	Summary string // Markdown for the step summary; at most MaxSummary bytes
	Title   string // what the issue should be called; empty to leave it alone
	State   ledger.State
	Label   ledger.Label       // the one of Labels that the issue should bear
	Close   ledger.CloseReason // ledger.StayOpen if there is something left to do
	// Annotations are in English, at most one for each image and target.
	Annotations []Annotation
	Outputs     Outputs
}

// Outputs are the outputs of the action.
type Outputs struct {
	Images    string // a Record for each image and target, as a JSON array on one line
	Succeeded int    // images that are at every target
	Failed    int    // all others, and pieces of the request that name no image Ferry could read
}

// Annotation is one line on the page of the run, in plain text.
type Annotation struct {
	Error          bool // or a warning, if it passes by itself
	Title, Message string
}
