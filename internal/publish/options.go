package publish

import (
	"context"
	"net/http"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
)

// Options configure a Client. APIURL, Token, Repository and Marked are
// required.
type Options struct {
	APIURL     string // GITHUB_API_URL, "https://api.github.com"
	Token      config.Secret
	Repository event.Repository
	UserAgent  string // sent to GitHub; empty for that of the library

	// Marked reports whether a comment has Ferry's hidden marker. Anybody can
	// write one, so the author is checked as well.
	Marked func(body string) bool
	// Signed reports whether the marker is signed, which only Ferry can do. It
	// identifies a bot's comment as Ferry's if GitHub does not tell which bot
	// the token belongs to. Nil means never.
	Signed func(body string) bool
	// Answers reports whether a comment of Ferry is an answer, not just
	// progress. Nil means always.
	Answers func(body string) bool

	// Login is the login of the token. If it is empty GitHub is asked; if
	// GitHub does not tell, as for GITHUB_TOKEN, it is github-actions[bot].
	Login string

	// Budget is how many requests a run may send in an hour before it skips those
	// that can wait, see Client.Room; 0 for 300.
	Budget int

	Transport http.RoundTripper                          // http.DefaultTransport if nil
	Timeout   time.Duration                              // for each attempt of a request; 0 for 30 s
	Now       func() time.Time                           // time.Now if nil
	Sleep     func(context.Context, time.Duration) error // waits, or returns the context's error; nil for real time
}
