package plan

import "github.com/imageferry/ferry/internal/config"

// Role is a person's role in the repository, from the permission that GitHub's API
// reports, never from an issue's author_association, which is a relationship and
// no permission.
type Role int

// The roles, from the least to the most.
const (
	Visitor      Role = iota // everybody
	Collaborator             // may write: permission write, maintain or admin
	Owner                    // the account that owns the repository, or the user of the command line
)

// Asker is who asks.
type Asker struct {
	Role Role
	// Recent is how many other requests of a visitor were taken in the last 24
	// hours.
	Recent int
	// Bytes and Repositories are what a visitor has used of the limits on these in
	// the last 24 hours.
	Bytes        int64
	Repositories int
	// Refresh reports that a collaborator has said to look for tags that have
	// moved. It replaces what a name holds, even if another program put it there.
	Refresh bool
}

// Quota is what is left to a person of the limits on a day.
type Quota struct {
	Bytes, MaxBytes               int64 // left, and the limit itself
	Repositories, MaxRepositories int   // new ones
}

// among reports whether the asker is one of who.
func (a Asker) among(who config.Who) bool {
	switch who {
	case config.Anyone:
		return true
	case config.Collaborators:
		return a.Role >= Collaborator
	case config.Owner:
	}
	return a.Role >= Owner
}
