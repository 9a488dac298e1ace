package plan

import "github.com/imageferry/ferry/internal/config"

// Role is a person's role in the repository, from the permission that GitHub's
// API reports. An issue's author_association is not used, because it is not a
// permission.
type Role int

// The roles, from the least to the most.
const (
	Visitor      Role = iota // everyone
	Collaborator             // write access: permission write, maintain or admin
	Owner                    // the account that owns the repository, or the user of the command line
)

// Asker is the person who makes a request.
type Asker struct {
	Role Role
	// Recent is how many other requests a visitor has made in the last 24
	// hours.
	Recent int
	// Bytes, Repositories and Archives are what a visitor has used of these
	// limits in the last 24 hours.
	Bytes        int64
	Repositories int
	Archives     int
	// Refresh reports whether a collaborator has asked to check for moved tags.
	// The content of a name is then replaced, even if another program put it
	// there.
	Refresh bool
}

// Quota is what is left of a person's daily limits.
type Quota struct {
	Bytes, MaxBytes               int64 // left, and the limit
	Repositories, MaxRepositories int   // new ones
}

// among reports whether the asker belongs to who.
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

// Archive says whether the images are put into a file as well.
type Archive string

// The answers to the wish for a file.
const (
	NoArchive           Archive = "" // there is no such wish
	WithArchive         Archive = "with-archive"
	ArchivesOff         Archive = "archives-off"          // nobody may have files
	ArchiveNotPermitted Archive = "archive-not-permitted" // the requester may not
	TooManyArchives     Archive = "too-many-archives"     // over the owner's limit per day
)
