package catalog

import (
	"strconv"
	"strings"
	"time"
)

// Answer is what an issue got.
type Answer struct {
	Issue   int
	Records []byte // a JSON array of records
	At      time.Time
}

// Harvest returns the changes in answers that the snapshot does not have, in the
// order of the answers. An image that another answer has as well is a change only
// if its digest differs. An answer whose records cannot be read, or one of them, is
// a fault, with the number of the issue in place of a line number.
func Harvest(s Snapshot, answers []Answer) (changes []Change, faults []Fault) {
	last := map[key]*Change{}
	for _, a := range answers {
		found, unread, err := Changes(s, a.Records, a.At)
		if err != nil {
			unread = append(unread, Fault{Err: err})
		}
		for _, f := range unread {
			faults = append(faults, Fault{a.Issue, f.Err})
		}
		for i := range found {
			c := &found[i]
			if known := s.find(c.Source, c.Mirror); known != nil && !c.At.After(known.At) {
				continue // a later run has changed it since
			}
			k := key{c.Source, c.Mirror}
			before, again := last[k]
			if again && before.Digest == c.Digest {
				continue
			}
			if again {
				c.What = Moved
			}
			c.By = "#" + strconv.Itoa(a.Issue)
			last[k] = c
			changes = append(changes, *c)
		}
	}
	return changes, faults
}

// Harvested returns when the last image that an issue got was mirrored; zero if
// there is none.
func (s Snapshot) Harvested() time.Time {
	var last time.Time
	for _, r := range s.Repositories {
		for _, i := range r.Images {
			if strings.HasPrefix(i.By, "#") && i.At.After(last) {
				last = i.At
			}
		}
	}
	return last
}
