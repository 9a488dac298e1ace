package distribution

// The media types of manifests and indexes.
const (
	Index              = "application/vnd.oci.image.index.v1+json"
	Manifest           = "application/vnd.oci.image.manifest.v1+json"
	ArtifactManifest   = "application/vnd.oci.artifact.manifest.v1+json" // of a release candidate of OCI 1.1, still found
	DockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json"
	DockerManifest     = "application/vnd.docker.distribution.manifest.v2+json"
	DockerSchema1      = "application/vnd.docker.distribution.manifest.v1+json"
	DockerSigned1      = "application/vnd.docker.distribution.manifest.v1+prettyjws"
)

// The media types of the parts of images.
const (
	Config       = "application/vnd.oci.image.config.v1+json"
	Layer        = "application/vnd.oci.image.layer.v1.tar+gzip"
	Empty        = "application/vnd.oci.empty.v1+json"
	DockerConfig = "application/vnd.docker.container.image.v1+json"
	DockerLayer  = "application/vnd.docker.image.rootfs.diff.tar.gzip"
)

// Accept lists all types of manifests, for the header of that name. It includes
// schema 1, so that a client can distinguish it from a missing tag.
const Accept = Index + ", " + DockerManifestList + ", " + Manifest + ", " + DockerManifest + ", " +
	ArtifactManifest + ", " + DockerSigned1 + ", " + DockerSchema1
