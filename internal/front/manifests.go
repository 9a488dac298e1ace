package front

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

const (
	// maxAccept limits the media types that are passed on. Clients send about
	// ten.
	maxAccept = 32
	// bodyTime limits the transfer of a manifest once it has begun.
	bodyTime = 30 * time.Second
)

// resolved is a pointer and the place that returned it, nil for memory.
type resolved struct {
	pointer
	place *Place
}

// serveManifest answers GET and HEAD. HEAD fetches the manifest too, so that
// the following GET can deliver it.
func (f *Front) serveManifest(w *answer, r *http.Request, q Question) *Refusal {
	accept := r.Header["Accept"]
	m, stale, refusal := f.manifest(r.Context(), q, accept)
	if refusal != nil {
		m.Manifest, refusal = f.requested(r.Context(), q, w.guest, refusal)
		if refusal == nil && m.Manifest == nil {
			m, stale, refusal = f.manifest(r.Context(), q, accept)
		}
	}
	if refusal != nil {
		return refusal
	}
	w.place = m.place
	h := w.Header()
	digest := m.Digest.Algorithm + ":" + m.Digest.Hex // String is slower
	h["Docker-Content-Digest"], h["Etag"] = []string{digest}, []string{`"` + digest + `"`}
	if stale > 0 {
		h.Set("Warning", `110 ferry "no place answers: this is the manifest of the tag from `+stale.Round(time.Second).String()+` ago"`)
	}
	if matches(r.Header.Values("If-None-Match"), m.Digest) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	w.send(r, string(m.MediaType), m.Body)
	return nil
}

// manifest returns the manifest of q for a client with these headers Accept. If
// no place could confirm the tag, stale is the time since the last check.
func (f *Front) manifest(ctx context.Context, q Question, headers []string) (m found, stale time.Duration, refusal *Refusal) {
	if q.Tag == "" {
		m, refusal = f.byDigest(ctx, q, headers)
		return m, 0, refusal
	}
	accept := acceptable(headers)
	key := tagged{q.Repository, q.Tag, strings.Join(accept, ",")}
	known, ok := f.memories.tags.get(key)
	var asked *Place // that has just confirmed the tag
	if !ok || f.due(known) {
		answer, refusal := flight(ctx, &f.memories.flights, "tag "+q.String()+" "+key.accept, func(ctx context.Context) (resolved, *Refusal) {
			return f.resolve(ctx, q, key, accept)
		})
		age := f.opts.Now().Sub(known.checked)
		switch {
		case refusal == nil:
			known, asked = answer.pointer, answer.place
		case ok && refusal.Status != http.StatusNotFound && refusal.Status != http.StatusForbidden && age < f.opts.Stale:
			stale = max(age, time.Second)
		default:
			return found{}, 0, refusal
		}
	}
	q.Digest = known.digest
	m, refusal = f.byDigest(ctx, q, headers)
	m.place = cmp.Or(m.place, asked)
	return m, stale, refusal
}

// due reports whether a tag has to be checked again. The clock may be set back.
func (f *Front) due(p pointer) bool {
	age := f.opts.Now().Sub(p.checked)
	return age < 0 || age >= f.opts.TagTTL
}

// resolve returns the current digest of a tag. If an earlier one is known it
// uses HEAD, which Docker Hub does not count.
func (f *Front) resolve(ctx context.Context, q Question, key tagged, accept []string) (resolved, *Refusal) {
	before, known := f.memories.tags.get(key)
	if known && !f.due(before) {
		return resolved{before, nil}, nil // another request has just checked
	}
	where := func(p *Place) (spot, bool) { return p.manifest(q) }
	now := before.digest
	var answered *Place
	if known {
		digest, p, refusal := tour(ctx, f, q, f.places(q), where, func(ctx context.Context, p *Place, s spot, begun func()) (v1.Hash, error) {
			return head(ctx, p, s, accept)
		})
		if refusal != nil {
			return resolved{}, refusal
		}
		now, answered = digest, p
		if now == before.digest {
			f.lacked(q, p, now)
		}
	}
	if !known || now != before.digest {
		// Some registries do not return the digest for HEAD, so the manifest is
		// fetched.
		m, p, refusal := tour(ctx, f, q, f.places(q), where, func(ctx context.Context, p *Place, s spot, begun func()) (*registry.Manifest, error) {
			return fetch(ctx, p, s, accept, v1.Hash{}, begun)
		})
		if refusal != nil {
			return resolved{}, refusal
		}
		now, answered = m.Digest, p
		f.keep(q.Repository, m, p)
		f.memories.inner.put(item{q.Repository, m.Digest}, struct{}{}, 1)
		f.lacked(q, p, m.Digest)
	}
	after := pointer{now, f.opts.Now()}
	f.memories.tags.put(key, after, 1)
	return resolved{after, answered}, nil
}

