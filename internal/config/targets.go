package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/oidc"
	"github.com/imageferry/ferry/internal/reference"
)

// origin is where a setting was written, with the fields of a Fault.
type origin struct {
	Name string
	Place
	Path string
	Line int
}

// lowered is the note that capital letters of a target were changed to lower
// case.
func (at origin) lowered(t Target) Fault {
	return at.fault("has capital letters, which repositories cannot have", fmt.Sprintf("write %q, which is used instead", t))
}

func (at origin) fault(reason, cure string) Fault {
	return Fault{Name: at.Name, Place: at.Place, Path: at.Path, Line: at.Line, Reason: reason, Cure: cure}
}

// login is the origin of the credentials for a host, as the owner wrote it.
type login struct {
	username    string
	usernameEnv string
	passwordEnv string
	oidc        oidc.Identity // checked by identity
}

// listedTarget is a target in the policy file before its login is looked up.
type listedTarget struct {
	Target
	login login
	at    origin
}

// targets returns the targets of the file. FERRY_TARGET selects a single target
// instead, with the file's settings if the file lists it. Without either, the
// target is the user's namespace on Docker Hub.
func (l *loader) targets(file []listedTarget) []Target {
	listed := slices.Clone(file)
	username := l.input("FERRY_USERNAME")
	if text := l.input("FERRY_TARGET"); text != "" {
		at := origin{Name: "FERRY_TARGET", Place: Variables}
		account := username
		if _, ok := l.jobLogin(text); ok && account == "" {
			account = l.input("GITHUB_REPOSITORY_OWNER")
		}
		target, err := ParseTarget(text, account)
		if err != nil {
			l.fault(at.fault(err.Error(), "write a registry and a namespace, such as docker.io/user"))
			return nil
		}
		if lowered(text, target) {
			l.note(at.lowered(target))
		}
		i := slices.IndexFunc(listed, func(t listedTarget) bool { return t.String() == target.String() })
		if i < 0 {
			listed = []listedTarget{{Target: target, at: at}}
		} else {
			listed = []listedTarget{listed[i]}
		}
	} else if len(listed) == 0 && username != "" {
		at := origin{Name: "FERRY_USERNAME", Place: Variables}
		target, err := ParseTarget(reference.DockerHub, username)
		if err != nil {
			l.fault(at.fault("is not a namespace on Docker Hub", "set the variable FERRY_TARGET as well, such as docker.io/user"))
			return nil
		}
		listed = []listedTarget{{Target: target, at: at}}
	}
	for _, text := range l.ListTargets {
		at := origin{Name: "the list's target " + clip(text), Place: Elsewhere}
		target, err := ParseTarget(text, "")
		if err != nil {
			l.fault(at.fault(err.Error(), "write a registry and a namespace, such as docker.io/user"))
			continue
		}
		if i := slices.IndexFunc(listed, func(t listedTarget) bool { return t.String() == target.String() }); i >= 0 {
			continue
		}
		if i := slices.IndexFunc(file, func(t listedTarget) bool { return t.String() == target.String() }); i >= 0 {
			target = file[i].Target
			target.Listed = true
			listed = append(listed, listedTarget{Target: target, login: file[i].login, at: at})
			continue
		}
		target.Listed = true
		listed = append(listed, listedTarget{Target: target, at: at})
	}
	// A file that cannot be read may name targets.
	broken := slices.ContainsFunc(l.faults, func(f Fault) bool { return f.Kind == Broken })
	if len(listed) == 0 && l.Copies && !broken {
		l.fault(Fault{Kind: Missing, Name: "FERRY_USERNAME", Place: Variables, Reason: "is empty, so there is no target",
			Cure: l.setAt("FERRY_USERNAME", Variables) + "; for another registry than Docker Hub, set the variable FERRY_TARGET as well"})
		if l.input("FERRY_PASSWORD") == "" {
			l.fault(Fault{Kind: Missing, Name: "FERRY_PASSWORD", Place: Secrets, Reason: "is empty, but required with FERRY_USERNAME", Cure: l.setAt("FERRY_PASSWORD", Secrets)})
		}
	}
	platforms := l.platforms("FERRY_PLATFORMS", l.input("FERRY_PLATFORMS"))
	profile := ""
	l.word("FERRY_PROFILE", profiles(), func(v string) { profile = v })

	l.ownLogin(listed)
	if at, text := l.override(); text != "" {
		listed = l.overridden(at, text, slices.Concat(listed, file))
	}
	l.chosen = listed
	targets := make([]Target, 0, len(listed))
	for _, t := range listed {
		if len(platforms) > 0 {
			t.Platforms = platforms
		}
		if l.lookalike(t) {
			continue // what else is wrong is about a registry that is not meant
		}
		t.Profile = cmp.Or(profile, t.Profile, profiles()[0])
		if _, err := name.New(name.Target{Host: t.Host, Namespace: t.Namespace, Profile: name.Profile(t.Profile)}, nil); err != nil {
			l.fault(t.at.fault("cannot be used: "+err.Error(), ""))
			continue
		}
		t.Private = t.Private || isLocal(t.Host)
		found := l.credentials(t)
		t.Username, t.Password, t.OIDC, t.NoLogin = found.username, found.password, found.identity, found.problem
		targets = append(targets, t.Target)
	}
	return targets
}

