package doctor

import (
	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// Level is the severity of a finding.
type Level int

// The levels, from the best to the worst.
const (
	OK      Level = iota // as it should be
	Note                 // good to know, or not to be found out
	Warning              // it works, but not as people expect
	Fault                // it does not work until it is corrected
)

// Kind is the kind of a finding.
type Kind string

// The kinds.
const (
	// The configuration.
	Configured    Kind = "configured"     // it has no faults
	Misconfigured Kind = "misconfigured"  // Finding.Setting is one
	NameMasked    Kind = "name-masked"    // the user name is a secret, so GitHub hides it in every text and link
	Names         Kind = "names"          // an example of a mirror name
	OpenToAll     Kind = "open-to-all"    // anyone may ask
	OpenToSome    Kind = "open-to-some"   // Finding.Who may ask
	SourceExposed Kind = "source-exposed" // anyone may ask for what a login at a source can read

	// GitHub.
	HubNotAsked     Kind = "github-not-asked"    // there is no token or no repository
	HubToken        Kind = "github-token"        // the token is not valid
	HubGone         Kind = "github-gone"         // the token does not see the repository
	HubDown         Kind = "github-down"         // GitHub gave no answer
	Archived        Kind = "archived"            // nothing can be changed in the repository
	PrivateHub      Kind = "github-private"      // strangers do not see the repository
	IssuesOn        Kind = "issues-on"           // people can open issues
	IssuesOff       Kind = "issues-off"          // they cannot
	WorkflowsOn     Kind = "workflows-on"        // Ferry's workflows are enabled
	MirrorOff       Kind = "workflow-mirror-off" // the workflow that answers issues is not
	SweepOff        Kind = "workflow-sweep-off"  // the workflow that tries again is not
	WorkflowsHidden Kind = "workflows-hidden"    // the token may not see them
	MayAnswer       Kind = "may-answer"          // the token may write issues, and the labels are there
	MayNotAnswer    Kind = "may-not-answer"      // it may not

	// A target, or a source that has a login.
	LoginValid    Kind = "login-valid"
	LoginRefused  Kind = "login-refused"
	LoginUnproven Kind = "login-unproven" // the registry did not ask for it
	LoginKept     Kind = "login-kept"     // it was not sent: the registry's token server belongs to another host
	Unreachable   Kind = "unreachable"    // no connection
	Trouble       Kind = "trouble"        // the registry has a fault of its own, or asks to slow down
	Pushed        Kind = "pushed"         // an image was pushed and read back
	MayNotPush    Kind = "may-not-push"   // the login is good, but not for this
	Full          Kind = "full"           // its space or number of repositories is used up
	NotPushed     Kind = "not-pushed"     // Finding.Failure says why
	NotTried      Kind = "not-tried"      // nothing may be changed
	Public        Kind = "public"         // the image could be pulled without a login
	Hidden        Kind = "hidden"         // it could not, although the registry is one for the public
	Restricted    Kind = "restricted"     // it could not, at a registry that may be meant for a few
	HiddenUnknown Kind = "hidden-unknown" // it could not be found out
	Deleted       Kind = "deleted"        // the image is gone again
	NotDeleted    Kind = "not-deleted"    // it stays there
	QuotaUnknown  Kind = "quota-unknown"  // the registry does not report its space
	PullsLeft     Kind = "pulls-left"     // Docker Hub's allowance
	PullsScarce   Kind = "pulls-scarce"   // the same, and it is nearly used up
)

// Finding is one line of the doctor's report.
type Finding struct {
	Level Level
	Kind  Kind

	Target     string               // what it is about, if a target: "docker.io/user"
	Host       string               // of the target or source
	Repository reference.Repository // that was pushed to
	Source     reference.Reference  // of the example of a name
	Mirror     reference.Reference  // its name
	Who        config.Who           // may ask
	Workflow   string               // path of its file
	Setting    config.Fault         // of the configuration
	Failure    *failure.Error       // of a registry
	Allowance  registry.Allowance
}

// Worst is the worst level of all findings.
func Worst(findings []Finding) Level {
	worst := OK
	for _, f := range findings {
		worst = max(worst, f.Level)
	}
	return worst
}
