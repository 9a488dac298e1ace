package mirror

import (
	"context"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/transfer"
)

// Source is a registry or an archive that images are read from. Its methods are
// those of registry.Client.
type Source interface {
	Manifest(ctx context.Context, ref reference.Reference) (*registry.Manifest, error)
	Digest(ctx context.Context, ref reference.Reference) (v1.Hash, error)
	Extra(ctx context.Context, ref reference.Reference) (*registry.Manifest, error)
	SmallBlob(ctx context.Context, repository reference.Repository, digest v1.Hash, size int64) ([]byte, error)
	Tags(ctx context.Context, repository reference.Repository) ([]string, error)
	FewTags(ctx context.Context, repository reference.Repository, pages int) ([]string, error)
	Referrers(ctx context.Context, repository reference.Repository, subject v1.Hash, tagged func(tag string) bool) ([]v1.Descriptor, error)
	Blob(repository reference.Repository, digest v1.Hash, size int64) transfer.Source
	Answer() time.Duration
	Warm(n int)
}

// remote is a registry as a Source.
type remote struct{ *registry.Client }

func (r remote) Blob(repository reference.Repository, digest v1.Hash, size int64) transfer.Source {
	return r.Client.Blob(repository, digest, size)
}

// planned is a registry of which some manifests have been read before, by a
// plan. It does not ask the registry for them again, since some registries limit
// how often manifests are read.
type planned struct {
	remote
	manifests map[v1.Hash]*registry.Manifest
}

func (p planned) Manifest(ctx context.Context, ref reference.Reference) (*registry.Manifest, error) {
	if m := p.manifests[ref.Digest()]; m != nil {
		same := *m
		return &same, nil
	}
	return p.remote.Manifest(ctx, ref)
}

func (p planned) Extra(ctx context.Context, ref reference.Reference) (*registry.Manifest, error) {
	if m := p.manifests[ref.Digest()]; m != nil {
		same := *m
		return &same, nil
	}
	return p.remote.Extra(ctx, ref)
}

func (p planned) Digest(ctx context.Context, ref reference.Reference) (v1.Hash, error) {
	if m := p.manifests[ref.Digest()]; m != nil {
		return m.Digest, nil
	}
	return p.remote.Digest(ctx, ref)
}

// countsPulls reports whether a registry counts GET requests for manifests
// against a limit, but not HEAD requests
// (https://docs.docker.com/docker-hub/usage/pulls/).
func countsPulls(host string) bool { return host == reference.DockerHub }
