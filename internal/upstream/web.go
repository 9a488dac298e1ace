package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/outbound"
)

const (
	// maxText is the maximum size of a text, in bytes. The tags of a repository
	// with 100,000 of them have as many.
	maxText = 8 << 20
	// maxRedirects is how many redirects are followed; GitHub needs two.
	maxRedirects = 5
	// attempts is how often a server that fails is asked, and pause the time
	// between two requests.
	attempts = 3
	pause    = 2 * time.Second
)

// Web is the public web.
type Web struct {
	client    http.Client
	userAgent string
	wait      func(context.Context, time.Duration) error
}

// NewWeb returns the public web, and the hosts that are trusted.
func NewWeb(trust outbound.Trust, network outbound.Options, userAgent string, wait func(context.Context, time.Duration) error) *Web {
	w := &Web{userAgent: userAgent, wait: wait}
	w.client.Transport = outbound.NewTransport(trust, network, outbound.Limits{HTTP2: true, ResponseHeader: 30 * time.Second})
	w.client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return fmt.Errorf("more than %d redirects", maxRedirects)
		}
		return trust.Check(r.URL)
	}
	return w
}

// Read returns the answer to a GET, or with a body to a POST of it. The error is a
// clause.
func (w *Web) Read(ctx context.Context, address, body string) ([]byte, error) {
	for attempt := 1; ; attempt++ {
		text, again, err := w.ask(ctx, address, body)
		if err == nil || !again || attempt == attempts || w.wait(ctx, pause) != nil {
			return text, err
		}
	}
}

// ask sends one request. It reports whether another one may succeed.
func (w *Web) ask(ctx context.Context, address, body string) (text []byte, again bool, err error) {
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, false, err
	}
	r.Header.Set("User-Agent", w.userAgent)
	if body != "" {
		r.Header.Set("Content-Type", "application/x-git-upload-pack-request")
		r.Header.Set("Git-Protocol", "version=2")
	}
	answer, err := w.client.Do(r)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // the address of a redirect may hold a signature
		}
		return nil, true, fmt.Errorf("%s cannot be read: %w", address, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests, fmt.Errorf("%s answers %d", address, answer.StatusCode)
	}
	text, err = io.ReadAll(io.LimitReader(answer.Body, maxText+1))
	switch {
	case err != nil:
		return nil, true, fmt.Errorf("%s cannot be read: %w", address, err)
	case len(text) > maxText:
		return nil, false, fmt.Errorf("%s has more than %d bytes", address, maxText)
	}
	return text, false, nil
}