// lookalike reports a target at a host that resembles a well-known registry. One
// with a port is meant as it is.
func (l *loader) lookalike(t listedTarget) bool {
	return l.resembles(t.at, t.Host, "/"+t.Namespace)
}

// resembles reports a host, written with rest after it, that resembles a
// well-known registry.
func (l *loader) resembles(at origin, host, rest string) bool {
	reason, cure := resembling(host, rest)
	if reason != "" {
		l.fault(at.fault(reason, cure))
	}
	return reason != ""
}

// resembling returns the fault of a host, written with rest after it, that
// resembles a well-known registry; empty for other hosts.
func resembling(host, rest string) (reason, cure string) {
	meant := known.Lookalike(host)
	if meant == "" {
		return "", ""
	}
	return fmt.Sprintf("is %q", clip(host+rest)), fmt.Sprintf("did you mean %q? if not, write the port as well: %s:443%s", clip(meant+rest), host, rest)
}

// ownLogin gives FERRY_PASSWORD to the one registry of which targets have no other
// password, and FERRY_USERNAME to those that name no user. Were there two
// registries without a password, one would see the other's.
func (l *loader) ownLogin(targets []listedTarget) {
	without := map[string][]*login{} // by host
	for i := range targets {
		login := &targets[i].login
		if _, ok := forTarget(l.given, targets[i].Target); login.passwordEnv == "" && login.oidc == "" && !ok {
			without[targets[i].Host] = append(without[targets[i].Host], login)
		}
		if login.username == "" && login.usernameEnv == "" {
			login.usernameEnv = "FERRY_USERNAME"
		}
	}
	if len(without) > 1 {
		maps.DeleteFunc(without, func(host string, _ []*login) bool { _, ok := l.jobLogin(host); return ok })
	}
	if len(without) > 1 {
		return
	}
	for _, logins := range without {
		for _, login := range logins {
			login.passwordEnv = "FERRY_PASSWORD"
		}
	}
}

// The variable for the target of one run, and its old name, which is still
// read.
const overrideVariable, oldOverrideVariable = "FERRY_TARGET_OVERRIDE", "FERRY_ELSEWHERE"

// Overridden reports whether the environment names the target that replaces all
// others, also those of lists.
func Overridden(getenv func(string) string) bool {
	return getenv(overrideVariable) != "" || getenv(oldOverrideVariable) != ""
}

// override returns the target of this run, if it is set, and where it is set.
func (l *loader) override() (origin, string) {
	at, text := origin{Name: overrideVariable, Place: Workflow}, l.input("FERRY_TARGET_OVERRIDE")
	old := l.input("FERRY_ELSEWHERE")
	if old == "" {
		return at, text
	}
	note := Fault{Name: oldOverrideVariable, Place: Workflow, Reason: "is the old name of " + overrideVariable, Cure: "rename it to " + overrideVariable}
	if text != "" {
		note.Reason, note.Cure = "is not used, because "+overrideVariable+" is set", "remove it"
	} else {
		at.Name, text = oldOverrideVariable, old
	}
	l.note(note)
	return at, text
}

