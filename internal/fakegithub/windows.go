package fakegithub

import (
	"net/http"
	"strconv"
	"time"
)

// Limits are the rates above which GitHub refuses; zero is no limit. See
// https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api.
type Limits struct {
	Requests      int // an hour, the primary limit
	Content       int // requests that create or change something, a minute
	ContentHourly int // the same, an hour
}

// GitHubLimits are those that GITHUB_TOKEN has on github.com, for each repository.
func GitHubLimits() Limits { return Limits{Requests: 1000, Content: 80, ContentHourly: 500} }

func (l Limits) windows() (requests *window, content []*window) {
	return &window{limit: l.Requests, per: time.Hour},
		[]*window{{limit: l.Content, per: time.Minute}, {limit: l.ContentHourly, per: time.Hour}}
}

// window counts requests in a stretch of time that begins with the first.
type window struct {
	limit int
	per   time.Duration
	used  int
	reset time.Time
}

// full reports whether the window has no room at now.
func (w *window) full(now time.Time) bool {
	if !now.Before(w.reset) {
		w.used, w.reset = 0, now.Add(w.per)
	}
	return w.limit > 0 && w.used >= w.limit
}

func (w *window) spend() { w.used++ }

func (w *window) refund() { w.used-- }

// describe writes the headers that GitHub sends with every answer.
func (w *window) describe(h http.Header, now time.Time) {
	limit := w.limit
	if limit == 0 {
		limit = 1000
	}
	if !now.Before(w.reset) {
		w.used, w.reset = 0, now.Add(w.per)
	}
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(limit-w.used, 0)))
	h.Set("X-RateLimit-Used", strconv.Itoa(w.used))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(w.reset.Unix(), 10))
	h.Set("X-RateLimit-Resource", "core")
}
