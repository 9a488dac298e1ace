package config

import (
	"slices"
	"strings"
	"unicode"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/name"
)

// listedSource is a source in the policy file before its login is looked up.
type listedSource struct {
	Source
	login login
	at    origin
}

// sources returns the well-known registries and those of the file and of
// FERRY_SOURCES. An entry of the owner replaces the built-in entry of the same
// host.
func (l *loader) sources(listed []listedSource, requests Who) []Source {
	for _, text := range strings.FieldsFunc(l.input("FERRY_SOURCES"), func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		host, plain, err := parseHost(text)
		if err != nil {
			l.fault(Fault{Name: "FERRY_SOURCES", Place: Variables, Reason: strings.Replace(err.Error(), "is", "has", 1), Cure: "write hosts, such as registry.example.com"})
			continue
		}
		if !slices.ContainsFunc(listed, func(s listedSource) bool { return s.Host == host }) {
			listed = append(listed, listedSource{Source: Source{Host: host, PlainHTTP: plain}, at: origin{Name: "FERRY_SOURCES", Place: Variables}})
		}
	}
	for _, g := range l.given {
		// The built-in entry of a well-known host gets the login.
		if g.source && slices.Contains(known.Allowed(), g.registry) && !slices.ContainsFunc(listed, func(s listedSource) bool { return s.Host == g.registry }) {
			listed = append(listed, listedSource{Source: Source{Host: g.registry}})
		}
	}
	var sources []Source
	for _, host := range known.Allowed() {
		if !slices.ContainsFunc(listed, func(s listedSource) bool { return s.Host == host }) {
			sources = append(sources, Source{Host: host, Requests: requests})
		}
	}
	for _, s := range listed {
		if l.resembles(s.at, s.Host, "") {
			continue
		}
		s.Private = s.Private || isLocal(s.Host)
		found := l.sourceCredentials(s)
		s.Username, s.Password, s.OIDC = found.username, found.password, found.identity
		_, given := forSource(l.given, s.Host)
		if s.Requests == "" {
			s.Requests = requests
			// By default, a source with a login or in a private network is not
			// open to everyone, because the mirror is public.
			if (s.login != login{} || given || s.Private) && requests == Anyone {
				s.Requests = Collaborators
			}
		}
		sources = append(sources, s.Source)
	}
	return sources
}

// publicMirrors returns the public mirrors that are asked if the file names none: the
// built-in ones, for images whose names are no secret.
func publicMirrors(sources []Source) []name.Public {
	var all []name.Public
	for _, row := range known.Answering {
		p := name.Public{At: row.At, Names: name.Naming(row.Names)}
		for _, text := range row.Images {
			host, _, _ := strings.Cut(text, "/")
			pattern, err := name.ParsePattern(text)
			for i := range sources {
				s := &sources[i]
				if err == nil && s.Host == host && !s.Private && !s.PlainHTTP && (!s.HasLogin() || s.Requests == Anyone) {
					p.Images = append(p.Images, pattern)
				}
			}
		}
		if p.Images != nil {
			all = append(all, p)
		}
	}
	return all
}

// sourceCredentials returns the login of a source. It can come only from the
// variables that the file names and from FERRY_LOGINS.
func (l *loader) sourceCredentials(s listedSource) credential {
	if given, ok := forSource(l.given, s.Host); ok && s.login == (login{}) {
		return l.giving(given, s.Host)
	}
	if s.login.oidc != "" {
		return l.federated(s.login.oidc, s.Host, s.at, nil)
	}
	username, password := l.lookUp(s.login)
	if (s.login != login{}) && l.Copies {
		if username == "" {
			l.missing(s.login.usernameEnv, s.Host)
		}
		if password.IsZero() {
			l.missing(s.login.passwordEnv, s.Host)
		}
	}
	return credential{username: username, password: password}
}
