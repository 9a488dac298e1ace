package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/reference"
)

// roundTrip is one exchange with whatever server: no authentication but what
// header has, no redirects, no second try.
func (c *Client) roundTrip(ctx context.Context, via http.RoundTripper, method string, u *url.URL, header http.Header, body io.Reader, size int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	if header != nil {
		req.Header = header.Clone()
	}
	if body != nil {
		req.ContentLength = size
		// A body that failed halfway is ours to resume, not the transport's to replay.
		req.GetBody = nil
		if size == 0 {
			req.Body = http.NoBody
		}
	}
	req.Header.Set("User-Agent", c.opts.UserAgent)
	began := time.Now()
	resp, err := via.RoundTrip(req)
	if err == nil && size == 0 {
		c.trips.note(u.Host, time.Since(began))
	}
	return resp, err
}

// exchange is one request to the registry itself.
type exchange struct {
	method string
	url    *url.URL
	header http.Header
	scopes []Scope
	via    http.RoundTripper // nil for what small things are asked over
	body   io.Reader         // rewound for another try if it is an io.Seeker
	size   int64

	unfollowed bool // a redirect is an answer like others
}

// send performs x with the registry's authentication and follows redirects of
// GET and HEAD; the credentials stay behind when they leave the host. The
// response may have any status.
func (c *Client) send(ctx context.Context, x exchange) (*http.Response, error) {
	if x.header == nil {
		x.header = http.Header{}
	}
	if !c.ours(x.url) {
		return c.roundTrip(ctx, c.via(x), x.method, x.url, x.header, x.body, x.size)
	}
	// Three: nothing known, a token for many scopes, a token of its own.
	for try := 1; ; try++ {
		g, err := c.auth.authorize(ctx, x.scopes)
		if err != nil {
			return nil, err
		}
		header := x.header.Clone()
		if g.header != "" {
			header.Set("Authorization", g.header)
		}
		resp, err := c.roundTrip(ctx, c.via(x), x.method, x.url, header, x.body, x.size)
		again := c.auth.learn(g, resp)
		if err != nil {
			return nil, err
		}
		if again && try < 4 && c.rewind(x.body) {
			discard(resp)
			continue
		}
		if isRedirect(resp.StatusCode) && !x.unfollowed && (x.method == http.MethodGet || x.method == http.MethodHead) {
			return c.follow(ctx, x, resp, g.header)
		}
		return resp, nil
	}
}

// via is what x is sent over. It is asked for as late as can be: while a token was
// got, it may have turned out what the registry speaks.
func (c *Client) via(x exchange) http.RoundTripper {
	if x.via != nil {
		return x.via
	}
	return c.small()
}

func (c *Client) rewind(body io.Reader) bool {
	if body == nil {
		return true
	}
	s, ok := body.(io.Seeker)
	if !ok {
		return false
	}
	_, err := s.Seek(0, io.SeekStart)
	return err == nil
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// follow goes where resp points to, a few times. The authorization is for the
// registry's own host and for no other.
func (c *Client) follow(ctx context.Context, x exchange, resp *http.Response, authorization string) (*http.Response, error) {
	at := x.url
	for range maxRedirects {
		next, err := at.Parse(resp.Header.Get("Location"))
		discard(resp)
		if err != nil {
			return nil, fmt.Errorf("reading redirect: %w", err)
		}
		if err := c.trust.Check(next); err != nil {
			return nil, &failure.Error{Code: failure.HostForbidden, Side: c.side, Step: followingRedirect, Err: err}
		}
		header := x.header.Clone()
		if authorization != "" && c.ours(next) {
			header.Set("Authorization", authorization)
		}
		resp, err = c.roundTrip(ctx, c.via(x), x.method, next, header, nil, 0)
		if err == nil && resp.StatusCode == http.StatusUnauthorized && !c.ours(next) {
			if answer := c.guest.answer(ctx, c, resp.Header); answer != "" {
				discard(resp)
				header.Set("Authorization", answer)
				resp, err = c.roundTrip(ctx, c.via(x), x.method, next, header, nil, 0)
			}
		}
		if err != nil {
			return nil, err
		}
		if !isRedirect(resp.StatusCode) {
			return resp, nil
		}
		at = next
	}
	discard(resp)
	return nil, &failure.Error{Code: failure.Internal, Side: c.side, Step: followingRedirect, Err: errors.New("too many redirects")}
}

const followingRedirect = "following redirect"

// ours reports whether u is at the registry's own host, over the scheme that it
// has: the only place for its credentials.
func (c *Client) ours(u *url.URL) bool {
	return outbound.HostPort(u) == outbound.HostPort(c.base) && u.Scheme == c.base.Scheme
}

// discard gives the connection back if little is left to read on it.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, maxError)
	resp.Body.Close()
}

// retry performs op until it succeeds or is not worth another try.
func (c *Client) retry(ctx context.Context, op func(context.Context) error) error {
	b := c.Backoff()
	for {
		tryCtx, cancel := context.WithTimeout(ctx, answerTimeout)
		err := op(tryCtx)
		expired := tryCtx.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil {
			return nil
		}
		if f, ok := failure.As(err); expired && ok {
			// One exchange was too slow; the job's time is not over.
			f.Code = failure.Network
		}
		if err := b.Again(ctx, err); err != nil {
			return err
		}
	}
}

// answer is a small response, read wholly.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask sends x, small both ways, as often as it takes. Statuses other than ok
// are failures; a body over limit bytes is one too.
func (c *Client) ask(ctx context.Context, step string, x exchange, limit int64, ok ...int) (answer, error) {
	var a answer
	err := c.retry(ctx, func(ctx context.Context) error {
		if !c.rewind(x.body) {
			return &failure.Error{Code: failure.Internal, Side: c.side, Step: step, Err: errors.New("body cannot be sent twice")}
		}
		resp, err := c.send(ctx, x)
		if err != nil {
			return c.broken(ctx, step, err)
		}
		defer resp.Body.Close()
		for _, status := range ok {
			if resp.StatusCode != status {
				continue
			}
			body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
			if err != nil {
				return c.broken(ctx, step, err)
			}
			if int64(len(body)) > limit {
				return &failure.Error{Code: failure.TooLarge, Side: c.side, Step: step, Err: fmt.Errorf("answer has more than %d bytes", limit)}
			}
			a = answer{status, resp.Header, body}
			return nil
		}
		return c.refused(step, resp)
	})
	return a, err
}

// at is the address of something in a repository. The parts come from
// reference types, so nothing needs escaping.
func (c *Client) at(repository reference.Repository, kind distribution.Kind, ref string) *url.URL {
	u := *c.base
	u.Path = distribution.Endpoint{Repository: repository.Path(), Kind: kind, Reference: ref}.Path()
	return &u
}
