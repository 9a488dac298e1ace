package report

import (
	"encoding/json"
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

// language holds every text of Ferry in one language. To add a language, translate
// texts/zh.json as a whole and list it in languages. The tests hold all languages to
// the same set of codes and placeholders. English has Failures and Doctor in
// texts/en.json, and all else, which every run needs, in the program.
//
// A word in braces is a placeholder. Values such as {source}, {mirror} and
// {host} are inserted with their own quotes.
type language struct {
	tag      string         // as in the configuration: "en"
	zone     *time.Location // of the times that are shown
	ZoneName md             // follows a time
	Units    units
	Comma    md // between the items of a list
	Semi     md // between two clauses
	Colon    md // between a name and its description
	Stop     md // between two sentences

	Verdict  verdicts
	List     listWords
	Headings headings
	Progress progressWords
	Footer   footerWords
	Archive  archiveWords

	Clients      table[string, md] // a remark about each client, by name
	EmptyExample md                // an example for a request that names no image, one image on each line
	Help         []commandHelp

	Failures    table[string, advice]   // by the code, or by the code and the side: "not-found target"
	Layer       advice                  // a layer that the source does not serve
	Token       advice                  // a token server that issues no token
	Elsewhere   md                      // another registry has {hints}
	Hints       table[failure.Code, md] // {hints}; the empty code stands for all codes that are not listed
	Audiences   table[config.Who, md]   // {who}: the people who are permitted
	Problems    table[request.ProblemCode, advice]
	LeftOut     table[request.Reason, md] // why an image was left out
	Assumptions table[request.Assumption, md]
	Changes     table[mirror.Change, md]
	Public      table[mirror.PublicState, md] // {mirror}; {command} pulls it, {platform} is the one that it has
	Places      table[config.Place, md]
	Faults      table[config.Kind, md]

	Doctor   doctorWords
	Terminal terminalWords
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
	NoHandshake Cause = "no-handshake" // the server does not answer the handshake of TLS
	NoServer    Cause = "no-server"    // the host refuses connections to the port
	Blocked     Cause = "blocked"      // DNS gives an address of no host for its name
	Website     Cause = "website"      // a web page in place of the API
	Refers      Cause = "refers"       // the same for a host that it refers to
)

// terminalWords are the texts for terminals.
type terminalWords struct {
	Platforms, Name, Written md
	Causes                   table[Cause, advice]
	Cures                    table[failure.Code, md] // instead of the cures for requesters
	Hints                    table[failure.Code, md] // instead of the hints for requesters
	Total                    count
	Present, Failed          count
	Arrived                  md // {bytes} {time}
	Sync                     syncWords
	Considered               consideredWords
}

// consideredWords are for "ferry parse --explain".
type consideredWords struct {
	Title, Rules string
	Why          string // format of the strength, the place and what it needs
	Score        string // format of the score
	Signals      string
	Wording      string // format of its weight
	Verdicts     table[string, string]
}

// syncWords are for "ferry sync".
type syncWords struct {
	Added, Moved, Gone, Failed, Waiting, Same count
	ToAdd, ToMove                             count // before anything is copied
	Unlisted                                  count
	Chosen                                    md // {n} {all}
	Kept                                      md // before the name of the old content
	TooMany                                   md // {n} {limit}
	Reasons                                   table[selection.Reason, md]
}

// advice is the name of a problem, its cause and its cure.
type advice struct{ Name, Cause, Cure md }

// incomparable makes a struct incomparable: the code to compare two has 5 kB.
type incomparable [0]func()

// verdicts are the sentences of the first line.
type verdicts struct {
	_                  incomparable
	Received, UnderWay md

	Mirrored, MirroredOne, PresentOne, PresentAll md // everything arrived
	Present                                       count
	Some, Scattered, ScatteredOne, None, NoneYet  md
	Pull, PullSome                                md // introduce the commands

	Retry, RetryOff, Interrupted, Edit, Withdrawn, GivenUp md

	Unclear, Empty, LeftAlone, SetUp, SetUpReader md
}

// listWords are the words in the list of images.
type listWords struct {
	_                                 incomparable
	Images                            md // name of the list
	Present, Waiting, Only, Identical md // only at {hosts}
	Referrers                         count
}

type headings struct {
	_                                                      incomparable
	NotMirrored, Unclear, ReadAs, Changed, SetUp, Approval md

	CommandsOf, OtherPlatforms, FromHost, Pinned, Manifests, Kustomize, Originals, WithFerry, WithoutFerry, Details, RegistryWords, Commands, Public md

	More      count // items cut from the end of a block
	CutAll    md    // blocks cut as a whole
	Elsewhere md    // the {summary} has everything
	Summary   md    // the summary of the run
	LeftOut   md    // heading of the images that were left out
	AddThem   md    // how to add them: {command}
	Found     md    // a piece of the request and its place
	Line      md    // of the body of an issue
	Title     md    // of an issue
	Write     md    // what to write instead
	Until     md    // when a failure ends

	Fork         md // text of a link to forking the repository
	Registry     md // stands for a registry whose name is unknown
	Locked       md
	NeedsLogin   md // of {mirror}; {login} is the command
	SourceDigest md
	SomeParts    md // what is missing, if it has no platform
	Attestations md
	ThePlatform  md // if it is not known which one
}

type progressWords struct{ Jobs, Layers, Left md }

type footerWords struct{ Run, Retry, Help, Cancel md }

// archiveWords answer the wish for a file. {run} is a link to the run.
type archiveWords struct {
	_                                                                      incomparable
	Pending, Ready, Released, Off, NotPermitted, TooMany, TooLarge, Failed md
}

type commandHelp struct{ Command, Does md }

// count is a sentence about {n} things. Languages without a plural leave one
// empty.
type count struct{ One, Many md }

func (c count) of(n int) md {
	if n == 1 && c.One != "" {
		return c.One
	}
	return fill(c.Many, "{n}", number(n))
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
// a list into the data, a map as code.
type table[K ~string, W any] []struct {
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

// UnmarshalJSON reads the words from an object with the values as its keys.
func (t *table[K, W]) UnmarshalJSON(text []byte) error {
	var words map[K]W
	err := json.Unmarshal(text, &words)
	for key, words := range words {
		*t = append(*t, struct {
			key   K
			words W
		}{key, words})
	}
	return err
}

// audience names the people who are permitted, from the hint of a NotPermitted
// failure or a similar one.
func (l *language) audience(hints []string) md {
	if len(hints) > 0 {
		if words, ok := l.Audiences.find(config.Who(hints[0])); ok {
			return words
		}
	}
	return l.Audiences.of(config.Collaborators)
}

// hintFor returns the sentence for the hints of a failure.
func (l *language) hintFor(f *failure.Error) md {
	if hint, ok := l.Hints.find(f.Code); ok {
		return hint
	}
	return l.Hints.of("")
}

// doctorWords are the texts of the doctor in one language.
type doctorWords struct {
	Levels          [doctor.Fault + 1]string // as wide as each other
	Ready           md
	Warnings        count
	Faults          count
	Findings        table[doctor.Kind, advice] // their names are empty
	Publish         table[known.Vendor, md]    // {publish}: how to make repositories public
	Repositories    md                         // {held} of {limit} repositories
	Tags            md                         // {held} of {limit} tags
	Page, Window    md                         // {page} is the page to open; {window} a period of time
	RegistryAnswers md
}

// moment formats a time in the zone of the language, to the minute.
func (l *language) moment(t time.Time) md {
	return md(t.In(l.zone).Format("2006-01-02 15:04")) + l.ZoneName
}
