package mirror

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/registry"
)

// emptied returns a target's registry with images, whose tags are "old" and "twin" with
// one content, "new", the index "whole", and "part".
func emptied(t *testing.T, opts fakeregistry.Options) (target *fakeregistry.Registry, digest func(tag string) v1.Hash) {
	t.Helper()
	target = fakeregistry.New(opts)
	generate := func(seed uint64, platforms ...string) *fakeregistry.Image {
		return fakeregistry.Generate(fakeregistry.Spec{Seed: seed, Platforms: platforms, Layers: []int{100}})
	}
	whole := generate(3, "linux/amd64", "linux/arm64")
	target.Add("m/tool", "old", generate(1, "linux/amd64"))
	target.Add("m/tool", "twin", generate(1, "linux/amd64"))
	target.Add("m/tool", "new", generate(2, "linux/amd64"))
	target.Add("m/tool", "whole", whole)
	target.Add("m/tool", "part", generate(4, "linux/amd64"))
	digest = func(tag string) v1.Hash {
		_, body, ok := target.Manifest("m/tool", tag)
		if !ok {
			t.Fatalf("there is no %s", tag)
		}
		d, err := v1.NewHash(fakeregistry.Digest(body))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	return target, digest
}

// deleteAt deletes tags of m/tool at a registry.
func deleteAt(t *testing.T, h http.Handler, digest func(string) v1.Hash, tags ...string) []Removed {
	t.Helper()
	host := serve(t, h)
	targets := registry.NewTargets([]config.Target{{Host: host, Namespace: "m", Private: true, PlainHTTP: true}}, nil, registry.Options{Wait: noWait})
	t.Cleanup(targets.Close)
	var removals []Removal
	for _, tag := range tags {
		removals = append(removals, Removal{parse(t, host+"/m/tool:"+tag), digest(tag)})
	}
	return New(Options{Targets: targets}).Delete(t.Context(), removals)
}

func there(target *fakeregistry.Registry, refs ...string) []bool {
	var all []bool
	for _, ref := range refs {
		_, _, ok := target.Manifest("m/tool", ref)
		all = append(all, ok)
	}
	return all
}

// withTags makes a registry delete a manifest by its digest with all tags of it, as CNCF
// distribution and Harbor do. Distribution 2.8 does not delete a tag alone.
func withTags(r *fakeregistry.Registry, byTag bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, ref, _ := strings.Cut(req.URL.Path, "/manifests/")
		if req.Method == http.MethodDelete && strings.HasPrefix(ref, "sha256:") {
			for _, tag := range r.Tags("m/tool") {
				if _, body, ok := r.Manifest("m/tool", tag); ok && fakeregistry.Digest(body) == ref {
					r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodDelete, strings.Replace(req.URL.Path, ref, tag, 1), http.NoBody))
				}
			}
		} else if req.Method == http.MethodDelete && !byTag {
			http.Error(w, `{"errors":[{"code":"DIGEST_INVALID"}]}`, http.StatusBadRequest)
			return
		}
		r.ServeHTTP(w, req)
	})
}

