package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/patience"
)

const (
	// tries is how often one request is sent at most.
	tries = 5
	// maxPause is the longest pause that a run waits for. GitHub asks for a
	// minute after a secondary limit; longer pauses are left to the sweep.
	maxPause = 2 * time.Minute
	// linger is how long to wait for a change that has been sent after its
	// context has ended.
	linger = 2 * time.Second
	// reserve is kept of the repository's 1,000 requests per hour, for its
	// other workflows and for the answers of this run.
	reserve = 150
	// minSkew is the smallest difference of the clocks that counts: the header
	// has a resolution of one second, and responses take time.
	minSkew = 30 * time.Second
	// maxAnswer limits a response: a page of 100 comments of 65,536 characters
	// of up to four bytes.
	maxAnswer = 100 * 65536 * 4
)

// transport adds the token, waits when GitHub asks for it, and repeats failed
// requests that are safe to repeat. See
// https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api.
type transport struct {
	next    http.RoundTripper
	token   config.Secret
	timeout time.Duration
	now     func() time.Time
	sleep   func(context.Context, time.Duration) error
	budget  int

	mu        sync.Mutex
	spent     int
	remaining int           // requests left in this hour according to GitHub; -1 if unknown
	reset     time.Time     // when the next hour begins, by this machine's clock; zero if unknown
	quiet     time.Time     // until when GitHub has asked for a pause
	doubted   map[int]bool  // refusals by status that were doubted
	ahead     time.Duration // difference of GitHub's clock to that of the machine, according to its last response
}

func newTransport(o Options) *transport {
	m := &transport{
		next: o.Transport, token: o.Token, timeout: o.Timeout,
		now: o.Now, sleep: o.Sleep, budget: o.Budget, remaining: -1, doubted: map[int]bool{},
	}
	if m.next == nil {
		m.next = http.DefaultTransport
	}
	if m.timeout == 0 {
		m.timeout = 30 * time.Second
	}
	if m.now == nil {
		m.now = time.Now
	}
	if m.sleep == nil {
		m.sleep = patience.Sleep
	}
	if m.budget == 0 {
		m.budget = 300
	}
	return m
}

func (m *transport) room() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spent < m.budget && (m.remaining < 0 || m.remaining > reserve) && !m.now().Before(m.quiet)
}

// await waits until there is room in the next hour, if it begins within most.
func (m *transport) await(ctx context.Context, most time.Duration) bool {
	if m.room() {
		return true
	}
	m.mu.Lock()
	until := m.reset
	if m.quiet.After(until) {
		until = m.quiet
	}
	m.mu.Unlock()
	wait := until.Sub(m.now())
	if until.IsZero() || wait > most || m.sleep(ctx, max(wait, 0)) != nil {
		return false
	}
	m.mu.Lock()
	m.spent, m.remaining, m.reset = 0, -1, time.Time{}
	m.mu.Unlock()
	return true
}

// RoundTrip sends r until there is a response that need not be repeated.
func (m *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	for try := 1; ; try++ {
		if err := m.waitOut(r.Context()); err != nil {
			return nil, err
		}
		answer, err := m.send(r)
		wait, limited := m.pause(answer)
		switch {
		case limited:
			until := m.now().Add(wait)
			m.mu.Lock()
			m.quiet = until
			m.mu.Unlock()
			if try == tries {
				return nil, &limitError{until}
			}
			continue
		case err == nil && try < tries && m.doubts(r, answer):
			wait = settling
		case err == nil && answer.StatusCode < 500:
			// go-github would use these to refuse requests, by its own clock.
			// Waiting is done here.
			answer.Header.Del("X-RateLimit-Remaining")
			answer.Header.Del("X-RateLimit-Reset")
			return answer, nil
		case try == tries, r.Context().Err() != nil, !repeatable(r):
			return answer, err
		default:
			wait = max(wait, backoff.Delay(try))
		}
		if err := m.sleep(r.Context(), wait); err != nil {
			return nil, err
		}
	}
}

// waitOut waits while GitHub has asked for a pause, for all requests of the
// run. Requests during a pause prolong it.
func (m *transport) waitOut(ctx context.Context) error {
	m.mu.Lock()
	until := m.quiet
	m.mu.Unlock()
	wait := until.Sub(m.now())
	if wait <= 0 {
		return nil
	}
	if wait > maxPause {
		return &limitError{until}
	}
	return m.sleep(ctx, wait)
}

