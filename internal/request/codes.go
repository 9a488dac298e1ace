package request

// Assumption is the stable name of something that Ferry filled in or repaired
// to read an image. Names appear in JSON output and are never renamed.
type Assumption string

// The assumptions, from the safest to the boldest.
const (
	// AssumedHost: no registry was given, so it is Docker Hub.
	AssumedHost Assumption = "host"
	// AssumedKubernetes: no registry was given, but the image is a Kubernetes
	// component, which only registry.k8s.io has ("kube-apiserver:v1.30.2").
	AssumedKubernetes Assumption = "kubernetes-host"
	// AssumedLibrary: an image of Docker Hub had no namespace, so "library/"
	// (the official images) was filled in.
	AssumedLibrary Assumption = "library"
	// AssumedTag: neither tag nor digest was given, so it is "latest".
	AssumedTag Assumption = "tag"
	// FoundTag: neither tag nor digest was given; a version in the text was
	// used, because the source has it but no tag "latest".
	FoundTag Assumption = "found-tag"
	// AssumedDefault: a variable was replaced by its default in the text
	// ("${TAG:-1.2}", "ARG TAG=1.2", a Helm chart's appVersion).
	AssumedDefault Assumption = "default"
	// KeptTagAndDigest: both were given; the digest is copied, under that tag.
	KeptTagAndDigest Assumption = "tag-and-digest"
	// DroppedTag: a tag after the digest, which is not valid
	// ("img@sha256:…:latest"), was dropped.
	DroppedTag Assumption = "dropped-tag"
	// ReadLink: the address of a web page, or a reference with a scheme in
	// front ("https://", "docker://"), was read as the image on that page.
	ReadLink Assumption = "link"
	// UndidMirror: the address of another mirror was replaced by the original.
	UndidMirror Assumption = "mirror"
	// DroppedHost: of two hosts in a row ("docker.io/quay.io/x/y"), the first
	// was dropped.
	DroppedHost Assumption = "doubled-host"
	// Lowered: capital letters in the repository, which no registry allows,
	// were changed to lower case.
	Lowered Assumption = "lower-case"
	// RemovedSpace: spaces inside the reference were removed.
	RemovedSpace Assumption = "space"
	// JoinedLines: a reference broken over two lines was joined.
	JoinedLines Assumption = "joined-lines"
	// FixedPunctuation: stray or doubled punctuation inside the reference
	// ("nginx::1.25", "gcr.io//ns/img") was fixed.
	FixedPunctuation Assumption = "punctuation"
	// Expanded: the image comes from a brace expansion, or from a list of names
	// with one prefix and one tag.
	Expanded Assumption = "expanded"
	// ReleaseSet: the image is part of a Kubernetes release.
	ReleaseSet Assumption = "release-set"
	// Guessed: the request was a single word, which was read as the name of an
	// official image of Docker Hub.
	Guessed Assumption = "guess"
)

// Reason is the stable name of a reason why a reference in the text was left
// out. Names appear in JSON output and are never renamed.
type Reason string

// The reasons.
const (
	// LeftQuoted: it is in an older message or that of another person.
	LeftQuoted Reason = "quoted"
	// LeftExample: the text shows it as an example.
	LeftExample Reason = "example"
	// LeftDiff: a diff removes it or leaves it unchanged.
	LeftDiff Reason = "diff"
	// LeftExcluded: the text excludes it.
	LeftExcluded Reason = "excluded"
	// LeftHidden: GitHub does not show it to readers of the text.
	LeftHidden Reason = "hidden"
	// LeftDestination: it is the destination of the copy.
	LeftDestination Reason = "destination"
	// LeftDone: already pulled, according to a log.
	LeftDone Reason = "done"
	// LeftTitle: title and body name different images, and this one was not
	// used.
	LeftTitle Reason = "title"
	// LeftMention: the text only mentions it.
	LeftMention Reason = "mention"
)

// ProblemCode is the stable name of a kind of Problem. Names appear in JSON
// output and are never renamed.
type ProblemCode string