func TestDelete(t *testing.T) {
	byTag := func(r *fakeregistry.Registry) http.Handler { return r }
	byDigest := func(r *fakeregistry.Registry) http.Handler { return withTags(r, false) }
	byBoth := func(r *fakeregistry.Registry) http.Handler { return withTags(r, true) }
	for _, test := range []struct {
		name   string
		opts   fakeregistry.Options
		behind func(*fakeregistry.Registry) http.Handler
		tags   []string
		want   []Removed
		left   []string // of old, twin, new, whole, part
	}{
		{"by tag", fakeregistry.Options{}, byTag, []string{"new"}, []Removed{Deleted}, []string{"old", "twin", "whole", "part"}},
		{"one of two tags", fakeregistry.Options{}, byTag, []string{"old"}, []Removed{Deleted}, []string{"twin", "new", "whole", "part"}},
		{"both tags", fakeregistry.Options{}, byTag, []string{"old", "twin"}, []Removed{Deleted, Deleted}, []string{"new", "whole", "part"}},
		{"an index", fakeregistry.Options{}, byTag, []string{"whole"}, []Removed{Deleted}, []string{"old", "twin", "new", "part"}},
		{"by digest", fakeregistry.Options{}, byDigest, []string{"new", "whole"}, []Removed{Deleted, Deleted}, []string{"old", "twin", "part"}},
		{"by digest, and another tag has it", fakeregistry.Options{}, byDigest, []string{"old"}, []Removed{Shared}, []string{"old", "twin", "new", "whole", "part"}},
		{"by digest, both tags", fakeregistry.Options{}, byDigest, []string{"old", "twin"}, []Removed{Deleted, Deleted}, []string{"new", "whole", "part"}},
		{"by both, one of two tags", fakeregistry.Options{}, byBoth, []string{"old"}, []Removed{Deleted}, []string{"twin", "new", "whole", "part"}},
		{"refused", fakeregistry.Options{NoDelete: true}, byTag, []string{"new"}, []Removed{ByHand}, []string{"old", "twin", "new", "whole", "part"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			target, digest := emptied(t, test.opts)
			before := map[string]v1.Hash{}
			for _, tag := range []string{"old", "twin", "new", "whole", "part"} {
				before[tag] = digest(tag)
			}
			got := deleteAt(t, test.behind(target), digest, test.tags...)
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			var left []string
			for _, tag := range []string{"old", "twin", "new", "whole", "part"} {
				if there(target, tag)[0] {
					left = append(left, tag)
				}
				// The content of a tag that is left is there; that of the others is not.
				if stays := slices.ContainsFunc(test.left, func(l string) bool { return before[l] == before[tag] }); there(target, before[tag].String())[0] != stays {
					t.Errorf("the content of %s is there: %v", tag, !stays)
				}
			}
			if !slices.Equal(left, test.left) {
				t.Errorf("left are %v, want %v", left, test.left)
			}
		})
	}
}

// TestDeleteTakesPartsAlong deletes an index with its parts and its signatures, except
// for a part that another tag has.
func TestDeleteTakesPartsAlong(t *testing.T) {
	target, digest := emptied(t, fakeregistry.Options{})
	_, body, _ := target.Manifest("m/tool", "whole")
	index, err := v1.ParseIndexManifest(strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	kept, gone := index.Manifests[0].Digest.String(), index.Manifests[1].Digest.String()
	mediaType, part, _ := target.Manifest("m/tool", kept)
	target.PutManifest("m/tool", "part", mediaType, part)
	signature := "sha256-" + digest("whole").Hex + ".sig"
	target.Add("m/tool", signature, fakeregistry.Generate(fakeregistry.Spec{Seed: 9, Platforms: []string{"linux/amd64"}, Layers: []int{10}}))
	if got := deleteAt(t, target, digest, "whole"); got[0] != Deleted {
		t.Fatalf("got %v", got)
	}
	want := map[string]bool{"whole": false, signature: false, kept: true, gone: false, "part": true}
	got := map[string]bool{}
	for ref := range want {
		got[ref] = there(target, ref)[0]
	}
	if !maps.Equal(got, want) {
		t.Errorf("there: %v, want %v", got, want)
	}
}

// TestDeleteKeepsLongerVersions deletes a tag that another one begins with, and that has
// the same content.
func TestDeleteKeepsLongerVersions(t *testing.T) {
	target, digest := emptied(t, fakeregistry.Options{})
	for _, tag := range []string{"1", "1.2"} {
		target.Add("m/tool", tag, fakeregistry.Generate(fakeregistry.Spec{Seed: 5, Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
	}
	content := digest("1.2").String()
	if got := deleteAt(t, withTags(target, true), digest, "1"); got[0] != Deleted {
		t.Errorf("got %v", got)
	}
	if got := there(target, "1", "1.2", content); !slices.Equal(got, []bool{false, true, true}) {
		t.Errorf("1, 1.2 and its content are there: %v", got)
	}
}

// TestDeleteIsCareful deletes what has changed, at registries that do not do what they
// say, and where the other tags cannot be read.
func TestDeleteIsCareful(t *testing.T) {
	target, digest := emptied(t, fakeregistry.Options{})
	stale := func(string) v1.Hash { return digest("new") }
	if got := deleteAt(t, target, stale, "old"); got[0] != Moved || !there(target, "old")[0] {
		t.Errorf("a tag with another digest: %v", got)
	}
	idle := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		target.ServeHTTP(w, r)
	})
	if got := deleteAt(t, idle, digest, "new"); got[0] != ByHand {
		t.Errorf("a registry that does nothing: %v", got)
	}
	for tag, status := range map[string]int{"new": http.StatusForbidden, "part": http.StatusNotFound} {
		blind := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/tags/list") {
				w.WriteHeader(status)
				return
			}
			target.ServeHTTP(w, r)
		})
		before := digest(tag)
		if got := deleteAt(t, blind, digest, tag); got[0] != Deleted || there(target, tag)[0] || !there(target, before.String())[0] {
			t.Errorf("other tags cannot be read: %v", got)
		}
	}
	_, body, _ := target.Manifest("m/tool", "whole")
	index, err := v1.ParseIndexManifest(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	part := index.Manifests[0].Digest
	mediaType, content, _ := target.Manifest("m/tool", part.String())
	target.PutManifest("m/tool", "amd64", mediaType, content)
	moved := func(tag string) v1.Hash { return digest(map[string]string{"amd64": "amd64", "whole": "old"}[tag]) }
	if got := deleteAt(t, target, moved, "amd64", "whole"); !slices.Equal(got, []Removed{Deleted, Moved}) || !there(target, part.String())[0] {
		t.Errorf("a part of an image whose tag has moved: %v", got)
	}
}

