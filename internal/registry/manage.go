package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// maxRepositories limits the list of repositories.
const maxRepositories = 100_000

// harborService is the service that each Harbor names in its challenge
// (goharbor/harbor, src/core/service/token/creator.go).
const harborService = "harbor-registry"

// refusals are the errors of a registry that does not list its repositories.
var refusals = []failure.Code{failure.TargetLogin, failure.TargetClosed, failure.TargetRefused, failure.NotFound}

// Repositories lists the repositories below a namespace: by the vendor's API, otherwise
// by the list of the registry or, if a Harbor refuses that, by its API. Only some
// registries have one, and only for some logins; an incomplete list is an error.
func (c *Client) Repositories(ctx context.Context, namespace string) ([]reference.Repository, error) {
	ctx, cancel := context.WithTimeout(ctx, hints.time)
	defer cancel()
	if c.manager() != "" {
		return c.managed(ctx, namespace, "/v2/namespaces/"+namespace+"/repositories")
	}
	u := *c.base
	u.Path, u.RawQuery = distribution.Catalog, url.Values{"n": {strconv.Itoa(tagsPage)}}.Encode()
	found := repositories{host: c.host.Name, below: namespace + "/"}
	for next := &u; next != nil; {
		a, err := c.ask(ctx, listCatalog, exchange{method: http.MethodGet, url: next, scopes: []Scope{{Catalog: true}}}, maxPage)
		if err != nil {
			if c.auth.service() == harborService && slices.Contains(refusals, failure.CodeOf(err)) { // the list is for administrators
				project, _, _ := strings.Cut(namespace, "/")
				if list, err := c.managed(ctx, namespace, "/api/v2.0/projects/"+project+"/repositories"); err == nil {
					return list, nil
				}
			}
			return nil, err
		}
		var page struct{ Repositories []string }
		if json.Unmarshal(a.body, &page) != nil || page.Repositories == nil {
			return nil, c.noList("is no list of repositories")
		}
		more := found.add(page.Repositories)
		if next = c.nextPage(a); next != nil && !more {
			return nil, c.noList("has no end")
		}
	}
	return found.list, nil
}

// repositories are those of a list that are below a namespace.
type repositories struct {
	host  string
	below string
	list  []reference.Repository
	seen  map[string]bool
}

// add adds a page of a list. It reports false if the page has nothing new, or if there
// are too many repositories.
func (r *repositories) add(page []string) (more bool) {
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	for _, path := range page {
		if r.seen[path] {
			continue
		}
		r.seen[path], more = true, true
		if repository, err := reference.NewRepository(r.host, path); err == nil && strings.HasPrefix(path, r.below) {
			r.list = append(r.list, repository)
		}
	}
	return more && len(r.seen) <= maxRepositories
}

// noList returns an error that says what the answer is.
func (c *Client) noList(what string) error {
	return c.fail(failure.Internal, listCatalog.name, errors.New("the answer "+what))
}

// Delete deletes the manifest of ref if ref has a digest, otherwise its tag, by the
// vendor's API if there is one. It makes one attempt, because many registries cannot
// delete, or do it later. It is no error if ref does not exist.
func (c *Client) Delete(ctx context.Context, ref reference.Reference) (err error) {
	if c.manager() != "" && !ref.HasDigest() {
		_, err = c.manage(ctx, deleteManifest, http.MethodDelete, "/v2/repositories/"+ref.Repository().Path()+"/tags/"+ref.Tag()+"/", "")
	} else {
		_, err = c.ask(ctx, deleteManifest, exchange{
			method: http.MethodDelete,
			url:    c.at(ref.Repository(), distribution.Manifests, part(ref)),
			scopes: []Scope{{Repository: ref.Repository(), Push: true, Delete: true}},
		}, maxError)
	}
	return err
}

// manager returns the host of the vendor's API; empty for none.
func (c *Client) manager() string { return known.Of(c.host.Name).Manager }

// manage sends a request to the vendor's API. Docker Hub's takes a token for the login,
// Harbor's the login itself, at the registry's own host.
func (c *Client) manage(ctx context.Context, s step, method, path, query string) (a answer, err error) {
	login, err := c.auth.login.account(ctx)
	if err != nil {
		return a, err
	}
	u, x := *c.base, exchange{method: method, header: http.Header{}}
	if manager := c.manager(); manager != "" {
		u.Host = manager
		token, err := c.managerToken(ctx, u, login)
		if err != nil {
			return a, err
		}
		x.header.Set("Authorization", "Bearer "+token)
	} else if !login.anonymous() {
		x.header.Set("Authorization", login.basic())
	}
	u.Path, u.RawQuery = path, query
	x.url = &u
	return c.ask(ctx, s, x, maxPage)
}

// managerTokenLife is how long a token of Docker Hub's API is used again. It is valid
// for longer.
const managerTokenLife = 5 * time.Minute

// managerToken returns a token for a login at Docker Hub's API.
func (c *Client) managerToken(ctx context.Context, u url.URL, login account) (string, error) {
	m := &c.managing
	m.Lock()
	defer m.Unlock()
	if time.Now().Before(m.until) {
		return m.token, nil
	}
	body, err := json.Marshal(map[string]string{"identifier": login.username, "secret": login.password.Reveal()})
	u.Path = "/v2/auth/token"
	x := exchange{method: http.MethodPost, url: &u, header: http.Header{"Content-Type": {"application/json"}}, body: bytes.NewReader(body), size: int64(len(body))}
	var a answer
	if err == nil {
		a, err = c.ask(ctx, getToken, x, maxError)
	}
	var t tokenAnswer
	if err == nil && (json.Unmarshal(a.body, &t) != nil || t.AccessToken == "") {
		err = c.fail(failure.Internal, gettingToken, errors.New("the answer has no token"))
	}
	if err != nil {
		return "", err
	}
	if c.opts.Secret != nil {
		c.opts.Secret(t.AccessToken)
	}
	m.token, m.until = t.AccessToken, time.Now().Add(managerTokenLife)
	return m.token, nil
}

// managed lists the repositories below a namespace by an API for managing them.
func (c *Client) managed(ctx context.Context, namespace, path string) ([]reference.Repository, error) {
	found := repositories{host: c.host.Name, below: namespace + "/"}
	without := "" // what the names of the list lack
	if c.manager() != "" {
		without = found.below
	}
	for page := 1; ; page++ {
		a, err := c.manage(ctx, listCatalog, http.MethodGet, path, "page_size=100&page="+strconv.Itoa(page))
		if page > 1 && failure.CodeOf(err) == failure.NotFound {
			return found.list, nil // Docker Hub has no page after the last
		}
		if err != nil {
			return nil, err
		}
		var list []struct{ Name string }
		hub := struct{ Results any }{&list}
		// Harbor's is an array.
		if json.Unmarshal(a.body, &list) != nil && (json.Unmarshal(a.body, &hub) != nil || list == nil) {
			return nil, c.noList("is no list of repositories")
		}
		paths := make([]string, len(list))
		for i := range list {
			paths[i] = without + list[i].Name
		}
		switch more := found.add(paths); {
		case len(found.seen) > maxRepositories:
			return nil, c.noList("has no end")
		case !more:
			return found.list, nil
		}
	}
}
