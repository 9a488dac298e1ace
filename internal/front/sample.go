package front

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/distribution"
)

// SamplePath and SampleTag name an image of about a kilobyte that every front
// serves for each of its sources, and no source has. A client that has it was
// served by a front.
const (
	SamplePath = "ferry-front/sample"
	SampleTag  = "1"
)

// SampleDigests returns the digests of the sample image, one for each platform
// and that of the tag.
func SampleDigests() []string {
	var all []string
	for digest, part := range sample().parts {
		if part.manifest() {
			all = append(all, digest.String())
		}
	}
	return all
}

// sampleSet is the sample image: an index, a manifest and a configuration for
// each platform, and a layer without files.
type sampleSet struct {
	index v1.Hash
	parts map[v1.Hash]samplePart
}

type samplePart struct {
	mediaType types.MediaType
	body      string
}

// manifest reports whether the part is a manifest, not a blob.
func (p samplePart) manifest() bool { return p.mediaType.IsIndex() || p.mediaType.IsImage() }

// The layer, and the digest of its content: a tar without entries, the
// "empty layer" of Docker (layer/empty.go of moby).
const (
	sampleLayer   = "\x1f\x8b\x08\x00\x00\x09\x6e\x88\x00\xff\x62\x18\x05\xa3\x60\x14\x8c\x58\x00\x08\x00\x00\xff\xff\x2e\xaf\xb5\xef\x00\x04\x00\x00"
	sampleContent = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
)

// samplePlatforms are the platforms of nodes. Clients refuse an image of
// another platform than their own.
var samplePlatforms = []string{"amd64", "arm64", "arm", "386", "ppc64le", "s390x", "riscv64", "loong64"}

var sample = sync.OnceValue(func() *sampleSet {
	s := &sampleSet{parts: map[v1.Hash]samplePart{}}
	add := func(mediaType types.MediaType, body string) (v1.Hash, string) {
		sum := sha256.Sum256([]byte(body))
		digest := v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
		s.parts[digest] = samplePart{mediaType, body}
		return digest, fmt.Sprintf(`"mediaType":%q,"digest":%q,"size":%d`, mediaType, digest, len(body))
	}
	_, layer := add(types.OCILayer, sampleLayer)
	var manifests []string
	for _, architecture := range samplePlatforms {
		platform := fmt.Sprintf(`"architecture":%q,"os":"linux"`, architecture)
		_, config := add(types.OCIConfigJSON, fmt.Sprintf(`{%s,"config":{},"rootfs":{"type":"layers","diff_ids":[%q]}}`, platform, sampleContent))
		_, manifest := add(types.OCIManifestSchema1, fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{%s},"layers":[{%s}]}`, types.OCIManifestSchema1, config, layer))
		manifests = append(manifests, fmt.Sprintf(`{%s,"platform":{%s}}`, manifest, platform))
	}
	s.index, _ = add(types.OCIImageIndex, fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, types.OCIImageIndex, strings.Join(manifests, ",")))
	return s
})

// sampled returns the part of the sample image that q asks for, and false if q
// asks for something else.
func sampled(q Question) (v1.Hash, samplePart, bool) {
	if q.Repository.Path() != SamplePath {
		return v1.Hash{}, samplePart{}, false
	}
	digest := q.Digest
	if q.Kind == distribution.Manifests && q.Tag == SampleTag {
		digest = sample().index
	}
	part, ok := sample().parts[digest]
	kind := distribution.Blobs
	if part.manifest() {
		kind = distribution.Manifests
	}
	return digest, part, ok && q.Kind == kind
}

// serveSample answers a question about the sample image, and reports whether q
// is one.
func serveSample(a *answer, r *http.Request, q Question) bool {
	digest, part, ok := sampled(q)
	if ok {
		a.Header().Set("Docker-Content-Digest", digest.String())
		a.send(r, string(part.mediaType), []byte(part.body))
	}
	return ok
}
