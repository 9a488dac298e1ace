package fakegithub

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/imageferry/ferry/internal/event"
)

// call is one request on its way to its handler.
type call struct {
	*http.Request
	args []string // the variable segments of the path
	body []byte
	user event.User
	base string // the API's address, without a slash at the end
}

// here reports whether the path names this repository.
func (s *Server) here(c *call) bool {
	r := s.config.Repository
	return strings.EqualFold(c.args[0], r.Owner) && strings.EqualFold(c.args[1], r.Name)
}

// find returns the issue in the path, or the answer that it does not exist.
func (s *Server) find(c *call) (*issue, *answer) {
	n, err := strconv.Atoi(c.args[2])
	if err != nil || !s.here(c) || n < 1 || n > len(s.issues) {
		a := notFound()
		return nil, &a
	}
	if s.config.NoIssues {
		a := refuse(http.StatusGone, "Issues has been disabled in this repository.")
		return nil, &a
	}
	if s.issues[n-1].deleted {
		a := refuse(http.StatusGone, "This issue was deleted")
		return nil, &a
	}
	return s.issues[n-1], nil
}

// paged returns the page in the query as it is shown, with the other pages in the Link
// header.
func paged[T, J any](c *call, all []T, show func(T) J) answer {
	q := c.URL.Query()
	number := func(name string, standard, most int) int {
		n, err := strconv.Atoi(q.Get(name))
		if err != nil || n < 1 {
			return standard
		}
		return min(n, most)
	}
	per := number("per_page", 30, 100)
	last := max((len(all)+per-1)/per, 1)
	page := number("page", 1, 1<<20)

	var links []string
	link := func(rel string, to int) {
		u := url.URL{Path: c.URL.Path}
		q.Set("page", strconv.Itoa(to))
		u.RawQuery = q.Encode()
		links = append(links, fmt.Sprintf(`<%s%s>; rel="%s"`, c.base, u.String(), rel))
	}
	if page > 1 {
		link("prev", page-1)
	}
	if page < last {
		link("next", page+1)
		link("last", last)
	}
	if page > 1 {
		link("first", 1)
	}
	shown := []J{}
	for _, each := range all[min((page-1)*per, len(all)):min(page*per, len(all))] {
		shown = append(shown, show(each))
	}
	a := ok(shown)
	if len(links) > 0 {
		a.header = http.Header{"Link": {strings.Join(links, ", ")}}
	}
	return a
}

// maxText is the maximum length of a comment or an issue in characters, from
// GitHub's error message and https://github.com/dead-claudia/github-limits.
const maxText = 65536
