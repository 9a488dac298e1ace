package bot

import (
	"strconv"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/lists"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/shards"
	"github.com/imageferry/ferry/internal/wiring"
)

// job is a request in this run: that of an issue, or of the input "images",
// which has no issue and no conversation.
type job struct {
	// The request.
	issue    event.Issue // as last read
	request  request.Request
	text     string // Fingerprint of the issue's text, if a command has changed the request
	occasion ledger.Occasion
	refresh  bool // a collaborator's command asks to check for moved tags

	// The requester.
	asker *standing  // nil until looked up
	let   approval   // of a collaborator
	who   config.Who // with whose rights the request is served; empty if unknown

	// Results of earlier runs.
	talk   *publish.Conversation
	before string        // Ferry's comment when this run began
	count  ledger.Action // runs, repeats and times, without the Deed

	// Results of this run.
	phase     report.Phase
	settled   *request.Request // the request after asking the sources for tags; nil if they were not asked
	plan      plan.Plan
	results   []mirror.Result
	public    *mirror.Public // what public mirrors answer meanwhile; nil if they were not asked
	elsewhere map[reference.Reference][]mirror.Elsewhere
	stocks    []plan.Stock           // what targets with a quota hold
	locked    []reference.Repository // mirrors that cannot be pulled without a login
	sent      ledger.Usage           // by this run, for this request
	progress  report.Progress        // while phase is Running
	division  *shards.Plan           // what other jobs of this run copy; nil if this one does
	sweepOff  bool                   // nothing will retry temporary failures
	alive     time.Time              // when this run last gave a sign of life
}

// approval admits the request with a fingerprint, and no other, with the rights
// of the person who has approved it.
type approval struct {
	of  string
	who config.Who
}

// read parses an issue as a request.
func (s *actionRun) read(issue event.Issue) request.Request {
	return lists.Parse(request.Input{
		Title: issue.Title, Body: issue.Body, Templates: s.templates(),
		Repository: s.event.Repository.Owner + "/" + s.event.Repository.Name,
	})
}

// begin returns a job with the current text of an issue.
func (s *actionRun) begin(j job, issue event.Issue) job {
	return job{
		issue: issue, request: s.read(issue), occasion: j.occasion, refresh: j.refresh, asker: j.asker, let: j.let, talk: j.talk,
		count: ledger.Action{Tries: 1, Since: s.now()},
	}
}

// workable reports whether there is anything to copy and a target for it.
func (s *actionRun) workable(r request.Request) bool {
	return len(s.faults) == 0 && len(r.Images) > 0
}

// render renders the answer in the current state of the job.
func (s *actionRun) render(j job) report.Report { return report.Render(s.answerTo(j)) }

// answerTo returns the input of the answer.
func (s *actionRun) answerTo(j job) report.Input {
	return report.Input{
		Language:   s.cfg.Language,
		Owners:     s.owners(),
		Repository: s.page(""),
		RunURL:     s.runPage(),
		Version:    wiring.ReadBuild().Version,

		Issue: j.issue.Number,
		Title: j.issue.Title,

		Before: j.before,

		Phase:    j.phase,
		Progress: j.progress,

		Request:   j.request,
		Settled:   j.settled,
		Plan:      j.plan,
		Results:   j.results,
		Elsewhere: j.elsewhere,
		Stocks:    j.stocks,
		Locked:    j.locked,
		Files:     s.cfg.Archives,
		Front:     s.cfg.Front,
		SetUp:     s.faults,

		SweepOff: j.sweepOff,

		Marker: s.marker(j),
		Key:    s.key,
	}
}

// marker returns the marker for later runs.
func (s *actionRun) marker(j job) ledger.Marker {
	text := j.text
	if text == "" && j.settled != nil {
		text = ledger.Fingerprint(*j.settled) // a title written by Ferry is part of the text
	}
	m := ledger.Marker{
		Issue: j.issue.Number, Request: ledger.Fingerprint(j.request), Text: text,
		Refresh: j.refresh, Tries: j.count.Tries, Lost: j.count.Lost, Since: j.count.Since, Used: j.used(),
		Run: s.number(), Alive: j.alive, Asker: j.who,
	}
	if j.division != nil {
		m.Shards, m.Reserved = len(j.division.Lists), ledger.Usage{Bytes: j.division.Bytes, Repositories: len(j.division.Created)}
	}
	return m
}

// used returns what the issue has used of the daily limits.
func (j job) used() ledger.Usage {
	used := j.count.Used
	used.Bytes += j.sent.Bytes
	used.Repositories += j.sent.Repositories
	used.Archives += j.sent.Archives
	return used
}

// number returns the number of this run on GitHub; 0 outside Actions.
func (s *actionRun) number() int64 {
	n, err := strconv.ParseInt(s.env.Getenv("GITHUB_RUN_ID"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// runPage returns the address of this run on GitHub; empty outside Actions.
func (s *actionRun) runPage() string {
	if n := s.number(); n != 0 {
		return s.page("/actions/runs/" + strconv.FormatInt(n, 10))
	}
	return ""
}

// standing is what the policy needs to know about a person.
type standing struct {
	who     config.Who
	opened  []ledger.Opened // recent requests of a visitor
	served  []int           // numbers of that visitor's issues that have been answered since
	unknown error           // why it is unknown
}
