package request

import (
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// Verb is the kind of a command in a comment.
type Verb string

// The verbs.
const (
	Retry    Verb = "retry"    // process the issue again
	Refresh  Verb = "refresh"  // the same, and check for moved tags
	Platform Verb = "platform" // repeat the request for these platforms
	Add      Verb = "add"      // add images to the request
	Archive  Verb = "archive"  // make a file with the images as well
	Cancel   Verb = "cancel"   // cancel the request
	Approve  Verb = "approve"  // approve the request with this fingerprint
	Help     Verb = "help"     // list the commands
)

// Command is one command in a comment.
type Command struct {
	Verb      Verb
	Platforms []reference.Platform // of the verb Platform; never empty there
	Images    []Image              // of the verb Add; never empty there
	// Fingerprint is 64 hexadecimal digits, of the verb Approve.
	Fingerprint string
}

// verbs maps words to verbs, in English and Chinese.
var verbs = map[string]Verb{
	"retry": Retry, "again": Retry, "rerun": Retry, "重试": Retry, "再试": Retry, "重新同步": Retry,
	"refresh": Refresh, "update": Refresh, "刷新": Refresh, "更新": Refresh,
	"platform": Platform, "platforms": Platform, "平台": Platform, "架构": Platform,
	"add": Add, "添加": Add, "加上": Add, "增加": Add, "追加": Add,
	"approve": Approve, "allow": Approve, "批准": Approve, "同意": Approve, "放行": Approve,
	"archive": Archive, "tar": Archive, "离线包": Archive, "打包": Archive,
	"cancel": Cancel, "取消": Cancel, "撤销": Cancel,
}

// politeness are words that change nothing. Any other word that does not belong
// to the verb might: "cancel the second one" does not mean to cancel
// everything.
var politeness = map[string]bool{
	"please": true, "pls": true, "plz": true, "now": true, "again": true, "it": true, "this": true,
	"thanks": true, "thank": true, "you": true, "thx": true,
	"谢谢": true, "麻烦": true,
}

// ParseCommand parses the command in a comment: "/ferry", a verb in English or
// Chinese, and its arguments on the first line. The lines below are ignored.
// For comments that do not begin this way ok is false. An unknown or incomplete
// command is Help.
func ParseCommand(comment string) (c Command, ok bool) {
	line, _, _ := strings.Cut(strings.TrimSpace(comment), "\n")
	words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\r\u3000,，、", r) })
	if len(words) == 0 || !strings.EqualFold(words[0], "/ferry") {
		return Command{}, false
	}
	for _, word := range words[1:] {
		if !c.read(word) {
			return Command{Verb: Help}, true
		}
	}
	if !c.isComplete() {
		return Command{Verb: Help}, true
	}
	return c, true
}

// read adds a word to a command, and reports whether it belongs there.
func (c *Command) read(word string) bool {
	if c.Verb == Add {
		return c.readImage(word)
	}
	word = strings.ToLower(strings.TrimRight(word, ".!。！~"))
	word = strings.TrimPrefix(strings.TrimSuffix(strings.TrimSuffix(word, "吧"), "一下"), "请")
	p, err := reference.ParsePlatform(word)
	switch {
	case c.Verb == "" && verbs[word] != "":
		c.Verb = verbs[word]
	case word == "" || politeness[word]:
	case c.Verb == Platform && err == nil:
		c.Platforms = append(c.Platforms, p)
	case c.Verb == Approve && c.Fingerprint == "" && isFingerprint(word):
		c.Fingerprint = word
	default:
		return false
	}
	return true
}

// readImage is read for the images of the verb Add.
func (c *Command) readImage(word string) bool {
	if politeness[strings.ToLower(word)] || isTagListMark(word) {
		return true
	}
	r := readWord(strings.Trim(word, "`\"'"))
	if len(r.images) == 0 || r.problem != nil || r.strength < official || len(c.Images) >= MaxExpansion {
		return false
	}
	c.Images = append(c.Images, r.images...)
	return true
}

// isComplete reports whether a command has a verb and what it needs.
func (c *Command) isComplete() bool {
	switch c.Verb {
	case "":
		return false
	case Platform:
		return c.Platforms != nil
	case Add:
		return c.Images != nil
	case Approve:
		return c.Fingerprint != ""
	default:
		return true
	}
}

// isFingerprint reports whether a word is a SHA-256 in hexadecimal.
func isFingerprint(word string) bool {
	return len(word) == 64 && strings.Trim(word, "0123456789abcdef") == ""
}
