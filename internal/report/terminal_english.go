package report

import "github.com/imageferry/ferry/internal/failure"

func terminalInEnglish() terminalWords {
	const again = "Data that was copied is kept: run the same command again to continue."
	return terminalWords{
		platforms: "platforms: ",
		name:      "mirror name: ",
		written:   "written as ",
		causes: map[Cause]advice{
			UnknownHost: {"unknown host", "There is no host {host}.", "Check the spelling."},
			NoTLS:       {"no TLS", "{host} does not support TLS.", "To reach it by plain HTTP, add `--plain-http` with its name."},
			Certificate: {"certificate not valid", "The certificate of {host} is not valid.", "Add its certificate authority to those of the system, or name a file of authorities in SSL_CERT_FILE."},
			NoLogin:     {"no login", "{host} requires a login, and none is configured for it.", "Run `docker login` for it, or set FERRY_USERNAME and FERRY_PASSWORD."},
		},
		cures: map[failure.Code]md{
			failure.HostForbidden: "To allow it, add `--private` with its name.",
			failure.Private:       "Check the name. Sources are read without a login, unless a policy file (FERRY_CONFIG) names one.",
			failure.TargetLogin:   "Run `docker login` for it again, or renew FERRY_USERNAME and FERRY_PASSWORD. Many registries need an access token instead of the website's password.",
			failure.TargetRefused: "The response from the registry gives the reason.",
			failure.TokenServer:   "If it does, name it as `token-server` of this registry in a policy file (FERRY_CONFIG).",
			failure.Quota:         "Delete unused content there, or choose another target.",
			failure.TooLarge:      "Name one platform with `--platform`, or raise the limit in a policy file (FERRY_CONFIG).",
			failure.TooMany:       "Name fewer, or raise the limit in a policy file (FERRY_CONFIG).",
			failure.Network:       again,
			failure.TimedOut:      again,
			failure.Cancelled:     again,
			failure.Internal:      "If it happens again, please report it: https://github.com/imageferry/ferry/issues",
		},
		total:   count{"1 image mirrored", "{n} images mirrored"},
		arrived: " ({bytes} in {time})",
		present: count{"1 already there", "{n} already there"},
		failed:  count{"1 failed", "{n} failed"},
	}
}
