package registry

import (
	"context"
	"net/http"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

// Login sends the credentials to the registry's token server, for a token with
// access to repository, or to the registry. It returns false if the registry
// did not ask for credentials, so that they are not verified.
func (c *Client) Login(ctx context.Context, repository reference.Repository) (proven bool, err error) {
	u := *c.base
	u.Path = distribution.Root
	_, err = c.ask(ctx, showLogin, exchange{method: http.MethodGet, url: &u, scopes: c.scopes(repository)}, maxError)
	scheme := c.auth.scheme()
	if f, ok := failure.As(err); ok && f.Step != gettingToken && f.Step != exchangingToken && f.Kind() == failure.Refusal && scheme == "bearer" {
		// There is a token, so the credentials are valid. It is for a
		// repository, and not every registry accepts that here.
		return true, nil
	}
	return scheme != "" && err == nil, err
}

// Allowance is how many images a registry lets one account or address pull.
type Allowance struct {
	Limit, Remaining int
	Window           time.Duration // period of the limit
}

// Allowance reads the pull limit from the headers of a HEAD request, which does
// not count as a pull (https://docs.docker.com/docker-hub/usage/pulls/). It
// returns false if the registry reports no limit.
func (c *Client) Allowance(ctx context.Context, ref reference.Reference) (Allowance, bool, error) {
	answer, err := c.ask(ctx, readLimit, c.manifestRequest(http.MethodHead, ref), 0)
	if err != nil {
		return Allowance{}, false, err
	}
	limit, window, err := quantity(answer.header.Get("RateLimit-Limit"))
	if err != nil {
		return Allowance{}, false, nil
	}
	remaining, _, err := quantity(answer.header.Get("RateLimit-Remaining"))
	if err != nil {
		return Allowance{}, false, nil
	}
	return Allowance{limit, remaining, window}, true, nil
}
