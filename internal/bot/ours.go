package bot

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/request"
)

// otherPurposes are labels that every new repository on GitHub has. An issue
// with one of them does not ask for images.
var otherPurposes = map[string]bool{"bug": true, "documentation": true, "enhancement": true, "question": true}

// otherForms are the first lines of issues written with a form of
// .github/ISSUE_TEMPLATE that does not ask for images.
var otherForms = []string{"### 发生了什么 / What happened", "### 想法或问题 / Idea or question"}

// notOurs returns why an issue is not a request, or an empty string.
func notOurs(issue event.Issue, sender event.User) string {
	if sender.Bot {
		return "it comes from a bot"
	}
	if issue.PullRequest {
		return "it is a pull request"
	}
	for _, label := range issue.Labels {
		if otherPurposes[label] {
			return fmt.Sprintf("the label %q marks the issue as not a request", label)
		}
	}
	// The label is missing if the repository does not have it.
	for _, heading := range otherForms {
		if strings.HasPrefix(strings.TrimSpace(issue.Body), heading) {
			return "it was written with a form that asks for no images"
		}
	}
	return ""
}

// asksNothing reports whether an issue is prose that asks for no image, and has
// neither the label of the form nor one of Ferry's. It is left alone.
func asksNothing(issue event.Issue, r request.Request) bool {
	return r.NoWish && !slices.Contains(issue.Labels, "mirror") && !labelled(issue)
}

// labelled reports whether an issue has one of Ferry's labels.
func labelled(issue event.Issue) bool {
	return slices.ContainsFunc(ledger.Labels(), func(l ledger.Label) bool { return slices.Contains(issue.Labels, l.Name) })
}
