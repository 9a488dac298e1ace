package doctor

import (
	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// Level is the severity of a finding.
type Level int

// The levels, from the best to the worst.
const (
	OK      Level = iota // as it should be
	Note                 // information, or a check that could not be made
	Warning              // it works, but not as people expect
	Fault                // it does not work until it is fixed
)

// Kind is the kind of a finding.
type Kind string

// The kinds.
const (
	// The configuration.
	Configured    Kind = "configured"     // it has no faults
	Misconfigured Kind = "misconfigured"  // Finding.Setting has a fault
	NameMasked    Kind = "name-masked"    // the user name is a secret, so GitHub hides it in every text and link
	Names         Kind = "names"          // an example of a mirror name
	OpenToAll     Kind = "open-to-all"    // anyone may ask
	OpenToSome    Kind = "open-to-some"   // Finding.Who may ask
	SourceExposed Kind = "source-exposed" // anyone may ask for images that a login at a source can read

	// GitHub.
	HubNotAsked     Kind = "github-not-asked"    // there is no token or no repository
	HubToken        Kind = "github-token"        // the token is not valid
	HubGone         Kind = "github-gone"         // the token does not see the repository
	HubDown         Kind = "github-down"         // GitHub did not answer
	Archived        Kind = "archived"            // the repository cannot be changed
	PrivateHub      Kind = "github-private"      // strangers cannot see the repository
	IssuesOn        Kind = "issues-on"           // people can open issues
	IssuesOff       Kind = "issues-off"          // people cannot open issues
	WorkflowsOn     Kind = "workflows-on"        // Ferry's workflows are enabled
	MirrorOff       Kind = "workflow-mirror-off" // the workflow that answers issues is disabled
	SweepOff        Kind = "workflow-sweep-off"  // the workflow that retries is disabled
	WorkflowsHidden Kind = "workflows-hidden"    // the token may not read their states
	CatalogOn       Kind = "catalog-on"          // the site of the catalog is published
	CatalogOff      Kind = "catalog-off"         // it is in the branch, but not published
	MayAnswer       Kind = "may-answer"          // the token may write issues, and the labels exist
	MayNotAnswer    Kind = "may-not-answer"      // the token may not write issues
	HubRefuses      Kind = "github-refuses"      // GitHub refuses requests for another reason, which Finding.Said gives

	// A target, or a source with a login.
	LoginValid      Kind = "login-valid"
	LoginRefused    Kind = "login-refused"
	LoginUnproven   Kind = "login-unproven"   // the registry did not ask for the login
	LoginKept       Kind = "login-kept"       // not sent, because the registry's token server is another host
	IdentityRefused Kind = "identity-refused" // the job's identity was not exchanged for a login
	Unreachable     Kind = "unreachable"      // no connection
	Trouble         Kind = "trouble"          // the registry has an error, or limits requests
	Pushed          Kind = "pushed"           // an image was pushed and read back
	MayNotPush      Kind = "may-not-push"     // the login is valid, but may not push
	JobMayNotPush   Kind = "job-may-not-push" // the login is the token of the job, which may not push
	Closed          Kind = "closed"           // the registry accepts no pushes
	Full            Kind = "full"             // the storage or the number of repositories is used up
	NotPushed       Kind = "not-pushed"       // Finding.Failure has the reason
	NotTried        Kind = "not-tried"        // the check is read-only
	Public          Kind = "public"           // the image can be pulled without a login
	Hidden          Kind = "hidden"           // it cannot, although the registry is a public one
	Restricted      Kind = "restricted"       // it cannot, at a registry that may be private on purpose
	AsWanted        Kind = "private"          // it cannot, as the policy says
	Exposed         Kind = "exposed"          // it can, although the policy says that it needs a login
	HiddenUnknown   Kind = "hidden-unknown"   // unknown
	Deleted         Kind = "deleted"          // the image was deleted
	NotDeleted      Kind = "not-deleted"      // the image could not be deleted
	QuotaUnknown    Kind = "quota-unknown"    // the registry does not report its space
	QuotaLeft       Kind = "quota-left"       // Finding.Stock is within the owner's limit
	QuotaScarce     Kind = "quota-scarce"     // the same, nearly used up
	MirrorAnswers   Kind = "mirror-answers"   // the public mirror Target has Finding.Mirror with the content of Source
	MirrorDiffers   Kind = "mirror-differs"   // it has other content
	MirrorLacks     Kind = "mirror-lacks"     // it does not have it
	MirrorSilent    Kind = "mirror-silent"    // it gave no usable answer here
	MirrorLies      Kind = "mirror-lies"      // it has what does not exist, or content with another digest than it says
	MirrorUntested  Kind = "mirror-untested"  // no image of it is known, or the source did not answer
	PullsLeft       Kind = "pulls-left"       // allowance of Docker Hub
	PullsScarce     Kind = "pulls-scarce"     // the same, nearly used up
)

// Finding is one line of the doctor's report.
type Finding struct {
	_ [0]func() // incomparable: the code to compare two has 1.4 kB

	Level Level
	Kind  Kind

	Target     string               // what it is about, if a target: "docker.io/user"
	Host       string               // of the target or source
	Repository reference.Repository // that was pushed to
	Source     reference.Reference  // of the example
	Mirror     reference.Reference  // its mirror name
	Who        config.Who           // may make requests
	Workflow   string               // path of its file
	Setting    config.Fault         // of the configuration
	Failure    *failure.Error       // of a registry
	Said       string               // the message of GitHub
	Allowance  registry.Allowance
	Stock      plan.Stock
}

// Worst returns the worst level of the findings.
func Worst(findings []*Finding) Level {
	worst := OK
	for _, f := range findings {
		worst = max(worst, f.Level)
	}
	return worst
}