// overridden returns the target of this run. It gets the login of a known
// target only if the host is the same: a typing error must not send a password
// to another registry.
func (l *loader) overridden(at origin, text string, known []listedTarget) []listedTarget {
	target, err := ParseTarget(text, l.input("FERRY_USERNAME"))
	if err != nil {
		l.fault(at.fault(err.Error(), "write a registry and a namespace, such as docker.io/user"))
		return nil
	}
	if lowered(text, target) {
		l.note(at.lowered(target))
	}
	i := slices.IndexFunc(known, func(t listedTarget) bool { return t.String() == target.String() })
	if i < 0 {
		i = slices.IndexFunc(known, func(t listedTarget) bool { return t.Host == target.Host })
	}
	if i < 0 {
		return []listedTarget{{Target: target, at: at}}
	}
	known[i].Namespace = target.Namespace
	return known[i : i+1]
}

// credentials returns a target's login: the identity or the variables that the
// file names, else FERRY_LOGINS, else FERRY_PASSWORD, else the login that "docker
// login" stored for this exact host, else, at GitHub's registry, the token of the
// job. A registry on a private network needs none.
func (l *loader) credentials(t listedTarget) credential {
	if t.login.oidc != "" {
		return l.federated(t.login.oidc, t.Host, t.at, l.Helper)
	}
	username, password := l.lookUp(t.login)
	if given, ok := forTarget(l.given, t.Target); ok && (password.IsZero() || t.login.passwordEnv == "FERRY_PASSWORD") {
		return l.giving(given, t.Host)
	}
	if password.IsZero() {
		docker := l.dockerLogin(t.String(), l.Helper)
		if docker.password.IsZero() {
			if own, ok := l.jobLogin(t.Host); ok {
				return own
			}
			if !t.Private && l.Copies {
				l.noLogin(t, docker.problem)
			}
		}
		return credential{username: docker.username, password: docker.password, problem: docker.problem}
	}
	if username == "" && l.Copies {
		l.missing(t.login.usernameEnv, t.Host)
	}
	return credential{username: username, password: password}
}

// lookUp reads the variables that a login names.
func (l *loader) lookUp(from login) (username string, password Secret) {
	return cmp.Or(from.username, l.input(from.usernameEnv)), NewSecret(l.input(from.passwordEnv))
}

// noLogin reports that t has no login; problem is why Docker's was not used.
func (l *loader) noLogin(t listedTarget, problem string) {
	reason := fmt.Sprintf("and there is no other login for %s", t.Host)
	if problem != "" {
		reason += " (" + problem + ")"
	}
	if name := t.login.passwordEnv; name != "" {
		cure := l.setAt(name, Secrets)
		if l.settings == "" && (problem == "" || l.Helper != nil) {
			cure += fmt.Sprintf(", or log in with %q", strings.TrimSuffix("docker login "+t.Host, " "+reference.DockerHub))
		}
		l.fault(Fault{Kind: Missing, Name: name, Place: Secrets, Reason: "is empty " + reason, Cure: cure})
		return
	}
	if t.at.Name == overrideVariable || t.at.Name == oldOverrideVariable {
		l.fault(t.at.fault("is at another registry than the usual target, so the login of that target is not used, "+reason,
			"add a line for it to the secret FERRY_LOGINS"))
		return
	}
	l.fault(t.at.fault("cannot be used, because more than one target has no login of its own, "+reason, "add a line for each to the secret FERRY_LOGINS"))
}

// missing reports a variable that a login at host requires.
func (l *loader) missing(name, host string) {
	at := Secrets
	if name == "FERRY_USERNAME" {
		at = Variables
	}
	l.fault(Fault{Kind: Missing, Name: name, Place: at, Reason: fmt.Sprintf("is empty, so Ferry cannot log in to %s", host), Cure: l.setAt(name, at)})
}

