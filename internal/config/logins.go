package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/oidc"
)

// givenLogin is one line of FERRY_LOGINS.
type givenLogin struct {
	line     int
	source   bool   // for a source; else for a target
	registry string // a host, or the host and namespace of a target
	credential
}

// logins reads FERRY_LOGINS, one secret for all registries, which the shipped
// workflows pass on. Each line has a target, its user name and its password.
// With "source" in front, the line is for a host that images are read from.
//
//	docker.io alice TOKEN
//	source docker.io alice TOKEN
//	example.azurecr.io oidc TENANT-ID CLIENT-ID
//
// With "oidc" in place of the user name, the rest of the line is an identity.
// A fault gives the number of the line and quotes nothing from it.
func (l *loader) logins() []givenLogin {
	var given []givenLogin
	for i, text := range strings.Split(l.Getenv("FERRY_LOGINS"), "\n") {
		n := i + 1
		text = strings.TrimSpace(text)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		g := givenLogin{line: n}
		if rest, ok := strings.CutPrefix(text, "source "); ok {
			g.source, text = true, rest
		}
		words := strings.Fields(text)
		federated := len(words) > 2 && words[1] == byOIDC
		if len(words) != 3 && !federated {
			l.fault(loginFault(n, fmt.Sprintf("has %d words", len(words)), "write host, user name and password, with spaces between"))
			continue
		}
		host, namespace, _ := strings.Cut(strings.TrimPrefix(words[0], "https://"), "/")
		canonical, _, err := parseHost(host)
		if err != nil || g.source && namespace != "" {
			l.fault(loginFault(n, "does not begin with a host", "write host, user name and password, with spaces between"))
			continue
		}
		g.registry = strings.TrimSuffix(canonical+"/"+namespace, "/")
		if federated {
			if g.identity, err = oidc.Parse(canonical, strings.Join(words[2:], " ")); err != nil {
				l.fault(loginFault(n, "has no identity for "+canonical, err.Error()))
				continue
			}
		} else {
			g.username, g.password = words[1], NewSecret(words[2])
		}
		if slices.ContainsFunc(given, func(o givenLogin) bool { return o.registry == g.registry && o.source == g.source }) {
			l.fault(loginFault(n, "names the same registry as an earlier line", "").as(Repeated))
			continue
		}
		given = append(given, g)
	}
	return given
}

func loginFault(line int, reason, cure string) Fault {
	return Fault{Name: "FERRY_LOGINS", Place: Secrets, Reason: fmt.Sprintf("line %d %s", line, reason), Cure: cure}
}

// forTarget returns the login of FERRY_LOGINS for a target: the one for its
// namespace, else the one for its host.
func forTarget(given []givenLogin, t Target) (givenLogin, bool) {
	for _, registry := range []string{t.String(), t.Host} {
		if i := slices.IndexFunc(given, func(g givenLogin) bool { return !g.source && g.registry == registry }); i >= 0 {
			return given[i], true
		}
	}
	return givenLogin{}, false
}

// forSource returns the login of FERRY_LOGINS for a source.
func forSource(given []givenLogin, host string) (givenLogin, bool) {
	if i := slices.IndexFunc(given, func(g givenLogin) bool { return g.source && g.registry == host }); i >= 0 {
		return given[i], true
	}
	return givenLogin{}, false
}

// giving returns the login of a line for its host.
func (l *loader) giving(g givenLogin, host string) credential {
	if g.identity == "" {
		return g.credential
	}
	ask := asker(l.Helper)
	if g.source {
		ask = nil // helpers are for targets
	}
	return l.federated(g.identity, host, origin{Name: fmt.Sprintf("FERRY_LOGINS line %d", g.line), Place: Workflow}, ask)
}

// unusedLogins reports lines of FERRY_LOGINS for registries that are not
// configured, which are probably typing errors. A target may be one that only
// lists of images name, so it is a warning.
func (l *loader) unusedLogins(given []givenLogin, targets []listedTarget, sources []Source) {
	for _, g := range given {
		report := l.note
		used := slices.ContainsFunc(targets, func(t listedTarget) bool { return g.registry == t.Host || g.registry == t.String() })
		cure := "correct the host, or begin the line with \"source\" if images are read from it"
		if g.source {
			report = l.fault
			used = slices.ContainsFunc(sources, func(s Source) bool { return s.Host == g.registry })
			cure = "correct the host, or add it to FERRY_SOURCES"
		}
		if !used {
			report(loginFault(g.line, "names a registry that is not configured", cure))
		}
	}
}
