package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/patience"
	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
)

// maxError limits the body of an error and of a token: 64 KiB is a hundred
// times what registries send.
const maxError = 64 << 10

// maxDetail limits a registry's own text in a failure.
const maxDetail = 2 << 10

// reply is a response to a request with the registry's authentication.
type reply struct {
	*http.Response
	// doubtful is how often a refused request is worth repeating after a pause:
	// because the registry asked for no login, because the token is so new that
	// it may not be valid everywhere yet, or because another server refused it.
	doubtful int
}

// doubtError marks a refusal that may be temporary.
type doubtError struct {
	times int
	err   error
}

func (e *doubtError) Error() string { return e.err.Error() }
func (e *doubtError) Unwrap() error { return e.err }

// fail is a failure at the registry.
func (w *wire) fail(code failure.Code, step string, err error) *failure.Error {
	return &failure.Error{Code: code, Side: w.side, Step: step, Err: err}
}

// refused evaluates a response that is not a success of the step. It consumes
// the body.
func (w *wire) refused(s step, resp reply) *failure.Error {
	body, _ := readSmall(resp.Response, maxError)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	f := &failure.Error{Side: w.side, Step: s.name}
	said := fmt.Sprintf("%s %s: status %s: %s", resp.Request.Method, resp.Request.URL.Redacted(), resp.Status, body)
	r := refusal{side: w.side, step: s.name, status: resp.StatusCode, page: isPage(body), guest: resp.Request.Header.Get("Authorization") == "", site: w.website.Load()}
	var words []string
	for _, e := range distribution.ParseErrors(body) {
		if e.Code != "" {
			r.codes = append(r.codes, strings.ToUpper(e.Code))
		}
		words = append(words, fmt.Sprintf("%s: %s; %s", e.Code, e.Message, e.Detail))
	}
	f.Detail = strings.Join(words, "; ")
	if f.Detail == "" {
		f.Detail = strings.TrimSpace(string(body))
	}
	if s.name == gettingToken { // the server may be another one, and often says nothing else
		f.Detail = strings.TrimSpace(resp.Request.URL.Host + ": " + resp.Status + " " + f.Detail)
	}
	f.Detail = redact(f.Detail, resp.Request)
	f.Err = errors.New(redact(said, resp.Request))
	f.Detail = reference.Clip(f.Detail, maxDetail)
	r.words = strings.ReplaceAll(nameless(strings.ToLower(f.Detail), resp.Request), "_", " ")
	f.Code = r.meaning()
	if f.Kind() == failure.Transient {
		if delay, ok := retryAfter(resp.Header, f.Detail, time.Now()); ok {
			f.Until = time.Now().Add(delay)
		}
	}
	if times := r.doubts(s.doubts, resp.doubtful); times > 0 && vague(f.Code, r.page) {
		f.Err = &doubtError{times, f.Err}
	}
	return f
}

// nameless removes from a server's text the names that the request contains: an
// image may have the name "quota" or "read-only".
func nameless(words string, req *http.Request) string {
	names := strings.FieldsFunc(strings.ToLower(req.URL.Path+" "+strings.Join(req.URL.Query()["scope"], " ")), func(r rune) bool {
		return strings.ContainsRune("/: ,", r)
	})
	for _, name := range names {
		if len(name) > 4 {
			words = strings.ReplaceAll(words, name, "")
		}
	}
	return words
}

// isPage reports whether body is a web page or the XML of a storage service
// instead of JSON.
func isPage(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n\ufeff"), []byte("<"))
}

// webPage is the failure for a response that is a success with a web page; got is
// its text or its type.
func webPage(side failure.Side, step string, got []byte) error {
	return &failure.Error{Code: failure.WebPage, Side: side, Step: step, Err: &doubtError{pageDoubts, fmt.Errorf("got %.100q", got)}}
}

