// Package ledger holds the state of requests and the decisions based on it: the
// hidden marker at the beginning of Ferry's comment, the states of a request
// with their labels and close reasons, and what to do next with an issue. It
// has no side effects.
package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/request"
)

// Marker is the first line of every comment of Ferry, hidden from readers. With
// it, a later run finds the comment and what has been done. Anyone can write
// such a line, so a comment counts only if Ferry is its author too, and fields
// that grant rights count only if the line is signed.
type Marker struct {
	Issue   int
	Request string // Fingerprint of the request; empty until the request has been read
	// Text is the Fingerprint of the issue's text, if commands have changed the
	// request.
	Text  string
	State State
	Tries int       // runs that have worked on the request
	Lost  int       // of them, those that ended without an answer
	Since time.Time // when the first of them started, to the second; may be zero
	Run   int64     // GitHub's number of the run that wrote it; 0 for none
	Alive time.Time // when the working run was last known to be alive, to the second; may be zero
	// Asker is the relation of the requester to the repository; empty if
	// unknown. A request that is continued keeps the rights of that person.
	Asker config.Who
	Used  Usage // of the daily limits
	// Refresh reports that a command was to look for tags that have moved.
	Refresh bool
	// Shards is the number of jobs that copy the images of the request, in the run of
	// the comment; 0 if one job does everything.
	Shards int
	// Reserved is what of Used is reserved for these jobs: bytes and repositories.
	Reserved Usage

	signature string // in hexadecimal, as read; empty for none
}

// Usage is what an issue has used of the daily limits of the person who opened
// it.
type Usage struct {
	Repeats      int       // edits that changed the request, and repetitions
	Bytes        int64     // sent to the target that lacked the most
	Repositories int       // created at the targets; those of one image count once
	Archives     int       // files made
	From         time.Time // when the day began, to the second
}

// Key signs markers. The zero Key signs nothing and verifies nothing.
type Key struct{ secret string }

// NewKey derives a Key from the secrets that all runs of a repository have.
// Without secrets, it returns the zero Key.
func NewKey(repository string, secrets ...string) Key {
	mac := hmac.New(sha256.New, []byte("ferry marker of "+strings.ToLower(repository)))
	some := false
	for _, secret := range secrets {
		some = some || secret != ""
		fmt.Fprintf(mac, "%d:%s", len(secret), secret)
	}
	if !some {
		return Key{}
	}
	return Key{string(mac.Sum(nil))}
}

