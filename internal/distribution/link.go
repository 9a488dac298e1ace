package distribution

import (
	"net/http"
	"net/url"
	"strings"
)

// NextPage returns the address of the next page of a list, from the Link header
// with rel="next" (RFC 8288; OCI distribution specification, "Listing Tags").
// It may be relative to the address of the page. It returns false at the end of
// the list.
func NextPage(header http.Header) (*url.URL, bool) {
	for _, text := range header.Values("Link") {
		for text != "" {
			// The target is in angle brackets and may contain commas.
			_, rest, ok := strings.Cut(text, "<")
			if !ok {
				break
			}
			target, rest, ok := strings.Cut(rest, ">")
			if !ok {
				break
			}
			parameters, _, more := strings.Cut(rest, "<") // a title may contain commas
			if next(parameters) {
				u, err := url.Parse(target)
				return u, err == nil
			}
			if !more {
				break
			}
			text = rest[len(parameters):]
		}
	}
	return nil, false
}

// next reports whether the parameters of a link mark it as the next page. So
// does a link without parameters, because some registries write only the
// target.
func next(parameters string) bool {
	if strings.Trim(parameters, ";, \t") == "" {
		return true
	}
	for _, parameter := range strings.Split(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for _, relation := range strings.Fields(strings.Trim(value, "\", \t")) {
			if strings.EqualFold(relation, "next") {
				return true
			}
		}
	}
	return false
}

// SetNextPage sets the address of the next page of a list.
func SetNextPage(header http.Header, next *url.URL) {
	header.Add("Link", "<"+next.String()+`>; rel="next"`)
}