// repeatable reports whether sending r twice has the same effect as sending it
// once. That is so for all requests of Ferry but three: creating a comment or an
// issue, and starting a run. Before one, the caller looks whether it exists.
func repeatable(r *http.Request) bool {
	return r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/comments") && !strings.HasSuffix(r.URL.Path, "/issues") &&
		!strings.HasSuffix(r.URL.Path, "/dispatches")
}

// settling is the delay after a doubtful refusal. GitHub's replicas know new
// issues and tokens after a second or two.
const settling = 2 * time.Second

// doubts reports whether a refusal is worth one more attempt: the first 401 of a
// run, whose token may be new, the first 404 for an issue, which may be new as
// well, and the first 403 that is a web page, which is not of the API.
func (m *transport) doubts(r *http.Request, answer *http.Response) bool {
	switch answer.StatusCode {
	case http.StatusUnauthorized:
	case http.StatusNotFound:
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/issues/") {
			return false
		}
	case http.StatusForbidden:
		if !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
			return false
		}
	default:
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	first := !m.doubted[answer.StatusCode]
	m.doubted[answer.StatusCode] = true
	return first
}

// backoff is the delay before another attempt.
var backoff = patience.Backoff{First: time.Second, Most: time.Minute}

// pause returns how long to wait according to GitHub, and whether a limit is
// the reason for the refusal.
func (m *transport) pause(answer *http.Response) (wait time.Duration, limited bool) {
	if answer == nil {
		return 0, false
	}
	wait, _ = patience.RetryAfter(answer.Header.Get("Retry-After"), m.now())
	refused := answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusTooManyRequests ||
		answer.StatusCode == http.StatusUnprocessableEntity
	switch {
	case !refused:
		return wait, false
	case answer.StatusCode == http.StatusUnprocessableEntity:
		return time.Minute, secondary(answer)
	case answer.Header.Get("Retry-After") != "":
		return wait, true
	case answer.Header.Get("X-RateLimit-Remaining") == "0":
		reset, err := strconv.ParseInt(answer.Header.Get("X-RateLimit-Reset"), 10, 64)
		if err != nil {
			return time.Minute, true
		}
		return max(time.Unix(reset, 0).Sub(m.now()), 0) + time.Second, true // GitHub's clock may be ahead
	case answer.StatusCode == http.StatusTooManyRequests, secondary(answer):
		return time.Minute, true // the documentation says "wait for at least one minute"
	}
	return 0, false
}

// secondary reports whether a refusal without further headers is a secondary
// limit rather than a missing permission or a mistake. Only the message or the
// linked documentation shows that.
func secondary(answer *http.Response) bool {
	content, err := io.ReadAll(answer.Body)
	answer.Body = io.NopCloser(bytes.NewReader(content))
	var body struct {
		Message string `json:"message"`
		Docs    string `json:"documentation_url"`
	}
	if err != nil {
		return false
	}
	if json.Unmarshal(content, &body) != nil {
		body.Message = string(content) // a page
	}
	message := strings.ToLower(body.Message)
	for _, words := range []string{"rate limit", "abuse detection", "submitted too quickly", "temporarily blocked"} {
		if strings.Contains(message, words) {
			return true
		}
	}
	return strings.HasSuffix(body.Docs, "rate-limits")
}

// send sends r once and reads the whole response, so that a broken response
// counts as a failure.
func (m *transport) send(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), m.timeout)
	defer cancel()
	late := time.Duration(0)
	if r.Method != http.MethodGet {
		// The request may still arrive, and must not take effect after the next
		// one: a greeting would replace the answer.
		late = linger
	}
	defer context.AfterFunc(r.Context(), func() { time.AfterFunc(late, cancel) })()
	again := r.Clone(ctx)
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		again.Body = body
	}
	again.Header.Set("Authorization", "Bearer "+m.token.Reveal())
	answer, err := m.next.RoundTrip(again)
	m.count(answer)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(content) > maxAnswer {
		return nil, fmt.Errorf("reading the answer: more than %d bytes", maxAnswer)
	}
	answer.Body = io.NopCloser(bytes.NewReader(content))
	return answer, nil
}

func (m *transport) count(answer *http.Response) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if answer == nil || answer.StatusCode != http.StatusNotModified { // 304 does not count towards the limit
		m.spent++
	}
	if answer == nil {
		return
	}
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		m.ahead = date.Sub(m.now())
		if m.ahead.Abs() < minSkew {
			m.ahead = 0
		}
	}
	if n, err := strconv.Atoi(answer.Header.Get("X-RateLimit-Remaining")); err == nil {
		m.remaining = n
	}
	if reset, err := strconv.ParseInt(answer.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
		m.reset = time.Unix(reset, 0).Add(time.Second - m.ahead)
	}
}