// byDigest returns the manifest of q's digest, unless it is larger than those that are
// served.
func (f *Front) byDigest(ctx context.Context, q Question, headers []string) (found, *Refusal) {
	m, refusal := f.read(ctx, q, headers)
	if refusal == nil && m.extent.exceeds(f.opts.Limits) {
		return found{}, refuse(http.StatusForbidden, distribution.Denied, "the manifest lists %d bytes and %d images, and the limits of this front are %d and %d", m.extent.Bytes, m.extent.Manifests, f.opts.Limits.Bytes, f.opts.Limits.Manifests)
	}
	return m, refusal
}

// read returns the manifest of q's digest, from memory if possible.
func (f *Front) read(ctx context.Context, q Question, headers []string) (found, *Refusal) {
	key := item{q.Repository, q.Digest}
	if m, ok := f.memories.manifests.get(key); ok {
		f.meters.remembered.Add(1)
		return m, nil
	}
	q.Tag = ""
	return flight(ctx, &f.memories.flights, "manifest "+q.String(), func(ctx context.Context) (found, *Refusal) {
		if m, ok := f.memories.manifests.get(key); ok {
			return m, nil
		}
		// The digest determines the content, so all types are accepted.
		all := acceptable(append(slices.Clone(headers), accepted...))
		m, p, refusal := tour(ctx, f, q, f.places(q), func(p *Place) (spot, bool) { return p.manifest(q) },
			func(ctx context.Context, p *Place, s spot, begun func()) (*registry.Manifest, error) {
				return fetch(ctx, p, s, all, q.Digest, begun)
			})
		if refusal != nil {
			return found{}, refusal
		}
		extent := f.keep(q.Repository, m, p)
		if _, inner := f.memories.inner.get(key); !inner {
			f.lacked(q, p, m.Digest)
		}
		return found{m, extent, p}, nil
	})
}

// keep remembers a manifest and its parts. It returns what m lists.
func (f *Front) keep(repository reference.Repository, m *registry.Manifest, p *Place) Extent {
	extent := f.keepParts(repository, m, p)
	f.memories.manifests.put(item{repository, m.Digest}, found{m, extent, nil}, int64(len(m.Body))+500)
	return extent
}

// keepParts remembers the manifests in m and the sizes of its blobs. It returns what
// m lists.
func (f *Front) keepParts(repository reference.Repository, m *registry.Manifest, p *Place) (extent Extent) {
	var names struct {
		Config            *v1.Descriptor
		Layers, Manifests []v1.Descriptor
	}
	if json.Unmarshal(m.Body, &names) != nil {
		return extent
	}
	for _, d := range names.Manifests {
		f.memories.inner.put(item{repository, d.Digest}, struct{}{}, 1)
	}
	if names.Config != nil {
		names.Layers = append(names.Layers, *names.Config)
	}
	extent.Manifests = len(names.Manifests)
	for _, d := range names.Layers {
		if d.Size >= 0 {
			extent.Bytes += min(d.Size, math.MaxInt64-extent.Bytes)
			f.memories.parts.put(item{repository, d.Digest}, part{size: d.Size, place: p}, 1)
		}
	}
	return extent
}

// lacked notifies the places before the one that answered which image they
// lack, but not each of its parts.
func (f *Front) lacked(q Question, answered *Place, digest v1.Hash) {
	for _, p := range f.places(q) {
		if p == answered {
			return
		}
		if p.Missing == nil {
			continue
		}
		ref, err := reference.Parse(q.Repository.String() + "@" + digest.String())
		if q.Tag != "" {
			ref, err = q.Repository.Tagged(q.Tag)
			ref = ref.WithDigest(digest)
		}
		if err == nil {
			p.Missing(ref)
		}
	}
}

// head returns the digest of a tag. It is the zero Hash if the place does not
// return it.
func head(ctx context.Context, p *Place, s spot, accept []string) (v1.Hash, error) {
	resp, err := p.Client.Read(ctx, registry.Read{Method: http.MethodHead, Repository: s.repository, Kind: s.kind, Reference: s.reference, Accept: accept})
	if err != nil {
		return v1.Hash{}, err
	}
	resp.Body.Close()
	digest, err := reference.ParseDigest(resp.Header.Get("Docker-Content-Digest"))
	if err != nil {
		return v1.Hash{}, nil
	}
	return digest, nil
}