// TestDeleteAfterAPush deletes a tag that is pushed again in the meantime.
func TestDeleteAfterAPush(t *testing.T) {
	other := fakeregistry.Generate(fakeregistry.Spec{Seed: 8, Platforms: []string{"linux/amd64"}, Layers: []int{100}})
	for name, during := range map[string]func(*http.Request) bool{
		"while the other tags are read": func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/tags/list") },
		"while it is deleted":           func(r *http.Request) bool { return r.Method == http.MethodDelete },
	} {
		target, digest := emptied(t, fakeregistry.Options{})
		behind, pushed := withTags(target, true), false
		busy := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if during(r) && !pushed {
				pushed = true
				target.Add("m/tool", "new", other)
			}
			behind.ServeHTTP(w, r)
		})
		if got := deleteAt(t, busy, digest, "new"); got[0] != Moved || !pushed || !there(target, "new")[0] {
			t.Errorf("%s: %v, and the tag is there: %v", name, got, there(target, "new"))
		}
	}
}

// TestDeleteKeepsMislabelledParts deletes an index that has an index in common with one
// that stays, which calls it an image.
func TestDeleteKeepsMislabelledParts(t *testing.T) {
	for _, label := range []string{distribution.Manifest, "application/octet-stream", ""} {
		target, digest := emptied(t, fakeregistry.Options{})
		inner := digest("whole")
		_, body, _ := target.Manifest("m/tool", "whole")
		part, err := v1.ParseIndexManifest(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		around := func(label string) []byte {
			return fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"size":%d,"digest":%q}]}`, distribution.Index, label, len(body), inner)
		}
		target.PutManifest("m/tool", "right", distribution.Index, around(distribution.Index))
		target.PutManifest("m/tool", "wrong", distribution.Index, around(label))
		if got := deleteAt(t, target, digest, "right", "whole"); !slices.Equal(got, []Removed{Deleted, Deleted}) {
			t.Errorf("%q: %v", label, got)
		}
		if got := there(target, "wrong", inner.String(), part.Manifests[0].Digest.String()); !slices.Equal(got, []bool{true, true, true}) {
			t.Errorf("%q: the index, the index in it and its part are there: %v", label, got)
		}
	}
}

// TestDeleteHalf deletes an index at a registry that fails after the first deletion, and
// again later.
func TestDeleteHalf(t *testing.T) {
	target, digest := emptied(t, fakeregistry.Options{})
	behind, deletions := withTags(target, true), 0
	failing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			if deletions++; deletions > 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
		}
		behind.ServeHTTP(w, r)
	})
	before := digest("whole")
	was := func(string) v1.Hash { return before }
	for range 2 {
		if got := deleteAt(t, failing, was, "whole"); got[0] != Deleted {
			t.Errorf("got %v", got)
		}
	}
	if got := there(target, "whole", before.String(), "old", "twin", "new", "part"); !slices.Equal(got, []bool{false, false, true, true, true, true}) {
		t.Errorf("there: %v", got)
	}
}
