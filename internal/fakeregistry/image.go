package fakeregistry

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"

	"github.com/imageferry/ferry/internal/distribution"
)

// inToto is the media type of attestations.
const inToto = "application/vnd.in-toto+json"

// Spec describes an image to generate. Equal specs give equal images.
type Spec struct {
	Seed uint64
	// Platforms are "os/arch[/variant]". A single one gives a plain image; none
	// or several give an index.
	Platforms []string
	// Layers are the sizes of each platform's own layers.
	Layers []int
	// Shared are the sizes of layers that depend only on Base, so that images
	// with the same Base share them.
	Shared []int
	Base   uint64
	// Attestations adds an attestation manifest for each platform, as BuildKit
	// does.
	Attestations bool
	// Docker uses Docker's media types instead of OCI's.
	Docker bool
}

// Image is a generated image: all its manifests, of which the last is the one
// to tag, and all its blobs.
type Image struct {
	Manifests []Part
	Blobs     [][]byte
}

// Part is one manifest of an image.
type Part struct {
	MediaType string
	Body      []byte
}

// Root returns the manifest to tag.
func (i *Image) Root() Part { return i.Manifests[len(i.Manifests)-1] }

// Generate generates the image for spec. Layers are random bytes: they are
// copied, never unpacked.
func Generate(spec Spec) *Image {
	image := &Image{}
	types := []string{distribution.Index, distribution.Manifest, distribution.Config, distribution.Layer}
	if spec.Docker {
		types = []string{distribution.DockerManifestList, distribution.DockerManifest, distribution.DockerConfig, distribution.DockerLayer}
	}
	var children, attestations []descriptor
	for n, name := range spec.Platforms {
		parts := strings.SplitN(name+"//", "/", 4)
		p := &platform{OS: parts[0], Architecture: parts[1], Variant: parts[2]}
		var layers []descriptor
		for k, size := range spec.Shared {
			layers = append(layers, image.blob(types[3], random(spec.Base<<32|uint64(k), size)))
		}
		for k, size := range spec.Layers {
			layers = append(layers, image.blob(types[3], random(spec.Seed<<32|uint64(n)<<16|uint64(k), size)))
		}
		config := image.blob(types[2], encode(map[string]any{
			"architecture": p.Architecture, "os": p.OS, "variant": p.Variant,
			"config": map[string]any{}, "rootfs": map[string]any{"type": "layers", "diff_ids": []string{}}, "seed": spec.Seed,
		}))
		child := image.manifest(types[1], map[string]any{
			"schemaVersion": 2, "mediaType": types[1], "config": config, "layers": layers,
		})
		child.Platform = p
		children = append(children, child)
		if spec.Attestations {
			statement := image.blob(inToto, encode(map[string]any{"subject": child.Digest, "seed": spec.Seed}))
			empty := image.blob(distribution.Empty, []byte("{}"))
			a := image.manifest(distribution.Manifest, map[string]any{
				"schemaVersion": 2, "mediaType": distribution.Manifest, "config": empty, "layers": []descriptor{statement},
			})
			a.Platform = &platform{OS: "unknown", Architecture: "unknown"}
			a.Annotations = map[string]string{
				"vnd.docker.reference.digest": child.Digest,
				"vnd.docker.reference.type":   "attestation-manifest",
			}
			attestations = append(attestations, a)
		}
	}
	if len(spec.Platforms) != 1 || spec.Attestations {
		image.manifest(types[0], map[string]any{
			"schemaVersion": 2, "mediaType": types[0], "manifests": append(children, attestations...),
		})
	}
	return image
}

// Signature returns an artifact that refers to subject, as in OCI 1.1.
func Signature(subject Part, seed uint64) *Image {
	image := &Image{}
	empty := image.blob(distribution.Empty, []byte("{}"))
	layer := image.blob("application/vnd.dev.cosign.simplesigning.v1+json", encode(map[string]any{"seed": seed}))
	image.manifest(distribution.Manifest, map[string]any{
		"schemaVersion": 2, "mediaType": distribution.Manifest, "artifactType": "application/vnd.example.signature",
		"config": empty, "layers": []descriptor{layer},
		"subject": descriptor{MediaType: subject.MediaType, Digest: Digest(subject.Body), Size: int64(len(subject.Body))},
	})
	return image
}

func (i *Image) blob(mediaType string, data []byte) descriptor {
	i.Blobs = append(i.Blobs, data)
	return descriptor{MediaType: mediaType, Digest: Digest(data), Size: int64(len(data))}
}

func (i *Image) manifest(mediaType string, content any) descriptor {
	body := encode(content)
	i.Manifests = append(i.Manifests, Part{mediaType, body})
	return descriptor{MediaType: mediaType, Digest: Digest(body), Size: int64(len(body))}
}

func encode(content any) []byte {
	body, err := json.Marshal(content)
	if err != nil {
		// Only maps, strings and numbers from this file are marshalled.
		return nil
	}
	return body
}

// random returns size bytes that depend only on seed.
func random(seed uint64, size int) []byte {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	data := make([]byte, size)
	rand.NewChaCha8(key).Read(data)
	return data
}

// Add adds image to a repository, with tag unless that is empty. A real
// registry behind it may refuse the image.
func (r *Registry) Add(repo, tag string, image *Image) {
	if r.real != nil {
		r.push(repo, tag, image)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	rp := r.repo(repo)
	for _, blob := range image.Blobs {
		digest := Digest(blob)
		r.blobs[digest] = blob
		rp.blobs[digest] = true
	}
	for n, part := range image.Manifests {
		ref := ""
		if n == len(image.Manifests)-1 {
			ref = tag
		}
		r.put(repo, ref, part.MediaType, part.Body)
	}
}

// PutManifest stores a manifest without any checks.
func (r *Registry) PutManifest(repo, ref, mediaType string, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(repo, ref, mediaType, body)
}

// push pushes an image to the real registry.
func (r *Registry) push(repo, tag string, image *Image) {
	for _, blob := range image.Blobs {
		session := r.ask(http.MethodPost, "/v2/"+repo+"/blobs/uploads/", "", nil).header.Get("Location")
		r.ask(http.MethodPut, session+"&digest="+url.QueryEscape(Digest(blob)), "application/octet-stream", blob)
	}
	for n, part := range image.Manifests {
		ref := Digest(part.Body)
		if n == len(image.Manifests)-1 && tag != "" {
			ref = tag
		}
		r.ask(http.MethodPut, "/v2/"+repo+"/manifests/"+ref, part.MediaType, part.Body)
	}
}
