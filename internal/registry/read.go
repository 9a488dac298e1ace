package registry

import (
	"context"
	"net/http"
	"net/url"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/reference"
)

// Read is a request for a manifest, a blob or a list on behalf of a client.
type Read struct {
	Method     string // GET or HEAD
	Repository reference.Repository
	Kind       distribution.Kind
	Reference  string // a tag, a digest, or "list"
	Query      url.Values
	Accept     []string
	// Redirects makes Read return redirects instead of following them.
	Redirects bool
}

// Read sends one request, with a login or token for pulling, and returns the
// response if it is 200 or, with Redirects, a redirect. Anything else is a
// *failure.Error. The caller limits the body and closes it.
func (c *Client) Read(ctx context.Context, r Read) (*http.Response, error) {
	u := c.at(r.Repository, r.Kind, r.Reference)
	u.RawQuery = r.Query.Encode()
	header := http.Header{}
	if len(r.Accept) > 0 {
		header["Accept"] = r.Accept
	}
	resp, err := c.send(ctx, exchange{
		method: r.Method, url: u, header: header, scopes: []Scope{{Repository: r.Repository}}, unfollowed: r.Redirects,
	})
	switch {
	case err != nil:
		return nil, c.broken(ctx, readOther.name, err)
	case resp.StatusCode == http.StatusOK, r.Redirects && isRedirect(resp.StatusCode):
		return resp.Response, nil
	}
	defer resp.Body.Close()
	return nil, c.refused(readOther, resp)
}

// Leads returns where resp, a response to Read with Redirects, redirects to;
// nil if it does not. It is an error if clients must not be sent there.
func (c *Client) Leads(resp *http.Response) (*url.URL, error) {
	if !isRedirect(resp.StatusCode) {
		return nil, nil
	}
	return c.redirect(resp.Request.URL, resp.Header)
}
