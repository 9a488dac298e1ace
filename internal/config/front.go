package config

import (
	"errors"
	"net/url"
	"strings"

	"github.com/imageferry/ferry/internal/pattern"
)

// frontCure says how to write the address of a front.
const frontCure = "write a scheme and a host, such as https://front.example.com"

// frontHost excludes characters that could end a string in a client's
// configuration file.
var frontHost = &pattern.Regexp{Text: `^[A-Za-z0-9.\-:\[\]]+$`}

// ParseFront parses the address of a front ("ferry serve"): "http" or "https"
// and a host, with a port if necessary.
func ParseFront(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || !frontHost.MatchString(u.Host) {
		return nil, errors.New("is not the address of a front")
	}
	return u, nil
}
