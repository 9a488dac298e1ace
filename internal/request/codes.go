package request

// Assumption is the stable name of something that Ferry filled in or repaired
// to read an image. Names appear in JSON output and are never renamed.
type Assumption string

// The assumptions, from the harmless to the daring.
const (
	// AssumedHost: no registry was named, Docker Hub was taken.
	AssumedHost Assumption = "host"
	// AssumedKubernetes: no registry was named, but the image is a component of
	// Kubernetes that lives at registry.k8s.io alone ("kube-apiserver:v1.30.2").
	AssumedKubernetes Assumption = "kubernetes-host"
	// AssumedLibrary: an image of Docker Hub had no namespace, "library/" (the
	// official images) was filled in.
	AssumedLibrary Assumption = "library"
	// AssumedTag: neither tag nor digest was named, "latest" was taken.
	AssumedTag Assumption = "tag"
	// FoundTag: neither tag nor digest was named; a version that the text names
	// was taken, since the source has it and no tag "latest".
	FoundTag Assumption = "found-tag"
	// AssumedDefault: a variable was replaced by the default that the text
	// itself gives it ("${TAG:-1.2}", "ARG TAG=1.2", a Helm chart's appVersion).
	AssumedDefault Assumption = "default"
	// KeptTagAndDigest: both were named; the digest is what is copied, the tag
	// is what it is called.
	KeptTagAndDigest Assumption = "tag-and-digest"
	// DroppedTag: a tag stood behind the digest, where none can stand
	// ("img@sha256:…:latest"), and was dropped.
	DroppedTag Assumption = "dropped-tag"
	// ReadLink: the address of a web page, or a reference with a scheme in
	// front ("https://", "docker://"), was read as the image that it shows.
	ReadLink Assumption = "link"
	// UndidMirror: the address was that of another mirror; the original was taken.
	UndidMirror Assumption = "mirror"
	// DroppedHost: two hosts stood in front of one another
	// ("docker.io/quay.io/x/y"), the outer one was dropped.
	DroppedHost Assumption = "doubled-host"
	// Lowered: capitals in the repository, which no registry allows, were lowered.
	Lowered Assumption = "lower-case"
	// RemovedSpace: spaces inside the reference were taken out.
	RemovedSpace Assumption = "space"
	// JoinedLines: a reference that was broken over two lines was put together.
	JoinedLines Assumption = "joined-lines"
	// FixedPunctuation: stray or doubled punctuation inside the reference
	// ("nginx::1.25", "gcr.io//ns/img") was repaired.
	FixedPunctuation Assumption = "punctuation"
	// Expanded: the image is one of those that a brace expansion, or a list of
	// names with one prefix and one tag, stands for.
	Expanded Assumption = "expanded"
	// ReleaseSet: the image is one of those that a release of Kubernetes consists of.
	ReleaseSet Assumption = "release-set"
	// Guessed: the request was nothing but a bare word, which was taken as the
	// name of an official image of Docker Hub.
	Guessed Assumption = "guess"
)

// Reason is the stable name of a reason to leave something out that has the form
// of a reference. Names appear in JSON output and are never renamed.
type Reason string

// The reasons.
const (
	// LeftQuoted: it stands in an older or somebody else's message.
	LeftQuoted Reason = "quoted"
	// LeftExample: the text shows it as an example.
	LeftExample Reason = "example"
	// LeftDiff: a diff removes it or leaves it as it was.
	LeftDiff Reason = "diff"
	// LeftExcluded: the text says that it is not meant.
	LeftExcluded Reason = "excluded"
	// LeftHidden: GitHub does not show it to readers of the text.
	LeftHidden Reason = "hidden"
	// LeftDestination: it is where the image is to be copied to.
	LeftDestination Reason = "destination"
	// LeftDone: a log says that it is there.
	LeftDone Reason = "done"
	// LeftTitle: title and body name different images, and this is the one that
	// does not count.
	LeftTitle Reason = "title"
	// LeftMention: the text only mentions it.
	LeftMention Reason = "mention"
)

