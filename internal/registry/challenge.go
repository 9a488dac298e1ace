package registry

import (
	"net/http"
	"strings"
)

// challenge is how a registry wants to be asked (RFC 9110 §11.6.1).
type challenge struct {
	scheme         string // "bearer", "basic", or "" for no authentication at all
	realm, service string
}

// challenges reads the WWW-Authenticate headers of a response and picks the
// scheme that Ferry prefers: Bearer, then Basic. It returns false if there is
// neither.
func challenges(header http.Header) (challenge, bool) {
	best, found := challenge{}, false
	for _, text := range header.Values("WWW-Authenticate") {
		scheme, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
		params := parameters(rest)
		switch strings.ToLower(scheme) {
		case "bearer":
			if params["realm"] != "" {
				return challenge{"bearer", params["realm"], params["service"]}, true
			}
		case "basic":
			best, found = challenge{scheme: "basic"}, true
		}
	}
	return best, found
}

// parameters reads key="value" pairs joined by commas; values may be quoted,
// with backslash escapes, or bare.
func parameters(text string) map[string]string {
	params := map[string]string{}
	for text != "" {
		key, rest, ok := strings.Cut(text, "=")
		if !ok {
			break
		}
		var value strings.Builder
		rest = strings.TrimLeft(rest, " \t")
		if strings.HasPrefix(rest, `"`) {
			i := 1
			for ; i < len(rest) && rest[i] != '"'; i++ {
				if rest[i] == '\\' && i+1 < len(rest) {
					i++
				}
				value.WriteByte(rest[i])
			}
			rest = rest[min(i+1, len(rest)):]
			_, rest, _ = strings.Cut(rest, ",")
		} else {
			var bare string
			bare, rest, _ = strings.Cut(rest, ",")
			value.WriteString(strings.TrimSpace(bare))
		}
		params[strings.ToLower(strings.TrimSpace(key))] = value.String()
		text = rest
	}
	return params
}
