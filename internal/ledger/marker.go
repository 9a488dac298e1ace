// Package ledger is Ferry's memory of a request and what it decides by it: the
// hidden marker at the head of Ferry's comment, the states that a request can
// be in, with their labels and close reasons, and what is to be done next with
// an issue. It is pure.
package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/request"
)

// Marker is the first line of every comment of Ferry's, hidden from readers:
// by it a later run finds the comment and learns what has been done. Anyone
// can write such a line, so a comment counts only if Ferry is its author too.
type Marker struct {
	Issue   int
	Request string // the request's Fingerprint; empty as long as nothing has been read
	State   State
	Tries   int       // runs that have worked on the request
	Since   time.Time // when the first of them started, to the second; may be zero
	Run     int64     // GitHub's number of the run that wrote it; 0 for none
	// Asker is what whoever asked is to the repository, empty if that was not
	// found out. A request that is taken up again is still that person's wish.
	Asker   config.Who
	Repeats Repeats
}

// Repeats are the times on one day that an issue was edited to ask for something
// else, or was to be served again.
type Repeats struct {
	Times int
	From  time.Time // when the day began, to the second
}

// The marker is matched as a whole and only at the very start of a comment:
// whatever foreign text a comment holds, it never stands there.
var markerPattern = regexp.MustCompile(
	`^<!-- ferry:v1 issue=([0-9]{1,18}) request=([0-9a-f]{16}|-) state=([a-z-]{1,20}) tries=([0-9]{1,6}) since=([0-9]{1,12}|-) run=([0-9]{1,18})(?: asker=(anyone|collaborators|owner))?(?: repeats=([0-9]{1,6}) from=([0-9]{1,12}))? -->(?:\r?\n|$)`)

// String is the marker as an HTML comment on one line, without the line's end.
func (m Marker) String() string {
	request, since := m.Request, "-"
	if !fingerprintPattern.MatchString(request) {
		request = "-"
	}
	if !m.Since.IsZero() {
		since = strconv.FormatInt(m.Since.Unix(), 10)
	}
	more := ""
	switch m.Asker {
	case config.Anyone, config.Collaborators, config.Owner:
		more = " asker=" + string(m.Asker)
	}
	if m.Repeats.Times > 0 {
		more += fmt.Sprintf(" repeats=%d from=%d", min(m.Repeats.Times, 999_999), max(m.Repeats.From.Unix(), 0))
	}
	return fmt.Sprintf("<!-- ferry:v1 issue=%d request=%s state=%s tries=%d since=%s run=%d%s -->", m.Issue, request, m.State, m.Tries, since, m.Run, more)
}

// ParseMarker reads the marker that the comment starts with. It tells false if
// there is none, or one of a version or state that this Ferry does not know.
func ParseMarker(comment string) (Marker, bool) {
	f := markerPattern.FindStringSubmatch(comment)
	if f == nil {
		return Marker{}, false
	}
	m := Marker{State: State(f[3])}
	switch m.State {
	case Working, Interrupted, SetUp, Retry, Done, Partial, Refused, Empty, Withdrawn, GivenUp:
	default:
		return Marker{}, false
	}
	m.Issue, _ = strconv.Atoi(f[1]) // the pattern allows only what fits
	m.Tries, _ = strconv.Atoi(f[4])
	m.Run, _ = strconv.ParseInt(f[6], 10, 64)
	m.Asker = config.Who(f[7])
	if f[8] != "" {
		m.Repeats.Times, _ = strconv.Atoi(f[8])
		m.Repeats.From = seconds(f[9])
	}
	if f[2] != "-" {
		m.Request = f[2]
	}
	if f[5] != "-" {
		m.Since = seconds(f[5])
	}
	return m, true
}

// seconds is the time of a number of at most twelve digits.
func seconds(digits string) time.Time {
	n, _ := strconv.ParseInt(digits, 10, 64)
	return time.Unix(n, 0).UTC()
}

var fingerprintPattern = regexp.MustCompile(`^[0-9a-f]{16}$`)

// Fingerprint is the same for two requests exactly if they ask for the same:
// the same images under the same names for the same platforms, with the same
// problems. An edit that leaves it as it was needs no new answer. It is 64 bits
// of SHA-256 in hexadecimal: whoever finds a collision fools nobody but himself.
func Fingerprint(r request.Request) string {
	var b strings.Builder
	for _, image := range r.Images {
		fmt.Fprintf(&b, "image %s %v %s\n", image.Reference, image.Platforms, image.As)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "problem %s %q\n", p.Code, p.Written)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:8])
}
