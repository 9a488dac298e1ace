package front

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// maxTags limits a page of tags, in bytes.
const maxTags = 4 << 20

// page is one page of a list, and the query of the next one.
type page[T any] struct {
	items []T
	next  string
}

// serveTags answers with a page of tags of the first place that has the
// repository. Tags that Ferry added to a mirror are left out.
func (f *Front) serveTags(w *answer, r *http.Request, q Question) *Refusal {
	got, p, refusal := tour(r.Context(), f, q, f.places(q), func(p *Place) (spot, bool) {
		if !believed(p, q.Repository) {
			return spot{}, false
		}
		return p.thing(q.Repository, distribution.Tags, "list")
	}, func(ctx context.Context, p *Place, s spot, begun func()) (page[string], error) {
		return tags(ctx, q, p, s, begun)
	})
	if refusal != nil {
		return refusal
	}
	w.place = p
	body, err := json.Marshal(struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}{q.Written, got.items})
	if err != nil {
		return refuse(http.StatusInternalServerError, distribution.Unavailable, "the tags could not be encoded")
	}
	q.link(w, "list", got.next)
	w.send(r, "application/json", body)
	return nil
}

var madeUp = &pattern.Regexp{Text: `^digest-[0-9a-f]{64}$`}

func tags(ctx context.Context, q Question, p *Place, s spot, begun func()) (page[string], error) {
	resp, err := p.Client.Read(ctx, registry.Read{Method: http.MethodGet, Repository: s.repository, Kind: s.kind, Reference: s.reference, Query: q.Query})
	if err != nil {
		return page[string]{}, err
	}
	begun()
	body, err := readAll(ctx, resp, maxTags)
	if err != nil {
		return page[string]{}, err
	}
	var list struct {
		Tags []string `json:"tags"`
	}
	if json.Unmarshal(body, &list) != nil {
		return page[string]{}, corrupt("the response is not a list of tags")
	}
	tags := slices.DeleteFunc(list.Tags, func(tag string) bool {
		_, err := s.repository.Tagged(tag)
		return err != nil || p.Kind == Mirror && madeUp.MatchString(tag)
	})
	return page[string]{append([]string{}, tags...), following(resp.Header)}, nil
}

// serveReferrers answers with the referrers of a manifest, from the first place
// that has any. If there are none, the list is empty, as the specification
// requires.
func (f *Front) serveReferrers(w *answer, r *http.Request, q Question) *Refusal {
	wanted := q.Query.Get("artifactType")
	q.Query.Del("artifactType")
	got, p, refusal := tour(r.Context(), f, q, f.places(q), func(p *Place) (spot, bool) {
		return p.thing(q.Repository, distribution.Referrers, q.Digest.String())
	}, func(ctx context.Context, p *Place, s spot, begun func()) (page[v1.Descriptor], error) {
		return referrers(ctx, q, p, s, begun)
	})
	if refusal != nil && refusal.Failure != failure.NotFound {
		return refusal
	}
	w.place = p
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: append([]v1.Descriptor{}, got.items...)}
	if wanted != "" {
		index.Manifests = slices.DeleteFunc(index.Manifests, func(d v1.Descriptor) bool { return d.ArtifactType != wanted })
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	body, err := json.Marshal(index)
	if err != nil {
		return refuse(http.StatusInternalServerError, distribution.Unavailable, "the referrers could not be encoded")
	}
	if got.next != "" && wanted != "" {
		got.next += "&artifactType=" + url.QueryEscape(wanted)
	}
	q.link(w, q.Digest.String(), got.next)
	w.send(r, distribution.Index, body)
	return nil
}

// referrers lists the referrers of q's manifest by the API or, if a place has
// none, by the tag that clients maintain instead (specification, "Referrers Tag
// Schema"). A place without referrers counts as lacking them.
func referrers(ctx context.Context, q Question, p *Place, s spot, begun func()) (page[v1.Descriptor], error) {
	accept := []string{distribution.Index}
	got := page[v1.Descriptor]{}
	ask := func(kind distribution.Kind, ref string, query url.Values) error {
		resp, err := p.Client.Read(ctx, registry.Read{Method: http.MethodGet, Repository: s.repository, Kind: kind, Reference: ref, Query: query, Accept: accept})
		if err != nil {
			return err
		}
		begun()
		body, err := readAll(ctx, resp, registry.MaxManifest)
		if err != nil {
			return err
		}
		var index v1.IndexManifest
		if json.Unmarshal(body, &index) != nil || index.SchemaVersion == 0 {
			return nil // a web page: the API does not exist there
		}
		got = page[v1.Descriptor]{index.Manifests, following(resp.Header)}
		return nil
	}
	err := ask(s.kind, s.reference, q.Query)
	if code := failure.CodeOf(err); err == nil && len(got.items) == 0 || code == failure.NotFound || code == failure.Internal {
		err = nil
		if p.Kind != Mirror || believed(p, q.Repository) {
			err = ask(distribution.Manifests, q.Digest.Algorithm+"-"+q.Digest.Hex, nil)
		}
	}
	if err == nil && len(got.items) == 0 {
		err = &failure.Error{Code: failure.NotFound, Side: failure.Source, Step: "listing referrers"}
	}
	return got, err
}

// believed reports whether a place is asked for lists.
func believed(p *Place, r reference.Repository) bool {
	_, ok := p.Tag(r, "any")
	return ok && !p.Mixed
}

// following returns the query of the next page of a list. The rest of the
// address is ignored.
func following(h http.Header) string {
	u, ok := distribution.NextPage(h)
	if !ok {
		return ""
	}
	query := u.Query()
	query.Del("ns")
	return query.Encode()
}

// link sets the address of the next page, with the repository as the client
// named it.
func (q Question) link(w http.ResponseWriter, ref, query string) {
	if query == "" {
		return
	}
	if q.Namespace != "" {
		query += "&ns=" + url.QueryEscape(q.Namespace)
	}
	path := distribution.Endpoint{Repository: q.Written, Kind: q.Kind, Reference: ref}.Path()
	distribution.SetNextPage(w.Header(), &url.URL{Path: path, RawQuery: query})
}