// ParseTarget reads "host/namespace" or, for Docker Hub, "namespace". It
// accepts common spellings: https:// or docker:// in front, http:// for a
// registry without TLS, slashes at the end, and capital letters, which become
// lower case, quotes and spaces around it, and the path of the API behind the
// host ("https://index.docker.io/v1/" is the name of Docker Hub in Docker's
// configuration). A host alone gets the user's name as the namespace. The error
// is a clause for a Fault.
func ParseTarget(text, username string) (Target, error) {
	if strings.Contains(text, "@") {
		return Target{}, fmt.Errorf("contains an @: credentials must not be part of it")
	}
	rest, plain := strings.CutPrefix(strings.Trim(text, aroundTargets), "http://")
	rest = strings.TrimRight(strings.TrimPrefix(strings.TrimPrefix(rest, "https://"), "docker://"), "/")
	host, namespace, found := strings.Cut(rest, "/")
	if first, more, _ := strings.Cut(namespace, "/"); first == "v1" || first == "v2" {
		namespace, found = more, more != ""
	}
	// Account names can have capitals ("ghcr.io/${{ github.repository_owner }}"
	// yields them), repositories cannot.
	namespace = strings.ToLower(namespace)
	switch {
	case !strings.ContainsAny(host, ".:") && host != "localhost":
		host, namespace, found = reference.DockerHub, strings.ToLower(rest), true
	case !found:
		namespace = strings.ToLower(username)
	}
	if registry := known.OfWebsite(host); registry != "" {
		return Target{}, fmt.Errorf("is %q, but %s is a website; its registry is %s", clip(text), host, registry)
	}
	// The grammar is that of repositories; the name below the namespace does
	// not matter.
	repository, err := reference.NewRepository(host, namespace+"/x")
	_, _, tagged := strings.Cut(namespace, ":")
	switch {
	case tagged:
		return Target{}, fmt.Errorf("is %q, which has a tag, but a target is a registry and namespace", clip(text))
	case namespace == "", err != nil && !found:
		return Target{}, fmt.Errorf("is %q, which has no namespace", clip(text))
	case err != nil:
		return Target{}, fmt.Errorf("is %q, which is not a registry and namespace", clip(text))
	}
	return Target{
		Host:      repository.Host(),
		Namespace: strings.TrimSuffix(repository.Path(), "/x"),
		PlainHTTP: plain,
	}, nil
}

// aroundTargets are characters that get around a target when it is pasted.
const aroundTargets = " \t\r\n\"'`“”"

// lowered reports whether text has capital letters in the namespace, which t
// has in lower case. Capitals in the host have no meaning.
func lowered(text string, t Target) bool {
	text = strings.TrimRight(text, "/"+aroundTargets)
	return strings.HasSuffix(strings.ToLower(text), t.Namespace) && !strings.HasSuffix(text, t.Namespace)
}

// parseHost reads the host of a registry, with an optional port.
func parseHost(text string) (host string, plain bool, err error) {
	rest, plain := strings.CutPrefix(text, "http://")
	rest = strings.TrimRight(strings.TrimPrefix(rest, "https://"), "/")
	repository, err := reference.NewRepository(rest, "x/x")
	if err != nil || strings.Contains(rest, "/") {
		return "", false, fmt.Errorf("is %q, which is not a host name", clip(text))
	}
	return repository.Host(), plain, nil
}

// isLocal reports whether the name of a host is on this machine or a private
// network. The owner has configured such a host on purpose.
func isLocal(host string) bool {
	dns, _, _ := strings.Cut(host, ":")
	if addr, err := netip.ParseAddr(dns); err == nil {
		return addr.IsLoopback() || addr.IsPrivate()
	}
	return !strings.Contains(dns, ".") || strings.HasSuffix(dns, ".localhost")
}

// checkNames checks labels and targets against the rules of mirror names, which
// include the limits of registries.
func (l *loader) checkNames(p policy, targets []Target) {
	labels := map[string]string{}
	check := func(at origin, target name.Target) bool {
		_, err := name.New(target, labels)
		if err != nil {
			l.fault(at.fault("cannot be used: "+err.Error(), ""))
		}
		return err == nil
	}
	for _, s := range p.sources {
		if s.Label == "" {
			continue
		}
		labels[s.Host] = s.Label
		if !check(s.at, name.Target{Host: reference.DockerHub, Namespace: "any"}) {
			delete(labels, s.Host)
		}
	}
	for _, t := range targets {
		at := origin{Name: "FERRY_TARGET", Place: Variables}
		if i := slices.IndexFunc(p.targets, func(o listedTarget) bool { return o.String() == t.String() }); i >= 0 {
			at = p.targets[i].at
		}
		check(at, name.Target{Host: t.Host, Namespace: t.Namespace, Profile: name.Profile(t.Profile)})
	}
}
