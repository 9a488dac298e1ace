package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

const (
	// tagsPage is how many tags are requested at once. CNCF distribution
	// refuses more; others return fewer in any case.
	tagsPage = 1000
	// maxRepeated is after how many pages in a row with tags of earlier pages alone a
	// list of tags is given up. A registry may sort each page anew.
	maxRepeated = 16
	// maxPages limits a list of referrers.
	maxPages = 100
	// maxPage limits one page of a list, in bytes.
	maxPage = 4 << 20
)

// extent limits a list of tags.
type extent struct {
	pages, tags int
	time        time.Duration
	step        step
}

var (
	// hints may be incomplete.
	hints = extent{pages: 100, tags: 50_000, time: 30 * time.Second, step: listTags}
	// wholes allow the largest list that was seen, in the smallest pages.
	wholes = extent{pages: 2000, tags: 200_000, time: 10 * time.Minute, step: listTags}
)

// HasTags reports whether a repository has a tag, as far as the registry tells.
func (c *Client) HasTags(ctx context.Context, repository reference.Repository) bool {
	ctx, cancel := context.WithTimeout(ctx, hints.time)
	defer cancel()
	at := c.at(repository, distribution.Tags, "list")
	at.RawQuery = url.Values{"n": {"1"}}.Encode()
	page, _, err := c.tagsPage(ctx, listTags, repository, at)
	return err == nil && len(page) > 0
}

// FewTags lists all tags of a repository that satisfy the grammar, if they are on
// so many pages at most, and makes one attempt. Otherwise it fails.
func (c *Client) FewTags(ctx context.Context, repository reference.Repository, pages int) ([]string, error) {
	return c.list(ctx, repository, extent{pages: pages, tags: hints.tags, time: extrasTime, step: listFewTags})
}

// Tags lists the valid tags of a repository in the registry's order. Of a
// repository with tens of thousands it lists the first ones.
func (c *Client) Tags(ctx context.Context, repository reference.Repository) ([]string, error) {
	tags, err := c.list(ctx, repository, hints)
	if err != nil && len(tags) == 0 {
		return nil, err
	}
	return tags, nil
}

// AllTags lists all valid tags of a repository in the registry's order. An
// incomplete list is an error.
func (c *Client) AllTags(ctx context.Context, repository reference.Repository) ([]string, error) {
	return c.list(ctx, repository, wholes)
}

// list lists tags. With an error it returns those of the pages before.
func (c *Client) list(ctx context.Context, repository reference.Repository, most extent) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, most.time)
	defer cancel()
	at := c.at(repository, distribution.Tags, "list")
	var tags []string
	seen := map[string]bool{}
	query := url.Values{"n": {strconv.Itoa(tagsPage)}}
	at.RawQuery = query.Encode()
	page, next, err := c.tagsPage(ctx, most.step, repository, at)
	if f, ok := failure.As(err); ok && f.Kind() != failure.Transient && (f.Code != failure.NotFound || isPage([]byte(f.Detail))) && f.Code != failure.Private && f.Code != failure.TargetLogin {
		query = url.Values{} // the registry may refuse n
		at.RawQuery = ""
		page, next, err = c.tagsPage(ctx, most.step, repository, at)
	}
	links, probed, repeated := false, false, 0
	asked := map[string]bool{}
	for pages := 1; err == nil; pages++ {
		more := false
		for _, tag := range page {
			if seen[tag] {
				continue
			}
			seen[tag], more = true, true
			if _, err := repository.Tagged(tag); err == nil {
				tags = append(tags, tag)
			}
		}
		links = links || next != nil
		probed = !links && len(page)%100 == 0 && more
		if probed {
			// The registry may have a lower limit and no Link header.
			query.Set("last", page[len(page)-1])
			at.RawQuery = query.Encode()
			next = at
		}
		repeated++
		if more || len(page) == 0 { // an empty page is no end
			repeated = 0
		}
		switch {
		case next == nil || asked[next.String()]:
			return tags, nil
		case pages == most.pages || repeated == maxRepeated || len(seen) >= most.tags:
			return tags, c.fail(failure.TooLarge, listTags.name, fmt.Errorf("the list goes on after %d tags on %d pages", len(seen), pages))
		}
		asked[next.String()] = true
		page, next, err = c.tagsPage(ctx, most.step, repository, next)
	}
	if f, ok := failure.As(err); ok && probed && f.Kind() != failure.Transient {
		return tags, nil // it reported that there was no more
	}
	return tags, err
}

// tagsPage reads one page of tags and the address of the next page.
func (c *Client) tagsPage(ctx context.Context, s step, repository reference.Repository, at *url.URL) ([]string, *url.URL, error) {
	a, err := c.ask(ctx, s, exchange{method: http.MethodGet, url: at, scopes: c.scopes(repository)}, maxPage)
	if err != nil {
		return nil, nil, err
	}
	var list struct {
		Tags []string `json:"tags"`
	}
	if err := json.Unmarshal(a.body, &list); err != nil {
		return nil, nil, c.fail(failure.Internal, listTags.name, fmt.Errorf("reading tags: %w", err))
	}
	return list.Tags, c.nextPage(a), nil
}

// nextPage returns the address of the next page of a list, at the registry
// itself whatever host is written; nil at the end of the list.
func (c *Client) nextPage(a answer) *url.URL {
	next, ok := distribution.NextPage(a.header)
	if !ok {
		return nil
	}
	return c.atHome(a.url.ResolveReference(next))
}

// Referrers lists the manifests that refer to a manifest, by the API of OCI 1.1 or,
// if the registry has none, by the tag that clients use instead, unless tagged says
// that it is not there. It makes one attempt, because an image is complete without
// them. After a failure the registry is not asked for other lists.
func (c *Client) Referrers(ctx context.Context, repository reference.Repository, digest v1.Hash, tagged func(tag string) bool) ([]v1.Descriptor, error) {
	if c.learned.noReferrers.Load() {
		return nil, c.fail(failure.Unavailable, listReferrer.name, errReferrers)
	}
	ctx, cancel := context.WithTimeout(ctx, extrasTime)
	defer cancel()
	if !c.learned.noAPI.Load() {
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
		case f.Code == failure.NotFound:
			c.learned.noAPI.Store(true) // or there would be an empty list
		}
	}
	tag, err := repository.Tagged(digest.Algorithm + "-" + digest.Hex)
	if err != nil || !tagged(tag.Tag()) {
		return nil, nil
	}
	m, err := c.Extra(ctx, tag)
	if f, ok := failure.As(err); ok {
		if f.Kind() == failure.Transient {
			return nil, err
		}
		return nil, nil
	}
	list, _ := descriptors(m.Body)
	return list, nil
}

var errReferrers = fmt.Errorf("the registry failed to list referrers before")

// referrers reads the pages of the API.
func (c *Client) referrers(ctx context.Context, repository reference.Repository, digest v1.Hash) ([]v1.Descriptor, error) {
	var all []v1.Descriptor
	next, empty := c.at(repository, distribution.Referrers, digest.String()), 0
	for range maxPages {
		a, err := c.ask(ctx, listReferrer, exchange{
			method: http.MethodGet, url: next, header: http.Header{"Accept": {distribution.Index}}, scopes: c.scopes(repository),
		}, maxPage)
		if err != nil {
			return nil, err
		}
		page, ok := descriptors(a.body)
		all = append(all, page...)
		if len(page) == 0 {
			empty++
		}
		if next = c.nextPage(a); next == nil || !ok || empty == maxRepeated {
			break // 200 and a web page: the registry has no such API
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
