package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

const (
	// tagsPage is how many tags are asked for at once. CNCF distribution refuses
	// more; others return fewer in any case.
	tagsPage = 1000
	// maxPages and maxTags bound a list of tags: some repositories have tens of
	// thousands.
	maxPages, maxTags = 100, 50_000
	// maxPage bounds one page of a list, in bytes.
	maxPage = 4 << 20
	// listTime bounds the time for a list of tags, which serves a hint.
	listTime = 30 * time.Second
)

// HasTags reports whether a repository has a tag, as far as the registry answers.
func (c *Client) HasTags(ctx context.Context, repository reference.Repository) bool {
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	at := c.at(repository, distribution.Tags, "list")
	at.RawQuery = url.Values{"n": {"1"}}.Encode()
	page, _, err := c.tagsPage(ctx, repository, at)
	return err == nil && len(page) > 0
}

// Tags lists the tags of a repository that satisfy the grammar, in the registry's
// order. Of a repository with more than maxTags it lists the first of them.
func (c *Client) Tags(ctx context.Context, repository reference.Repository) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	at := c.at(repository, distribution.Tags, "list")
	var tags []string
	seen := map[string]bool{}
	ask := func(query url.Values) ([]string, *url.URL, error) {
		at.RawQuery = query.Encode()
		return c.tagsPage(ctx, repository, at)
	}
	page, next, err := ask(url.Values{"n": {strconv.Itoa(tagsPage)}})
	if f, ok := failure.As(err); ok && f.Kind() != failure.Transient && f.Code != failure.NotFound && f.Code != failure.Private && f.Code != failure.TargetLogin {
		page, next, err = ask(nil) // perhaps it is n that it refuses
	}
	for range maxPages {
		if err != nil {
			break
		}
		more := false
		for _, tag := range page {
			if !seen[tag] {
				seen[tag], more = true, true
				tags = append(tags, tag)
			}
		}
		switch {
		case !more || len(tags) >= maxTags:
			next = nil
		case next == nil && len(page)%100 == 0:
			// The registry may have a lower limit and no Link header.
			at.RawQuery = url.Values{"n": {strconv.Itoa(tagsPage)}, "last": {page[len(page)-1]}}.Encode()
			next = at
		}
		if next == nil {
			break
		}
		page, next, err = c.tagsPage(ctx, repository, next)
	}
	if err != nil && len(tags) == 0 {
		return nil, err
	}
	return slices.DeleteFunc(tags[:min(len(tags), maxTags)], func(tag string) bool {
		_, err := repository.Tagged(tag)
		return err != nil
	}), nil
}

// tagsPage reads one page of tags, and where the list goes on.
func (c *Client) tagsPage(ctx context.Context, repository reference.Repository, at *url.URL) ([]string, *url.URL, error) {
	a, err := c.ask(ctx, listTags, exchange{method: http.MethodGet, url: at, scopes: c.scopes(repository)}, maxPage)
	if err != nil {
		return nil, nil, err
	}
	var list struct {
		Tags []string `json:"tags"`
	}
	if err := json.Unmarshal(a.body, &list); err != nil {
		return nil, nil, &failure.Error{Code: failure.Internal, Side: c.side, Step: listTags.name, Err: fmt.Errorf("reading tags: %w", err)}
	}
	return list.Tags, c.nextPage(a), nil
}

// nextPage is the address of the next page of a list, nil at its end. A page at
// another host is not asked for: it would need another login.
func (c *Client) nextPage(a answer) *url.URL {
	next, ok := distribution.NextPage(a.header)
	if !ok {
		return nil
	}
	if next = c.ownPort(a.url.ResolveReference(next)); !c.ours(next) {
		return nil
	}
	return next
}

// Referrers lists the manifests that refer to a manifest, by the API of OCI 1.1 or,
// if the registry has none, by the tag that clients use instead. It makes one
// attempt, because an image is complete without them. After a failure the registry
// is not asked for other lists.
func (c *Client) Referrers(ctx context.Context, repository reference.Repository, digest v1.Hash) ([]v1.Descriptor, error) {
	if c.learned.noReferrers.Load() {
		return nil, &failure.Error{Code: failure.Unavailable, Side: c.side, Step: listReferrer.name, Err: errReferrers}
	}
	ctx, cancel := context.WithTimeout(ctx, extrasTime)
	defer cancel()
	list, err := c.referrers(ctx, repository, digest)
	f, ok := failure.As(err)
	switch {
	case !ok:
		return list, nil
	case f.Kind() == failure.Transient:
		if f.Code != failure.Cancelled {
			c.learned.noReferrers.Store(true)
		}
		return nil, err
	}
	tag, err := repository.Tagged(digest.Algorithm + "-" + digest.Hex)
	if err != nil {
		return nil, nil
	}
	m, err := c.Extra(ctx, tag)
	if f, ok := failure.As(err); ok {
		if f.Kind() == failure.Transient {
			return nil, err
		}
		return nil, nil
	}
	list, _ = descriptors(m.Body)
	return list, nil
}

var errReferrers = fmt.Errorf("the registry failed to list referrers before")

// referrers reads the pages of the API.
func (c *Client) referrers(ctx context.Context, repository reference.Repository, digest v1.Hash) ([]v1.Descriptor, error) {
	var all []v1.Descriptor
	next := c.at(repository, distribution.Referrers, digest.String())
	for range maxPages {
		a, err := c.ask(ctx, listReferrer, exchange{
			method: http.MethodGet, url: next, header: http.Header{"Accept": {distribution.Index}}, scopes: c.scopes(repository),
		}, maxPage)
		if err != nil {
			return nil, err
		}
		page, ok := descriptors(a.body)
		all = append(all, page...)
		if next = c.nextPage(a); next == nil || !ok || len(page) == 0 {
			break // 200 and a web page: there is no such API
		}
	}
	return all, nil
}

func descriptors(body []byte) ([]v1.Descriptor, bool) {
	index, err := v1.ParseIndexManifest(bytes.NewReader(body))
	if err != nil {
		return nil, false
	}
	return index.Manifests, true
}
