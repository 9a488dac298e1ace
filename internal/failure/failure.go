// Package failure defines what can go wrong with one image: a stable code, the
// side on which it happened, and hints for fixing it. The plan, the registries
// and the mirror use it; publish uses it for failures that GitHub and
// registries share: limits, outages, the end of a run. Package report describes
// failures in two languages; this package contains no text for people.
package failure

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Kind tells who has to act on a failure.
type Kind int

const (
	// Fault is an error in Ferry, or one without a known cause: the log has the
	// wrapped errors, and the requester gets a neutral sentence with a link to
	// the run.
	Fault Kind = iota
	// Refusal has to be fixed by the requester or the owner. The same request
	// would fail again.
	Refusal
	// Transient is a temporary failure: the same request is retried later.
	Transient
)

// Code is the stable name of a failure. Codes appear in JSON output and in the
// documentation, and are never renamed.
type Code string

// The codes, by who has to act.
const (
	// The requester.
	NotFound       Code = "not-found"        // no such repository, tag or digest at the source
	Private        Code = "private"          // the source requires a login
	NoPlatform     Code = "no-platform"      // the image is not available for a requested platform
	Unsupported    Code = "unsupported"      // the manifest is of a kind that cannot be mirrored
	TooLarge       Code = "too-large"        // over the owner's limit of bytes or manifests
	TooMany        Code = "too-many"         // over the owner's limit of images in a request
	TooOften       Code = "too-often"        // over the owner's limit of requests per day
	TooMuch        Code = "too-much"         // over the owner's limit of bytes per day
	TooManyNew     Code = "too-many-new"     // over the owner's limit of new repositories per day
	HostNotAllowed Code = "host-not-allowed" // the source's host is not on the owner's list
	HostForbidden  Code = "host-forbidden"   // an address that requests must not name: private, loopback, metadata
	BadAddress     Code = "bad-address"      // the registry names an address, of a token server, an upload or a redirect, that Ferry does not connect to, or redirects in a circle; the hints are its host and perhaps the address
	FakeIP         Code = "fake-ip"          // the host resolves to an address that a proxy made up, which is not allowed here
	NotListed      Code = "not-listed"       // the owner's list of repositories does not have this one, and the requester has no write permission
	Denied         Code = "denied"           // the owner excluded this repository
	// The hint is who is permitted.
	NotPermitted     Code = "not-permitted"      // the requester may not ask for anything here
	HostNotPermitted Code = "host-not-permitted" // the requester may not ask for images of this host
	NameNotPermitted Code = "name-not-permitted" // the requester may not choose a mirror name
	Unverified       Code = "unverified"         // the image lacks the signature that the owner demands
	NameTaken        Code = "name-taken"         // the mirror name holds other content, from another source
	CustomName       Code = "custom-name"        // the requested custom name cannot be used
	OwnMirror        Code = "own-mirror"         // the image is itself a mirror; the hint is its source
	ManifestTooLarge Code = "manifest-too-large" // the manifest is larger than registries accept
	WrongSize        Code = "wrong-size"         // the manifest gives a wrong size for a blob
	SourceRefused    Code = "source-refused"     // the source refuses to serve the image or a part of it, for another reason than a missing login

	// The owner.
	TargetLogin   Code = "target-login"   // the target refuses the credentials, or there are none
	TokenServer   Code = "token-server"   // the registry asks for logins to be sent to a host that is not known to belong to it; the hint is that host
	TargetRefused Code = "target-refused" // the target does not accept the manifest or the name
	TargetClosed  Code = "target-closed"  // the target accepts no pushes: it is read-only or disabled, or a policy, a firewall or a proxy refuses them
	LoginIsEmail  Code = "login-is-email" // the target refuses the credentials, and the user name is an e-mail address
	LoginExchange Code = "login-exchange" // a cloud does not exchange the job's OIDC token for a login; the hints are the host that refuses and the job's subject
	TagImmutable  Code = "tag-immutable"  // the tag exists at the target, and may not be changed there
	Rewritten     Code = "rewritten"      // the target stores the manifest in another form
	RequestLimit  Code = "request-limit"  // the target, or a proxy in front of it, refuses requests of this size
	NoVerifier    Code = "no-verifier"    // the program that verifies signatures is not there
	Quota         Code = "quota"          // the target's space or number of repositories is used up

	// Nobody: temporary.
	RateLimited Code = "rate-limited" // a registry limits requests
	Unavailable Code = "unavailable"  // a registry answers with a server error
	PartLost    Code = "part-lost"    // the target reports that it lacks a part of the image that it had accepted
	WebPage     Code = "web-page"     // a web page was sent in place of an image: by a proxy, a firewall or the login page of the network
	Proxy       Code = "proxy"        // the proxy that the owner configured opens no connection; the hint is why
	Network     Code = "network"      // connections fail, stall or break too often
	EmptyIndex  Code = "empty-index"  // the tag names an index without entries, which some publishers push before their builds are ready
	TimedOut    Code = "timed-out"    // the time limit for the image or the job was reached
	TooSlow     Code = "too-slow"     // the data moves too slowly to be worth the time of the job
	Cancelled   Code = "cancelled"    // the job was stopped

	// Ferry, or a registry that breaks the protocol.
	Corrupt  Code = "corrupt"  // content does not match its digest or size, even after retries
	Internal Code = "internal" // everything else
)

