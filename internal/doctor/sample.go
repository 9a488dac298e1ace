package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// sample is an empty image for one platform in Docker's format, which every
// registry accepts. Its creation time makes it unique, so that it has to be
// uploaded.
type sample struct {
	config, layer []byte
	manifest      *registry.Manifest
	reference     reference.Reference // where it was pushed
}

// emptyLayer is an archive without content, compressed: the layer of Docker for
// steps that change no files. A compressor in the binary would take 30 kB.
const emptyLayer = "\x1f\x8b\x08\x00\x00\x09\x6e\x88\x00\xff\x62\x18\x05\xa3\x60\x14\x8c\x58\x00\x08\x00\x00\xff\xff\x2e\xaf\xb5\xef\x00\x04\x00\x00"

func newSample(now time.Time) sample {
	tar := make([]byte, 1024) // the end of an archive without content
	s := sample{layer: []byte(emptyLayer)}
	s.config = encode(v1.ConfigFile{
		Architecture: "amd64", OS: "linux", Created: v1.Time{Time: now.UTC()},
		RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{digest(tar)}},
	})
	s.manifest = registry.NewManifest(types.DockerManifestSchema2, encode(v1.Manifest{
		SchemaVersion: 2,
		MediaType:     types.DockerManifestSchema2,
		Config:        v1.Descriptor{MediaType: types.DockerConfigJSON, Size: int64(len(s.config)), Digest: digest(s.config)},
		Layers:        []v1.Descriptor{{MediaType: types.DockerLayer, Size: int64(len(s.layer)), Digest: digest(s.layer)}},
	}))
	return s
}

func digest(content []byte) v1.Hash { return registry.NewManifest("", content).Digest }

// encode marshals types that always succeed.
func encode(v any) []byte {
	text, _ := json.Marshal(v)
	return text
}

// push puts the image into a repository and reads it back. It gets no tag,
// because the owner may have made tags immutable, and Docker Hub only deletes
// images without a tag.
func (s *sample) push(ctx context.Context, client *registry.Client, to reference.Repository) error {
	for _, blob := range [][]byte{s.layer, s.config} {
		upload := client.Upload(to, digest(blob), int64(len(blob)))
		present, err := upload.Start(ctx, to)
		if err != nil {
			return err
		}
		if present { // left by an earlier check
			continue
		}
		if err := upload.Send(ctx, bytes.NewReader(blob), 0); err != nil {
			return err
		}
	}
	tagged, err := to.Tagged("test") // Reference requires a tag; the digest counts
	if err != nil {
		return err
	}
	s.reference = tagged.WithDigest(s.manifest.Digest)
	if _, err := client.PutManifest(ctx, s.reference, s.manifest, nil); err != nil {
		return err
	}
	_, err = client.Manifest(ctx, s.reference) // checks the digest
	return err
}
