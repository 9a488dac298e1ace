package publish

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"sync"
)

// maxCached is how many bytes a run keeps, about forty full pages of issues.
const maxCached = 16 << 20

// cache is a transport that sends conditional requests for pages it has seen
// before. GitHub does not count a request if the page has not changed:
// https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests.
// A sweep that reads the same people and labels repeatedly depends on it.
type cache struct {
	next http.RoundTripper

	mu   sync.Mutex
	kept map[string]page // by URL
	size int             // of all bodies kept
}

// page is a response with the status 200 and an ETag.
type page struct {
	header http.Header
	body   []byte
}

// RoundTrip sends r, and returns the kept response if GitHub confirms that it
// has not changed.
func (m *cache) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		return m.next.RoundTrip(r)
	}
	key := r.URL.String()
	m.mu.Lock()
	known, ok := m.kept[key]
	m.mu.Unlock()
	if ok {
		r = r.Clone(r.Context())
		r.Header.Set("If-None-Match", known.header.Get("ETag"))
	}
	answer, err := m.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	switch {
	case ok && answer.StatusCode == http.StatusNotModified:
		answer.StatusCode, answer.Status = http.StatusOK, "200 OK"
		answer.Header, answer.Body = maps.Clone(known.header), io.NopCloser(bytes.NewReader(known.body))
		answer.ContentLength = int64(len(known.body))
	case answer.StatusCode == http.StatusOK && answer.Header.Get("ETag") != "":
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			return nil, err
		}
		answer.Body = io.NopCloser(bytes.NewReader(body))
		m.keep(key, page{maps.Clone(answer.Header), body})
	}
	return answer, nil
}

func (m *cache) keep(key string, p page) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.size+len(p.body) <= maxCached {
		m.kept[key] = p
		m.size += len(p.body)
	}
}
