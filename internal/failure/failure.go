// Package failure is the vocabulary of what can go wrong with one image: a
// stable code, the side on which it happened, and what is known for a cure.
// The plan, the registries and the mirror use it, and so does publish for what
// GitHub has in common with a registry: limits, outages, the end of a run. The
// report turns it into sentences in two languages. Nothing in here is text for
// people.
package failure

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Kind tells what a failure asks of whom.
type Kind int

const (
	// Fault is ours, or nobody's that we could name: the log has the chain,
	// the requester gets a neutral sentence and the link of the run.
	Fault Kind = iota
	// Refusal is for the requester or the owner to cure: asking again
	// unchanged gives the same answer.
	Refusal
	// Transient goes away by itself: the same request is tried again later.
	Transient
)

// Code is the stable name of a failure. Codes appear in JSON output and in
// the documentation and are never renamed.
type Code string

// The codes, by who has to act.
const (
	// The requester.
	NotFound       Code = "not-found"        // no such repository, tag or digest at the source
	Private        Code = "private"          // the source wants a login
	NoPlatform     Code = "no-platform"      // the image does not exist for a platform that was asked for
	Unsupported    Code = "unsupported"      // the manifest is of a kind that cannot be mirrored
	TooLarge       Code = "too-large"        // over the owner's limit of bytes or manifests
	TooMany        Code = "too-many"         // over the owner's limit of images a request
	TooOften       Code = "too-often"        // over the owner's limit of requests a day
	TooMuch        Code = "too-much"         // over the owner's limit of bytes a day
	TooManyNew     Code = "too-many-new"     // over the owner's limit of new repositories a day
	HostNotAllowed Code = "host-not-allowed" // the source's host is not on the owner's list
	HostForbidden  Code = "host-forbidden"   // an address that no request may name: private, loopback, metadata
	FakeIP         Code = "fake-ip"          // the host resolves to an address that a proxy made up, which is not allowed here
	Denied         Code = "denied"           // the owner excluded this repository
	// The hint is who may.
	NotPermitted     Code = "not-permitted"      // the requester may not ask for anything here
	HostNotPermitted Code = "host-not-permitted" // nor for images of this host
	NameNotPermitted Code = "name-not-permitted" // nor for a custom name
	NameTaken        Code = "name-taken"         // the mirror name holds other content, from another source
	CustomName       Code = "custom-name"        // the requested custom name cannot be given
	OwnMirror        Code = "own-mirror"         // the image is one of our own mirrors; the hint is what it mirrors
	ManifestTooLarge Code = "manifest-too-large" // the manifest has more bytes than any registry takes
	WrongSize        Code = "wrong-size"         // the manifest gives another size for a blob than the blob has
	SourceRefused    Code = "source-refused"     // the source refuses to serve the image or a part of it, and not for want of a login

	// The owner.
	TargetLogin   Code = "target-login"   // the target refuses the credentials, or has got none
	TokenServer   Code = "token-server"   // the registry sends logins to a host that is not known to be its own, which is the hint
	TargetRefused Code = "target-refused" // the target does not accept the manifest or the name
	LoginIsEmail  Code = "login-is-email" // the target refuses the credentials, of which the user name is an e-mail address
	TagImmutable  Code = "tag-immutable"  // the tag exists at the target, and may not be changed there
	Rewritten     Code = "rewritten"      // the target stores another manifest than the one that it was sent
	RequestLimit  Code = "request-limit"  // the target, or a proxy before it, takes no request of this size
	Quota         Code = "quota"          // the target's space or number of repositories is used up

	// Nobody: it passes.
	RateLimited Code = "rate-limited" // a registry asks to slow down
	Unavailable Code = "unavailable"  // a registry answers with a server error
	PartLost    Code = "part-lost"    // the target says that it lacks a part of the image that it has taken before
	Network     Code = "network"      // connections fail, stall or break off, more often than is bearable
	EmptyIndex  Code = "empty-index"  // the tag names an index without entries, which publishers push before their builds are ready
	TimedOut    Code = "timed-out"    // the time for the image or the job ran out
	TooSlow     Code = "too-slow"     // so few bytes move that the time of the job is not worth it
	Cancelled   Code = "cancelled"    // the job was told to stop

	// Us, or a registry that breaks the protocol.
	Corrupt  Code = "corrupt"  // content does not match its digest or size, however often it is asked for
	Internal Code = "internal" // everything else
)