// sign returns 128 bits of HMAC-SHA256 over text, in hexadecimal.
func (k Key) sign(text string) string {
	mac := hmac.New(sha256.New, []byte(k.secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// The marker is matched as a whole, and only at the very start of a comment,
// where foreign text is never written. Version 1 had fingerprints of 64 bits,
// which match no request now.
var markerPattern = &pattern.Regexp{Text: `^<!-- ferry:v[12] issue=([0-9]{1,18}) request=([0-9a-f]{16}|[0-9a-f]{64}|-) state=([a-z-]{1,20}) ` +
	`tries=([0-9]{1,6}) since=([0-9]{1,12}|-) run=([0-9]{1,18})(?: lost=([0-9]{1,6}))?(?: alive=([0-9]{1,12}))?` +
	`(?: asker=(anyone|collaborators|owner))?(?: repeats=([0-9]{1,6}))?(?: bytes=([0-9]{1,18}))?(?: repositories=([0-9]{1,6}))?(?: archives=([0-9]{1,6}))?(?: from=([0-9]{1,12}))?(?: text=([0-9a-f]{64}))?(?: (refresh))?(?: shards=([0-9]{1,3})(?:/([0-9]{1,18})/([0-9]{1,6}))?)?(?: signed=([0-9a-f]{32}))? -->(?:\r?\n|$)`}

// String returns the marker as an HTML comment on one line, without the line
// end and without a signature.
func (m Marker) String() string { return "<!-- " + m.fields() + " -->" }

// Signed returns the same, signed by key.
func (m Marker) Signed(key Key) string {
	if key == (Key{}) {
		return m.String()
	}
	fields := m.fields()
	return "<!-- " + fields + " signed=" + key.sign(fields) + " -->"
}

// SignedBy reports whether the line of the marker was signed by key, for the
// issue.
func (m Marker) SignedBy(key Key, issue int) bool {
	return key != (Key{}) && m.Issue == issue && hmac.Equal([]byte(m.signature), []byte(key.sign(m.fields())))
}

func (m Marker) fields() string {
	request, since := m.Request, "-"
	if !fingerprintPattern.MatchString(request) {
		request = "-"
	}
	if !m.Since.IsZero() {
		since = strconv.FormatInt(m.Since.Unix(), 10)
	}
	text := fmt.Sprintf("ferry:v2 issue=%d request=%s state=%s tries=%d since=%s run=%d", m.Issue, request, m.State, m.Tries, since, m.Run)
	if m.Lost > 0 {
		text += fmt.Sprintf(" lost=%d", min(m.Lost, 999_999))
	}
	if !m.Alive.IsZero() {
		text += fmt.Sprintf(" alive=%d", m.Alive.Unix())
	}
	switch m.Asker {
	case config.Anyone, config.Collaborators, config.Owner:
		text += " asker=" + string(m.Asker)
	}
	if m.Used.Repeats > 0 {
		text += fmt.Sprintf(" repeats=%d", min(m.Used.Repeats, 999_999))
	}
	if m.Used.Bytes > 0 {
		text += fmt.Sprintf(" bytes=%d", min(m.Used.Bytes, 1e18-1))
	}
	if m.Used.Repositories > 0 {
		text += fmt.Sprintf(" repositories=%d", min(m.Used.Repositories, 999_999))
	}
	if m.Used.Archives > 0 {
		text += fmt.Sprintf(" archives=%d", min(m.Used.Archives, 999_999))
	}
	if m.Used.counts() {
		text += fmt.Sprintf(" from=%d", max(m.Used.From.Unix(), 0))
	}
	if m.Text != m.Request && fingerprintPattern.MatchString(m.Text) {
		text += " text=" + m.Text
	}
	if m.Refresh {
		text += " refresh"
	}
	if m.Shards > 0 {
		text += fmt.Sprintf(" shards=%d", min(m.Shards, 999))
		if m.Reserved.counts() {
			text += fmt.Sprintf("/%d/%d", min(m.Reserved.Bytes, 1e18-1), min(m.Reserved.Repositories, 999_999))
		}
	}
	return text
}

// ParseMarker reads the marker at the start of a comment. It returns false if
// there is none, or if its version or state is unknown.
func ParseMarker(comment string) (Marker, bool) {
	f := markerPattern.FindStringSubmatch(comment)
	if f == nil {
		return Marker{}, false
	}
	m := Marker{State: State(f[3]), Asker: config.Who(f[9]), Text: f[15], Refresh: f[16] != "", signature: f[20]}
	switch m.State {
	case Working, Interrupted, SetUp, Retry, Done, Partial, Refused, Empty, Withdrawn, GivenUp:
	default:
		return Marker{}, false
	}
	m.Issue, _ = strconv.Atoi(f[1]) // the pattern only allows valid numbers
	m.Tries, _ = strconv.Atoi(f[4])
	m.Run, _ = strconv.ParseInt(f[6], 10, 64)
	m.Lost, _ = strconv.Atoi(f[7])
	if f[8] != "" {
		m.Alive = seconds(f[8])
	}
	m.Shards, _ = strconv.Atoi(f[17])
	m.Reserved.Bytes, _ = strconv.ParseInt(f[18], 10, 64)
	m.Reserved.Repositories, _ = strconv.Atoi(f[19])
	m.Used.Repeats, _ = strconv.Atoi(f[10])
	m.Used.Bytes, _ = strconv.ParseInt(f[11], 10, 64)
	m.Used.Repositories, _ = strconv.Atoi(f[12])
	m.Used.Archives, _ = strconv.Atoi(f[13])
	if f[14] != "" && m.Used.counts() {
		m.Used.From = seconds(f[14])
	}
	if f[2] != "-" {
		m.Request = f[2]
	}
	if f[5] != "-" {
		m.Since = seconds(f[5])
	}
	return m, true
}

// counts reports whether anything was used.
func (u Usage) counts() bool {
	return u.Repeats > 0 || u.Bytes > 0 || u.Repositories > 0 || u.Archives > 0
}

// seconds parses a Unix time of at most twelve digits.
func seconds(digits string) time.Time {
	n, _ := strconv.ParseInt(digits, 10, 64)
	return time.Unix(n, 0).UTC()
}

var fingerprintPattern = &pattern.Regexp{Text: `^[0-9a-f]{64}$`}

// Fingerprint is equal for two requests if and only if they ask for the same:
// the same images under the same names for the same platforms, with the same
// problems. If an edit does not change it, no new answer is needed. It is a
// full SHA-256 in hexadecimal, because approvals refer to it.
func Fingerprint(r request.Request) string {
	var b strings.Builder
	for _, image := range r.Images {
		fmt.Fprintf(&b, "image %s %v %s\n", image.Reference, image.Platforms, image.As)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "problem %s %q\n", p.Code, p.Written)
	}
	if r.Archive {
		b.WriteString("archive\n")
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}
