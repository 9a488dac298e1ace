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
	"github.com/imageferry/ferry/internal/selection"
)

// language holds every text of Ferry in one language. To add a language,
// translate english.go as a whole and list it in languages. The tests hold all
// languages to the same set of codes and placeholders.
//
// A word in braces is a placeholder. Values such as {source}, {mirror} and
// {host} are inserted with their own quotes.
type language struct {
	tag      string         // as in the configuration: "en"
	zone     *time.Location // of the times that are shown
	zoneName md             // follows a time
	units    units
	comma    md // between the items of a list
	semi     md // between two clauses
	colon    md // between a name and its description
	stop     md // between two sentences

	verdict  verdicts
	list     listWords
	headings headings
	progress progressWords
	footer   footerWords
	archive  archiveWords

	clients      table[string, md] // a remark about each client, by name
	emptyExample md                // an example for a request that names no image, one image on each line
	help         []commandHelp

	failures    map[failureKey]advice
	layer       advice                  // a layer that the source does not serve
	token       advice                  // a token server that issues no token
	elsewhere   md                      // another registry has {hints}
	hints       table[failure.Code, md] // {hints}; the empty code stands for all codes that are not listed
	audiences   table[config.Who, md]   // {who}: the people who are permitted
	problems    table[request.ProblemCode, advice]
	leftOut     table[request.Reason, md] // why an image was left out
	assumptions table[request.Assumption, md]
	changes     table[mirror.Change, md]
	public      table[mirror.PublicState, md] // {mirror}; {command} pulls it, {platform} is the one that it has
	places      table[config.Place, md]
	faults      table[config.Kind, md]

	doctor   doctorWords
	terminal terminalWords
}

// Cause is the reason of a failure where the code does not tell and only the
// caller knows.
type Cause string

// The causes. The empty one stands for the words of the code.
const (
	UnknownHost Cause = "unknown-host" // there is no host of that name
	Unresolved  Cause = "unresolved"   // a well-known host, whose name does not resolve on this machine
	NoTLS       Cause = "no-tls"       // the registry does not support TLS
	OnlyTLS     Cause = "only-tls"     // the registry does not support HTTP without TLS
	OldTLS      Cause = "old-tls"      // its version of TLS is not supported
	Certificate Cause = "certificate"  // its certificate is not valid
	Expired     Cause = "expired"      // its certificate is not valid now
	OtherName   Cause = "other-name"   // its certificate has other names
	NoLogin     Cause = "no-login"     // no login was found for the target
	NoServer    Cause = "no-server"    // the host refuses connections to the port
	Blocked     Cause = "blocked"      // DNS gives an address of no host for its name
	Website     Cause = "website"      // a web page in place of the API
	Refers      Cause = "refers"       // the same for a host that it refers to
)

// terminalWords are the texts for terminals.
type terminalWords struct {
	platforms, name, written md
	causes                   table[Cause, advice]
	cures                    table[failure.Code, md] // instead of the cures for requesters
	hints                    table[failure.Code, md] // instead of the hints for requesters
	total                    count
	present, failed          count
	arrived                  md // {bytes} {time}
	sync                     syncWords
	considered               consideredWords
}

// consideredWords are for "ferry parse --explain".
type consideredWords struct {
	title, rules string
	why          string // format of the strength, the place and what it needs
	verdicts     map[string]string
}

// syncWords are for "ferry sync".
type syncWords struct {
	added, moved, gone, failed, waiting, same count
	toAdd, toMove                             count // before anything is copied
	unlisted                                  count
	chosen                                    md // {n} {all}
	kept                                      md // before the name of the old content
	tooMany                                   md // {n} {limit}
	reasons                                   table[selection.Reason, md]
}

// failureKey selects the words for a failure. The empty Side stands for sides
// without words of their own.
type failureKey struct {
	code failure.Code
	side failure.Side
}

// advice is the name of a problem, its cause and its cure.
type advice struct{ name, cause, cure md }

// incomparable makes a struct incomparable: the code to compare two has 5 kB.
type incomparable [0]func()

// verdicts are the sentences of the first line.
type verdicts struct {
	_                  incomparable
	received, underWay md

	mirrored, mirroredOne, presentOne, presentAll md // everything arrived
	present                                       count
	some, scattered, scatteredOne, none, noneYet  md
	pull, pullSome                                md // introduce the commands

	retry, retryOff, interrupted, edit, withdrawn, givenUp md

	unclear, empty, leftAlone, setUp, setUpReader md
}

