package front

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
)

// Called is a host name of the front and the source that it stands for. The
// name "*.front.example" stands for the source whose label replaces the star;
// its Source is empty.
type Called struct {
	Name, Source string
}

// Names finds the source that a request means. It contains every host that a
// question can be about: the configured ones.
type Names struct {
	sources map[string]bool   // canonical hosts
	labels  map[string]string // host by label
	called  map[string]string // source by host name of the front
	stars   []string          // the part after the star of names with a star, with its dot
}

// NewNames returns Names for the configured sources, the labels of hosts and
// the host names of the front. Errors name the invalid value.
func NewNames(sources []string, labels map[string]string, called []Called) (*Names, error) {
	n := &Names{sources: map[string]bool{}, labels: map[string]string{}, called: map[string]string{}}
	for _, host := range sources {
		canonical, ok := canonicalHost(host)
		if !ok {
			return nil, fmt.Errorf("reading the sources: %q is not a host", host)
		}
		n.sources[canonical] = true
	}
	for host, label := range labels {
		if canonical, ok := canonicalHost(host); ok && n.sources[canonical] {
			n.labels[label] = canonical
		}
	}
	for _, c := range called {
		own := strings.ToLower(c.Name)
		if suffix, ok := strings.CutPrefix(own, "*"); ok {
			n.stars = append(n.stars, suffix)
			continue
		}
		canonical, ok := canonicalHost(c.Source)
		if !ok || !n.sources[canonical] {
			return nil, fmt.Errorf("reading the name %s: %q is not a configured source", c.Name, c.Source)
		}
		n.called[own] = canonical
	}
	return n, nil
}

// canonicalHost returns the canonical spelling of a host, and whether it is
// valid.
func canonicalHost(host string) (string, bool) {
	r, err := reference.NewRepository(host, "x/x")
	if err != nil {
		return "", false
	}
	return name.Canonical(r).Host(), true
}

// Question parses a request. The first rule that applies gives the source. If a
// later rule gives another one the request is refused, because the client would
// get another image than it expects.
func (n *Names) Question(host, path, raw, query string) (Question, *Refusal) {
	e, refusal := split(path, raw)
	if refusal != nil {
		return Question{}, refusal
	}
	q := Question{Kind: e.Kind, Written: e.Repository}
	values, refusal := parameters(query)
	if refusal != nil {
		return q, refusal
	}
	q.Query = values
	if values.Has("ns") {
		q.Namespace = values.Get("ns")
		values.Del("ns")
		if q.Namespace == "" {
			return q, refuse(http.StatusBadRequest, distribution.NameInvalid, "the parameter ns is empty")
		}
	}
	called, refusal := n.byHost(host)
	if refusal != nil {
		return q, refusal
	}
	named, refusal := n.byNamespace(q.Namespace)
	if refusal != nil {
		return q, refusal
	}
	if called != "" && named != "" && called != named {
		return q, refuse(http.StatusBadRequest, distribution.NameInvalid, "this host name of the front stands for %s, but the parameter ns is %s: use another host name of the front, or leave out ns", called, named)
	}
	if e.Kind == Base {
		return q, nil
	}
	source, repository := called, e.Repository
	switch {
	case called != "":
		q.Rule = ByHost
	case named != "":
		q.Rule, source = ByNamespace, named
	default:
		if q.Rule, source, repository, refusal = n.byPath(e.Repository); refusal != nil {
			return q, refusal
		}
	}
	r, err := reference.NewRepository(source, repository)
	if err != nil {
		return q, refuse(http.StatusBadRequest, distribution.NameInvalid, "the repository name is not valid: use lower-case letters and digits, joined by single dots, underscores or dashes, with slashes between the components")
	}
	q.Repository = name.Canonical(r)
	return q, q.read(e)
}

// parameters returns the known parameters of a query, each at most once.
func parameters(query string) (url.Values, *Refusal) {
	values, err := url.ParseQuery(query)
	if err != nil || len(query) > maxPath {
		return nil, refuse(http.StatusBadRequest, distribution.NameInvalid, "the query cannot be read")
	}
	for key, list := range values {
		switch strings.ToLower(key) {
		case "token", "access_token", "password", "authorization":
			return nil, refuse(http.StatusBadRequest, distribution.Unauthorized, "a token in the query would get into logs: send it as the password, as a bearer token or as the first component of the path")
		}
		if len(list) > 1 {
			return nil, refuse(http.StatusBadRequest, distribution.NameInvalid, "a parameter appears twice")
		}
	}
	return values, nil
}

// byHost returns the source of the host name that the client used, or an empty
// string if it stands for none.
func (n *Names) byHost(host string) (string, *Refusal) {
	if without, _, err := net.SplitHostPort(host); err == nil {
		host = without
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if source, ok := n.called[host]; ok {
		return source, nil
	}
	for _, suffix := range n.stars {
		label, ok := strings.CutSuffix(host, suffix)
		if !ok || label == "" || strings.Contains(label, ".") {
			continue
		}
		if source, ok := n.labels[label]; ok {
			return source, nil
		}
		return "", refuse(http.StatusNotFound, distribution.NameUnknown, "no source has the label in this host name of the front")
	}
	return "", nil
}

// Called reports whether a host name of the front stands for a source.
func (n *Names) Called(host string) bool {
	source, refusal := n.byHost(host)
	return source != "" && refusal == nil
}

// byNamespace returns the source that the parameter ns names, or an empty
// string.
func (n *Names) byNamespace(ns string) (string, *Refusal) {
	if ns == "" {
		return "", nil
	}
	canonical, ok := canonicalHost(ns)
	if !ok {
		return "", refuse(http.StatusBadRequest, distribution.NameInvalid, "the parameter ns is not a registry's host name")
	}
	if !n.sources[canonical] {
		return "", unknownHost(canonical)
	}
	return canonical, nil
}

// byPath finds the source in the first component of a path: as a host or, if it
// cannot be a user of Docker Hub, as a label.
func (n *Names) byPath(path string) (Rule, string, string, *Refusal) {
	first, rest, more := strings.Cut(path, "/")
	if more && strings.ContainsAny(first, ".:") { // users of Docker Hub have no dots
		canonical, ok := canonicalHost(first)
		switch {
		case !ok:
			return "", "", "", refuse(http.StatusBadRequest, distribution.NameInvalid, "the first component of the path is not a registry's host name")
		case !n.sources[canonical]:
			return "", "", "", unknownHost(canonical)
		}
		return ByPath, canonical, rest, nil
	}
	// Names on Docker Hub have two components, so with a third one the first is
	// a label.
	if source, ok := n.labels[first]; ok && strings.Contains(rest, "/") {
		return ByPath, source, rest, nil
	}
	if !n.sources[reference.DockerHub] {
		return "", "", "", unknownHost(reference.DockerHub)
	}
	return ByDefault, reference.DockerHub, path, nil
}

// unknownHost refuses a host that is not configured. The host is canonical, so
// the message can contain it.
func unknownHost(host string) *Refusal {
	return refuse(http.StatusNotFound, distribution.NameUnknown, "%s is not a source of this front: its owner can add it to the sources", host)
}

// Sources returns the hosts that questions can be about, in order.
func (n *Names) Sources() []string {
	var hosts []string
	for host := range n.sources {
		hosts = append(hosts, host)
	}
	slices.Sort(hosts)
	return hosts
}