// Kind returns the kind of the code.
func (c Code) Kind() Kind {
	switch c {
	case NotFound, Private, NoPlatform, Unsupported, TooLarge, TooMany, TooOften, TooMuch, TooManyNew, HostNotAllowed, HostForbidden, BadAddress, FakeIP, NotListed, Denied,
		NotPermitted, HostNotPermitted, NameNotPermitted, Unverified, NameTaken, CustomName, OwnMirror, ManifestTooLarge, WrongSize, SourceRefused:
		return Refusal
	case TargetLogin, TokenServer, TargetRefused, TargetClosed, LoginIsEmail, LoginExchange, TagImmutable, Rewritten, RequestLimit, NoVerifier, Quota:
		return Refusal
	case RateLimited, Unavailable, PartLost, WebPage, Proxy, Network, EmptyIndex, TimedOut, TooSlow, Cancelled:
		return Transient
	case Corrupt, Internal:
		return Fault
	}
	return Refusal // an unknown code
}

// ForOwner reports whether the owner of the mirror can fix it. A request with
// such a failure waits for the owner instead of being refused.
func (c Code) ForOwner() bool {
	switch c {
	case TargetLogin, TargetClosed, LoginIsEmail, LoginExchange, TokenServer, Quota, RequestLimit, NoVerifier:
		return true
	default: // the owner cannot fix it, or it concerns this image only
		return false
	}
}

// Bytes formats a number of bytes as a hint, with the largest unit that divides
// it, as in the policy file: "30GiB".
func Bytes(n int64) string {
	units := []string{"", "KiB", "MiB", "GiB", "TiB"}
	unit := 0
	for n != 0 && n%1024 == 0 && unit < len(units)-1 {
		n, unit = n/1024, unit+1
	}
	return strconv.FormatInt(n, 10) + units[unit]
}

// Side is the registry that failed.
type Side string

// The sides. The empty Side is neither, for decisions of the plan.
const (
	Source Side = "source"
	Target Side = "target"
)

// ReadingBlob is the Step of a failure to read a layer or a config. It does not
// mean that the name of the image is wrong.
const ReadingBlob = "reading blob"

// GettingToken is the Step of a failure to get a token. It says nothing about
// the image.
const GettingToken = "getting token"

// Error is one failure. Err is for the log only. Detail is text from the
// registry, which package report fences before people see it.
type Error struct {
	Code   Code
	Side   Side      `json:",omitempty"`
	Step   string    `json:",omitempty"` // what was being done, a gerund: "reading manifest"
	Detail string    `json:",omitempty"` // response of the registry: hostile text, at most a few KiB
	Hints  []string  `json:",omitempty"` // canonical values for fixing it: existing tags, allowed hosts, the exceeded limit
	Until  time.Time `json:",omitzero"`  // when it may work again, if known
	Err    error     `json:"-"`          // the wrapped error, for the log
}

// Error describes the failure for the log: code, side and step, then the
// wrapped error.
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

// ForOwner reports whether the owner of the mirror can fix it: because of the
// code, or because the missing repository or the wrong address is the target's.
func (e *Error) ForOwner() bool {
	return e.Code.ForOwner() || e.Side == Target && (e.Code == NotFound || e.Code == BadAddress)
}

// Unwrap returns the wrapped error for errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// Kind returns the kind of the code.
func (e *Error) Kind() Kind { return e.Code.Kind() }

// As returns the *Error that err wraps.
func As(err error) (*Error, bool) { return errors.AsType[*Error](err) }

// CodeOf returns the code of err: "" for nil, and Internal for an error that
// wraps no *Error.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if f, ok := As(err); ok {
		return f.Code
	}
	return Internal
}
