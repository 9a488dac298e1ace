package fakeregistry

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestStrictness holds the fake to what real registries refuse.
func TestStrictness(t *testing.T) {
	r := New(Options{})
	image := Generate(Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{100}})
	r.Add("a", "1", image)
	blob := Digest(image.Blobs[0])
	root := image.Root()
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/v2/", "", 200},
		{"GET", "/v2/a/manifests/1", "", 200},
		{"GET", "/v2/a/manifests/2", "", 404},
		{"GET", "/v2/b/manifests/1", "", 404},
		{"GET", "/v2/a/blobs/" + blob, "", 200},
		{"GET", "/v2/b/blobs/" + blob, "", 404},              // another repository's
		{"PUT", "/v2/b/manifests/1", string(root.Body), 400}, // without its blobs
		{"PUT", "/v2/a/manifests/" + Digest([]byte("x")), string(root.Body), 400},
		{"POST", "/v2/b/blobs/uploads/?mount=" + blob + "&from=a", "", 201},
		{"POST", "/v2/b/blobs/uploads/?mount=" + blob + "&from=c", "", 202},
		{"PUT", "/v2/b/blobs/uploads/1?digest=" + blob, "something else", 400},
		{"PUT", "/v2/b/blobs/uploads/99?digest=" + blob, "", 404},
	} {
		w := httptest.NewRecorder()
		req := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		req.Header.Set("Content-Type", root.MediaType)
		r.ServeHTTP(w, req)
		if w.Code != c.status {
			t.Errorf("%s %s is answered %d, want %d: %s", c.method, c.path, w.Code, c.status, w.Body)
		}
	}
}

func TestEqualSpecsGiveEqualImages(t *testing.T) {
	spec := Spec{Seed: 3, Base: 4, Platforms: []string{"linux/amd64", "linux/arm/v7"}, Layers: []int{10}, Shared: []int{20}, Attestations: true}
	a, b := Generate(spec), Generate(spec)
	if !bytes.Equal(a.Root().Body, b.Root().Body) {
		t.Error("they differ")
	}
	spec.Seed++
	if bytes.Equal(a.Root().Body, Generate(spec).Root().Body) {
		t.Error("another seed changes nothing")
	}
}
