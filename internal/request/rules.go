package request

// A rule evaluates one relation between title, body, neighbours and sentences.
// It changes verdicts on candidates, completes their images, and adds or removes
// flaws, nothing else; it depends only on the evidence, of which it gets a copy.
type rule struct {
	name  string
	apply func(*evidence)
}

// rules are the rules in the order in which they are applied. The comment on a row
// is its sentence in docs/shapes.md.
var rules = []rule{
	// says: a heading or a comment names an image only if nothing else does
	{"heading", headings},
	// says: an image that a sentence excludes is not requested elsewhere either; neither are the others if a sentence with an image says that they are not wanted
	{"excluded", excluded},
	// says: an image that is there already is requested if it is the only one, and a text that asks for images asks for it once more
	{"again", again},
	// says: versions, or code names of distributions, with which the body begins, behind a few words, are the tags of the only official image that the title names, if the text asks for images and names none otherwise
	{"title-versions", titleVersions},
	// says: if the only image is the name of an official one and the text around it is about something else, Ferry asks whether it is meant
	{"lone-name", loneName},
	// says: an image in a question is requested if the text is a request, and a sentence or its wording asks for images
	{"bid", questionsThatAsk},
	// says: an image behind words such as "I meant" replaces the one of the same name before them, and a version there the tag of the image whose name is in front of it, or of the only one
	{"correction", correct},
	// says: an image that a log reports as pulled, and the command that pulled it, count only if nothing else does; one of a list that it has pulled under another address is not requested, if it could not pull another one of the list
	{"log-done", logDone},
	// says: the images of a release are those that the text lists, if it lists several components, and one of this release
	{"listed-release", listedRelease},
	// says: images in sentences, commands and files of a text that tells about something else, and neither asks for an image nor says that one cannot be pulled, are not requested
	{"mention", mention},
	// says: an image in a clause that asks for nothing is only mentioned, if others stand in a list or in a clause that asks for them; so is one beside words such as "already have", "is gone" or "comes later", if another one is complete
	{"aside", asides},
	// says: an image that does not work, or is to be left as it is, according to its clause is not requested if another version of it is
	{"faulty", faulty},
	// says: an image below a line with only an arrow is the destination of the one above it
	{"arrow", arrows},
	// says: images without a registry are in the one that the title says they come from, "keycloak from quay", or a short text that names no other one: "all from quay"
	{"stated-registry", statedRegistry},
	// says: an image to which a sentence copies another one with the same name is its destination, and has the tags of that one
	{"destination", destinations},
	// says: an image at a host of a private network, or "library/..." at an unknown host, is a copy: another image in the text is the source, which gets its tag; an official image there is that of Docker Hub if no other one is its source; an image whose path is a namespace and the path of another one with the same tag is a copy as well, even of one that a diff replaces, so is one at an unknown host or in a namespace there that is called a mirror, which may have the same path, or only the name and the tag of the one that the diff replaces, so is one without a tag that a sentence calls the place to copy another one to, or that has the name of it, one in a command, Dockerfile or log, if a sentence or list names one with the same name and tag, and one at the registry of an account in a cloud, if the text names one elsewhere with the same name and tag
	{"copy", copies},
	// says: if the text asks for an image, or is certainly a request, and names none that counts, a name with a namespace in a sentence is meant, or else one with a tag in the title
	{"only-mention", onlyMention},
	// says: names in the lists of a short text are in the only namespace with its registry that the text states, if the text names no other image
	{"names-in-space", namesInSpace},
	// says: a name without a namespace that no official image has is in the namespace that the text states for its list; Ferry asks if that is a word without a slash, unless a name begins with a part of it
	{"stated-namespace", intoSpaces},
	// says: an image at the beginning of a line is an item of the list to which the line above or below belongs, in spite of the remark behind it; so is one at the beginning of an item of a list of which another item is an image
	{"item", items},
	// says: the tags of a list, one a line, are those of the image without a tag in the line above it, or else of the last one above or the only one of the title
	{"listed-tags", listedTags},
	// says: versions alone on a line of the body are the tags of the only image if it has none
	{"lone-tag", loneTags},
	// says: a version that a line gives for all images is the tag of the images without one
	{"shared-tag", sharedTags},
	// says: an image in the body without a tag gets the tag in the title
	{"body-gets-tag", bodyGetsTags},
	// says: a tag that stands apart is that of the image without one whose name is in front of it, or of the only image, or those on one line, if a word announces the tag, or of all images, if a word says so or a line begins with tags of one series, or the text asks for images and names no other tag; otherwise Ferry asks
	{"apart-tag", apartTags},
	// says: a longer tag of the same version, as in "1.2.3-debug" behind "1.2.3" or below a title with "1.2", replaces the one of the image with that version, if a part of it or brackets announce it, or is one more if words such as "also" are beside it, or a list names both
	{"longer-tag", longerTags},
	// says: versions that stand apart from their images get the "v" that a line says is in front of the tags, if no image has one
	{"letter", letters},
	// says: Ferry asks about images without a tag if a sentence promises a version for later
	{"later-tag", laterTag},
	// says: a name of an official image with a tag in the body is meant, if the title asks for that image, without a tag or with the beginning of that one, or for another one on the same line
	{"title-names", titleNames},
	// says: the images in the body count, unless the body only mentions them and the title is an image, or the title lists them and others
	{"title-or-body", titleOrBody},
	// says: a version in a sentence that adds something, or alone on a line, is one more tag of the only image before it, or of the one whose name is in front of it
	{"more-tags", moreOfThem},
	// says: a name without a registry and a tag inside a sentence is not requested if the text names an image with a tag, but not right beside it, and does not speak of the latest one
	{"untagged", untagged},
	// says: the name of the repository with the issue is not an image
	{"own-name", ownName},
	// says: an image that a log has tried to pull from another registry, because its command names none, is not requested
	{"tried", triedElsewhere},
	// says: a link, a word in a sentence, the address of a manifest in a log or an image without a tag there is only a mention if another reference to the same image is more complete
	{"says-less", saysLess},
	// says: an image without a tag gets the only tag that the text names of its repository, or is dropped if the one with the tag counts, unless that one is excluded, or both are lines of a list
	{"only-tag", onlyTag},
	// says: a name and a tag that stand for others, such as "img:tag", are not meant if the text names another image
	{"sample", samples},
	// says: an image is not requested if the words beside it say so more than those beside the others; their weights were learned
	{"beside", unwantedBeside},
	// says: a tag such as "1.16.x" is that of a range: Ferry asks for one of its versions
	{"range", ranges},
	// says: Ferry asks about a bare word in a list of images
	{"list-item", listItems},
	// says: tags that the body announces are those of the only official image that the title names, or else the body, if a text that asks for images names none with a tag
	{"title-tags", titleTags},
	// says: a single word is an image on Docker Hub if nothing else is requested
	{"guess", guess},
}

// decide applies the rules.
func decide(e evidence) evidence {
	e = e.clone()
	for _, r := range rules {
		r.apply(&e)
	}
	return e
}