// Kind is what the code asks of whom.
func (c Code) Kind() Kind {
	switch c {
	case NotFound, Private, NoPlatform, Unsupported, TooLarge, TooMany, TooOften, TooMuch, TooManyNew, HostNotAllowed, HostForbidden, FakeIP, Denied,
		NotPermitted, HostNotPermitted, NameNotPermitted, NameTaken, CustomName, OwnMirror, ManifestTooLarge, WrongSize, SourceRefused:
		return Refusal
	case TargetLogin, TokenServer, TargetRefused, LoginIsEmail, TagImmutable, Rewritten, RequestLimit, Quota:
		return Refusal
	case RateLimited, Unavailable, PartLost, Network, EmptyIndex, TimedOut, TooSlow, Cancelled:
		return Transient
	case Corrupt, Internal:
		return Fault
	}
	return Refusal // a code that does not exist
}

// ForOwner reports whether the owner of the mirror is who can cure it, so that a
// request that met it waits for him instead of being refused.
func (c Code) ForOwner() bool {
	switch c {
	case TargetLogin, LoginIsEmail, TokenServer, Quota, RequestLimit:
		return true
	default: // what the owner can do nothing about, or what is for this image alone
		return false
	}
}

// Bytes is a number of bytes as a hint, with the largest unit that it is a
// multiple of, as the policy file may have it: "30GiB".
func Bytes(n int64) string {
	units := []string{"", "KiB", "MiB", "GiB", "TiB"}
	unit := 0
	for n != 0 && n%1024 == 0 && unit < len(units)-1 {
		n, unit = n/1024, unit+1
	}
	return strconv.FormatInt(n, 10) + units[unit]
}

// Side is the registry that a failure is about.
type Side string

// The sides. The empty Side is neither: a decision of the plan, for example.
const (
	Source Side = "source"
	Target Side = "target"
)

// ReadingBlob is the Step of a failure to read a layer or a config, which says
// nothing against the image's name.
const ReadingBlob = "reading blob"

// Error is one failure. Err is for the log alone; Detail is what the registry
// said, foreign text that the report fences before anybody sees it.
type Error struct {
	Code   Code
	Side   Side
	Step   string    // what was being done, a gerund: "reading manifest"
	Detail string    // the registry's own words, hostile, at most a few KiB
	Hints  []string  // canonical values for the cure: existing tags, allowed hosts, the limit that was passed
	Until  time.Time // when it is worth another try, if known
	Err    error     // the chain, for the log
}

// Error is for the log: code, side and step, then the chain.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Step != "" {
		b.WriteString(e.Step)
		if e.Side != "" {
			fmt.Fprintf(&b, " (%s)", e.Side)
		}
		b.WriteString(": ")
	}
	b.WriteString(string(e.Code))
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	} else if e.Detail != "" {
		fmt.Fprintf(&b, ": %q", e.Detail)
	}
	return b.String()
}

// ForOwner reports whether the owner of the mirror is who can cure it: by the
// code, or because the place that is missing is the target's.
func (e *Error) ForOwner() bool {
	return e.Code.ForOwner() || e.Side == Target && e.Code == NotFound
}

// Unwrap gives the chain to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// Kind is the kind of the code.
func (e *Error) Kind() Kind { return e.Code.Kind() }

// As is the *Error in the chain of err.
func As(err error) (*Error, bool) { return errors.AsType[*Error](err) }

// CodeOf is the code of err: "" without an error, and Internal for an error
// that is no *Error.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if f, ok := As(err); ok {
		return f.Code
	}
	return Internal
}
