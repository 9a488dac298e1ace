package fakegithub

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

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
