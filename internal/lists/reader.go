package lists

import (
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/imageferry/ferry/internal/reference"
)

// reader collects the entries and faults of a list.
type reader struct {
	List
	getenv       func(string) string
	today, now   time.Time
	repositories map[string]repository // as written
	lost         int                   // the number of faults over maxFaults
	full         bool                  // there were more entries than MaxEntries
	more         []*yaml.Node          // the documents after the first one of hauler
	nodes        int                   // the number in a YAML document, aliases expanded
	mappings     map[*yaml.Node][]pair // already read
}

func (r *reader) fault(line int, reason, cure string) {
	if len(r.Faults) == maxFaults {
		r.lost++
		return
	}
	r.Faults = append(r.Faults, Fault{line, reason, cure})
}

func (r *reader) note(line int, reason, cure string) {
	if len(r.Notes) < maxFaults {
		r.Notes = append(r.Notes, Fault{line, reason, cure})
	}
}

func (r *reader) add(e Entry) {
	if len(r.Entries) == MaxEntries {
		if !r.full {
			r.fault(e.Line, fmt.Sprintf("is after entry %d, where reading stops", MaxEntries), "split the list")
		}
		r.full = true
		return
	}
	r.Entries = append(r.Entries, e)
}

// maxQuoted is how many bytes of a list's text a fault quotes.
const maxQuoted = 80

// mayBeSecret stands for text that may hold a credential.
const mayBeSecret = "text that may hold a credential"

// quote quotes text of the list in a fault, unless it may hold a credential.
func quote(text string) string {
	if text = shown(text); text != mayBeSecret {
		return fmt.Sprintf("%q", text)
	}
	return text
}

// shown returns text of the list as people may see it: shortened, and not at
// all if it may hold a credential.
func shown(text string) string {
	lower := strings.ToLower(text)
	for _, word := range []string{"pass", "secret", "token", "auth", "login", "credential", "key", "://"} {
		if strings.Contains(lower, word) && strings.ContainsAny(text, ":=@ ") {
			return mayBeSecret
		}
	}
	return reference.Clip(text, maxQuoted)
}

// pair is a key and its value.
type pair struct {
	key, value *yaml.Node
}

func (p pair) name() string { return p.key.Value }
func (p pair) line() int    { return p.key.Line }

// repository is a parsed repository, or the reason why a text is not one.
type repository struct {
	reference.Repository
	reason, cure string
}