// listWords are the words in the list of images.
type listWords struct {
	_                                 incomparable
	images                            md // name of the list
	present, waiting, only, identical md // only at {hosts}
	referrers                         count
}

type headings struct {
	_                                                      incomparable
	notMirrored, unclear, readAs, changed, setUp, approval md

	commandsOf, otherPlatforms, fromHost, pinned, manifests, kustomize, originals, withFerry, withoutFerry, details, registryWords, commands, public md

	more      count // items cut from the end of a block
	cutAll    md    // blocks cut as a whole
	elsewhere md    // the {summary} has everything
	summary   md    // the summary of the run
	leftOut   md    // heading of the images that were left out
	addThem   md    // how to add them: {command}
	found     md    // a piece of the request and its place
	line      md    // of the body of an issue
	title     md    // of an issue
	write     md    // what to write instead
	until     md    // when a failure ends

	fork         md // text of a link to forking the repository
	registry     md // stands for a registry whose name is unknown
	locked       md
	needsLogin   md // of {mirror}; {login} is the command
	sourceDigest md
	someParts    md // what is missing, if it has no platform
	attestations md
	thePlatform  md // if it is not known which one
}

type progressWords struct{ jobs, layers, left md }

type footerWords struct{ run, retry, help, cancel md }

// archiveWords answer the wish for a file. {run} is a link to the run.
type archiveWords struct {
	_                                                                      incomparable
	pending, ready, released, off, notPermitted, tooMany, tooLarge, failed md
}

type commandHelp struct{ command, does md }

// count is a sentence about {n} things. Languages without a plural leave one
// empty.
type count struct{ one, many md }

func (c count) of(n int) md {
	if n == 1 && c.one != "" {
		return c.one
	}
	return fill(c.many, "{n}", number(n))
}

// fill replaces placeholders in one pass, so a value that looks like a
// placeholder is not replaced.
func fill(sentence md, pairs ...md) md {
	texts := make([]string, len(pairs))
	for i, p := range pairs {
		texts[i] = string(p)
	}
	return md(strings.NewReplacer(texts...).Replace(string(sentence)))
}

// table holds the words for the values of an enumeration. The compiler writes such
// a list into the data, a map of up to 25 entries as code.
type table[K comparable, W any] []struct {
	key   K
	words W
}

// find returns the words for a value, and false if there are none.
func (t table[K, W]) find(key K) (words W, ok bool) {
	for _, row := range t {
		if row.key == key {
			return row.words, true
		}
	}
	return words, false
}

// of returns the words for a value that has some.
func (t table[K, W]) of(key K) W {
	words, _ := t.find(key)
	return words
}

// audience names the people who are permitted, from the hint of a NotPermitted
// failure or a similar one.
func (l *language) audience(hints []string) md {
	if len(hints) > 0 {
		if words, ok := l.audiences.find(config.Who(hints[0])); ok {
			return words
		}
	}
	return l.audiences.of(config.Collaborators)
}

// adviceFor returns the words for a failure. An unknown code is described as an
// internal error.
func (l *language) adviceFor(f *failure.Error) advice {
	if f.Code == failure.NotFound && f.Side != failure.Target && f.Step == failure.ReadingBlob {
		return l.layer
	}
	if f.Step == failure.GettingToken && (f.Code == failure.SourceRefused || f.Code == failure.TargetRefused) {
		return l.token
	}
	for _, key := range []failureKey{{f.Code, f.Side}, {f.Code, ""}, {failure.Internal, ""}} {
		if a, ok := l.failures[key]; ok {
			return a
		}
	}
	return advice{}
}

// hintFor returns the sentence for the hints of a failure.
func (l *language) hintFor(f *failure.Error) md {
	if hint, ok := l.hints.find(f.Code); ok {
		return hint
	}
	return l.hints.of("")
}

// doctorWords are the texts of the doctor in one language.
type doctorWords struct {
	levels          [doctor.Fault + 1]string // as wide as each other
	ready           md
	warnings        count
	faults          count
	findings        map[doctor.Kind]advice // their names are empty
	publish         map[known.Vendor]md    // {publish}: how to make repositories public
	repositories    md                     // {held} of {limit} repositories
	tags            md                     // {held} of {limit} tags
	page, window    md                     // {page} is the page to open; {window} a period of time
	registryAnswers md
}

// moment formats a time in the zone of the language, to the minute.
func (l *language) moment(t time.Time) md {
	return md(t.In(l.zone).Format("2006-01-02 15:04")) + l.zoneName
}
