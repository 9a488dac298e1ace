package report

import (
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/doctor"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/request"
)

// language is everything that Ferry says in one language. To add a language,
// translate english.go as a whole and list it in languages; the tests hold
// every language to the same set of codes and placeholders.
//
// A word in braces is a placeholder that is replaced by a value: {source},
// {mirror}, {host} and the like come with their own quotation.
type language struct {
	tag      string         // as in the configuration: "en"
	zone     *time.Location // in which times are told
	zoneName md             // what stands behind them
	units    units
	comma    md // between the members of a list
	semi     md // between two clauses
	colon    md // between a thing and what is said of it
	stop     md // between two sentences

	verdict  verdicts
	list     listWords
	headings headings
	progress progressWords
	footer   footerWords

	clients      map[string]md // what is to be known about a client, by its name
	emptyExample md            // what to write instead of nothing, lines of a request
	help         []commandHelp

	failures    map[failureKey]advice
	layer       advice              // a layer that the source does not serve
	hints       map[failure.Code]md // {hints}; the empty code stands for all that are not listed
	audiences   map[config.Who]md   // {who}: those who may, where others may not
	problems    map[request.ProblemCode]advice
	leftOut     map[request.Reason]md // why something was left out
	assumptions map[request.Assumption]md
	changes     map[mirror.Change]md
	places      map[config.Place]md
	faults      map[config.Kind]md

	doctor   doctorWords
	terminal terminalWords
}

// Cause is why something failed, as far as only its caller can tell.
type Cause string

// The causes. The empty one stands for what the code of the failure says.
const (
	UnknownHost Cause = "unknown-host" // there is no host of that name
	NoTLS       Cause = "no-tls"       // the registry does not speak TLS
	Certificate Cause = "certificate"  // its certificate is not valid
	NoLogin     Cause = "no-login"     // no login was found for the target
)

// terminalWords are what is said at a terminal only.
type terminalWords struct {
	platforms, name, written md
	causes                   map[Cause]advice
	cures                    map[failure.Code]md // instead of those for requesters
	total                    count
	present, failed          count
	arrived                  md // {bytes} {time}
}

// failureKey finds the words for a failure. The empty Side stands for every
// side that has no words of its own.
type failureKey struct {
	code failure.Code
	side failure.Side
}

// advice is what went wrong, why, and what to do about it.
type advice struct{ name, cause, cure md }

// verdicts are the sentences of the first line.
type verdicts struct {
	received, underWay md

	mirrored, mirroredOne, presentOne, presentAll md // all is well
	present                                       count
	some, scattered, scatteredOne, none, noneYet  md
	pull, pullSome                                md // announce the commands

	retry, interrupted, edit, withdrawn, givenUp md
	nextRun, at                                  md // when; for {when}

	unclear, empty, leftAlone, setUp, setUpReader md
}

// listWords are said of the images in a list.
type listWords struct {
	images                            md // a name for the list itself
	present, waiting, only, identical md // only at {hosts}
	referrers                         count
}

type headings struct {
	notMirrored, unclear, readAs, changed, setUp, approval md

	commandsOf, otherPlatforms, fromHost, pinned, manifests, kustomize, details, registryWords, commands md

	more      count // entries that were cut from the end of a block
	cutAll    md    // blocks that were cut altogether
	elsewhere md    // all of it is in the {summary}
	summary   md    // the summary of the run
	leftOut   md    // the title of the list of what was left out
	addThem   md    // how to add what was left out: {command}
	found     md    // a piece of the request and where it stands
	line      md    // of the body of an issue
	title     md    // of an issue
	write     md    // what to write instead
	until     md    // when a failure passes

	fork         md // what a link to do so says
	registry     md // stands for a registry without a name
	locked       md
	needsLogin   md // of {mirror}; {login} is the command
	sourceDigest md
	someParts    md // what is missing, where it has no platform
}

type progressWords struct{ layers, left md }

type footerWords struct{ run, retry, help, cancel md }

type commandHelp struct{ command, does md }

// count is a sentence about {n} things. Languages that know no plural leave
// one empty.
type count struct{ one, many md }

func (c count) of(n int) md {
	if n == 1 && c.one != "" {
		return c.one
	}
	return fill(c.many, "{n}", number(n))
}

// fill replaces placeholders in one pass, so that a value that looks like a
// placeholder stays a value.
func fill(sentence md, pairs ...md) md {
	texts := make([]string, len(pairs))
	for i, p := range pairs {
		texts[i] = string(p)
	}
	return md(strings.NewReplacer(texts...).Replace(string(sentence)))
}

// audience is who may do what others may not, by the hint of a
// NotPermitted or its like.
func (l *language) audience(hints []string) md {
	if len(hints) > 0 {
		if words, ok := l.audiences[config.Who(hints[0])]; ok {
			return words
		}
	}
	return l.audiences[config.Collaborators]
}

// adviceFor finds the words for a failure, and falls back to those for a fault
// of our own: a code that this room has never heard of is nobody else's.
func (l *language) adviceFor(f *failure.Error) advice {
	if f.Code == failure.NotFound && f.Side != failure.Target && f.Step == failure.ReadingBlob {
		return l.layer
	}
	for _, key := range []failureKey{{f.Code, f.Side}, {f.Code, ""}, {failure.Internal, ""}} {
		if a, ok := l.failures[key]; ok {
			return a
		}
	}
	return advice{}
}

// doctorWords are what the doctor says in one language.
type doctorWords struct {
	ready           md
	warnings        count
	faults          count
	findings        map[doctor.Kind]advice // without names
	publish         map[known.Vendor]md    // {publish}: how repositories are made public
	page, window    md                     // {page} is where something is set right; {window} a stretch of time
	registryAnswers md
}

// moment is a time as the readers of the language tell it, to the minute.
func (l *language) moment(t time.Time) md {
	return md(t.In(l.zone).Format("2006-01-02 15:04")) + l.zoneName
}
