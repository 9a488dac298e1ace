package report

import (
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/selection"
)

const againInEnglish = "Data that was copied is kept: run the same command again to continue."

var (
	terminalInEnglish = terminalWords{
		Platforms: "platforms: ",
		Name:      "mirror name: ",
		Written:   "written as ",
		Considered: consideredWords{
			Title: "title", Rules: "; rules: ", Why: "%s in %s, which needs %s",
			Score: "score: %d (a request from 0 on)\n", Signals: "signals: ", Wording: "wording %d: ",
			Verdicts: table[string, string]{{"taken", "taken"}, {"guessed", "guessed"}, {"asked", "asked"}, {"dropped", "dropped"}},
		},
		Causes: table[Cause, advice]{
			{UnknownHost, advice{"unknown host", "There is no host {host}.", "Check the spelling."}},
			{Unresolved, advice{"name not resolved", "This machine cannot resolve the name {host}.", "Check its DNS, or set HTTPS_PROXY to a proxy that reaches the registry."}},
			{NoTLS, advice{"no TLS", "{host} does not support TLS.", "To reach it by plain HTTP, add `--plain-http` with its name."}},
			{OnlyTLS, advice{"TLS required", "{host} requires TLS.", "Leave out `--plain-http` with its name."}},
			{OldTLS, advice{"TLS too old", "The TLS of {host} is too old: Ferry needs version 1.2 or newer, and a cipher that is still safe.", "Its operator must update it, or the proxy in front of it."}},
			{Certificate, advice{"certificate not valid", "The certificate of {host} is not valid: this machine does not know the authority that issued it.", "Add that authority to those of the system, or name a file with it by `--ca`. If the registry is a public one, the network may have replaced its certificate."}},
			{Expired, advice{"certificate expired", "The certificate of {host} has expired or is not valid yet, by the clock of this machine.", "Check the clock. If it is right, the operator must renew the certificate."}},
			{OtherName, advice{"certificate of another host", "The certificate of {host} has other names.", "Check the host. A proxy or a login page of the network may have answered in its place."}},
			{NoLogin, advice{"no login", "{host} requires a login, and none is configured for it.", "Run `docker login` for it, or set FERRY_USERNAME and FERRY_PASSWORD."}},
			{Blocked, advice{"blocked by DNS", "The DNS of this network gives {host} an address at which there is no registry, probably to block it.", "Use another DNS server, or set HTTPS_PROXY to a proxy that reaches the registry."}},
			{Website, advice{"not a registry", "{host} is a website and no registry: even at /v2/, a web page says that nothing is there.", "Check the host."}},
			{Refers, advice{"blocked by DNS", "{host} refers to another host, and the DNS of this network gives it an address without a server, probably to block it.", "Use another DNS server, or set HTTPS_PROXY to a proxy that reaches it."}},
			{NoHandshake, advice{"no answer to TLS", "{host} accepts connections, but does not answer the TLS handshake: it may be overloaded, or something on the way drops it.", "Try again later, or set HTTPS_PROXY to a proxy that reaches it."}},
			{NoServer, advice{"connection refused", "{host} refuses connections.", "Check the host and the port, and whether the registry is running."}},
		},
		Hints: table[failure.Code, md]{{failure.TargetLogin, "Reason: {hints}."}, {failure.HostForbidden, "The address is {hints}."}}, // the cure says the rest
		Cures: table[failure.Code, md]{
			{failure.NameTaken, "Write `-> name:tag` after the image to choose another name."},
			{failure.HostForbidden, "If it is in your own network, add `--private` with its name. If not, use another DNS server, or set HTTPS_PROXY to a proxy that reaches it."},
			{failure.BadAddress, "The operator of the registry must set its public address. If the address is right and in a private network, add `--private` with it."},
			{failure.WebPage, "Open a page in a browser: if the network requires a login, log in. Then run the same command again."},
			{failure.Proxy, "Check HTTPS_PROXY and ALL_PROXY, or name the host in NO_PROXY. If the proxy requires a login, its address must contain the user name and password."},
			{failure.Private, "Check the name. Sources are read without a login, unless a policy file (FERRY_CONFIG) names one."},
			{failure.TargetLogin, "Run `docker login` for it again, or renew FERRY_USERNAME and FERRY_PASSWORD. Many registries need an access token instead of the website's password."},
			{failure.TargetRefused, "The response from the registry gives the reason."},
			{failure.TargetClosed, "The response gives the reason."},
			{failure.TokenServer, "If it does, name it as `token-server` of this registry in a policy file (FERRY_CONFIG)."},
			{failure.Quota, "Delete unused content there, or choose another target."},
			{failure.TooLarge, "Name one platform with `--platform`, or raise the limit in a policy file (FERRY_CONFIG)."},
			{failure.TooMany, "Name fewer, or raise the limit in a policy file (FERRY_CONFIG)."},
			{failure.Network, againInEnglish},
			{failure.TimedOut, againInEnglish},
			{failure.Cancelled, againInEnglish},
			{failure.Internal, "If it happens again, please report it: https://github.com/imageferry/ferry/issues"},
		},
		Total:   count{"1 image mirrored", "{n} images mirrored"},
		Arrived: " ({bytes} in {time})",
		Present: count{"1 already there", "{n} already there"},
		Failed:  count{"1 failed", "{n} failed"},
		Sync: syncWords{
			Added:    count{"1 new image", "{n} new images"},
			Moved:    count{"1 moved tag copied again", "{n} moved tags copied again"},
			Gone:     count{"1 image gone at the source, kept at the target", "{n} images gone at the source, kept at the target"},
			Failed:   count{"1 failed", "{n} failed"},
			Waiting:  count{"1 waiting until a limit ends, first in the next run", "{n} waiting until a limit ends, first in the next run"},
			Same:     count{"1 unchanged", "{n} unchanged"},
			ToAdd:    count{"1 image to copy", "{n} images to copy"},
			ToMove:   count{"1 tag has moved", "{n} tags have moved"},
			Unlisted: count{"1 selection without a result", "{n} selections without a result"},
			Chosen:   "{n} of {all} tags",
			Kept:     "the old content is kept as",
			TooMany:  "selects {n} tags; the limit is {limit}. Select fewer, or raise `--limit`.",
			Reasons: table[selection.Reason, md]{
				{selection.NoVersion, "not a version"},
				{selection.OutOfRange, "not in the range"},
				{selection.OtherKind, "another variant"},
				{selection.Prerelease, "a prerelease"},
				{selection.MovingTag, "a moving tag: it has fewer than three numbers"},
				{selection.NoMatch, "does not match"},
				{selection.Excepted, "excluded by the list"},
				{selection.Older, "not among the newest"},
				{selection.OlderPatch, "not the newest patch"},
			},
		},
	}
)
