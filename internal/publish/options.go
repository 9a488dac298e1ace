package publish

import (
	"context"
	"net/http"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
)

// Options are what a Client is made of. APIURL, Token, Repository and Marked
// must be set.
type Options struct {
	APIURL     string // GITHUB_API_URL, "https://api.github.com"
	Token      config.Secret
	Repository event.Repository
	UserAgent  string // names Ferry to GitHub; empty for the library's own

	// Marked reports whether a comment carries Ferry's hidden marker. Anybody
	// can write one, so that the author is checked as well.
	Marked func(body string) bool
	// Signed reports whether the marker is signed, which nobody else can. It
	// makes a bot's comment Ferry's where GitHub won't tell which bot the token
	// acts as. Nil for never.
	Signed func(body string) bool
	// Answers reports whether a comment of Ferry's is an answer: one that only
	// shows progress is none. Nil for always.
	Answers func(body string) bool

	// Login is who the token acts as. Empty: GitHub is asked, and if it won't
	// tell, which is so for GITHUB_TOKEN, it is github-actions[bot].
	Login string

	// Budget is how many requests a run may send before it withholds what
	// can wait, see Client.Room; 0 for 300.
	Budget int

	Transport http.RoundTripper                          // http.DefaultTransport if nil
	Timeout   time.Duration                              // for one try of one request; 0 for 30 s
	Now       func() time.Time                           // time.Now if nil
	Sleep     func(context.Context, time.Duration) error // waits, or gives the context's error; nil for real time
}