// vague reports whether a code says little more than the status. A refusal for
// a specific reason, such as a quota, does not end within seconds, but that of a
// proxy may.
func vague(code failure.Code, page bool) bool {
	return slices.Contains([]failure.Code{
		failure.NotFound, failure.Private, failure.SourceRefused, failure.TargetLogin, failure.TargetRefused, failure.Internal,
	}, code) || page && code == failure.TargetClosed
}

// redact removes from a server's text the credentials that req has sent: some
// servers repeat them, and their text gets into public comments.
func redact(words string, req *http.Request) string {
	_, shown, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	_, password, _ := req.BasicAuth()
	for _, secret := range []string{shown, password} {
		if len(secret) >= 4 { // a shorter one would occur in ordinary words
			words = strings.ReplaceAll(words, secret, "***")
		}
	}
	return words
}

// hiddenDelay is GHCR's form of Retry-After, in the message of the error.
var hiddenDelay = &pattern.Regexp{Text: `(?i)retry[- ]after:? +([0-9.]+(?:ns|µs|us|ms|s|m|h)?)`}

// retryAfter returns how long to wait before the next request: from the header
// of that name or the text of the error. A limit that is used up is reset at
// the time given by draft-ietf-httpapi-ratelimit-headers or, at Docker Hub,
// within its window.
func retryAfter(header http.Header, words string, now time.Time) (time.Duration, bool) {
	if delay, ok := patience.RetryAfter(header.Get("Retry-After"), now); ok {
		return delay, true
	}
	if m := hiddenDelay.FindStringSubmatch(words); m != nil {
		if seconds, err := strconv.ParseFloat(m[1], 64); err == nil {
			return time.Duration(seconds * float64(time.Second)), true
		}
		if delay, err := time.ParseDuration(m[1]); err == nil {
			return delay, true
		}
	}
	if seconds, err := strconv.ParseUint(header.Get("RateLimit-Reset"), 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if left, window, err := quantity(header.Get("RateLimit-Remaining")); err == nil && left == 0 && window > 0 {
		return window, true
	}
	return 0, false
}

// quantity parses a number and its window, "100;w=21600".
func quantity(text string) (n int, window time.Duration, err error) {
	number, parameter, _ := strings.Cut(text, ";")
	n, err = strconv.Atoi(strings.TrimSpace(number))
	if err != nil || n < 0 {
		return 0, 0, fmt.Errorf("reading a rate limit: %.100q", text)
	}
	if seconds, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(parameter), "w="), 10, 31); err == nil {
		window = time.Duration(seconds) * time.Second
	}
	return n, window, nil
}

// broken returns the failure if there was no response, or only a part of it.
func (w *wire) broken(ctx context.Context, step string, err error) *failure.Error {
	if f, ok := failure.As(err); ok {
		return f
	}
	f := w.fail(failure.Network, step, err)
	at, elsewhere := errors.AsType[*elsewhereError](err)
	if elsewhere {
		f.Hints = []string{at.host}
	}
	proxy, proxied := errors.AsType[*outbound.ProxyError](err)
	switch {
	case errors.Is(err, outbound.ErrForbidden):
		refused, ok := errors.AsType[*outbound.AddressError](err)
		f.Code, f.Hints = failure.HostForbidden, []string{w.host.Name}
		if ok && !reference.Inside(w.host.Name) { // the name of such a host says it, and DNS has no part in it
			f.Hints[0] = refused.Addr.String()
		}
		switch {
		case ok && refused.Fake:
			f.Code = failure.FakeIP
		case elsewhere && ok:
			f.Code, f.Hints = failure.BadAddress, []string{at.host, refused.Addr.String()}
		case elsewhere:
			f.Code, f.Hints[0] = failure.BadAddress, at.host
		}
	case errors.Is(ctx.Err(), context.Canceled):
		f.Code = failure.Cancelled
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		f.Code = failure.TimedOut
	case proxied:
		f.Code, f.Hints = failure.Proxy, []string{proxy.Detail}
	}
	return f
}
