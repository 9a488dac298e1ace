package mirror

import (
	"context"
	"encoding/json"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/registry"
)

const (
	inToto = "application/vnd.in-toto+json"
	// predicate is the URL of the description of the predicate.
	predicate = "https://github.com/imageferry/ferry/blob/main/docs/names.md#where-a-mirror-comes-from"
	emptyJSON = "{}" // OCI image specification, "Guidance for an Empty Descriptor"
)

// statement is an in-toto statement (https://in-toto.io/Statement/v1) about the
// origin of a mirror.
type statement struct {
	Type          string    `json:"_type"`
	Subject       []subject `json:"subject"`
	PredicateType string    `json:"predicateType"`
	Predicate     origin    `json:"predicate"`
}

type subject struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

type origin struct {
	Source       string    `json:"source"`
	SourceDigest string    `json:"sourceDigest"`
	Changes      []Change  `json:"changes,omitempty"`
	Seen         time.Time `json:"seen"`
	Run          string    `json:"run,omitempty"`
}

// artifact is a manifest that refers to another one.
type artifact struct {
	SchemaVersion int             `json:"schemaVersion"`
	MediaType     types.MediaType `json:"mediaType"`
	ArtifactType  string          `json:"artifactType"`
	Config        v1.Descriptor   `json:"config"`
	Layers        []v1.Descriptor `json:"layers"`
	Subject       v1.Descriptor   `json:"subject"`
}

// attest attaches a statement about the origin of the mirror, whose manifest is
// mirrored.
func (p *copier) attest(ctx context.Context, r *Receipt, mirrored *registry.Manifest) error {
	repository := r.Mirror.Repository()
	text, err := json.Marshal(statement{
		Type: "https://in-toto.io/Statement/v1", PredicateType: predicate,
		Subject: []subject{{repository.String(), map[string]string{r.Digest.Algorithm: r.Digest.Hex}}},
		Predicate: origin{
			Source: p.image.step.Image.Reference.String(), SourceDigest: r.SourceDigest.String(), Changes: r.Changes,
			Seen: time.Now().UTC().Truncate(time.Second), Run: p.image.m.opts.Run,
		},
	})
	if err != nil {
		return err
	}
	config, err := p.target.PutContent(ctx, repository, registry.Empty, []byte(emptyJSON))
	if err != nil {
		return err
	}
	layer, err := p.target.PutContent(ctx, repository, inToto, text)
	if err != nil {
		return err
	}
	body, err := json.Marshal(artifact{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, ArtifactType: inToto, Config: config, Layers: []v1.Descriptor{layer},
		Subject: v1.Descriptor{MediaType: mirrored.MediaType, Size: int64(len(mirrored.Body)), Digest: mirrored.Digest},
	})
	if err != nil {
		return err
	}
	m := registry.NewManifest(types.OCIManifestSchema1, body)
	listed, err := p.target.PutManifest(ctx, r.Mirror.Untagged(m.Digest), m, nil)
	if err != nil || listed {
		return err
	}
	return p.list(ctx, r.Digest, v1.Descriptor{MediaType: m.MediaType, Size: int64(len(body)), Digest: m.Digest, ArtifactType: inToto})
}
