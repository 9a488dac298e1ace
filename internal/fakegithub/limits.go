package fakegithub

import (
	"fmt"
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

// limit counts the request, or refuses it.
func (s *Server) limit(r *http.Request) (answer, bool) {
	now := s.now()
	if s.requests.full(now) {
		return refuse(http.StatusForbidden, "API rate limit exceeded for installation ID 4711."), true
	}
	s.requests.spend()
	if r.Method == http.MethodGet {
		return answer{}, false
	}
	for _, w := range s.content {
		if w.full(now) {
			a := refuse(http.StatusForbidden, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
			body := a.body.(refusal)
			body.Docs = "https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"
			wait := w.reset.Sub(now).Round(time.Second) + time.Second
			a.body, a.header = body, http.Header{"Retry-After": {fmt.Sprint(int(wait.Seconds()))}}
			return a, true
		}
	}
	for _, w := range s.content {
		w.spend()
	}
	return answer{}, false
}

// getRateLimit is GET /rate_limit.
func (s *Server) getRateLimit(*call) answer {
	h := http.Header{}
	s.requests.describe(h, s.now())
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(h.Get(name), 10, 64) // written by describe
		return n
	}
	rate := map[string]int64{
		"limit":     number("X-RateLimit-Limit"),
		"remaining": number("X-RateLimit-Remaining"),
		"used":      number("X-RateLimit-Used"),
		"reset":     number("X-RateLimit-Reset"),
	}
	return ok(map[string]any{"rate": rate, "resources": map[string]any{"core": rate, "search": rate}})
}
