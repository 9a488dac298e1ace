package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/reference"
)

// Empty is the media type of an empty config (OCI image specification, "Guidance
// for an Empty Descriptor").
const Empty = types.MediaType("application/vnd.oci.empty.v1+json")

// announcement is an artifact that embeds an index (OCI image specification, "Embedded
// Content") and has the address of the run that copies its image.
const announcement = `{"schemaVersion":2,"mediaType":%q,"config":%[2]s,"layers":[%[2]s],"annotations":{"io.github.imageferry.type":%[3]q,"io.github.imageferry.run":%[4]q}}`

// Announcement returns the tag of a mirror's repository under which the index of the
// image of a source is announced. Like the tags that Ferry makes from digests, it is in
// no list of a front.
func Announcement(source reference.Reference) string {
	return "digest-" + hash("sha256", []byte("announcement of "+source.String())).Hex
}

// Announce stores the index of an image that a run, with this address, is copying to a
// repository with a tag. The target may have some of its platforms only: it stores the
// index as an artifact, which nothing takes for the image.
func (c *Client) Announce(ctx context.Context, to reference.Reference, index *Manifest, run string) error {
	content, err := c.PutContent(ctx, to.Repository(), "application/octet-stream", index.Body)
	if err != nil {
		return err
	}
	content.Data = index.Body
	part, err := json.Marshal(content)
	if err != nil {
		return err
	}
	const mediaType = types.OCIManifestSchema1
	_, err = c.PutManifest(ctx, to, NewManifest(mediaType, fmt.Appendf(nil, announcement, mediaType, part, index.MediaType, run)), nil)
	return err
}

// Announced returns the index that m announces, and the number of the run that copies
// its image. It returns nil if m is something else.
func Announced(m *Manifest) (index *Manifest, run int64) {
	var a v1.Manifest
	if json.Unmarshal(m.Body, &a) != nil {
		return nil, 0
	}
	index = NewManifest(types.MediaType(a.Annotations["io.github.imageferry.type"]), a.Config.Data)
	run, err := strconv.ParseInt(path.Base(a.Annotations["io.github.imageferry.run"]), 10, 64)
	if err != nil || !index.MediaType.IsIndex() {
		return nil, 0
	}
	return index, run
}

// PutContent stores a small blob and returns its descriptor.
func (c *Client) PutContent(ctx context.Context, repository reference.Repository, mediaType types.MediaType, content []byte) (v1.Descriptor, error) {
	d := v1.Descriptor{MediaType: mediaType, Size: int64(len(content)), Digest: hash("sha256", content)}
	upload := c.Upload(repository, d.Digest, d.Size)
	held, err := upload.Start(ctx, repository)
	if err == nil && !held {
		err = upload.Send(ctx, bytes.NewReader(content), 0)
	}
	return d, err
}