// fetch gets a manifest and checks its digest unless wanted is the zero Hash.
// It checks that the response is a manifest, because anything between the front
// and a registry may answer with a web page.
func fetch(ctx context.Context, p *Place, s spot, accept []string, wanted v1.Hash, begun func()) (*registry.Manifest, error) {
	resp, err := p.Client.Read(ctx, registry.Read{Method: http.MethodGet, Repository: s.repository, Kind: s.kind, Reference: s.reference, Accept: accept})
	if err != nil {
		return nil, err
	}
	begun()
	body, err := readAll(ctx, resp, registry.MaxManifest)
	if err != nil {
		return nil, err
	}
	declared, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	var self struct {
		SchemaVersion int             `json:"schemaVersion"`
		MediaType     types.MediaType `json:"mediaType"`
	}
	if err := json.Unmarshal(body, &self); err != nil || self.SchemaVersion == 0 && self.MediaType == "" {
		return nil, corrupt("the response is not a manifest")
	}
	mediaType := self.MediaType
	if mediaType == "" {
		mediaType = types.MediaType(strings.ToLower(strings.TrimSpace(declared)))
	}
	if !isMediaType(string(mediaType)) {
		return nil, corrupt("the manifest has no media type")
	}
	m := registry.NewManifest(mediaType, body)
	switch {
	case wanted == v1.Hash{}:
		return m, nil
	case m.Has(wanted):
		m.Digest = wanted // which the client compares, and which may be a sha512
		return m, nil
	case s.reference != wanted.String(): // a tag, which may name something else
		return nil, &failure.Error{Code: failure.NotFound, Side: failure.Source, Step: "reading", Err: fmt.Errorf("the tag names %s, not %s", m.Digest, wanted)}
	}
	return nil, corrupt("the manifest is %s, not %s", m.Digest, wanted)
}

// readAll reads a body within limits of size and time, and closes it.
func readAll(ctx context.Context, resp *http.Response, limit int64) ([]byte, error) {
	defer resp.Body.Close()
	late := time.AfterFunc(bodyTime, func() { resp.Body.Close() })
	defer late.Stop()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil && errors.Is(ctx.Err(), context.Canceled):
		return nil, &failure.Error{Code: failure.Cancelled, Side: failure.Source, Step: "reading", Err: err}
	case err != nil:
		return nil, &failure.Error{Code: failure.Network, Side: failure.Source, Step: "reading", Err: err}
	case int64(len(body)) > limit:
		return nil, &failure.Error{Code: failure.TooLarge, Side: failure.Source, Step: "reading", Err: fmt.Errorf("the answer has more than %d bytes", limit)}
	}
	return body, nil
}

func corrupt(format string, args ...any) *failure.Error {
	return &failure.Error{Code: failure.Corrupt, Side: failure.Source, Step: "reading", Err: fmt.Errorf(format, args...)}
}

// isMediaType reports whether text is a media type in lower case (RFC 6838
// §4.2).
func isMediaType(text string) bool {
	first, second, ok := strings.Cut(text, "/")
	return ok && isTypeName(first) && isTypeName(second)
}

func isTypeName(text string) bool {
	for i := range len(text) {
		c := text[i]
		letter := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !letter && (i == 0 || strings.IndexByte("!#$&^_.+-", c) < 0) {
			return false
		}
	}
	return 0 < len(text) && len(text) <= 127
}

var accepted = strings.Split(distribution.Accept, ", ")

// acceptable returns the media types that a client accepts, sorted, so that
// equal clients share the memory. Clients that name none, or any, get the types
// that Ferry knows.
func acceptable(headers []string) []string {
	var accept []string
	for _, header := range headers {
		for _, text := range strings.Split(header, ",") {
			mediaType, _, _ := strings.Cut(text, ";")
			mediaType = strings.ToLower(strings.TrimSpace(mediaType))
			if isMediaType(mediaType) && len(accept) < maxAccept {
				accept = append(accept, mediaType)
			}
			if mediaType == "*/*" {
				accept = append(accept, accepted...)
			}
		}
	}
	if len(accept) == 0 {
		accept = slices.Clone(accepted)
	}
	slices.Sort(accept)
	return slices.Compact(accept)
}

// matches reports whether an If-None-Match names the digest (RFC 9110 §13.1.2).
func matches(headers []string, digest v1.Hash) bool {
	for _, header := range headers {
		for _, tag := range strings.Split(header, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if tag == "*" || strings.Trim(tag, `"`) == digest.String() {
				return true
			}
		}
	}
	return false
}
