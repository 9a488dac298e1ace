package registry

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/reference"
)

// ours reports whether u is at the registry's own host, with its scheme: the
// only place for its credentials.
func (w *wire) ours(u *url.URL) bool {
	return outbound.HostPort(u) == outbound.HostPort(w.base) && u.Scheme == w.base.Scheme
}

// names reports whether u has the registry's host name.
func (w *wire) names(u *url.URL) bool { return strings.EqualFold(u.Hostname(), w.base.Hostname()) }

// own returns u with the registry's own scheme and port if u names the
// registry's host without TLS, although the registry uses it, or the registry's
// own port with TLS, although it does not. Registries behind a proxy that
// terminates TLS write such addresses.
func (w *wire) own(u *url.URL) *url.URL {
	switch {
	case !w.names(u):
	case u.Scheme == "http" && w.base.Scheme == "https",
		u.Scheme == "https" && w.base.Scheme == "http" && u.Port() != "" && u.Port() == w.base.Port():
		return w.atHome(u)
	}
	return u
}

// atHome returns u at the registry's own host, without the login that it may
// contain.
func (w *wire) atHome(u *url.URL) *url.URL {
	next := *u
	next.Scheme, next.Host, next.User = w.base.Scheme, w.base.Host, nil
	return &next
}

// check returns an error unless the registry may refer to u, as far as its name
// tells.
func (w *wire) check(u *url.URL) error {
	if err := w.trust.Check(u); err != nil {
		return err
	}
	if !w.names(u) && !w.trust.Named(u) && reference.Inside(strings.ToLower(u.Host)) {
		return fmt.Errorf("%s is inside a network: %w", u.Host, outbound.ErrForbidden)
	}
	return nil
}

// redirect returns the address that a response redirects to.
func (w *wire) redirect(from *url.URL, header http.Header) (*url.URL, error) {
	text := location(header)
	next, err := from.Parse(text)
	if err == nil {
		next = w.own(next)
		err = w.check(next)
	}
	if err != nil {
		_, host := cutAddress(text)
		return nil, w.astray(followingTo, host, err)
	}
	return next, nil
}

// service returns the address of a service of the registry, an upload session or
// a token server, that text in a response from an address names. step is that of
// the failure.
//
// Registries behind a proxy that they do not know write addresses that nobody
// can use: with the name of a machine in their network, without TLS, with two
// ports, schemes or hosts. Their path is right, so such an address is looked
// for at the registry itself. stray is then the host that was written, for the
// failure if it is not there.
func (w *wire) service(step string, from *url.URL, text string) (u *url.URL, stray string, err error) {
	if path, ok := strings.CutPrefix(text, w.base.Host+"/"); ok { // without a scheme
		text = "/" + path
	}
	u, err = from.Parse(text)
	if err == nil {
		u = w.own(u)
		if err = w.check(u); err == nil {
			return u, "", nil
		}
	}
	path, stray := cutAddress(text)
	if path != "" && stray != "" {
		if u, err := w.base.Parse(path); err == nil {
			return u, stray, nil
		}
	}
	return nil, "", w.astray(step, stray, err)
}

// session is service for an upload session, which is at the registry's own port
// if its address lacks the port or has that of its scheme. A token server may be
// on another port of the same host.
func (w *wire) session(from *url.URL, text string) (u *url.URL, stray string, err error) {
	if u, err := from.Parse(text); err == nil && w.names(u) && (w.base.Port() != "" && (u.Port() == "" || u.Port() == "80" && u.Scheme == "http" || u.Port() == "443" && u.Scheme == "https") ||
		outbound.HostPort(u) == outbound.HostPort(w.base)) {
		return w.atHome(u), "", nil // the name in any case, and perhaps with a login, which belongs in a header
	}
	return w.service(startingUpload, from, text)
}

// cutAddress returns the part of an address from its path, and its host; empty if
// they are missing. The address may not be valid: the last scheme and the last
// host of several count.
func cutAddress(text string) (path, host string) {
	at := strings.LastIndex(text, "://")
	if query := strings.IndexByte(text, '?'); query >= 0 && at > query {
		at = strings.LastIndex(text[:query], "://")
	}
	if at < 0 {
		return "", ""
	}
	host, path, found := strings.Cut(text[at+len("://"):], "/")
	if found {
		path = "/" + path
	}
	return path, reference.Clip(host, 255)
}

// astray is the failure for an address in a response of the registry that Ferry
// does not connect to.
func (w *wire) astray(step, host string, err error) *failure.Error {
	f := w.fail(failure.BadAddress, step, err)
	if host != "" {
		f.Hints = []string{host}
	}
	return f
}