// The problems. Problem.Suggestion is empty unless the comment describes it.
const (
	// LookalikeHost: the host resembles that of a well-known registry
	// ("grc.io", "quey.io"). Suggestion is the canonical reference at that
	// registry.
	LookalikeHost ProblemCode = "lookalike-host"
	// Malformed: this looks like an image, but is not a valid reference and
	// cannot be repaired (a truncated digest, for example). Suggestion is the
	// nearest canonical reference, if there is one.
	Malformed ProblemCode = "malformed"
	// Ambiguous: this can be read in more than one way. Suggestion is the most
	// likely canonical reference, if there is one.
	Ambiguous ProblemCode = "ambiguous"
	// Placeholder: the reference contains a variable or a placeholder whose
	// value is unknown ("${TAG}", "<version>", "{{ .Values.tag }}").
	Placeholder ProblemCode = "placeholder"
	// WhichTag: neither tag nor digest was given, and the source has several
	// tags that could be meant, which are the Choices.
	WhichTag ProblemCode = "which-tag"
	// WhichImage: only a name was given, no official image has it, and the
	// Choices exist.
	WhichImage ProblemCode = "which-image"
	// AllTags: all tags, or those of a pattern ("nginx:*", "all tags"), were
	// requested; Ferry requires a list. Suggestion is the canonical reference
	// with the tag "latest", if the repository is known.
	AllTags ProblemCode = "all-tags"
	// Unread: the line has to name an image, because it is in a list or in the
	// field of a form, and nothing on it could be read as one. Suggestion is
	// what may be meant, if there is anything.
	Unread ProblemCode = "unread"
	// HostOnly: the request names a registry, but no image.
	HostOnly ProblemCode = "host-only"
	// NotAnImage: the request is a link to something other than an image: a
	// source repository, a project's page, this repository. Suggestion is the
	// canonical reference that such a project would publish, if there is one.
	NotAnImage ProblemCode = "not-an-image"
	// UnknownPlatform: the requested platform does not exist. Written is the
	// platform.
	UnknownPlatform ProblemCode = "unknown-platform"
	// UnknownRelease: the images of the requested Kubernetes release are
	// unknown, or a minor release was given without its patch. Suggestion is a
	// known release, such as "v1.34.0".
	UnknownRelease ProblemCode = "unknown-release"
	// BadAlias: the custom name is not valid; the image keeps its default
	// mirror name. Written is the custom name.
	BadAlias ProblemCode = "bad-alias"
	// TitleIgnored: title and body name different images; the body was used.
	// Written is the title, Suggestion its canonical reference.
	TitleIgnored ProblemCode = "title-ignored"
	// TooLarge: the text is longer than MaxInput; the rest was not read.
	// Suggestion is the limit in bytes.
	TooLarge ProblemCode = "too-large"
	// TooManyLines: the text has more than MaxLines lines; the rest was not
	// read. Suggestion is the limit.
	TooManyLines ProblemCode = "too-many-lines"
	// TooManyExpansions: a brace expansion gives more than MaxExpansion
	// references and was not expanded. Suggestion is the limit.
	TooManyExpansions ProblemCode = "too-many-expansions"
	// TooManyImages: more than MaxImages images were given; the rest was left
	// out. Suggestion is the limit.
	TooManyImages ProblemCode = "too-many-images"
)

// Limits of a request. They limit the cost of a hostile issue to a fraction of
// a second, and the size of a comment to what GitHub stores.
const (
	// MaxInput is the largest title, body or template, in bytes. The body of an
	// issue has up to 65,536 characters of up to four bytes; a list file may be
	// longer.
	MaxInput = 1 << 20
	// MaxLines is the number of lines that are read.
	MaxLines = 20_000
	// MaxExpansion is the largest number of references of one brace expansion:
	// all images of a Kubernetes release (7) in all patch versions (about 20).
	MaxExpansion = 256
	// MaxImages is the largest number of images in one request. The owner's own
	// limit is lower; this one limits memory.
	MaxImages = 1000
	// maxWritten is the length of Written, in bytes.
	maxWritten = 200
)
