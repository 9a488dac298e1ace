package registry

import (
	"net/http"
	"strings"
)

// challenge is a challenge of WWW-Authenticate (RFC 9110 §11.6.1).
type challenge struct {
	scheme         string // "bearer", "basic", or "" for no authentication at all
	realm, service string
}

// demand is a challenge in the response to one request, with the parameters
// that concern that request only (RFC 6750 §3).
type demand struct {
	challenge
	scope   string // that a token must have
	problem string // with the token that was sent: "insufficient_scope", "invalid_token"
	several bool   // the response has other challenges
}

// challenges parses the WWW-Authenticate headers of a response, each of which
// may contain several challenges, and selects the scheme that Ferry prefers:
// Bearer, then Basic. Those with a realm in dead, which may be nil, are left out
// unless there is no other. It returns false if there is neither.
func challenges(header http.Header, dead map[string]bool) (best demand, found bool) {
	rank := 0
	for _, text := range header.Values("WWW-Authenticate") {
		for _, c := range split(text) {
			d, this := demand{challenge: challenge{scheme: "basic"}, several: found}, 1
			switch {
			case c.scheme == "bearer" && c.params["realm"] != "":
				d, this = demand{challenge{"bearer", c.params["realm"], c.params["service"]}, c.params["scope"], c.params["error"], found}, 2
			case c.scheme != "basic":
				continue
			}
			if !dead[d.realm] {
				this += 2
			}
			best.several = found
			if this > rank {
				best, found, rank = d, true, this
			}
		}
	}
	return best, found
}

// parsed is a challenge of any scheme.
type parsed struct {
	scheme string            // in lower case
	params map[string]string // by name in lower case
}

// split splits a header with several challenges. Commas separate challenges as
// well as parameters: an element that begins with a word without "=" begins a
// challenge.
func split(text string) []parsed {
	var list []parsed
	for len(text) > 0 {
		text = strings.TrimLeft(text, " \t,")
		word, rest := token68(text)
		if word == "" {
			// Not valid: skip it.
			text = text[min(1, len(text)):]
			continue
		}
		after := strings.TrimLeft(rest, " \t")
		if !strings.HasPrefix(after, "=") {
			list = append(list, parsed{strings.ToLower(word), map[string]string{}})
			text = rest
			continue
		}
		value, behind := parameter(strings.TrimLeft(after[1:], " \t"))
		if len(list) > 0 {
			params := list[len(list)-1].params
			if name := strings.ToLower(word); params[name] == "" {
				params[name] = value
			}
		}
		text = behind
	}
	return list
}

// token68 returns the word at the beginning of text: a scheme, the name of a
// parameter, or the token of a scheme such as Negotiate without its padding.
func token68(text string) (word, rest string) {
	end := strings.IndexAny(text, " \t,=\"")
	if end < 0 {
		end = len(text)
	}
	return text[:end], text[end:]
}

// parameter returns the value at the beginning of text, quoted with backslash
// escapes or bare, and the rest.
func parameter(text string) (value, rest string) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexAny(text, " \t,")
		if end < 0 {
			end = len(text)
		}
		return text[:end], text[end:]
	}
	var b strings.Builder
	i := 1
	for ; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String(), text[min(i+1, len(text)):]
}
