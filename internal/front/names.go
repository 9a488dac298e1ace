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

// Called is a name that the front is called by, and the source it stands for
// then. A name "*.front.example" stands for the source whose label is in the
// place of the star; Source is empty then.
type Called struct {
	Name, Source string
}

// Names tells which source a request means. It knows every host that a question
// can be about: those that are configured, and no other.
type Names struct {
	sources map[string]bool   // canonical hosts
	labels  map[string]string // host by label
	called  map[string]string // source by the name that the front is called by
	stars   []string          // what follows the label in a name with a star, from its dot on
}

// NewNames reads the configured sources, the labels of hosts and the names that
// the front is called by. Errors name what does not fit.
func NewNames(sources []string, labels map[string]string, called []Called) (*Names, error) {
	n := &Names{sources: map[string]bool{}, labels: map[string]string{}, called: map[string]string{}}
	for _, host := range sources {
		canonical, ok := canonicalHost(host)
		if !ok {
			return nil, fmt.Errorf("reading the sources: %q is no host", host)
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
			return nil, fmt.Errorf("reading the name %s: %q is no configured source", c.Name, c.Source)
		}
		n.called[own] = canonical
	}
	return n, nil
}

// canonicalHost is the one spelling of a host and of all that hold the same.
func canonicalHost(host string) (string, bool) {
	r, err := reference.NewRepository(host, "x/x")
	if err != nil {
		return "", false
	}
	return name.Canonical(r).Host(), true
}

// Question reads a request. The first rule that applies tells the source; that
// a later one says otherwise is refused, because the client would get another
// image than it believes.
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
		return q, refuse(http.StatusBadRequest, distribution.NameInvalid, "the front was called by a name of %s and asked for %s: use a name of the front that is no source's, or leave the parameter ns out", called, named)
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
		return q, refuse(http.StatusBadRequest, distribution.NameInvalid, "the name is not that of a repository: lower-case letters and digits joined by single dots, underscores or dashes, between slashes")
	}
	q.Repository = name.Canonical(r)
	return q, q.read(e)
}

// parameters are those of a query that mean something, each at most once.
func parameters(query string) (url.Values, *Refusal) {
	values, err := url.ParseQuery(query)
	if err != nil || len(query) > maxPath {
		return nil, refuse(http.StatusBadRequest, distribution.NameInvalid, "the query cannot be read")
	}
	for key, list := range values {
		switch strings.ToLower(key) {
		case "token", "access_token", "password", "authorization":
			return nil, refuse(http.StatusBadRequest, distribution.Unauthorized, "a query is no place for a token, since it gets into logs: send it as password, as bearer token or as the first component of the path")
		}
		if len(list) > 1 {
			return nil, refuse(http.StatusBadRequest, distribution.NameInvalid, "a parameter is there twice")
		}
	}
	return values, nil
}

// byHost is the source that the front was called by, empty if its name is no
// source's.
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
		return "", refuse(http.StatusNotFound, distribution.NameUnknown, "no source has the label that the front was called by")
	}
	return "", nil
}

// byNamespace is the source that the parameter ns names, empty if there is none.
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

// byPath finds the source in the first component of a path, where it may stand
// as a host or, where that can be no user of Docker Hub, as a label.
func (n *Names) byPath(path string) (Rule, string, string, *Refusal) {
	first, rest, more := strings.Cut(path, "/")
	if more && strings.ContainsAny(first, ".:") { // no user of Docker Hub has a dot
		canonical, ok := canonicalHost(first)
		switch {
		case !ok:
			return "", "", "", refuse(http.StatusBadRequest, distribution.NameInvalid, "the first component of the path is not a registry's host name")
		case !n.sources[canonical]:
			return "", "", "", unknownHost(canonical)
		}
		return ByPath, canonical, rest, nil
	}
	// Names on Docker Hub have two components, so that a third tells a label.
	if source, ok := n.labels[first]; ok && strings.Contains(rest, "/") {
		return ByPath, source, rest, nil
	}
	if !n.sources[reference.DockerHub] {
		return "", "", "", unknownHost(reference.DockerHub)
	}
	return ByDefault, reference.DockerHub, path, nil
}

// unknownHost says that a host is not configured. It is canonical, so that it
// can be repeated.
func unknownHost(host string) *Refusal {
	return refuse(http.StatusNotFound, distribution.NameUnknown, "%s is no source of this front: its owner can add it to the sources", host)
}

// Sources are the hosts that questions can be about, in order.
func (n *Names) Sources() []string {
	var hosts []string
	for host := range n.sources {
		hosts = append(hosts, host)
	}
	slices.Sort(hosts)
	return hosts
}
