package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/patience"
)

// maxError bounds the body of an error and of a token: 64 KiB is a hundred
// times what any registry sends.
const maxError = 64 << 10

// maxDetail bounds a registry's own words in a failure.
const maxDetail = 2 << 10

// refused reads a response that is not the one hoped for and says what it
// means. It consumes the body.
func (c *Client) refused(step string, resp *http.Response) *failure.Error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxError))
	resp.Body = io.NopCloser(bytes.NewReader(body))
	f := &failure.Error{Side: c.side, Step: step}
	said := fmt.Sprintf("%s %s: status %s: %s", resp.Request.Method, resp.Request.URL.Redacted(), resp.Status, body)
	var codes, words []string
	for _, e := range distribution.ParseErrors(body) {
		codes = append(codes, strings.ToUpper(e.Code))
		words = append(words, fmt.Sprintf("%s: %s; %s", e.Code, e.Message, e.Detail))
	}
	f.Detail = strings.Join(words, "; ")
	if f.Detail == "" {
		f.Detail = strings.TrimSpace(string(body))
	}
	f.Detail = redact(f.Detail, resp.Request)
	f.Err = errors.New(redact(said, resp.Request))
	if len(f.Detail) > maxDetail {
		f.Detail = strings.ToValidUTF8(f.Detail[:maxDetail], "") + "…"
	}
	f.Code = meaning(c.side, resp.StatusCode, codes, strings.ToLower(f.Detail))
	if f.Kind() == failure.Transient {
		if delay, ok := retryAfter(resp.Header, f.Detail, time.Now()); ok {
			f.Until = time.Now().Add(delay)
		}
	}
	return f
}

// redact takes out of a server's words what req has shown it of our credentials:
// some repeat what they were sent, and their words get into public comments.
func redact(words string, req *http.Request) string {
	_, shown, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	_, password, _ := req.BasicAuth()
	for _, secret := range []string{shown, password} {
		if len(secret) >= 4 { // less would be found in every other word
			words = strings.ReplaceAll(words, secret, "***")
		}
	}
	return words
}

// meaning maps a status, the codes of the OCI distribution specification
// ("Error Codes") and, where registries put more into their words than into
// their codes, those words. The table test names who says what.
func meaning(side failure.Side, status int, codes []string, words string) failure.Code {
	has := func(phrases ...string) bool {
		return slices.ContainsFunc(phrases, func(s string) bool { return strings.Contains(words, s) })
	}
	code := func(names ...string) bool {
		return slices.ContainsFunc(codes, func(c string) bool { return slices.Contains(names, c) })
	}
	switch {
	case status == http.StatusTooManyRequests, code("TOOMANYREQUESTS"):
		return failure.RateLimited
	case side == failure.Target && (status == http.StatusInsufficientStorage || status == http.StatusPaymentRequired ||
		has("quota", "storage limit", "limit exceeded", "exceed the configured upper limit", "reached the limit", "maximum number of")):
		return failure.Quota
	case status >= 500 && status != http.StatusNotImplemented, status == http.StatusRequestTimeout, status == http.StatusTooEarly, code("UNAVAILABLE"):
		return failure.Unavailable
	case code("DIGEST_INVALID", "SIZE_INVALID"):
		return failure.Corrupt
	case side == failure.Target && code("MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"):
		// It has just been put there: not all of the registry knows yet.
		return failure.Unavailable
	case side == failure.Target && (has("unknown manifest class", "fail to parse 'manifest.json'", "unsupported media type", "unknown media type",
		"manifest invalid", "media type") ||
		code("MANIFEST_INVALID", "NAME_INVALID", "TAG_INVALID", "UNSUPPORTED")):
		return failure.TargetRefused
	case status == http.StatusUnauthorized, status == http.StatusForbidden, code("DENIED", "UNAUTHORIZED"):
		if side == failure.Target {
			return failure.TargetLogin
		}
		return failure.Private
	case status == http.StatusNotFound, code("NAME_UNKNOWN", "MANIFEST_UNKNOWN", "BLOB_UNKNOWN"):
		return failure.NotFound
	case status == http.StatusGone, status == http.StatusUnavailableForLegalReasons:
		return failure.NotFound
	case side == failure.Target && status >= 400 && status < 500, status == http.StatusNotImplemented && side == failure.Target:
		return failure.TargetRefused
	}
	return failure.Internal
}

// hiddenDelay is GHCR's way to say Retry-After: in the message of the error.
var hiddenDelay = regexp.MustCompile(`(?i)retry[- ]after:? +([0-9.]+(?:ns|µs|us|ms|s|m|h)?)`)

// retryAfter finds how long a registry asks to be left alone: RFC 9110
// §10.2.3, in seconds or as a date, or in the words of the error. What is used
// up comes back by the reset that draft-ietf-httpapi-ratelimit-headers has or,
// as Docker Hub says it, within the window that it is counted over.
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

// broken says what it means that no response came, or not the whole of it.
func (c *Client) broken(ctx context.Context, step string, err error) *failure.Error {
	if f, ok := failure.As(err); ok {
		return f
	}
	f := &failure.Error{Code: failure.Network, Side: c.side, Step: step, Err: err}
	proxy, proxied := errors.AsType[*outbound.ProxyError](err)
	switch {
	case errors.Is(err, outbound.ErrForbidden):
		f.Code = failure.HostForbidden
		f.Hints = []string{c.host.Name}
	case errors.Is(ctx.Err(), context.Canceled):
		f.Code = failure.Cancelled
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		f.Code = failure.TimedOut
	case proxied:
		f.Detail = proxy.Detail
	}
	return f
}
