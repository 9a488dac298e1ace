// Package archive writes images to files and reads them again, for machines
// that cannot reach a registry.
//
// An archive is an uncompressed tar file that is an OCI image layout (OCI image
// specification, "Image Layout") and has the files of "docker save": docker,
// podman and containerd each read one of the two, and not all of them read
// every compressed format. Every image is stored with its full name, so that
// clients give it that name. Each blob is stored once. Equal images give equal
// bytes: times and owners are zero, and the order is that of the images.
package archive

import (
	"bytes"
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// The files of an archive that are not blobs.
const (
	layoutFile = "oci-layout"
	indexFile  = "index.json"
	dockerFile = "manifest.json" // read by docker, and by programs that read its archives
	blobFolder = "blobs/sha256/"

	// referrersFile lists what refers to the images, such as signatures, in the form of
	// indexFile. Clients do not read it: they would load what is in indexFile as images.
	referrersFile = "referrers.json"

	layoutText = `{"imageLayoutVersion":"1.0.0"}`
)

// The annotations of an entry of the index that name an image. Podman and
// skopeo read the first, containerd the second. The first holds the full name:
// with the tag alone, two images with the same tag could not be told apart.
const (
	refName   = "org.opencontainers.image.ref.name"
	imageName = "io.containerd.image.name"
)

// index is the file index.json: one entry for each name of each image.
type index struct {
	SchemaVersion int     `json:"schemaVersion"`
	MediaType     string  `json:"mediaType"`
	Manifests     []entry `json:"manifests"`
}

type entry struct {
	MediaType   string            `json:"mediaType"`
	Digest      v1.Hash           `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// dockerImage is an entry of the file manifest.json (moby, image/spec/v1.2).
type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// blobPath returns the path of a blob.
func blobPath(digest v1.Hash) string { return blobFolder + digest.Hex }

// document is the parts of a manifest or an index.
type document struct {
	children []v1.Descriptor // of an index
	blobs    []v1.Descriptor // of a manifest: config and layers, with repetitions
	image    bool            // the config is of a container image
}

// parse reads the parts of a manifest or an index.
func parse(m *registry.Manifest) (document, error) {
	switch {
	case m.MediaType.IsIndex():
		parsed, err := v1.ParseIndexManifest(bytes.NewReader(m.Body))
		if err != nil {
			return document{}, fmt.Errorf("reading index %s: %w", m.Digest, err)
		}
		return document{children: parsed.Manifests}, nil
	case m.MediaType.IsImage():
		parsed, err := v1.ParseManifest(bytes.NewReader(m.Body))
		if err != nil {
			return document{}, fmt.Errorf("reading manifest %s: %w", m.Digest, err)
		}
		d := document{blobs: append([]v1.Descriptor{parsed.Config}, parsed.Layers...)}
		for _, blob := range d.blobs {
			if blob.Digest.Algorithm != "sha256" || blob.Size < 0 {
				return document{}, fmt.Errorf("manifest %s has an invalid blob", m.Digest)
			}
		}
		d.image = parsed.Config.MediaType == distribution.Config || parsed.Config.MediaType == distribution.DockerConfig
		return d, nil
	}
	return document{}, fmt.Errorf("manifest %s is of type %.100q", m.Digest, m.MediaType)
}

// names returns the names of an image in an archive: its tag, and its digest if
// the image was requested by digest or has no tag.
func names(name reference.Reference, digest v1.Hash) []string {
	var all []string
	repository := name.Repository().String()
	if name.Tag() != "" {
		all = append(all, repository+":"+name.Tag())
	}
	if name.Tag() == "" || name.HasDigest() && name.Digest() == digest {
		all = append(all, repository+"@"+digest.String())
	}
	return all
}

// encode returns v as JSON, without escapes for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}
