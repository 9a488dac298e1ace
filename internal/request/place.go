package request

// A place is where an image can be named. It defines how strong the evidence of
// a word must be there, and what happens to weaker words. This is the only list
// of places.
type place struct {
	name   string // for --explain and docs/shapes.md
	needs  strength
	weaker verdict // for words with weaker evidence
	stance stance
}

// never is stronger than every word: no word counts in such a place.
const never = certain + 1

// stance is the kind of text in which an image is named.
type stance int

const (
	listed   stance = iota // on a line that consists of images
	pasted                 // in a command, a file, a table or a log
	embedded               // inside a sentence
)

// The places.
var (
	// says: a line with only images and the words that belong to them
	inLine = &place{"line", official, guessed, listed}
	// says: a Kubernetes release, whose images are known
	inRelease = &place{"release", tagged, dropped, listed}
	// says: an argument that is an image by the grammar of a pasted command
	inCommand = &place{"command", bare, dropped, pasted}
	// says: the same for a command inside a sentence
	inSpoken = &place{"spoken-command", bare, dropped, embedded}
	// says: any other word on the line of a command
	besideOne = &place{"beside-command", certain, dropped, embedded}
	// says: FROM in a Dockerfile
	inFrom = &place{"from", bare, dropped, pasted}
	// says: COPY --from= and RUN --mount=from= in a Dockerfile
	inCopyFrom = &place{"copy-from", path, dropped, pasted}
	// says: the value of a key for images, in any file of settings
	inKey = &place{"image-key", bare, dropped, pasted}
	// says: the fields of a form that together are an image
	inField = &place{"field", bare, dropped, listed}
	// says: the value of any other key, if it has a tag or a digest
	inOtherKey = &place{"other-key", certain, dropped, pasted}
	// says: the source in a list of sources and destinations
	inSource = &place{"source", tagged, dropped, pasted}
	// says: a key of image-syncer's list, whose value is the target
	inSyncKey = &place{"sync-key", tagged, dropped, pasted}
	// says: the image column in the output of a program
	inColumn = &place{"column", bare, dropped, pasted}
	// says: the image column in a table
	inCell = &place{"cell", official, guessed, pasted}
	// says: a name in a list below the common namespace
	inNamespace = &place{"namespace", tagged, dropped, listed}
	// says: an image that a log announces
	inLog = &place{"log", bare, dropped, pasted}
	// says: an image that a log reports as present
	inLogDone = &place{"log-done", bare, dropped, pasted}
	// says: the URL of a manifest in a log
	inLogLink = &place{"log-link", certain, dropped, pasted}
	// says: a word of a sentence
	inSentence = &place{"sentence", tagged, dropped, embedded}
	// says: a word in quotes in a sentence
	inQuotes = &place{"quotes", path, dropped, embedded}
	// says: a word in a sentence that asks for something, or in a title that names one image
	inWish = &place{"wish", path, dropped, embedded}
	// says: the only word in a polite request
	inPlainWish = &place{"plain-wish", official, guessed, embedded}
	// says: a word that the sentence excludes
	inExclusion = &place{"exclusion", never, dropped, embedded}
	// says: anywhere else
	leftOver = &place{"elsewhere", never, dropped, pasted}
	// says: a word in a question
	inQuestion = &place{"question", never, asked, embedded}
)

// maskedPlaces are the places of masked text, by the reason for masking.
var maskedPlaces = map[reason]*place{
	// says: a quoted message
	isQuoted: {isQuoted.String(), never, dropped, pasted},
	// says: an example, announced as such in the text
	isExample: {isExample.String(), never, dropped, pasted},
	// says: a line that a diff removes
	isRemoved: {isRemoved.String(), never, dropped, pasted},
	// says: a line that a diff does not change
	isUnchanged: {isUnchanged.String(), never, dropped, pasted},
	// says: the context lines in an error message or the output of a tool
	isExcerpt: {isExcerpt.String(), never, dropped, pasted},
	// says: text that GitHub does not show: link definitions, the text after an opening fence, style sheets, scripts
	isHidden: {isHidden.String(), never, dropped, pasted},
	// says: a list below words that exclude it
	isNot: {isNot.String(), never, dropped, pasted},
}