// ProblemCode is the stable name of a kind of Problem. Names appear in JSON
// output and are never renamed.
type ProblemCode string

// The problems. Where a comment does not speak of Problem.Suggestion it is empty.
const (
	// LookalikeHost: the host is almost that of a well-known registry
	// ("grc.io", "quey.io"). Suggestion is the canonical reference at the
	// well-known one.
	LookalikeHost ProblemCode = "lookalike-host"
	// Malformed: this looks like an image, but breaks the grammar of
	// references beyond repair (a digest that is cut off, for example).
	// Suggestion is the canonical reference nearest to it, if there is one.
	Malformed ProblemCode = "malformed"
	// Ambiguous: this can be read in more than one way. Suggestion is the
	// canonical reference that is the likeliest, if there is one.
	Ambiguous ProblemCode = "ambiguous"
	// Placeholder: a variable or a placeholder stands in the reference that
	// the text does not explain ("${TAG}", "<version>", "{{ .Values.tag }}").
	Placeholder ProblemCode = "placeholder"
	// WhichTag: neither tag nor digest was named, and the source has several of
	// the tags that could be meant, which are the Choices.
	WhichTag ProblemCode = "which-tag"
	// AllTags: all tags, or those of a pattern ("nginx:*", "all tags"), were asked
	// for; Ferry wants them one by one. Suggestion is the canonical reference
	// with the tag "latest", if the repository is known.
	AllTags ProblemCode = "all-tags"
	// HostOnly: the request names a registry, but no image on it.
	HostOnly ProblemCode = "host-only"
	// NotAnImage: the request is a link to something that is no image: a
	// source repository, a project's page, this repository. Suggestion is the
	// canonical reference that such a project would publish, if there is one.
	NotAnImage ProblemCode = "not-an-image"
	// UnknownPlatform: a platform was asked for that does not exist. Written is the platform.
	UnknownPlatform ProblemCode = "unknown-platform"
	// UnknownRelease: a release of Kubernetes was asked for whose images are
	// not in Ferry's table, or a minor release without its patch. Suggestion
	// is a release that is there, "v1.34.0" for example.
	UnknownRelease ProblemCode = "unknown-release"
	// BadAlias: the custom name breaks the grammar of names; the image keeps
	// its usual mirror name. Written is the custom name.
	BadAlias ProblemCode = "bad-alias"
	// TitleIgnored: title and body name different images; the body was taken.
	// Written is the title, Suggestion the canonical reference that it names.
	TitleIgnored ProblemCode = "title-ignored"
	// TooLarge: the text is longer than MaxInput; what is behind was not read.
	// Suggestion is the limit in bytes.
	TooLarge ProblemCode = "too-large"
	// TooManyLines: the text has more than MaxLines lines; what is behind was
	// not read. Suggestion is the limit.
	TooManyLines ProblemCode = "too-many-lines"
	// TooManyExpansions: a brace expansion stands for more than MaxExpansion
	// references and was not expanded. Suggestion is the limit.
	TooManyExpansions ProblemCode = "too-many-expansions"
	// TooManyImages: more than MaxImages images were named; those behind were
	// left out. Suggestion is the limit.
	TooManyImages ProblemCode = "too-many-images"
)

// Limits of a request. They keep a hostile issue from costing more than a
// fraction of a second and a comment from growing beyond what GitHub stores.
const (
	// MaxInput is the title, the body or a template, in bytes. An issue's body
	// holds 65,536 characters of up to four bytes each; a list file may be longer.
	MaxInput = 1 << 20
	// MaxLines is the number of lines that are read.
	MaxLines = 20_000
	// MaxExpansion is the number of references that one brace expansion may
	// stand for: a whole Kubernetes release (7) in all patch versions (about 20).
	MaxExpansion = 256
	// MaxImages is the number of images in one request. The owner's own limit
	// is lower: this one bounds memory.
	MaxImages = 1000
	// maxWritten is the length of Written, in bytes.
	maxWritten = 200
)
