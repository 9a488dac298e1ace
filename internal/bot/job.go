package bot

import (
	"strconv"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/wiring"
)

// job is a request on its way through this run: an issue's, or that of the input
// "images", which has no issue and no talk.
type job struct {
	// What was asked for.
	issue    event.Issue // as it was read last
	request  request.Request
	text     string // Fingerprint of what the issue's text asks for, if a command has made something else of it
	occasion ledger.Occasion
	refresh  bool // a collaborator's command is to look for tags that have moved

	// Who asks.
	asker *standing  // nil until it was looked up
	who   config.Who // by whose rights the request is served; empty if that is not known

	// What earlier runs have left.
	talk   *publish.Conversation
	before string        // Ferry's comment as this run found it
	count  ledger.Action // runs, repeats and times; not the Deed

	// What has become of it.
	phase    report.Phase
	settled  *request.Request // what the sources made of the request; nil if they were not asked
	plan     plan.Plan
	results  []mirror.Result
	locked   []reference.Repository // of the mirrors, that nobody can pull from without a login
	sent     ledger.Usage           // by this run, for this request
	progress report.Progress        // while phase is Running
	sweepOff bool                   // nothing will try again what has failed for now
	alive    time.Time              // when this run last gave a sign of life
}

// read is an issue as it is understood, before anything is done about it.
func (s *actionRun) read(issue event.Issue) request.Request {
	return request.Parse(request.Input{
		Title: issue.Title, Body: issue.Body, Templates: s.templates(),
		Repository: s.event.Repository.Owner + "/" + s.event.Repository.Name,
	})
}

// begin is a job with the text of an issue as it stands now, about which nothing
// has been done.
func (s *actionRun) begin(j job, issue event.Issue) job {
	return job{
		issue: issue, request: s.read(issue), occasion: j.occasion, refresh: j.refresh, asker: j.asker, talk: j.talk,
		count: ledger.Action{Tries: 1, Since: s.now()},
	}
}

// workable reports whether there is anything to copy, and a place for it.
func (s *actionRun) workable(r request.Request) bool {
	return len(s.faults) == 0 && len(r.Images) > 0
}

// render makes the answer, as far as the job has come.
func (s *actionRun) render(j job) report.Report { return report.Render(s.answerTo(j)) }

// answerTo is what the answer is made of.
func (s *actionRun) answerTo(j job) report.Input {
	return report.Input{
		Language:   s.cfg.Language,
		Owners:     s.cfg.OwnersLanguage(),
		Repository: s.page(""),
		RunURL:     s.runPage(),
		Version:    wiring.ReadBuild().Version,

		Issue: j.issue.Number,
		Title: j.issue.Title,

		Before: j.before,

		Phase:    j.phase,
		Progress: j.progress,

		Request: j.request,
		Settled: j.settled,
		Plan:    j.plan,
		Results: j.results,
		Locked:  j.locked,
		SetUp:   s.faults,

		SweepOff: j.sweepOff,

		Marker: s.marker(j),
		Key:    s.key,
	}
}

// marker is what later runs are to know of the job.
func (s *actionRun) marker(j job) ledger.Marker {
	text := j.text
	if text == "" && j.settled != nil {
		text = ledger.Fingerprint(*j.settled) // which is what a title says that Ferry has written
	}
	return ledger.Marker{
		Issue: j.issue.Number, Request: ledger.Fingerprint(j.request), Text: text,
		Refresh: j.refresh, Tries: j.count.Tries, Lost: j.count.Lost, Since: j.count.Since, Used: j.used(),
		Run: s.number(), Alive: j.alive, Asker: j.who,
	}
}

// used is what the issue has used of the day's limits by now.
func (j job) used() ledger.Usage {
	used := j.count.Used
	used.Bytes += j.sent.Bytes
	used.Repositories += j.sent.Repositories
	return used
}

// number is GitHub's number of this run; 0 outside Actions.
func (s *actionRun) number() int64 {
	n, err := strconv.ParseInt(s.env.Getenv("GITHUB_RUN_ID"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// runPage is the address of this run on GitHub's site; empty outside Actions.
func (s *actionRun) runPage() string {
	if n := s.number(); n != 0 {
		return s.page("/actions/runs/" + strconv.FormatInt(n, 10))
	}
	return ""
}

// standing is what the policy wants to know of a person.
type standing struct {
	who     config.Who
	opened  []ledger.Opened // what a visitor asked for lately
	served  []int           // numbers of that visitor's issues that have been served since
	unknown error           // why it could not be found out
}
