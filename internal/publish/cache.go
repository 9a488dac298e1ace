package publish

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"sync"
)

// maxCached is how many bytes a run remembers: some forty full pages of
// issues.
const maxCached = 16 << 20

// cache is a transport that asks for what it was given before only in case
// it has changed. GitHub doesn't count it if it has not:
// https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests.
// A sweep that meets the same people and labels again and again lives off that.
type cache struct {
	next http.RoundTripper

	mu   sync.Mutex
	kept map[string]page // by URL
	size int             // of all bodies that were ever kept
}

// page is an answer that was 200 and had an ETag.
type page struct {
	header http.Header
	body   []byte
}

// RoundTrip sends r, and gives the remembered answer if GitHub says that it
// still holds.
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
