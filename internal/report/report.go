// Package report writes everything that people read: the comment under an
// issue, the step summary, annotations, outputs, titles, and the output on a
// terminal. It turns typed results into text, in Chinese and in English.
//
// It has no side effects. It is the last place where foreign text is made safe.
// The type md holds Markdown that Ferry wrote or that was escaped; only
// markdown.go converts a string to md. So neither a registry's error body nor a
// requester's line can mention people, link, close a fence, break a table or
// forge the hidden marker. Commands contain canonical references only.
package report

import (
	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// Input is everything that the answer to one request is made of, and nothing else.
// The zero value of every field is allowed.
type Input struct {
	Language   string // "zh" or "en"; anything else means the language of the request
	Owners     string // language of the answer if the request does not tell its own
	Repository string // address of the repository that was asked, "https://github.com/owner/name", for links to its settings
	RunURL     string // address of this run; empty outside Actions
	Version    string // Ferry's own

	Issue int    // number of the issue; 0 for none
	Title string // the issue's current title: foreign text

	Before string // Ferry's current comment: images listed there as arrived stay listed

	Phase    Phase
	Progress Progress // while Phase is Running

	Request   request.Request
	Settled   *request.Request // what the sources made of it; nil if they were not asked
	Plan      plan.Plan
	Results   []mirror.Result
	Elsewhere map[reference.Reference][]mirror.Elsewhere // what public mirrors have
	Stocks    []plan.Stock                               // what the targets with a quota hold
	Locked    []reference.Repository                     // mirrors that cannot be pulled without a login
	Files     config.Archives                            // the limits of tar files
	Front     string                                     // address of a "ferry serve" that requesters may use; empty for none
	SetUp     config.Faults                              // faults that the owner has to fix before requests can be served

	Marker ledger.Marker // first line of the comment; Render fills in Issue, Request and State
	Key    ledger.Key    // signs it
	// SweepOff reports that nothing retries: the workflow that would is disabled.
	SweepOff bool
}

// Phase is how far the work on a request has come.
type Phase int

// The phases.
const (
	Finished    Phase = iota // every step has its result
	Running                  // steps without a result are being worked on
	Interrupted              // the job was stopped; a later run continues
	Withdrawn                // a command cancelled the request
	GivenUp                  // the limit of tries is reached; the rest is not retried
)

// Progress counts layers and bytes of a running request, over all images and
// targets.
type Progress struct {
	Layers, LayersDone int
	Bytes, BytesDone   int64 // like Layers 0 until all manifests have been read
	Rate               int64 // recent bytes per second; 0 if unknown
}

// Report is the answer to one request, in every form.
type Report struct {
	Comment string // Markdown; its first line is the Marker; at most MaxComment bytes
	Summary string // Markdown for the step summary; at most MaxSummary bytes
	Title   string // new title of the issue; empty to keep the title
	State   ledger.State
	Label   ledger.Label       // the label for the issue, one of Labels
	Close   ledger.CloseReason // ledger.StayOpen if there is something left to do
	// Annotations are in English, at most one for each image and target.
	Annotations []Annotation
	Outputs     Outputs
	// Archive is the request for "ferry save", with a line for each image that has
	// arrived; empty if no file is to be made.
	Archive string
}

// Outputs are the outputs of the action.
type Outputs struct {
	Images    string // a Record for each image and target, as a JSON array on one line
	Succeeded int    // images that are at every target
	Failed    int    // all others, and pieces of the request that could not be read as an image
}

// Annotation is one line on the page of the run, in plain text.
type Annotation struct {
	Error          bool // false for a warning, for temporary failures
	Title, Message string
}
